import numpy as np
import pytest
from spectra import PITCHES, alias_below, harmonic_to_alias

from graphvoip.nodes import Saw, Sine


def fourier(turns, top):
    """The series of a saw up to harmonic `top`."""
    return sum(2 / np.pi * (-1) ** (k + 1) * np.sin(2 * np.pi * k * turns) / k for k in range(1, top + 1))


def test_aliases_are_60_db_below_the_harmonics_and_not_7_as_in_a_plain_saw(run):
    samples, _ = run(Saw(freq=1234.5), 100)
    assert harmonic_to_alias(samples, 1234.5) > 60
    assert harmonic_to_alias(2 * ((np.arange(16000) * 1234.5 / 8000 + 0.5) % 1) - 1, 1234.5) < 10


@pytest.mark.parametrize("frequency", [110.3, 441, 1234.5])
def test_its_harmonics_have_the_levels_of_a_saw_up_to_3000_hz_and_no_mean(run, frequency):
    samples, _ = run(Saw(freq=frequency), 200)
    t, window = np.arange(len(samples)) / 8000, np.blackman(len(samples))
    for k in range(1, int(3000 // frequency) + 1):
        level = 2 * abs(np.sum(samples * window * np.exp(-2j * np.pi * k * frequency * t))) / window.sum()
        assert abs(20 * np.log10(level / (2 / np.pi / k))) < 0.3
    assert abs(np.sum(samples * window) / window.sum()) < 1e-4


def test_it_is_the_fourier_series_from_the_first_sample_to_the_last_of_a_minute(run):
    samples, _ = run(Saw(freq=1234.5), 3000)
    expected = fourier(np.arange(len(samples)) * 1234.5 / 8000, 3)
    assert samples[0] == pytest.approx(0, abs=0.001)
    assert np.abs(samples - expected).max() < 0.06  # its third harmonic, at 3703 Hz, is a little softer


def test_a_pitch_that_moves_is_followed_a_millisecond_later(run, signal):
    sweep = np.linspace(300, 790, 1600).astype(np.float32)
    samples, _ = run(Saw(freq=signal(sweep)), 10)
    late = np.concatenate([np.full(8, sweep[0]), sweep[:-8]]).astype(float)
    turns = np.concatenate([[0], np.cumsum(late / 8000)[:-1]])
    spectrum = np.fft.rfft((samples - fourier(turns, 5)) * np.blackman(1600))
    assert np.abs(spectrum[: 200 * 1500 // 1000]).max() / np.abs(np.fft.rfft(samples)).max() < 1e-3  # below 1500 Hz


def test_both_of_its_loops_make_the_same_wave(run, signal):
    one, _ = run(Saw(freq=441), 20)
    other, _ = run(Saw(freq=signal(np.where(np.arange(3200) % 2, 441, np.nextafter(np.float32(441), 500)))), 20)
    assert np.abs(one - other).max() < 5e-4  # the pitches differ by 3e-5 Hz


def test_its_level_may_be_a_signal_and_0_hz_is_silence(run):
    (plain, _), (scaled, _), (level, _), (still, _) = (
        run(node, 5) for node in (Saw(), Saw(amp=Sine(freq=7)), Sine(freq=7), Saw(freq=0))
    )
    np.testing.assert_array_equal(scaled, plain * level)
    assert not still.any()


def test_aliases_are_as_far_below_the_fundamental_as_the_docs_say(run):
    sounds = {pitch: run(Saw(freq=pitch), 105)[0][800:] for pitch in PITCHES}
    for limit, level in {3000: -65, 3400: -32, 4000: -12}.items():
        worst = max(alias_below(samples, pitch, limit) for pitch, samples in sounds.items())
        assert level - 3 < worst < level, limit
