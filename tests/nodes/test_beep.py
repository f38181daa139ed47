from pathlib import Path

import numpy as np
import pytest

from graphvoip.io.wav import load
from graphvoip.line import on_line
from graphvoip.nodes import Beep, DialTone, Dust, Noise, Sine, Tone
from graphvoip.palette import SPEECH

RATE = 8000
PROMPTS = Path("/usr/share/asterisk/sounds")


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


@pytest.mark.parametrize("line", ["gsm", "pcmu, noise=-24dB", "pcmu, echo=-15dB, echo_time=40ms", "pcmu, hum=-30dB"])
def test_beeps_are_found_through_bad_lines(run, signal, line):
    for freq in (405, 430, 700, 1400, 1960):
        sound = on_line(tone(freq, 0.2, 0.5), line)  # the noise is 15 dB below it
        _, events = run(Beep(signal(sound)), len(sound) // 160)
        assert [value for _, _, value in events] == [pytest.approx(freq, rel=0.01)]


def test_a_beep_that_is_too_loud_for_the_line_is_one(run, signal):
    sound = on_line(np.clip(tone(425, 0.3, 1.4), -1, 1), "pcmu")
    assert [value for _, _, value in run(Beep(signal(sound)), len(sound) // 160)[1]] == [pytest.approx(425, abs=2)]


@pytest.mark.parametrize(("voice", "drift"), [(210, 0.001), (210, 0.01), (420, 0.02)])
def test_a_held_vowel_is_none_though_nearly_all_of_it_is_one_sine(run, signal, voice, drift):
    t = np.arange(1600) / RATE
    turns = voice * (t + drift * np.sin(2 * np.pi * 4 * t) / (2 * np.pi * 4))
    levels = {210: -20, 420: 0, 630: -22, 840: -27, 1050: -24, 1260: -26}
    vowel = sum(10 ** (level / 20) * np.sin(2 * np.pi * freq / voice * turns)
                for freq, level in levels.items() if freq % voice == 0)  # fmt: skip
    sound = on_line(np.concatenate([np.zeros(4000), 0.2 * vowel, np.zeros(4000)]), "pcmu")
    assert run(Beep(signal(sound)), len(sound) // 160)[1] == []


@pytest.mark.skipif(not PROMPTS.exists(), reason="Debian's package asterisk-core-sounds-en-wav is not installed")
@pytest.mark.parametrize(("prompt", "beeps"), [
    ("digits/day-1", []), ("dir-intro", []), ("vm-newuser", []), ("beep", [700]), ("confbridge-leave", [439]),
])  # fmt: skip
def test_prompts_of_a_real_voice(run, signal, prompt, beeps):
    said = load(PROMPTS / f"en_US_f_Allison/{prompt}.wav")
    for level in (0, -12):
        sound = on_line(np.concatenate([said, np.zeros(4000)]), f"pcmu, level={level}dB")
        assert [value for _, _, value in run(Beep(signal(sound)), len(sound) // 160)[1]] == beeps, level
