import numpy as np
import pytest
from scipy import signal as design

from graphvoip.nodes import OnePole, Sine

RATE = 8000
FAULTS = np.array([np.nan, np.inf, -1e9], np.float32)


@pytest.mark.parametrize("kind", ["lowpass", "highpass"])
@pytest.mark.parametrize("freq", [0.5, 30, 441, 2345.5, 3900])
def test_its_response_is_that_of_scipy(run, signal, kind, freq):
    samples, _ = run(OnePole(signal([1]), freq=freq, kind=kind), 400)
    b, a = design.butter(1, freq, kind, fs=RATE)
    np.testing.assert_allclose(samples, design.lfilter(b, a, np.eye(1, len(samples))[0]), atol=1e-7)
    if freq > 1:  # below it the impulse response is not over after 8 s
        spectrum = np.fft.rfft(samples.astype(float))
        _, response = design.freqz(b, a, np.fft.rfftfreq(len(samples), 1 / RATE), fs=RATE)
        heard = np.abs(response) > 1e-3
        assert np.abs(20 * np.log10(np.abs(spectrum[heard] / response[heard]))).max() < 0.1


@pytest.mark.parametrize("kind", ["lowpass", "highpass"])
def test_it_is_at_3_db_at_its_corner(run, kind):
    samples, _ = run(OnePole(Sine(freq=441), freq=441, kind=kind), 100)
    assert 20 * np.log10(np.std(samples[-8000:]) * 2**0.5) == pytest.approx(-3.01, abs=0.01)


def test_a_corner_that_moves_is_followed_sample_by_sample(run, signal):
    random = np.random.default_rng(1)
    freq, noise = random.uniform(1, 3999, 800), random.uniform(-1, 1, 800)
    samples, _ = run(OnePole(signal(noise), freq=signal(freq)), 5)
    z, expected = 0.0, []
    for x, f in zip(noise.astype(np.float32).astype(float), freq.astype(np.float32).astype(float), strict=True):
        g = np.tan(np.pi * f / RATE)
        y = (z + g * x) / (1 + g)
        z = 2 * y - z
        expected.append(y)
    np.testing.assert_allclose(samples, expected, atol=1e-5)


def test_both_kinds_together_are_the_input(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 800).astype(np.float32)
    low, high = (run(OnePole(signal(noise), freq=345.6, kind=kind), 5)[0] for kind in ("lowpass", "highpass"))
    np.testing.assert_allclose(low + high, noise, atol=2e-7)


def test_a_fault_passes_by_and_is_forgotten(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 800).astype(np.float32)
    faulty, silent = noise.copy(), noise.copy()
    faulty[500:503], silent[500:503] = FAULTS, 0
    (heard, _), (expected, _) = (run(OnePole(signal(data)), 5) for data in (faulty, silent))
    np.testing.assert_array_equal(heard[500:503], FAULTS)
    heard[500:503] = expected[500:503]
    np.testing.assert_array_equal(heard, expected)


def test_what_is_out_of_range_is_refused():
    for values, words in (({"kind": "bandpass"}, "none of lowpass, highpass"), ({"freq": 4000}, "outside 0.01..3999")):
        with pytest.raises(ValueError, match=words):
            OnePole(Sine(), **values)
