import numpy as np
import pytest

from graphvoip.nodes import RateCrush, Sine


@pytest.fixture
def noise():
    return np.random.default_rng(1).uniform(-1, 1, 8000).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 2000, 3000.5, 1234.5, 7])
def test_each_sample_is_held_until_the_next_is_due(run, signal, noise, rate):
    samples, _ = run(RateCrush(signal(noise), rate=rate), 50)
    due = np.floor(np.arange(8000) * float(np.float32(rate)) / 8000)
    first = np.searchsorted(due, due)  # the sample at which each one's step began
    np.testing.assert_array_equal(samples, noise[first])


def test_a_tone_above_half_of_the_rate_folds_down(run):
    samples, _ = run(RateCrush(Sine(freq=1900), rate=2000), 50)
    spectrum = np.abs(np.fft.rfft(samples.astype(float)))
    assert np.argmax(spectrum) == 100


def test_at_rate_0_the_last_sample_stays(run, signal, noise):
    rate = np.where(np.arange(8000) < 1001, 8000, 0)
    samples, _ = run(RateCrush(signal(noise), rate=signal(rate)), 50)
    np.testing.assert_array_equal(samples, np.where(np.arange(8000) < 1001, noise, noise[1001]))


def test_a_fault_is_held_as_silence_and_no_rate_breaks_it(run, signal, noise):
    noise[400:800] = np.nan
    samples, _ = run(RateCrush(signal(noise), rate=1000), 50)
    assert np.all(samples[400:800] == 0)
    assert np.all(np.isfinite(samples))
    wild = np.resize([np.nan, np.inf, -np.inf, 1e30, -1e30, -5], 8000)
    samples, _ = run(RateCrush(signal(noise), rate=signal(wild)), 50)
    assert np.all(np.isfinite(samples))


def test_a_rate_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"rate_crush: rate 9000 Hz is outside 0\.\.8000"):
        RateCrush(rate=9000)
