import numpy as np
import pytest
from scipy import signal as design

from graphvoip.nodes import HumNotch, Sine

RATE = 8000
FAULTS = np.array([np.nan, np.inf, -1e9], np.float32)


@pytest.mark.parametrize(
    ("freq", "width", "harmonics"), [(50, 2, 5), (60, 4, 1), (60, 10, 40), (123.4, 50, 20), (1000, 20, 5)]
)
def test_its_response_is_that_of_notches_by_scipy(run, signal, freq, width, harmonics):
    samples, _ = run(HumNotch(signal([1]), freq=freq, width=width, harmonics=harmonics), 800)
    at = np.fft.rfftfreq(len(samples), 1 / RATE)
    expected = np.ones(len(at), complex)
    for n in range(1, harmonics + 1):
        f = n * float(np.float32(freq))
        if f < RATE / 2 - 10:
            expected *= design.freqz(*design.iirnotch(f, f / width, RATE), at, fs=RATE)[1]
    heard = np.abs(expected) > 1e-3
    spectrum = np.fft.rfft(samples.astype(float))
    assert np.abs(20 * np.log10(np.abs(spectrum[heard] / expected[heard]))).max() < 0.1


@pytest.mark.parametrize("mains", [50, 60])
def test_a_hum_of_five_harmonics_goes_and_a_kilohertz_stays(run, signal, mains):
    t = np.arange(24000) / RATE
    hum = sum(np.sin(2 * np.pi * n * mains * t + n) / n for n in range(1, 6))
    samples, _ = run(HumNotch(signal(hum), freq=mains), 150)
    after = samples[round(1.1 / 2 * RATE) :]
    assert 20 * np.log10(np.std(after[:800]) / np.std(hum)) < -28  # 1.1 / width seconds after its beginning
    assert 20 * np.log10(np.std(samples[8000:]) / np.std(hum)) < -45
    samples, _ = run(HumNotch(Sine(freq=1000), freq=mains), 150)
    assert 20 * np.log10(np.std(samples[8000:]) * 2**0.5) == pytest.approx(0, abs=0.01)


def test_only_so_many_harmonics_are_taken(run):
    for harmonics, level in ((2, 1.0), (3, 0.0)):
        samples, _ = run(HumNotch(Sine(freq=150), harmonics=harmonics), 150)
        assert np.abs(samples[-8000:]).max() == pytest.approx(level, abs=0.02)


def test_the_notches_follow_the_mains(run, signal):
    """The hum is 50 Hz and then 51; the filter is told so."""
    freq = np.repeat([50.0, 51.0], 16000)
    hum = np.sin(2 * np.pi * np.cumsum(freq) / RATE)
    samples, _ = run(HumNotch(signal(hum), freq=signal(freq)), 200)
    assert 20 * np.log10(np.std(samples[-8000:]) * 2**0.5) < -40
    stays, _ = run(HumNotch(signal(hum), freq=50), 200)
    assert 20 * np.log10(np.std(stays[-8000:]) * 2**0.5) > -6


def test_a_freq_that_jumps_at_every_sample_stays_calm(run, signal):
    random = np.random.default_rng(4)
    noise, freq = random.uniform(-1, 1, 16000), random.uniform(-10, 2000, 16000)
    freq[::17] = np.nan
    samples, _ = run(HumNotch(signal(noise), freq=signal(freq), width=signal(freq), harmonics=40), 100)
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() < 100


def test_a_fault_passes_by_and_is_forgotten(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 800).astype(np.float32)
    faulty, silent = noise.copy(), noise.copy()
    faulty[300:303], silent[300:303] = FAULTS, 0
    (heard, _), (expected, _) = (run(HumNotch(signal(data)), 5) for data in (faulty, silent))
    np.testing.assert_array_equal(heard[300:303], FAULTS)
    heard[300:303] = expected[300:303]
    np.testing.assert_array_equal(heard, expected)


def test_what_is_out_of_range_is_refused():
    for values, words in (
        ({"freq": 5}, "outside 10..1000"),
        ({"harmonics": 41}, "outside 1..40"),
        ({"harmonics": 2.5}, "2.5 is not a whole number"),
    ):
        with pytest.raises(ValueError, match=words):
            HumNotch(Sine(), **values)
