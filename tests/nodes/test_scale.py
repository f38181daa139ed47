import numpy as np
import pytest

from graphvoip.nodes import Mix, Scale, Sine
from graphvoip.nodes.scale import SCALES

PITCHES = 440 * 2 ** ((np.arange(0.013, 127, 0.0301) - 69) / 12)


def nearest(pitches, root, steps):
    """By the distance of logarithms to every note that there is."""
    notes = np.array([n for n in range(-12, 140) if (n - root) % 12 in steps])
    exact = 69 + 12 * np.log2(pitches.astype(np.float32).astype(float) / 440)
    return 440 * 2 ** ((notes[np.abs(notes - exact[:, None]).argmin(1)] - 69) / 12)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("root", ["C", "F#", "Bb"])
def test_each_pitch_becomes_the_nearest_note(run, signal, scale, root):
    samples, _ = run(Scale(signal(PITCHES), scale=scale, root=root), len(PITCHES) // 160)
    number = {"C": 0, "F#": 6, "Bb": 10}[root]
    np.testing.assert_allclose(samples, nearest(PITCHES, number, SCALES[scale])[: len(samples)], rtol=1e-7)


def test_semitones_are_a_scale_of_ones_own(run, signal):
    samples, _ = run(Scale(signal(PITCHES), root="A", semitones=[0, 7]), len(PITCHES) // 160)
    np.testing.assert_allclose(samples, nearest(PITCHES, 9, [0, 7])[: len(samples)], rtol=1e-7)


def test_notes_of_a_major_scale_stay_what_they_are(run, signal):
    semitones = np.array([0, 2, 4, 5, 7, 9, 11, 12]) - 9  # from A4
    pitches = np.repeat(440 * 2 ** (semitones / 12), 20)
    samples, _ = run(Scale(signal(pitches)), 1)
    np.testing.assert_allclose(samples, pitches, rtol=1e-7)


def test_without_a_pitch_the_last_note_stays(run, signal):
    pitches = np.repeat([0, 445, 0, -3, np.nan, 255, np.nan, -np.inf], 40)
    samples, _ = run(Scale(signal(pitches)), 2)
    expected = np.repeat([0, 440, 440, 440, 440, 261.6255653, 261.6255653, 261.6255653], 40)
    np.testing.assert_allclose(samples, expected, rtol=1e-6)


def test_pitches_beyond_hearing_are_the_last_notes(run, signal):
    pitches = np.repeat([1e-30, 1e30, np.inf, 0.001], 40)
    samples, _ = run(Scale(signal(pitches), scale="chromatic"), 1)
    np.testing.assert_allclose(samples, np.repeat(440 * 2 ** (np.array([-69, 58, 58, -69]) / 12), 40), rtol=1e-6)


def test_changed_is_a_trigger_at_each_new_note(run, signal):
    pitches = np.repeat([440, 441, 500, 500, 440], [10, 30, 40, 40, 40])
    samples, _ = run(Mix(Scale(signal(pitches)).changed), 1)
    np.testing.assert_array_equal(np.flatnonzero(samples), [0, 40, 120])


def test_wrong_options_are_refused():
    for values, words in (
        ({"scale": "mayor"}, "did you mean 'major'"),
        ({"root": "H"}, "none of C, C#"),
        ({"semitones": [0, 12]}, "semitones has 12; they are whole numbers from 0 to 11"),
        ({"semitones": [0.5]}, "semitones has 0.5"),
        ({"semitones": []}, "it is a list of whole numbers"),
        ({"semitones": "C"}, "it is a list of whole numbers"),
    ):
        with pytest.raises(ValueError, match=words):
            Scale(Sine(), **values)
