import numpy as np
import pytest

from graphvoip.nodes import Clock, Mix


def ticks(samples):
    assert set(np.unique(samples)) <= {0, 1}
    return np.flatnonzero(samples)


def test_ticks_that_fall_on_samples_are_there_after_a_minute(run):
    for tempo, per_beat, period in ((120, 4, 1000), (60, 1, 8000), (125, 3, 1280), (150, 96, 100 / 3), (96, 4, 1250)):
        samples, _ = run(Clock(tempo=tempo, per_beat=per_beat), 3000)
        times = np.arange(0, 3000 * 160, period)
        np.testing.assert_array_equal(ticks(samples), np.ceil(times - 1e-6))


def test_ticks_between_samples_do_not_drift(run):
    samples, _ = run(Clock(tempo=133.7, per_beat=7), 3000)
    period = 60 * 8000 / (float(np.float32(133.7)) * 7)
    found = ticks(samples)
    late = found - np.arange(len(found)) * period
    assert late.min() >= 0
    assert late.max() < 1
    assert len(found) == 1 + int((3000 * 160 - 1) / period)


def test_swing_holds_back_each_second_tick(run):
    for swing in (0.0, 0.1, 0.25, 0.5):
        samples, _ = run(Clock(tempo=120, swing=swing), 50)
        pairs = np.arange(4)[:, None] * 2000 + [0, 1000 + 1000 * swing]
        np.testing.assert_array_equal(ticks(samples), pairs.ravel())


def test_the_gate_is_half_of_a_tick_and_the_phase_runs_from_0_to_1(run):
    clock = Clock(tempo=120, swing=0.25)
    gate, _ = run(Mix(clock.gate), 50)
    phase, _ = run(Mix(Clock(tempo=120, swing=0.25).phase), 50)
    within = np.concatenate([np.arange(1250) / 1250, np.arange(750) / 750] * 4)
    np.testing.assert_allclose(phase, within, atol=1e-6)
    np.testing.assert_array_equal(gate, within < 0.5)


def test_a_tempo_that_moves_is_summed_up(run, signal):
    tempo = np.linspace(60, 600, 8000)
    samples, _ = run(Clock(tempo=signal(tempo), per_beat=4), 50)
    passed = np.concatenate([[0], np.cumsum(tempo.astype(np.float32).astype(float) * 4 / 60 / 8000)[:-1]])
    expected = [0] + [int(np.searchsorted(passed, n)) for n in range(1, int(passed[-1]) + 1)]
    np.testing.assert_array_equal(ticks(samples), expected)


def test_reset_begins_with_the_first_tick_of_a_pair_and_tempo_0_stands_still(run, signal):
    reset = np.zeros(8000)
    reset[1300:1400] = 1
    samples, _ = run(Clock(tempo=120, swing=0.5, reset=signal(reset)), 50)
    np.testing.assert_array_equal(ticks(samples), [0, 1300, 2800, 3300, 4800, 5300, 6800, 7300])

    samples, _ = run(Clock(tempo=signal(np.where(np.arange(8000) < 2500, 120, 0))), 50)
    np.testing.assert_array_equal(ticks(samples), [0, 1000, 2000])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, -5.0])
def test_no_tempo_breaks_it(run, signal, bad):
    tempo = np.where(np.arange(8000) < 1300, bad, 120.0)
    samples, _ = run(Clock(tempo=signal(tempo), swing=signal(tempo), per_beat=96), 50)
    found = ticks(samples)
    assert np.diff(found).min() > 1  # each is a rise
    late = found[found > 1400]
    assert 20 < np.diff(late).mean() < 45


def test_wrong_options_are_refused():
    for values, words in (({"tempo": 2000}, "bpm"), ({"per_beat": 0}, "outside 1..96"), ({"per_beat": 1.5}, "whole")):
        with pytest.raises(ValueError, match=words):
            Clock(**values)
