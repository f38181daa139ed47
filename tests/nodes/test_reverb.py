from math import erfc

import numpy as np
import pytest
from scipy import signal as design

from graphvoip.nodes import Reverb, Sine

RATE = 8000
RANDOM = np.random.default_rng(6)


def decay_time(h):
    """Seconds for 60 dB, from -5 to -35 dB of what is still to come (Schroeder, 1965)."""
    left = np.cumsum(h[::-1].astype(float) ** 2)[::-1]
    level = 10 * np.log10(left / left[0] + 1e-30)
    at = np.flatnonzero((level < -5) & (level > -35))
    return -60 / (np.polyfit(at, level[at], 1)[0] * RATE)


def band(h, low, high):
    return design.sosfilt(design.butter(4, [low, high], "band", fs=RATE, output="sos"), h)


@pytest.mark.parametrize(("seconds", "damping"), [(0.8, 2500), (1.5, 2000), (4, 3000), (10, 2500)])
def test_it_decays_in_the_time_asked_for_and_in_half_of_it_where_it_is_damped(run, signal, seconds, damping):
    h, _ = run(Reverb(signal([1.0]), decay=seconds, damping=damping, mix=1), round(seconds * 50) + 10)
    assert decay_time(band(h, 100, 400)) == pytest.approx(seconds, rel=0.1)
    if seconds > 1:  # in less, the room's first echoes are still on their way when it is over
        assert decay_time(band(h, 0.93 * damping, 1.07 * damping)) == pytest.approx(seconds / 2, rel=0.12)


def test_the_echoes_soon_are_as_dense_as_noise(run, signal):
    """Of noise erfc(1 / sqrt 2) of the samples are beyond the standard deviation, of single echoes few (Abel and
    Huang, 2006)."""
    h, _ = run(Reverb(signal([1.0]), decay=2, mix=1), 60)
    dense = [np.mean(np.abs(w) > w.std()) / erfc(0.5**0.5) for w in h[1200:9200].reshape(-1, 200)]
    assert np.median(dense) > 0.9
    assert min(dense) > 0.6


def test_no_tone_rings_on_alone(run, signal):
    """The tail's last part has the same shape as the first: no frequency is left over."""
    h, _ = run(Reverb(signal([1.0]), decay=2, damping=4000, mix=1), 125)
    late = h[12000:20000].astype(float)
    spectrum = np.abs(np.fft.rfft(late * np.hanning(8000)))[100:3900] ** 2
    smooth = np.convolve(spectrum, np.ones(301) / 301, "same")
    assert 10 * np.log10((spectrum / smooth).max()) < 16


def test_the_room_waits_and_mix_zero_is_the_input(run, signal):
    noise = RANDOM.uniform(-1, 1, 1600).astype(np.float32)
    dry, _ = run(Reverb(signal(noise), mix=0), 10)
    np.testing.assert_array_equal(dry, noise)
    (near, _), (far, _) = (run(Reverb(signal([1.0]), mix=1, pre_delay=wait), 50) for wait in (0, 0.1))
    np.testing.assert_allclose(far[800:1220], near[:420], atol=1e-6)  # once round: later the lines have wandered
    assert not far[:1010].any()
    assert np.flatnonzero(near)[0] >= 210
    small, _ = run(Reverb(signal([1.0]), mix=1, size=0.3), 50)
    assert np.flatnonzero(small)[0] < 80


def test_noise_comes_out_about_as_loud_as_it_went_in(run, signal):
    noise = RANDOM.uniform(-0.5, 0.5, 80000)
    for seconds in (0.8, 1.5, 5):
        samples, _ = run(Reverb(signal(noise), decay=seconds, mix=1), 500)
        assert -4.5 < 20 * np.log10(np.std(samples[-24000:]) / np.std(noise)) < 0.5


def test_it_stays_within_bounds_when_its_decay_is_shaken(run, signal):
    decay, damping = RANDOM.choice([-1.0, 0.1, 20.0, np.nan, 1e30], 40000), RANDOM.uniform(0, 5000, 40000)
    node = Reverb(signal(RANDOM.uniform(-1, 1, 40000)), decay=signal(decay), damping=signal(damping), mix=1)
    samples, _ = run(node, 500)
    assert np.abs(samples).max() < 20
    assert np.abs(samples[-160:]).max() < 1e-6  # its decay is 0 now, which is held to 0.1 s


def test_a_fault_passes_by_and_is_forgotten(run, signal):
    noise = RANDOM.uniform(-1, 1, 1600).astype(np.float32)
    faulty, silent = noise.copy(), noise.copy()
    faulty[500:503], silent[500:503] = (np.nan, np.inf, -1e9), 0
    (heard, _), (expected, _) = (run(Reverb(signal(data)), 20) for data in (faulty, silent))
    np.testing.assert_array_equal(heard[500:503], faulty[500:503])
    np.testing.assert_array_equal(np.delete(heard, range(500, 503)), np.delete(expected, range(500, 503)))


def test_values_out_of_range_are_refused():
    for values, words in (({"size": 3}, "size 3 x is outside"), ({"decay": 0}, "decay 0 s is outside 0.1..20")):
        with pytest.raises(ValueError, match=words):
            Reverb(Sine(), **values)
