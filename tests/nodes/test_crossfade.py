import numpy as np
import pytest

from graphvoip.nodes import Crossfade, Sine


@pytest.fixture
def pair():
    return np.random.default_rng(1).uniform(-1, 1, (2, 320)).astype(np.float32)


@pytest.mark.parametrize("curve", ["linear", "equal_power"])
def test_at_its_ends_it_is_one_sound_bit_for_bit_and_a_fault_of_the_other_is_not_heard(run, signal, pair, curve):
    a, b = pair
    bad = np.full(320, np.nan)
    for position, first, second, expected in ((0, a, bad, a), (1, bad, b, b)):
        samples, _ = run(Crossfade(signal(first), signal(second), position=position, curve=curve), 2)
        np.testing.assert_array_equal(samples, expected)


def test_levels_on_the_way_are_those_of_the_curves(run, signal, pair):
    a, b = pair
    p = np.linspace(0, 1, 320).astype(np.float32).astype(float)
    for curve, left, right in (
        ("linear", 1 - p, p),
        ("equal_power", np.cos(np.pi / 2 * p), np.sin(np.pi / 2 * p)),
    ):
        samples, _ = run(Crossfade(signal(a), signal(b), signal(p), curve=curve), 2)
        np.testing.assert_allclose(samples, left * a + right * b, atol=1e-6)


def test_equal_power_keeps_the_power_of_two_different_sounds(run):
    for position in (0, 0.25, 0.5, 0.9):
        samples, _ = run(Crossfade(Sine(freq=441), Sine(freq=1234.5), position=position), 400)
        assert np.mean(np.square(samples, dtype=float)) == pytest.approx(0.5, rel=0.002)


def test_a_position_that_is_too_far_or_no_number_stays_inside(run, signal, pair):
    a, b = pair
    position = np.tile([-5, np.nan, -np.inf, 7, np.inf, 1e30], 54)[:320]
    samples, _ = run(Crossfade(signal(a), signal(b), signal(position)), 2)
    np.testing.assert_array_equal(samples, np.where(position > 0, b, a))


def test_a_wrong_curve_is_refused():
    with pytest.raises(ValueError, match="did you mean 'equal_power'"):
        Crossfade(curve="equal power")
