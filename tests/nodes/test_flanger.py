import numpy as np
import pytest

from graphvoip.nodes import Flanger, Sine

RATE = 8000
RANDOM = np.random.default_rng(4)


def response(run, signal, **values):
    """The frequency response of one that stays, at 1 Hz steps."""
    samples, _ = run(Flanger(signal([1.0]), rate=0, depth=0, **values), 50)
    return np.abs(np.fft.rfft(samples.astype(float)))


def test_notches_and_peaks_are_where_the_delay_puts_them(run, signal):
    """2 ms: notches at the odd multiples of 250 Hz, peaks between them."""
    h = response(run, signal, delay=0.002, feedback=0)
    for k in range(7):
        assert h[250 + 500 * k] < 1e-4
        assert h[500 + 500 * k] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("feedback", [-0.9, -0.5, 0.5, 0.9])
def test_feedback_sharpens_the_peaks_and_keeps_the_notches(run, signal, feedback):
    h = response(run, signal, delay=0.002, feedback=feedback)
    assert h[250] < 1e-3
    assert h[500] == pytest.approx(1 / (1 - feedback), rel=1e-3)


def test_the_delay_sweeps_between_its_ends(run, signal):
    """Clicks 40 ms apart, the copy alone: how late each comes."""
    clicks = np.zeros(16000)
    clicks[::320] = 1
    samples, _ = run(Flanger(signal(clicks), rate=1, depth=0.004, delay=0.001, feedback=0, mix=1), 100)
    found = [320 * k + i for k in range(50) for i in [np.argmax(samples[320 * k :][:320])]]
    expected = [8 + 16 * (1 - np.cos(2 * np.pi * at / RATE)) for at in found]
    np.testing.assert_allclose([at % 320 for at in found], expected, atol=0.55)


def test_it_does_not_grow_however_it_is_moved(run, signal):
    noise, moved = RANDOM.uniform(-1, 1, 80000), RANDOM.uniform(0.0003, 0.01, 40000)
    moved = np.concatenate([moved, np.full(40000, 0.002)])
    node = Flanger(signal(noise), rate=20, depth=signal(moved), delay=signal(moved[::-1]), feedback=0.95)
    samples, _ = run(node, 600)
    assert np.abs(samples).max() < 64
    assert np.abs(samples[-800:]).max() < 1e-6  # two seconds of silence


def test_a_fault_passes_by_and_is_forgotten(run, signal):
    noise = RANDOM.uniform(-1, 1, 800).astype(np.float32)
    faulty, silent = noise.copy(), noise.copy()
    faulty[200:203], silent[200:203] = (np.nan, np.inf, -1e9), 0
    (heard, _), (expected, _) = (run(Flanger(signal(data)), 5) for data in (faulty, silent))
    np.testing.assert_array_equal(heard[200:203], faulty[200:203])
    np.testing.assert_array_equal(np.delete(heard, range(200, 203)), np.delete(expected, range(200, 203)))


def test_too_much_feedback_is_refused():
    with pytest.raises(ValueError, match="feedback 1 x is outside"):
        Flanger(Sine(), feedback=1)
