import numpy as np
import pytest
from scipy import signal as design

from graphvoip.nodes import Biquad, Pcm, Sine
from graphvoip.nodes.biquad import KINDS

RATE = 8000
IMPULSE = np.concatenate([[1.0], np.zeros(159)])


GAIN = 7.3  # dB, of the kinds that have one


def section(kind, freq, q, gain_db=GAIN):
    """One second-order section for scipy, by the cookbook, in float64 of the float32 that a signal holds."""
    w, q = 2 * np.pi * float(np.float32(freq)) / RATE, float(np.float32(q))
    c, alpha, a = np.cos(w), np.sin(w) / (2 * q), 10 ** (float(np.float32(gain_db)) / 40)
    root = 2 * np.sqrt(a) * alpha
    row = {
        "lowpass": [(1 - c) / 2, 1 - c, (1 - c) / 2, 1 + alpha, -2 * c, 1 - alpha],
        "highpass": [(1 + c) / 2, -1 - c, (1 + c) / 2, 1 + alpha, -2 * c, 1 - alpha],
        "bandpass": [alpha, 0, -alpha, 1 + alpha, -2 * c, 1 - alpha],
        "notch": [1, -2 * c, 1, 1 + alpha, -2 * c, 1 - alpha],
        "allpass": [1 - alpha, -2 * c, 1 + alpha, 1 + alpha, -2 * c, 1 - alpha],
        "peak": [1 + alpha * a, -2 * c, 1 - alpha * a, 1 + alpha / a, -2 * c, 1 - alpha / a],
        "low_shelf": [
            *(a * (a + 1 - (a - 1) * c + root), 2 * a * (a - 1 - (a + 1) * c), a * (a + 1 - (a - 1) * c - root)),
            *(a + 1 + (a - 1) * c + root, -2 * (a - 1 + (a + 1) * c), a + 1 + (a - 1) * c - root),
        ],
        "high_shelf": [
            *(a * (a + 1 + (a - 1) * c + root), -2 * a * (a - 1 + (a + 1) * c), a * (a + 1 + (a - 1) * c - root)),
            *(a + 1 - (a - 1) * c + root, 2 * (a - 1 - (a + 1) * c), a + 1 - (a - 1) * c - root),
        ],
    }[kind]
    return np.array([row]) / row[3]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("freq", "q"), [(30, 0.7071), (1000, 0.7071), (1000, 10), (2345.6, 0.3), (3900, 2)])
def test_impulse_response_and_frequency_response_are_those_of_scipy(run, signal, kind, freq, q):
    samples, _ = run(Biquad(signal(IMPULSE), freq=freq, q=q, gain_db=GAIN, kind=kind), 400)
    sos = section(kind, freq, q)
    np.testing.assert_allclose(samples, design.sosfilt(sos, np.pad([1.0], (0, len(samples) - 1))), atol=1e-6)

    spectrum = np.fft.rfft(samples.astype(float))
    _, response = design.sosfreqz(sos, np.fft.rfftfreq(len(samples), 1 / RATE), fs=RATE)
    heard = np.abs(response) > 1e-4  # below -80 dB an impulse in float32 says little
    decibels = 20 * np.log10(np.abs(spectrum[heard]) / np.abs(response[heard]))
    assert np.abs(decibels).max() < 0.1


@pytest.mark.parametrize(
    ("kind", "levels"),  # at the bottom, at the corner, at the top
    [
        ("lowpass", (1, 0.5**0.5, 0)),
        ("highpass", (0, 0.5**0.5, 1)),
        ("bandpass", (0, 1, 0)),
        ("notch", (1, 0, 1)),
        ("allpass", (1, 1, 1)),
        ("peak", (1, 10**0.5, 1)),
        ("low_shelf", (10**0.5, 10**0.25, 1)),  # at a shelf's corner half of its dB
        ("high_shelf", (1, 10**0.25, 10**0.5)),
    ],
)
def test_what_each_kind_lets_through(run, kind, levels):
    for frequency, level in zip((10, 1000, 3990), levels, strict=True):
        samples, _ = run(Biquad(Sine(freq=frequency), freq=1000, gain_db=10, kind=kind), 200)
        assert np.abs(samples[8000:]).max() == pytest.approx(level, abs=0.02)


