import numpy as np
import pytest
from scipy import signal as design

from graphvoip.nodes import Ladder, Sine

RATE = 8000
FAULTS = np.array([np.nan, np.inf, -1e9], np.float32)
SOFT = 1e-3  # the overload is far away


def response(freq, resonance, at):
    """Four poles in a loop, by the bilinear rule; half of the bass that the feedback takes is given back."""
    pole = design.freqz(*design.butter(1, freq, fs=RATE), at, fs=RATE)[1] ** 4
    k = 4 * resonance
    return (1 + k / 2) * pole / (1 + k * pole)


def level_of(samples, freq):
    """The amplitude of one partial in the last second."""
    return 2 * abs(np.mean(samples[-RATE:] * np.exp(-2j * np.pi * freq * np.arange(RATE) / RATE)))


@pytest.mark.parametrize("resonance", [0, 0.5, 0.95])
@pytest.mark.parametrize("freq", [50, 441, 1234.5, 3500])
def test_a_soft_sound_has_the_response_of_theory(run, signal, freq, resonance):
    samples, _ = run(Ladder(signal([SOFT]), freq=freq, resonance=resonance), 800)
    spectrum, at = np.fft.rfft(samples.astype(float) / SOFT), np.fft.rfftfreq(len(samples), 1 / RATE)
    expected = response(freq, resonance, at)
    heard = np.abs(expected) > 1e-3
    assert np.abs(20 * np.log10(np.abs(spectrum[heard] / expected[heard]))).max() < 0.1


def test_it_falls_by_24_db_an_octave(run):
    one, other = (level_of(run(Ladder(Sine(freq=f, amp=SOFT), freq=20), 150)[0], f) for f in (200, 400))
    assert 20 * np.log10(other / one) == pytest.approx(-24, abs=0.3)


@pytest.mark.parametrize("freq", [110, 441, 1234.5, 3000])
def test_its_resonance_is_at_its_corner(run, signal, freq):
    samples, _ = run(Ladder(signal([SOFT]), freq=freq, resonance=0.95), 800)
    spectrum = np.abs(np.fft.rfft(samples.astype(float)))
    assert np.argmax(spectrum) * RATE / len(samples) == pytest.approx(freq, rel=0.02)
    assert spectrum.max() / spectrum[0] > 10


@pytest.mark.parametrize("freq", [110, 441, 1234.5, 3000])
def test_beyond_1_it_sings_at_its_corner_and_below_it_falls_silent(run, signal, freq):
    samples, _ = run(Ladder(signal([1]), freq=freq, resonance=1.1), 300)
    spectrum = np.abs(np.fft.rfft(samples[-16000:].astype(float) * np.hanning(16000)))
    assert np.argmax(spectrum) * RATE / 16000 == pytest.approx(freq, rel=0.005)
    assert 0.05 < np.abs(samples[-8000:]).max() < 1
    samples, _ = run(Ladder(signal([1]), freq=freq, resonance=0.95), 300)
    assert np.abs(samples[-8000:]).max() < 1e-6


def test_its_loop_is_bounded_however_hard_it_is_driven(run, signal):
    random = np.random.default_rng(3)
    noise, freq = random.uniform(-1, 1, 16000), random.uniform(1, 3600, 16000)
    samples, _ = run(Ladder(signal(noise), freq=signal(freq), resonance=1.2, drive=1000), 100)
    assert np.abs(samples).max() < 20
    samples, _ = run(Ladder(signal(noise), freq=900, resonance=1.2, drive=1000), 100)
    assert np.abs(samples).max() < 1.5


def test_drive_adds_odd_partials_and_rounds_the_peaks(run):
    clean, warm, hot = (run(Ladder(Sine(freq=220), freq=3600, drive=d), 150)[0] for d in (0.01, 1, 20))
    partials = [[level_of(samples, n * 220) for n in (1, 2, 3)] for samples in (clean, warm, hot)]
    (c1, _, c3), (w1, w2, w3), (h1, _, h3) = partials
    assert c3 / c1 < 1e-4
    assert 0.02 < w3 / w1 < 0.1
    assert 0.25 < h3 / h1 < 0.34  # a square has a third
    assert w2 / w1 < 1e-4
    assert np.abs(hot).max() < 1.3


def test_the_bass_falls_by_4_db_with_all_resonance(run, signal):
    samples, _ = run(Ladder(signal(np.full(16000, SOFT)), freq=441, resonance=0.999), 100)
    assert 20 * np.log10(samples[-160:].mean() / SOFT) == pytest.approx(-4.4, abs=0.1)


def test_a_fault_passes_by_and_is_forgotten(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 800).astype(np.float32)
    faulty, silent = noise.copy(), noise.copy()
    faulty[500:503], silent[500:503] = FAULTS, 0
    (heard, _), (expected, _) = (run(Ladder(signal(data), resonance=0.7), 5) for data in (faulty, silent))
    np.testing.assert_array_equal(heard[500:503], FAULTS)
    heard[500:503] = expected[500:503]
    np.testing.assert_array_equal(heard, expected)


def test_what_is_out_of_range_is_refused():
    for values, words in (({"freq": 3601}, "outside 1..3600"), ({"resonance": 2}, "outside 0..1.2")):
        with pytest.raises(ValueError, match=words):
            Ladder(Sine(), **values)
