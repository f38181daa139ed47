import numpy as np
import pytest

from graphvoip.nodes import Limiter, Sine


@pytest.mark.parametrize("lookahead", [0, 0.000125, 0.005, 0.05])
def test_nothing_ever_comes_out_above_the_ceiling(run, signal, lookahead):
    random = np.random.default_rng(1)
    data = random.uniform(-1, 1, 16000) * 10 ** random.uniform(-2, 6, 16000)
    data[::97] = 9.9e5
    data[5::211] = -3e38
    for ceiling in (0.9, 0.3, 1e-3, 0):
        samples, _ = run(Limiter(signal(data), ceiling=ceiling, lookahead=lookahead), 105)
        assert np.abs(samples).max() <= np.float32(ceiling)


def test_a_ceiling_that_moves_is_kept_at_each_sample(run, signal):
    random = np.random.default_rng(2)
    ceiling = random.uniform(0, 1, 1600).astype(np.float32)
    samples, _ = run(Limiter(signal(random.uniform(-3, 3, 1600)), ceiling=signal(ceiling)), 10)
    assert np.all(np.abs(samples) <= ceiling)
    # It falls on what has passed it already and is still in the look-ahead.
    data, ceiling = (np.repeat(levels, (1000, 600)) for levels in ([0.5, 0.0], [0.5, 0.1]))
    samples, _ = run(Limiter(signal(data), ceiling=signal(ceiling)), 10)
    np.testing.assert_array_equal(samples[40:1040], np.repeat(np.float32([0.5, 0.1]), (960, 40)))


@pytest.mark.parametrize("lookahead", [0, 0.005, 0.01])
def test_below_the_ceiling_it_only_delays_bit_for_bit(run, signal, lookahead):
    data = np.random.default_rng(1).uniform(-0.5, 0.5, 1600).astype(np.float32)
    samples, _ = run(Limiter(signal(data), ceiling=0.5, lookahead=lookahead), 10)
    late = round(8000 * lookahead)
    np.testing.assert_array_equal(samples, np.concatenate([np.zeros(late), data])[:1600])


def test_after_a_peak_it_is_bit_for_bit_again(run, signal):
    data = np.random.default_rng(1).uniform(-0.5, 0.5, 32000).astype(np.float32)
    data[1000] = 2.0
    samples, _ = run(Limiter(signal(data), ceiling=0.5, release=0.05), 200)
    assert samples[1040] == 0.5
    np.testing.assert_array_equal(samples[20000:], data[20000 - 40 : -40])


def test_the_gain_is_down_before_the_peak_and_comes_back_with_the_release(run, signal):
    data = np.full(8000, 0.25)
    data[1000] = 1.0
    samples, _ = run(Limiter(signal(data), ceiling=0.5, release=0.1), 50)
    gain = samples[40:] / data[:-40]
    assert np.all(gain[:960] == 1)
    np.testing.assert_allclose(np.diff(gain[960:1000]), -0.5 / 41, atol=1e-6)  # straight down, over the look-ahead
    np.testing.assert_allclose(gain[1000], 0.5, atol=1e-6)
    # Held over the look-ahead, then back: after the release 63 % of it.
    assert gain[1000 + 20 + 800] == pytest.approx(1 - 0.5 * np.exp(-1), abs=0.005)


def test_a_loud_sine_keeps_its_shape(run):
    """A clipper would have a third harmonic at -10 dB."""
    samples, _ = run(Limiter(Sine(freq=440, amp=3.0), ceiling=0.9, release=0.2), 100)
    spectrum = np.abs(np.fft.rfft(samples[8000:16000].astype(float) * np.hanning(8000)))
    assert 20 * np.log10(spectrum[1320] / spectrum[440]) < -50
    assert np.abs(samples[8000:]).max() == pytest.approx(0.9, abs=0.02)


def test_a_fault_becomes_silence(run, signal):
    data = np.full(800, 0.25, np.float32)
    data[[100, 200, 300]] = np.nan, np.inf, -1e30
    samples, _ = run(Limiter(signal(data), lookahead=0), 5)
    np.testing.assert_array_equal(samples, np.where(np.isfinite(data) & (np.abs(data) < 1), data, 0))


def test_a_lookahead_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"limiter: lookahead 1 s is outside 0\.\.0\.05"):
        Limiter(lookahead=1.0)
