import numpy as np
import pytest

from graphvoip.nodes import Sine, Slew


def reference(data, rise, fall, level):
    found = []
    for x in data:
        level = min(max(x, level - fall / 8000), level + rise / 8000)
        found.append(level)
    return np.array(found)


def test_a_step_is_a_straight_line_with_the_slope_of_its_direction(run, signal):
    data = np.zeros(4800)
    data[100:2000] = 1
    samples, _ = run(Slew(signal(data), rise=20, fall=10), 30)
    np.testing.assert_allclose(samples[99:500], np.arange(401) / 400, atol=1e-6)
    np.testing.assert_array_equal(samples[500:2000], 1)
    np.testing.assert_allclose(samples[1999:2800], 1 - np.arange(801) / 800, atol=1e-6)
    np.testing.assert_array_equal(samples[2801:], 0)


def test_what_is_slow_enough_passes_bit_for_bit(run):
    steepest = 2 * np.pi * 44.1
    plain, _ = run(Sine(freq=44.1), 20)
    slow, _ = run(Slew(Sine(freq=44.1), rise=steepest * 1.01, fall=steepest * 1.01), 20)
    np.testing.assert_array_equal(slow, plain)
    cut, _ = run(Slew(Sine(freq=44.1), rise=steepest / 2, fall=steepest / 2), 20)
    assert np.abs(np.diff(cut)).max() == pytest.approx(steepest / 2 / 8000, rel=1e-3)


def test_rates_may_be_signals_and_0_holds(run, signal):
    random = np.random.default_rng(3)
    data, rise, fall = random.uniform(-1, 1, 1600), random.uniform(0, 500, 1600), random.uniform(0, 500, 1600)
    rise[400:800] = fall[400:800] = 0
    data, rise, fall = (x.astype(np.float32).astype(float) for x in (data, rise, fall))
    samples, _ = run(Slew(signal(data), signal(rise), signal(fall)), 10)
    level, expected = data[0], []
    for x, up, down in zip(data, rise, fall, strict=True):
        level = reference([x], up, down, level)[0]
        expected.append(level)
    np.testing.assert_allclose(samples, expected, atol=1e-6)
    assert np.all(samples[400:800] == samples[399])


def test_it_comes_from_the_first_value_or_from_begin(run):
    samples, _ = run(Slew(440.0, rise=100), 1)
    np.testing.assert_array_equal(samples, 440)
    samples, _ = run(Slew(440.0, rise=800, fall=800, begin=500), 5)
    np.testing.assert_allclose(samples[:600], 500 - 0.1 * np.arange(1, 601), atol=1e-4)
    np.testing.assert_array_equal(samples[600:], 440)


def test_a_fault_leaves_it_where_it_is(run, signal):
    data = np.ones(160)
    data[50:60] = [np.nan, np.inf, -np.inf, 1e30, -1e30] * 2
    samples, _ = run(Slew(signal(data), begin=0, rise=100))
    assert np.all(samples[50:60] == samples[49])
    np.testing.assert_allclose(np.delete(samples, range(50, 60)), np.minimum(1, np.arange(1, 151) / 80), atol=1e-6)


def test_wrong_values_are_refused():
    for values, words in (({"rise": -1}, "rise -1"), ({"begin": "low"}, "begin 'low' is outside")):
        with pytest.raises(ValueError, match=words):
            Slew(Sine(), **values)
