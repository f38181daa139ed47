import numpy as np
import pytest
from scipy import signal as design

from graphvoip.nodes import Biquad, Gain, Sine, Svf

RATE = 8000
PORTS = ("out", "high", "band", "notch")
FAULTS = np.array([np.nan, np.inf, -1e9], np.float32)


def analogue(port, freq, q):
    """Numerator and denominator of the circuit, its corner where the bilinear rule will bring it to freq."""
    w = 2 * RATE * np.tan(np.pi * float(np.float32(freq)) / RATE)
    d = w / float(np.float32(q))
    return {"out": [w * w], "high": [1, 0, 0], "band": [d, 0], "notch": [1, 0, w * w]}[port], [1, d, w * w]


def reference(samples, freq, q):
    """The four outputs with a corner of its own at each sample, in float64, by Simper's formulas."""
    found, low, band = [], 0.0, 0.0
    for x, f in zip(samples, freq, strict=True):
        g, k = np.tan(np.pi * f / RATE), 1 / q
        v1 = (band + g * (x - low)) / (1 + g * (g + k))
        v2 = low + g * v1
        band, low = 2 * v1 - band, 2 * v2 - low
        found.append((v2, x - k * v1 - v2, k * v1, x - k * v1))
    return np.array(found).T


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize(("freq", "q"), [(30, 0.7071), (1000, 0.7071), (1000, 10), (2345.6, 0.3), (3900, 2)])
def test_each_output_has_the_response_of_scipy(run, signal, port, freq, q):
    samples, _ = run(Gain(Svf(signal([1]), freq=freq, q=q).port(port)), 400)
    b, a = design.bilinear(*analogue(port, freq, q), fs=RATE)
    np.testing.assert_allclose(samples, design.lfilter(b, a, np.eye(1, len(samples))[0]), atol=1e-6)
    spectrum = np.fft.rfft(samples.astype(float))
    _, response = design.freqz(b, a, np.fft.rfftfreq(len(samples), 1 / RATE), fs=RATE)
    heard = np.abs(response) > 1e-3
    assert np.abs(20 * np.log10(np.abs(spectrum[heard] / response[heard]))).max() < 0.1


@pytest.mark.parametrize("port", PORTS)
def test_a_corner_in_audio_rate_is_followed_sample_by_sample(run, signal, port):
    t, noise = np.arange(1600) / RATE, np.random.default_rng(1).uniform(-1, 1, 1600).astype(np.float32)
    freq = (1800 + 1700 * np.sin(2 * np.pi * 1234.5 * t)).astype(np.float32)
    samples, _ = run(Gain(Svf(signal(noise), freq=signal(freq), q=4.0).port(port)), 10)
    expected = reference(noise.astype(float), freq.astype(float), 4.0)[PORTS.index(port)]
    np.testing.assert_allclose(samples, expected, atol=1e-5)


def test_no_modulation_makes_it_shout_where_a_biquad_does(run, signal):
    """The corner jumps at every sample, from end to end; q is 100."""
    random = np.random.default_rng(5)
    noise, freq = random.uniform(-1, 1, 16000), random.choice([1.0, 30.0, 2000.0, 3999.0], 16000)
    samples, _ = run(Svf(signal(noise), freq=signal(freq), q=100.0), 100)
    shouted, _ = run(Biquad(signal(noise), freq=signal(freq), q=100.0), 100)
    assert np.abs(samples).max() < 200
    assert np.abs(shouted).max() > 1e4


def test_in_silence_it_only_gets_softer(run, signal):
    """Half a second each, at worst without any loss: the loudest sample is never louder than in the one before."""
    random = np.random.default_rng(6)
    freq, q = random.uniform(1, 3999, 16000), random.choice([0.5, 5, 1000], 16000)
    samples, _ = run(Svf(signal(random.uniform(-1, 1, 160)), freq=signal(freq), q=signal(q)), 100)
    peaks = np.abs(samples[160:].reshape(-1, 480)).max(axis=1)
    assert 0.1 < peaks[0] < 10
    assert peaks[-1] < 1e-3 * peaks[0]
    assert peaks[1:].max() < 1.5 * peaks[0]


def test_a_fault_passes_by_and_is_forgotten(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 800).astype(np.float32)
    faulty, silent = noise.copy(), noise.copy()
    faulty[500:503], silent[500:503] = FAULTS, 0
    for port in PORTS:
        (heard, _), (expected, _) = (run(Gain(Svf(signal(data)).port(port)), 5) for data in (faulty, silent))
        np.testing.assert_array_equal(heard[500:503], FAULTS)
        heard[500:503] = expected[500:503]
        np.testing.assert_array_equal(heard, expected)


def test_what_is_out_of_range_is_refused():
    for values, words in (({"freq": 0}, "outside 1..3999"), ({"q": 1001}, "q 1001 x is outside 0.01..1000")):
        with pytest.raises(ValueError, match=words):
            Svf(Sine(), **values)
