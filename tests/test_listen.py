import numpy as np
import pytest

from graphvoip.io.wav import load
from graphvoip.listen import WINDOW, has_tone, is_quiet, level, tones
from graphvoip.palette import SPEECH
from graphvoip.tts import spoken


def test_levels():
    t = np.arange(8000) / 8000
    assert level(np.sin(2 * np.pi * 441 * t)) == pytest.approx(-3.01, abs=0.01)
    assert level(np.zeros(100)) == -np.inf
    assert level(np.zeros(0)) == -np.inf
    assert is_quiet(0.001 * np.sin(2 * np.pi * 441 * t))
    assert not is_quiet(0.01 * np.sin(2 * np.pi * 441 * t))


@pytest.mark.parametrize("frequency", [100, 441, 1234.5, 3900])
def test_a_tone_is_found_with_its_pitch_and_level(sine, frequency):
    ((found, db),) = tones(0.5 * sine(frequency, 0.1))
    assert found == pytest.approx(frequency, abs=1.5)
    assert db == pytest.approx(-9.03, abs=0.3)


def test_two_tones_the_stronger_first(sine):
    found = [frequency for frequency, _ in tones(0.3 * sine(697, 0.1) + 0.5 * sine(1209, 0.1))]
    assert found == pytest.approx([1209, 697], abs=2)


def test_it_is_not_another_tone(sine):
    assert has_tone(sine(440, 0.1), 440)
    assert not has_tone(sine(460, 0.1), 440)
    assert not has_tone(sine(880, 0.1), 440)
    assert not has_tone(np.zeros(WINDOW), 440)
    assert not has_tone(np.random.default_rng(1).standard_normal(WINDOW) * 0.001, 440)


def test_has_tone_in_speech_is_false_at_every_frequency():
    speech = load(SPEECH)[8000:]
    heard = [
        (start, frequency)
        for start in range(0, len(speech) - WINDOW, 160)
        if not is_quiet(window := speech[start : start + WINDOW])
        for frequency in range(100, 3800, 50)
        if has_tone(window, frequency)
    ]
    assert heard == []


def test_has_tone_in_a_chord_and_in_noise_20_db_below_is_true(sine):
    chord = 0.2 * (sine(697, 0.1) + sine(1209, 0.1) + sine(440, 0.1))
    assert all(has_tone(chord, frequency) for frequency in (440, 697, 1209))
    noise = 0.05 * np.random.default_rng(1).standard_normal(WINDOW)
    assert has_tone(0.7 * sine(777, 0.1) + noise, 777)


def test_too_little_to_say():
    assert tones(np.ones(10)) == []


def test_has_tone_in_a_voice_is_false_though_it_is_nearly_steady():
    """Sentences of flite with vowels so steady that four harmonics hold 92 % of the power of a window."""
    heard = []
    for voice, text in (
        ("slt", "The bounds should evaluate to integers."),
        (
            "slt",
            'An augmented assignment expression like "x 1" can be rewritten as "x x 1" to achieve a similar effect.',
        ),
        ("slt", "Annotations are never evaluated and stored in function scopes."),
        ("rms", "The rules observed by various types are given in section The standard type hierarchy ."),
    ):
        speech = spoken("test", text, engine="flite", voice=voice)
        for start in range(0, len(speech) - WINDOW, 160):
            window = speech[start : start + WINDOW]
            if not is_quiet(window):
                heard += [(text, start, at) for at, _ in tones(window) if has_tone(window, at)]
    assert heard == []


@pytest.mark.parametrize(
    "chord",
    [[200], [100, 200, 300, 400], [150, 300], [350, 440], [440, 480], [425], [130.8, 261.6], [165, 330, 495]],
    ids=str,
)
def test_has_tone_in_low_tones_and_their_multiples_is_true(chord, sine):
    """As calls send them: rounded to 16 bits."""
    mixed = np.rint(32768 * sum(0.2 * sine(frequency, 0.1) for frequency in chord)) / 32768
    assert all(has_tone(mixed, frequency) for frequency in chord)
