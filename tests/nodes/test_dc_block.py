import numpy as np
import pytest
from scipy import signal as design

from graphvoip.nodes import DcBlock, Sine

RATE = 8000
FAULTS = np.array([np.nan, np.inf, -1e9], np.float32)


@pytest.mark.parametrize("freq", [1, 10, 300])
def test_its_response_is_that_of_scipy(run, signal, freq):
    samples, _ = run(DcBlock(signal([1]), freq=freq), 400)
    b, a = design.butter(1, freq, "highpass", fs=RATE)
    np.testing.assert_allclose(samples, design.lfilter(b, a, np.eye(1, len(samples))[0]), atol=1e-7)


def test_it_is_at_3_db_at_10_hz_and_untouched_in_the_voice(run):
    for freq, level in ((10, -3.01), (300, 0), (3000, 0)):
        samples, _ = run(DcBlock(Sine(freq=freq)), 150)
        assert 20 * np.log10(np.std(samples[-16000:]) * 2**0.5) == pytest.approx(level, abs=0.01)


def test_an_offset_is_taken_away_and_the_sound_stays(run, signal):
    sine = np.sin(2 * np.pi * 441 * np.arange(16000) / RATE)
    samples, _ = run(DcBlock(signal(0.3 * sine + 0.6)), 100)
    assert abs(samples[-8000:].mean()) < 1e-4
    assert np.std(samples[-8000:]) == pytest.approx(0.3 * 0.5**0.5, rel=1e-3)
    samples, _ = run(DcBlock(signal(np.full(16000, 0.6))), 100)
    assert samples[round(0.075 * RATE)] == pytest.approx(0.006, rel=0.15)  # a hundredth after 0.75 / freq


def test_a_corner_that_moves_is_followed(run, signal):
    random = np.random.default_rng(1)
    freq, noise = random.uniform(0.1, 1000, 800), random.uniform(-1, 1, 800)
    samples, _ = run(DcBlock(signal(noise), freq=signal(freq)), 5)
    z, expected = 0.0, []
    for x, f in zip(noise.astype(np.float32).astype(float), freq.astype(np.float32).astype(float), strict=True):
        g = np.tan(np.pi * f / RATE)
        low = (z + g * x) / (1 + g)
        z = 2 * low - z
        expected.append(x - low)
    np.testing.assert_allclose(samples, expected, atol=1e-6)


def test_a_fault_passes_by_and_is_forgotten(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 800).astype(np.float32)
    faulty, silent = noise.copy(), noise.copy()
    faulty[300:303], silent[300:303] = FAULTS, 0
    (heard, _), (expected, _) = (run(DcBlock(signal(data)), 5) for data in (faulty, silent))
    np.testing.assert_array_equal(heard[300:303], FAULTS)
    heard[300:303] = expected[300:303]
    np.testing.assert_array_equal(heard, expected)


def test_what_is_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"freq 0 Hz is outside 0\.1\.\.1000"):
        DcBlock(Sine(), freq=0)
