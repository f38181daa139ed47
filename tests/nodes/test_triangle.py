import numpy as np
import pytest
from spectra import PITCHES, alias_below, harmonic_to_alias

from graphvoip.nodes import Sine, Triangle


def fourier(turns, top):
    """The series of a triangle up to harmonic `top`."""
    return sum(8 / np.pi**2 * (-1) ** (k // 2) * np.sin(2 * np.pi * k * turns) / k**2 for k in range(1, top + 1, 2))


def test_aliases_are_80_db_below_the_harmonics(run):
    samples, _ = run(Triangle(freq=1234.5), 100)
    assert harmonic_to_alias(samples, 1234.5) > 80
    assert harmonic_to_alias(2 * np.abs((np.arange(16000) * 1234.5 / 8000 - 0.25) % 1 * 2 - 1) - 1, 1234.5) < 30


@pytest.mark.parametrize(("frequency", "top", "error"), [(110.3, 35, 0.002), (441, 9, 0.01), (1234.5, 3, 0.03)])
def test_it_is_the_fourier_series_from_the_first_sample_to_the_last_of_a_minute(run, frequency, top, error):
    samples, _ = run(Triangle(freq=frequency), 3000)
    turns = np.arange(len(samples)) * float(np.float32(frequency)) / 8000
    assert np.abs(samples - fourier(turns, top)).max() < error
    assert np.abs(samples).max() <= 1


def test_a_pitch_that_moves_is_followed_a_millisecond_later_and_nothing_drifts(run, signal):
    random = np.random.default_rng(1)
    sweep = np.repeat(random.uniform(100, 700, 100), 160) + random.uniform(-20, 20, 16000)
    sweep = np.convolve(sweep, np.ones(100) / 100, "same").clip(100, 700).astype(np.float32)
    samples, _ = run(Triangle(freq=signal(sweep)), 100)
    late = np.concatenate([np.full(8, sweep[0]), sweep[:-8]]).astype(float)
    turns = np.concatenate([[0], np.cumsum(late / 8000)[:-1]])
    assert np.abs(samples - fourier(turns, 5)).max() < 0.06  # the 7th harmonic is at 0.017
    assert np.abs(samples - fourier(turns, 5)).mean() < 0.02


def test_both_of_its_loops_make_the_same_wave(run, signal):
    one, _ = run(Triangle(freq=441), 20)
    other, _ = run(Triangle(freq=signal(np.where(np.arange(3200) % 2, 441, np.nextafter(np.float32(441), 500)))), 20)
    assert np.abs(one - other).max() < 1e-4


def test_its_level_may_be_a_signal_and_0_hz_is_silence(run):
    (plain, _), (scaled, _), (level, _), (still, _) = (
        run(node, 5) for node in (Triangle(), Triangle(amp=Sine(freq=7)), Sine(freq=7), Triangle(freq=0))
    )
    np.testing.assert_array_equal(scaled, plain * level)
    assert not still.any()


def test_aliases_are_as_far_below_the_fundamental_as_the_docs_say(run):
    sounds = {pitch: run(Triangle(freq=pitch), 105)[0][800:] for pitch in PITCHES}
    for limit, level in {3000: -65, 3400: -47, 4000: -25}.items():
        worst = max(alias_below(samples, pitch, limit) for pitch, samples in sounds.items())
        assert level - 3 < worst < level, limit
