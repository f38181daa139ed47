import numpy as np

from graphvoip.nodes import Gain, Sine


def test_eight_samples_of_a_kilohertz(run):
    samples, _ = run(Sine(freq=1000))
    np.testing.assert_allclose(samples[:8], [0, 0.5**0.5, 1, 0.5**0.5, 0, -(0.5**0.5), -1, -(0.5**0.5)], atol=1e-6)


def test_distortion_and_noise_are_below_120_db(run):
    n = 160 * 500
    for frequency in (50.3, 441, 1234.5, 3999):
        samples, _ = run(Sine(freq=frequency), 500)
        frequency = float(np.float32(frequency))  # signals are float32, a number's too
        t = np.arange(n) / 8000
        basis = np.stack([np.sin(2 * np.pi * frequency * t), np.cos(2 * np.pi * frequency * t)], 1)
        rest = samples - basis @ np.linalg.lstsq(basis, samples.astype(float), rcond=None)[0]
        assert 20 * np.log10(np.std(rest) / np.std(samples)) < -120


def test_the_phase_is_right_after_a_minute(run):
    samples, _ = run(Sine(freq=441.7), 3000)
    t = np.arange(160 * 2999, 160 * 3000) / 8000
    np.testing.assert_allclose(samples[-160:], np.sin(2 * np.pi * float(np.float32(441.7)) * t), atol=1e-6)


def test_frequency_and_level_may_be_signals(run, signal):
    sweep = np.linspace(100, 3000, 1600)
    samples, _ = run(Sine(freq=signal(sweep), amp=Gain(signal(np.linspace(0, 1, 1600)), 0.5)), 10)
    phase = np.concatenate([[0], np.cumsum(sweep.astype(np.float32).astype(float) / 8000)[:-1]])
    np.testing.assert_allclose(samples, np.linspace(0, 0.5, 1600) * np.sin(2 * np.pi * phase), atol=2e-6)


def test_below_0_it_runs_backwards_whatever_brings_the_pitch(run, signal):
    forwards, _ = run(Sine(freq=441), 10)
    backwards, _ = run(Sine(freq=-441), 10)
    np.testing.assert_allclose(backwards, -forwards, atol=1e-6)
    np.testing.assert_array_equal(backwards, run(Sine(freq=signal(np.full(1600, -441))), 10)[0])


def test_frequency_modulation_goes_through_zero_and_beyond_4000_hz(run, signal):
    """The phase is the sum of all that came: what is folded is the sound, and never the modulation."""
    freq = (300 + 6000 * np.sin(2 * np.pi * 50 * np.arange(1600) / 8000)).astype(np.float32)
    phase = np.concatenate([[0], np.cumsum(freq.astype(float) / 8000)[:-1]])
    np.testing.assert_allclose(run(Sine(freq=signal(freq)), 10)[0], np.sin(2 * np.pi * phase), atol=2e-6)
