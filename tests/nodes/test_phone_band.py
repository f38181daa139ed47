import numpy as np
import pytest
from scipy import signal as design

from graphvoip.dsp import RIPPLE, TELEPHONE
from graphvoip.nodes import PhoneBand, Sine

RATE = 8000
FAULTS = np.array([np.nan, np.inf, -1e9], np.float32)


def sections():
    """The same filter by scipy, which wants the edge of the ripple: a Chebyshev polynomial says where -3 dB is then."""
    found = []
    for order, freq, kind in ((6, 300, "highpass"), (4, 3400, "lowpass")):
        factor = np.cosh(np.arccosh(1 / np.sqrt(10 ** (RIPPLE / 10) - 1)) / order)
        w = np.tan(np.pi * freq / RATE) * (factor if kind == "highpass" else 1 / factor)
        found.append(design.cheby1(order, RIPPLE, np.arctan(w) * RATE / np.pi, kind, fs=RATE, output="sos"))
    return np.concatenate(found)


def test_its_response_is_that_of_scipy(run, signal):
    samples, _ = run(PhoneBand(signal([1])), 400)
    expected = design.sosfilt(sections(), np.eye(1, len(samples))[0])
    np.testing.assert_allclose(samples, expected, atol=1e-6)
    at = np.fft.rfftfreq(len(samples), 1 / RATE)
    _, response = design.sosfreqz(sections(), at, fs=RATE)
    heard = np.abs(response) > 1e-3
    spectrum = np.fft.rfft(samples.astype(float))
    assert np.abs(20 * np.log10(np.abs(spectrum[heard] / response[heard]))).max() < 0.1


def test_its_constants_are_those_of_scipy_in_every_pole():
    ours = np.concatenate([np.roots([1, a1, a2]) for *_, a1, a2 in TELEPHONE])
    theirs = np.concatenate([np.roots(row[3:]) for row in sections()])
    np.testing.assert_allclose(np.sort_complex(ours), np.sort_complex(theirs), atol=1e-9)


def test_the_band_of_a_telephone_passes_and_nothing_else(run):
    def level(freq):
        samples, _ = run(PhoneBand(Sine(freq=freq)), 100)
        return 20 * np.log10(np.std(samples[8000:].astype(float)) * 2**0.5)

    assert level(300) == pytest.approx(-3, abs=0.3)
    assert level(3400) == pytest.approx(-3, abs=0.3)
    inside = [level(freq) for freq in (330, 400, 441, 777, 1020, 1234.5, 2000, 2800, 3100, 3250)]
    assert max(inside) < 0.01
    assert min(inside) > -0.35
    for freq, most in ((50, -100), (100, -70), (150, -50), (200, -33), (250, -17), (3600, -19), (3800, -45)):
        assert level(freq) < most


def test_a_fault_passes_by_and_is_forgotten(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 800).astype(np.float32)
    faulty, silent = noise.copy(), noise.copy()
    faulty[300:303], silent[300:303] = FAULTS, 0
    (heard, _), (expected, _) = (run(PhoneBand(signal(data)), 5) for data in (faulty, silent))
    np.testing.assert_array_equal(heard[300:303], FAULTS)
    heard[300:303] = expected[300:303]
    np.testing.assert_array_equal(heard, expected)
