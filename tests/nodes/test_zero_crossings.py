import numpy as np
import pytest

from graphvoip.nodes import Gain, Sine, ZeroCrossings


@pytest.mark.parametrize("freq", [97.3, 441, 1234.5, 3800])
def test_of_a_tone_it_is_the_pitch_to_a_step(run, freq):
    rates, _ = run(ZeroCrossings(Sine(freq=freq, amp=0.5), window=0.2), 100)
    assert np.abs(rates[1600:] - freq).max() <= 5
    assert rates[1600:].mean() == pytest.approx(freq, abs=1)


def test_it_counts_what_has_been_in_the_window(run, signal):
    samples = np.zeros(1600)
    samples[[100, 101, 300, 301, 900, 901]] = [-0.5, 0.5] * 3
    rates, _ = run(ZeroCrossings(signal(samples), window=0.05), 10)  # 400 samples
    expected = np.zeros(1600)
    for at in (101, 301, 901):
        expected[at : at + 400] += 20
    np.testing.assert_array_equal(rates, expected)


def test_white_noise_crosses_at_every_fourth_sample(run, signal):
    noise = np.random.default_rng(1).standard_normal(32000) * 0.3
    rates, _ = run(ZeroCrossings(signal(noise), threshold=0, window=1.0), 200)
    assert rates[8000:].mean() == pytest.approx(2000, rel=0.02)


def test_what_stays_within_the_threshold_is_silence(run):
    for amp, rate in ((0.0099, 0), (0.0101, 400)):
        rates, _ = run(ZeroCrossings(Gain(Sine(freq=400), amp)), 20)
        assert rates[-1] == rate


def test_a_window_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"zero_crossings: window 2 s is outside 0.001..1"):
        ZeroCrossings(Sine(), window=2)
