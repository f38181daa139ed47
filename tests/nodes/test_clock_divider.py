import numpy as np
import pytest

from graphvoip.nodes import Clock, ClockDivider

N = 1600


def impulses(*at, value=1.0):
    samples = np.zeros(N)
    samples[list(at)] = value
    return samples


@pytest.mark.parametrize(("division", "offset"), [(1, 0), (2, 0), (3, 0), (3, 2), (4, 5)])
def test_each_nth_trigger_passes(run, signal, division, offset):
    at = np.arange(7, N, 41)
    samples, _ = run(ClockDivider(signal(impulses(*at)), division=division, offset=offset), 10)
    np.testing.assert_array_equal(np.flatnonzero(samples), at[offset::division])


def test_without_options_it_halves(run):
    samples, _ = run(ClockDivider(Clock(tempo=120)), 100)
    np.testing.assert_array_equal(np.flatnonzero(samples), np.arange(0, 16000, 2000))


def test_a_gate_keeps_its_length_and_velocity(run, signal):
    gates = np.zeros(N)
    for k, start in enumerate(range(100, N, 200)):
        gates[start : start + 37 * (k + 1) % 180] = 0.1 * (k + 1)
    samples, _ = run(ClockDivider(signal(gates), division=2), 10)
    gates[(np.arange(N) - 100) // 200 % 2 == 1] = 0
    np.testing.assert_array_equal(samples, gates.astype(np.float32))


def test_reset_counts_anew_and_a_trigger_at_that_sample_is_the_first(run, signal):
    triggers = impulses(100, 200, 300, 400, 500, 600, 700)
    samples, _ = run(ClockDivider(signal(triggers), signal(impulses(250, 600)), division=3), 10)
    np.testing.assert_array_equal(np.flatnonzero(samples), [100, 300, 600])


def test_what_is_no_number_is_no_trigger_and_all_that_passes_is_finite(run, signal):
    triggers = impulses(100, 300, 500)
    triggers[[200, 300, 400]] = np.nan, np.inf, -np.inf
    samples, _ = run(ClockDivider(signal(triggers), division=1), 10)
    np.testing.assert_array_equal(np.flatnonzero(samples), [100, 300, 500])
    assert np.all(np.isfinite(samples))


def test_wrong_options_are_refused():
    for values, words in (({"division": 0}, "division 0 is outside"), ({"offset": -1}, "offset -1")):
        with pytest.raises(ValueError, match=words):
            ClockDivider(Clock(), **values)
