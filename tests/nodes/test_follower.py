import numpy as np
import pytest

from graphvoip.nodes import Follower, Sine


@pytest.mark.parametrize(("kind", "share"), [("peak", 1.0), ("rms", 0.5**0.5)])
@pytest.mark.parametrize("freq", [123.4, 441, 1234.5, 3456.7])
def test_it_reads_the_level_of_a_sine_to_a_third_of_a_decibel(run, kind, share, freq):
    for amp in (0.9, 0.01):
        samples, _ = run(Follower(Sine(freq=freq, amp=amp), kind=kind), 100)
        assert np.abs(20 * np.log10(samples[8000:] / (amp * share))).max() < 0.5
        assert abs(20 * np.log10(samples[8000:].mean() / (amp * share))) < 0.33


def test_white_noise_has_its_root_mean_square(run, signal):
    noise = np.random.default_rng(1).normal(0, 0.1, 32000)
    samples, _ = run(Follower(signal(noise), kind="rms", attack=0.2, release=0.2), 200)
    assert samples[16000:].mean() == pytest.approx(0.1, rel=0.15)


def test_attack_and_release_are_time_constants_of_a_step(run, signal):
    step = np.zeros(24000)
    step[160:8160] = 1
    samples, _ = run(Follower(signal(step), attack=0.05, release=0.2), 150)
    np.testing.assert_allclose(samples[160:8160], 1 - np.exp(-np.arange(1, 8001) / 400), atol=1e-6)
    np.testing.assert_allclose(samples[8160:], np.exp(-np.arange(1, 15841) / 1600), atol=1e-6)


def test_without_times_it_is_the_rectified_wave(run):
    wave, _ = run(Sine(freq=441), 10)
    samples, _ = run(Follower(Sine(freq=441), attack=0, release=0), 10)
    np.testing.assert_array_equal(samples, np.abs(wave))


def test_its_times_may_move(run, signal):
    step, release = np.zeros(4800), np.where(np.arange(4800) < 1600, 1.0, 0.01)
    step[:800] = 1
    samples, _ = run(Follower(signal(step), attack=0, release=signal(release)), 30)
    assert samples[1599] == pytest.approx(np.exp(-800 / 8000), rel=1e-5)
    assert samples[1679] == pytest.approx(np.exp(-800 / 8000 - 1), rel=1e-5)


def test_a_fault_counts_as_silence(run, signal):
    wave = 0.5 * np.sin(np.arange(1600) * 0.7)
    faulty, silent = wave.copy(), wave.copy()
    faulty[[300, 301, 302, 900]], silent[[300, 301, 302, 900]] = (np.nan, np.inf, -1e30, np.nan), 0
    for kind in ("peak", "rms"):
        (heard, _), (expected, _) = (run(Follower(signal(x), kind=kind), 10) for x in (faulty, silent))
        np.testing.assert_array_equal(heard, expected)


def test_wrong_values_are_refused():
    for values, words in (({"attack": -1}, "attack -1 s"), ({"kind": "mean"}, "none of peak, rms")):
        with pytest.raises(ValueError, match=words):
            Follower(Sine(), **values)
