import numpy as np
import pytest

from graphvoip.nodes import PitchShift, Sine

RATE = 8000
T = np.arange(24000) / RATE
RANDOM = np.random.default_rng(7)


def cents_off(samples, freq):
    """How far from `freq` the tone near it is, from the slope of its phase."""
    slow = np.convolve(samples * np.exp(-2j * np.pi * freq * np.arange(len(samples)) / RATE), np.hanning(800), "valid")
    slope = np.polyfit(np.arange(len(slow)) / RATE, np.unwrap(np.angle(slow)), 1)[0]
    return 1200 * np.log2(1 + slope / (2 * np.pi * freq))


def decibels(a, b):
    return 20 * np.log10(np.std(a) / np.std(b))


@pytest.mark.parametrize("semitones", [-24, -12, -7, -1, 0, 0.5, 4, 12, 24])
@pytest.mark.parametrize("freq", [110.3, 441, 734.5])
def test_a_sine_is_a_sine_at_the_right_pitch_and_level(run, signal, freq, semitones):
    sine, wanted = 0.5 * np.sin(2 * np.pi * freq * T), freq * 2 ** (semitones / 12)
    samples, _ = run(PitchShift(signal(sine), semitones=semitones), 150)
    samples = samples[4000:]
    assert abs(cents_off(samples, wanted)) < 1
    assert abs(decibels(samples, sine)) < 0.5
    samples = samples[:3200]
    t = np.arange(len(samples)) / RATE
    basis = np.stack([np.sin(2 * np.pi * wanted * t), np.cos(2 * np.pi * wanted * t)], 1)
    rest = samples - basis @ np.linalg.lstsq(basis, samples, rcond=None)[0]
    assert decibels(rest, samples) < -35


@pytest.mark.parametrize("semitones", [-12, -5, 3, 7])
def test_a_harmonic_tone_too(run, signal, semitones):
    tone = sum(np.sin(2 * np.pi * 150.7 * k * T + k * k) / k for k in range(1, 13)) * 0.3
    samples, _ = run(PitchShift(signal(tone), semitones=semitones), 150)
    ratio = 2 ** (semitones / 12)
    for k in (1, 3, 5):
        assert abs(cents_off(samples[4000:], 150.7 * k * ratio)) < 2
    assert abs(decibels(samples[4000:], tone)) < 1


@pytest.mark.parametrize("semitones", [-12, -3, 3])
def test_noise_keeps_its_level(run, signal, semitones):
    noise = np.convolve(RANDOM.normal(0, 0.1, 24000), np.hanning(9) / 3, "same")  # up to 1.5 kHz
    samples, _ = run(PitchShift(signal(noise), semitones=semitones), 150)
    assert abs(decibels(samples[1000:], noise)) < 1.5
    pieces = samples[1000:].reshape(-1, 1000).std(1)
    assert pieces.min() > 0.6 * pieces.mean()


def test_what_would_fold_back_is_filtered_out(run, signal):
    samples, _ = run(PitchShift(signal(np.sin(2 * np.pi * 2900.3 * T)), semitones=12), 150)
    assert np.std(samples[4000:]) < 0.05


@pytest.mark.parametrize(("semitones", "most"), [(0, 0.011), (-1, 0.04), (1, 0.04), (24, 0.08)])
def test_how_late_it_is(run, signal, semitones, most):
    """A burst of noise: when it begins to be heard."""
    burst = np.where(T < 1, 0, RANDOM.uniform(-0.5, 0.5, len(T)))
    samples, _ = run(PitchShift(signal(burst), semitones=semitones), 150)
    assert np.all(np.abs(samples[:8000]) < 1e-6)
    assert np.flatnonzero(np.abs(samples) > 0.02)[0] < 8000 + RATE * most


def test_a_glide_has_no_clicks(run, signal):
    """Two octaves down and up again; a sine's second difference is small, a click's is not."""
    semitones = np.concatenate([np.linspace(-12, 12, 8000), np.linspace(12, -12, 16000)])
    samples, _ = run(PitchShift(signal(0.5 * np.sin(2 * np.pi * 234.5 * T)), semitones=signal(semitones)), 150)
    fastest = 0.5 * (2 * np.pi * 469 / RATE) ** 2
    assert np.abs(np.diff(samples[1000:], 2)).max() < 1.6 * fastest


def test_faults_are_silence_and_jumps_of_the_pitch_are_survived(run, signal):
    noise = RANDOM.uniform(-1, 1, 16000)
    noise[RANDOM.random(16000) < 0.01] = np.nan
    wild = RANDOM.choice([np.nan, np.inf, -1e30, -24, 0, 24], 16000)
    samples, _ = run(PitchShift(signal(noise), semitones=signal(wild)), 150)
    assert np.all(np.isfinite(samples))
    assert np.abs(samples).max() < 4


def test_values_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"semitones 25 semitones is outside -24..24"):
        PitchShift(Sine(), semitones=25)
