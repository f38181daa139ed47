import numpy as np
import pytest

from graphvoip.nodes import Compare, Sine

TIME = np.arange(1600)
LEVEL = np.float32(0.3)
WAVE = np.sin(2 * np.pi * 441 * TIME / 8000).astype(np.float32)


@pytest.mark.parametrize(("op", "expected"), [("above", WAVE - LEVEL > 0), ("below", WAVE - LEVEL < 0)])
def test_it_is_on_above_or_below_the_threshold(run, signal, op, expected):
    samples, _ = run(Compare(signal(WAVE), threshold=0.3, op=op), 10)
    np.testing.assert_array_equal(samples, expected)


def test_the_threshold_may_be_a_signal(run, signal):
    line = np.linspace(-1, 1, 1600).astype(np.float32)
    samples, _ = run(Compare(signal(WAVE), signal(line)), 10)
    np.testing.assert_array_equal(samples, line < WAVE)


@pytest.mark.parametrize(("op", "sign"), [("above", 1), ("below", -1)])
def test_hysteresis_makes_one_gate_of_a_trembling_signal(run, signal, op, sign):
    slow = np.sin(2 * np.pi * 7 * TIME / 8000)
    trembling = (sign * (slow + 0.2 * WAVE)).astype(np.float32)
    without, _ = run(Compare(signal(trembling), op=op), 10)
    gates, _ = run(Compare(signal(trembling), hysteresis=0.5, op=op), 10)
    assert np.sum(np.diff(without) > 0) > 5
    assert np.sum(np.diff(gates) > 0) <= 2
    on, expected = False, []
    for x in sign * trembling:
        on = x > -0.5 if on else x > 0
        expected.append(on)
    np.testing.assert_array_equal(gates, expected)


def test_equal_is_within_the_hysteresis_and_forgives_rounding(run, signal):
    values = np.repeat([440, 440.0001, 440.1, 439.5, 439.4, 0], 20)
    samples, _ = run(Compare(signal(values), threshold=440, op="equal"), 1)
    np.testing.assert_array_equal(samples[:120], np.repeat([1, 1, 0, 0, 0, 0], 20))
    samples, _ = run(Compare(signal(values), threshold=440, hysteresis=0.5, op="equal"), 1)
    np.testing.assert_array_equal(samples[:120], np.repeat([1, 1, 1, 1, 0, 0], 20))


@pytest.mark.parametrize("op", ["above", "below", "equal"])
def test_what_is_not_a_number_is_off(run, signal, op):
    for node in (
        Compare(signal(np.full(160, np.nan)), op=op, hysteresis=0.1),
        Compare(Sine(freq=441), signal(np.full(160, np.nan)), op=op, hysteresis=0.1),
    ):
        samples, _ = run(node)
        np.testing.assert_array_equal(samples, 0)
    samples, _ = run(Compare(signal(WAVE), hysteresis=signal(np.full(1600, np.nan)), op="above"), 10)
    np.testing.assert_array_equal(samples, WAVE > 0)


def test_wrong_options_are_refused():
    for values, words in (({"op": "abve"}, "did you mean 'above'"), ({"hysteresis": -1}, "hysteresis -1")):
        with pytest.raises(ValueError, match=words):
            Compare(Sine(), **values)
