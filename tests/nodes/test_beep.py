import numpy as np
import pytest

from graphvoip.io.wav import load
from graphvoip.line import on_line
from graphvoip.nodes import Beep, DialTone, Dust, Noise, Sine, Tone
from graphvoip.palette import SPEECH

RATE = 8000


def tone(freq, seconds, amp=0.3, before=0.5):
    t = np.arange(round(seconds * RATE)) / RATE
    return np.concatenate([np.zeros(round(before * RATE)), amp * np.sin(2 * np.pi * freq * t), np.zeros(RATE)])


@pytest.mark.parametrize("freq", [410, 441, 1000, 1234.5, 1990])
@pytest.mark.parametrize("seconds", [0.13, 0.4, 3.5])
def test_a_beep_is_told_at_its_end_with_its_pitch(run, signal, freq, seconds):
    for line in ("pcmu", "pcma, noise=-30dB", "none, level=-26dB"):
        sound = on_line(tone(freq, seconds, 0.4), line)
        _, events = run(Beep(signal(sound)), len(sound) // 160)
        assert [name for name, _, _ in events] == ["beep"], line
        assert events[0][1] / RATE == pytest.approx(0.5 + seconds + 0.02, abs=0.025)
        assert events[0][2] == pytest.approx(freq, rel=0.02)


@pytest.mark.parametrize(("freq", "seconds"), [(350, 0.5), (2300, 0.5), (1000, 0.07), (1000, 4.3)])
def test_other_pitches_and_lengths_are_none(run, signal, freq, seconds):
    sound = tone(freq, seconds)
    assert run(Beep(signal(sound)), len(sound) // 160)[1] == []


def test_the_limits_can_be_set(run, signal):
    sound = tone(2300, 0.07)
    assert run(Beep(signal(sound), highest=2500, shortest=0.05), 80)[1][0][2] == pytest.approx(2300, abs=5)


def test_a_beep_after_words_is_found(run, signal):
    speech = load(SPEECH)[RATE:]
    sound = on_line(np.concatenate([speech, tone(900, 0.5, before=0.3)]), "pcmu")
    _, events = run(Beep(signal(sound)), len(sound) // 160)
    assert [value for _, _, value in events] == [pytest.approx(900, abs=10)]


def test_outputs_say_that_a_tone_sounds_and_which(run, signal):
    node = Beep(signal(tone(1000, 0.5)))
    out, _ = run(node, 80)
    assert not out[: 4000 + 700].any()
    assert out[4000 + 1000 : 8000].all()
    assert not out[8000 + 200 :].any()
    _, _ = run(node := Beep(Tone(freq=1000, seconds=1)), 20)
    assert node.samples("pitch")[-1] == pytest.approx(1000, abs=1)


def test_two_tones_noise_and_speech_are_none(run, signal):
    for node in (DialTone(kind="busy"), DialTone(kind="ringback"), Noise(amp=0.3), Dust(density=5), Sine(freq=1000)):
        assert run(Beep(node), 300)[1] == [], node.type
    speech = load(SPEECH)[RATE:]
    assert run(Beep(signal(speech)), len(speech) // 160)[1] == []
