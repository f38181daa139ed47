import numpy as np
import pytest

from graphvoip.nodes import Clock, Logic

A = np.repeat([0, 0.5, 0, 1, 1, 0, 1, 0], 40)
B = np.repeat([0, 0, 3, 1, 0, 0, 0.1, -1], 40)


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        ("and", (A > 0) & (B > 0)),
        ("or", (A > 0) | (B > 0)),
        ("xor", (A > 0) ^ (B > 0)),
        ("not", A <= 0),
        ("nand", ~((A > 0) & (B > 0))),
        ("nor", ~((A > 0) | (B > 0))),
    ],
)
def test_gates_are_combined(run, signal, op, expected):
    samples, _ = run(Logic(signal(A), signal(B), op=op), 2)
    np.testing.assert_array_equal(samples, expected)


def pulses(*at):
    samples = np.zeros(800)
    for one in at:
        samples[one : one + 20] = 1
    return samples


def test_toggle_goes_on_and_off_at_each_rise_and_b_holds_it_off(run, signal):
    samples, _ = run(Logic(signal(pulses(7, 171, 300, 400, 500)), signal(pulses(333, 495)), op="toggle"), 5)
    expected = np.zeros(800)
    expected[7:171], expected[300:333], expected[400:495] = 1, 1, 1
    np.testing.assert_array_equal(samples, expected)


def test_latch_stays_on_until_b(run, signal):
    samples, _ = run(Logic(signal(pulses(7, 50, 300, 600)), signal(pulses(201, 250, 590)), op="latch"), 5)
    expected = np.zeros(800)
    expected[7:201], expected[300:590], expected[610:] = 1, 1, 1
    np.testing.assert_array_equal(samples, expected)


def test_what_is_not_a_number_is_off(run, signal):
    bad = signal(np.tile([np.nan, -np.inf], 80))
    for op, expected in (("and", 0), ("or", 0), ("nor", 1), ("toggle", 0), ("latch", 0)):
        samples, _ = run(Logic(bad, bad, op=op))
        np.testing.assert_array_equal(samples, expected)


def test_an_unknown_op_is_refused():
    with pytest.raises(ValueError, match="did you mean 'toggle'"):
        Logic(Clock(), op="togle")
