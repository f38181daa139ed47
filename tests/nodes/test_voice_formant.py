import numpy as np
import pytest
from scipy import signal as design

from graphvoip.nodes import VoiceFormant
from graphvoip.notes import VOICES

RATE = 8000


def overtones(run, freq, **values):
    """The heights in dB of the overtones of a steady vowel, from the first on."""
    samples, _ = run(VoiceFormant(freq=freq, vibrato=0.0, **values), 100)
    spectrum = np.abs(np.fft.rfft(samples[RATE:].astype(float))) * 2 / RATE
    return 20 * np.log10(spectrum[freq : RATE // 2 : freq])


@pytest.mark.parametrize("vowel", range(5))
@pytest.mark.parametrize("voice", VOICES)
def test_its_formants_are_those_of_the_table(run, voice, vowel):
    heights = overtones(run, 40, voice=voice, vowel=vowel)
    pitches = 40 * np.arange(1, len(heights) + 1)
    peaks = pitches[design.argrelmax(heights)[0]]
    for pitch, _, _ in VOICES[voice][vowel]:
        assert np.abs(peaks / pitch - 1).min() < 0.1


@pytest.mark.parametrize("vowel", range(5))
def test_their_levels_are_those_of_the_table(run, vowel):
    heights = overtones(run, 40, vowel=vowel, voice="tenor")
    pitches = 40 * np.arange(1, len(heights) + 1)
    (first, _, _), (second, level, _) = VOICES["tenor"][vowel][:2]
    (one, other) = (heights[np.abs(pitches / pitch - 1) < 0.08].max() for pitch in (first, second))
    assert other - one == pytest.approx(level, abs=4.5)


def test_between_two_vowels_is_between_them(run):
    heights = overtones(run, 40, vowel=0.5)
    assert 40 * (1 + np.argmax(heights)) == pytest.approx((650 * 400) ** 0.5, rel=0.08)


@pytest.mark.parametrize("freq", [97, 241, 523])
def test_it_has_overtones_of_its_pitch_and_nothing_else(run, freq):
    samples, _ = run(VoiceFormant(freq=freq, vibrato=0.0), 150)
    spectrum = np.abs(np.fft.rfft(samples[RATE:].astype(float) * np.blackman(2 * RATE)))
    near = (np.arange(len(spectrum)) + 10) % (2 * freq) <= 20
    assert 20 * np.log10(spectrum[~near].max() / spectrum.max()) < -90


def test_vibrato_swings_the_pitch_so_far_and_so_often(run):
    samples, _ = run(VoiceFormant(freq=300, vibrato=1.0, vibrato_rate=4.0), 150)
    band = design.sosfiltfilt(design.butter(4, (230, 380), "band", fs=RATE, output="sos"), samples.astype(float))
    pitch = np.diff(np.unwrap(np.angle(design.hilbert(band)))) * RATE / (2 * np.pi)
    pitch = design.savgol_filter(pitch[4000:20000], 201, 2)
    assert pitch.max() == pytest.approx(300 * 2 ** (1 / 12), rel=0.01)
    assert pitch.min() == pytest.approx(300 * 2 ** (-1 / 12), rel=0.01)
    assert len(design.find_peaks(pitch, prominence=10)[0]) == 8


def test_a_mouth_that_jumps_does_not_click(run, signal):
    """What is new above 3 kHz at a jump stays below what the louder vowel has there."""
    vowel = np.where(np.arange(16000) < 8000, 0.0, 4.0)
    samples, _ = run(VoiceFormant(vowel=signal(vowel), freq=110, vibrato=0.0), 100)
    high = np.abs(design.sosfilt(design.butter(6, 3000, "high", fs=RATE, output="sos"), samples))
    assert high[7900:9000].max() < 1.1 * high[4000:7900].max()


def test_it_is_neither_too_loud_nor_too_soft(run):
    for voice in VOICES:
        for vowel in range(5):
            for freq in (97, 140, 220):
                samples, _ = run(VoiceFormant(vowel=vowel, freq=freq, voice=voice), 50)
                assert 0.1 < np.abs(samples[1600:]).max() < 1.05


def test_values_out_of_range_and_unknown_voices_are_refused():
    for values, words in (
        ({"vowel": 5}, "0..4"),
        ({"freq": 10}, "40..1000"),
        ({"voice": "bas"}, "did you mean 'bass'"),
    ):
        with pytest.raises(ValueError, match=words):
            VoiceFormant(**values)
