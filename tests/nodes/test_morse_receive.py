import numpy as np
import pytest
from bad_line import noisy, padded, ulaw
from independent import multimon_reads

from graphvoip import TTStoPCM
from graphvoip.nodes import Morse, MorseReceive
from graphvoip.telegraph import morse_decode, morse_encode

RATE = 8000
TEXT = "THE QUICK BROWN FOX 0123456789 JUMPS OVER THE LAZY DOG? CQ DE AA1BB/P = K."


@pytest.mark.parametrize("wpm", [5, 8, 12, 20, 30, 45, 60])
def test_it_reads_any_speed_through_noise_and_mu_law(wpm):
    for freq in (600, 1234.5):
        sent = padded(morse_encode(TEXT, wpm, freq))
        assert morse_decode(ulaw(noisy(0.1 * sent, 6, wpm))) == TEXT  # 6 dB over the band is 20 dB in the tone's


def test_it_reads_a_hand_that_is_not_steady():
    """Lengths that vary by a tenth, made here without the node."""
    random, codes, sound = np.random.default_rng(3), {"S": "...", "O": "---", "K": "-.-", "A": ".-"}, []
    for word in ("SOS", "OK", "AAA", "KOSA"):
        for letter in word:
            for sign in codes[letter]:
                for length, down in ((1 if sign == "." else 3, 1), (1, 0)):
                    sound.append(np.full(round(480 * length * random.uniform(0.9, 1.1)), down))
            sound.append(np.zeros(960))
        sound.append(np.zeros(1920))
    key = np.concatenate(sound)
    assert morse_decode(0.3 * key * np.sin(2 * np.pi * 700 * np.arange(len(key)) / RATE)) == "SOS OK AAA KOSA"


def test_the_speed_is_learnt_while_it_listens(run):
    """It begins with 20 words a minute; from the first letter that has a dot and a dash on it reads what comes."""
    for wpm in (10, 35):
        node = MorseReceive(Morse(text="AAA " + TEXT, wpm=wpm))
        run(node, round(50 * 110 * 10 / wpm))
        assert node.take().strip().endswith(TEXT)
        assert node.samples("speed")[-1] == pytest.approx(wpm, rel=0.03)


def test_multimon_reads_what_morse_sends():
    assert multimon_reads(padded(morse_encode(TEXT, 20), 0.1, 1), "MORSE_CW") == TEXT


def test_letters_come_at_the_gap_after_them_and_the_gate_is_the_key(run):
    node = MorseReceive(Morse(text="ET E", wpm=20), freq=600)
    dot = 480
    found, gate = [], []
    for _ in range(80):
        found.append(run(node)[0])
        gate.append(node.samples("gate").copy())
    found, gate = np.concatenate(found), np.concatenate(gate)
    at = np.flatnonzero(found)
    assert "".join(chr(int(found[k])) for k in at) == "ET E "
    assert 2 * dot < at[0] - dot < 3 * dot  # after the E, before the T
    edges = np.flatnonzero(np.diff(gate, prepend=0))
    np.testing.assert_allclose(np.diff(edges), [dot, 3 * dot, 3 * dot, 7 * dot, dot], atol=24)


def test_speech_and_noise_give_little():
    voice = np.array(TTStoPCM("This is somebody who talks, and no telegraph. " * 5))
    noise = np.random.default_rng(1).normal(0, 0.05, 40 * RATE)
    assert len(morse_decode(noise, 600, 20)) <= 2
    assert len(morse_decode(voice, 600, 20)) < len(voice) / RATE / 2  # a tone of its pitch is a tone


def test_signs_that_are_no_letter():
    key = np.repeat([1, 0] * 9 + [0] * 9, 480)
    assert morse_decode(0.3 * key * np.sin(2 * np.pi * 600 * np.arange(len(key)) / RATE)) == "*"