def test_a_corner_that_moves_is_followed_sample_by_sample(run, signal):
    freq, noise = np.linspace(200, 3000, 800), np.random.default_rng(1).uniform(-1, 1, 800)
    samples, _ = run(Biquad(signal(noise), freq=signal(freq), q=2.0), 5)
    z, expected = np.zeros(2), []
    for x, f in zip(noise.astype(np.float32), freq, strict=True):
        (b0, b1, b2, _, a1, a2) = section("lowpass", f, 2.0)[0]
        y = b0 * x + z[0]
        z = np.array([b1 * x - a1 * y + z[1], b2 * x - a2 * y])
        expected.append(y)
    np.testing.assert_allclose(samples, expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["peak", "low_shelf", "high_shelf"])
def test_a_gain_that_moves_is_followed_and_one_of_0_db_changes_nothing(run, signal, kind):
    gain, noise = np.linspace(-20, 20, 800), np.random.default_rng(1).uniform(-1, 1, 800).astype(np.float32)
    samples, _ = run(Biquad(signal(noise), gain_db=signal(gain), kind=kind), 5)
    z, expected = np.zeros(2), []
    for x, g in zip(noise, gain, strict=True):
        (b0, b1, b2, _, a1, a2) = section(kind, 1000, 0.7071, g)[0]
        y = b0 * x + z[0]
        z = np.array([b1 * x - a1 * y + z[1], b2 * x - a2 * y])
        expected.append(y)
    np.testing.assert_allclose(samples, expected, atol=2e-6)
    samples, _ = run(Biquad(signal(noise), kind=kind), 5)
    np.testing.assert_allclose(samples, noise, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 0.0, -5.0, 4000.0, 1e30])
def test_no_freq_or_q_breaks_it(run, signal, kind, bad):
    noise = np.random.default_rng(1).uniform(-1, 1, 16000)
    wrong = np.where(np.random.default_rng(2).random(8000) < 0.3, bad, 1000.0)
    for names in (("freq",), ("q",), ("gain_db",), ("freq", "q", "gain_db")):
        samples, _ = run(Biquad(signal(noise), kind=kind, **{name: signal(wrong) for name in names}), 100)
        assert np.all(np.isfinite(samples))


def test_a_filter_that_is_shaken_recovers(run, signal):
    """Its corner jumps at every sample, which no two-pole filter need survive; then it stands still."""
    random = np.random.default_rng(5)
    freq = np.where(np.arange(16000) < 8000, random.choice([1.0, 30.0, 2000.0, 3999.0], 16000), 1000.0)
    samples, _ = run(Biquad(signal(random.uniform(-1, 1, 16000)), freq=signal(freq), q=30.0), 100)
    assert np.all(np.isfinite(samples))
    assert np.abs(samples[-800:]).max() < 40


def test_a_fault_passes_by_and_is_forgotten(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 1600).astype(np.float32)
    faulty, silent = noise.copy(), noise.copy()
    faulty[500:503], silent[500:503] = (np.nan, np.inf, -1e9), 0
    (heard, _), (expected, _) = (run(Biquad(signal(data)), 10) for data in (faulty, silent))
    np.testing.assert_array_equal(heard[500:503], faulty[500:503])
    heard[500:503] = expected[500:503]
    np.testing.assert_array_equal(heard, expected)


def test_its_memory_is_float64(run):
    """A deep corner: with a memory of float32 the noise would be at -55 dB here."""
    data = np.sin(2 * np.pi * 20 * np.arange(32000) / RATE).astype(np.float32)
    samples, _ = run(Biquad(Pcm(data=data), freq=20.0, q=5.0), 200)
    exact = design.sosfilt(section("lowpass", 20, 5.0), data.astype(float))
    assert 20 * np.log10(np.std(samples - exact) / np.std(exact)) < -130


def test_an_unknown_kind_and_values_out_of_range_are_refused():
    for values, words in (
        ({"kind": "low"}, "none of lowpass"),
        ({"freq": 4000}, "outside 1..3999"),
        ({"q": 0}, "q 0"),
        ({"gain_db": 61}, "gain_db 61 dB is outside -60..60"),
    ):
        with pytest.raises(ValueError, match=words):
            Biquad(Sine(), **values)


def test_a_number_equals_a_signal_that_stays(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 480)
    one, _ = run(Biquad(signal(noise), freq=1234.5, q=3.0), 3)
    other, _ = run(Biquad(signal(noise), freq=signal(np.full(480, 1234.5)), q=signal(np.full(480, 3.0))), 3)
    np.testing.assert_array_equal(one, other)
