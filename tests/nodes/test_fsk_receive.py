import numpy as np
import pytest
from bad_line import clocked, noisy, padded, ulaw
from independent import minimodem_sends

from graphvoip import TTStoPCM
from graphvoip.codes import STANDARDS
from graphvoip.nodes import Fsk, FskReceive, Pcm
from graphvoip.telegraph import fsk_decode, fsk_encode

RATE = 8000
TEXT = "THE QUICK BROWN FOX JUMPS OVER 13 LAZY DOGS; 0123456789 (-$',!:)?&./#\" END"
BOTH = pytest.mark.parametrize("name", STANDARDS)


@BOTH
def test_it_reads_what_minimodem_sends(name, tmp_path):
    assert fsk_decode(padded(minimodem_sends(TEXT, name, tmp_path)), name) == TEXT


@BOTH
def test_it_reads_through_noise_and_mu_law_soft_or_loud(name):
    sent = fsk_encode(TEXT, name)
    for level, seed in ((1.9, 1), (1, 2), (0.02, 3)):
        assert fsk_decode(ulaw(padded(noisy(level * sent, 20, seed))), name) == TEXT


@BOTH
@pytest.mark.parametrize("level", [-60, -70])
def test_it_reads_what_is_hardly_there(name, level):
    """As minimodem does: 16-bit samples, and G.711, whose steps are 30 dB below -60 dBFS."""
    sent = fsk_encode(TEXT, name)
    sent = padded(10 ** (level / 20) / np.abs(sent).max() * sent)
    assert fsk_decode(np.rint(32768 * sent) / 32768, name) == TEXT
    assert fsk_decode(ulaw(sent), name) == TEXT


@BOTH
def test_silence_and_noise_of_any_level_are_no_text(name):
    random = np.random.default_rng(7)
    for level in (-20, -40, -60, -80, -90):
        noise = random.normal(0, 10 ** (level / 20), 60 * RATE)
        assert fsk_decode(noise, name) == ""
        assert fsk_decode(np.rint(32768 * noise) / 32768, name) == ""
    assert fsk_decode(ulaw(random.normal(0, 1e-4, 60 * RATE)), name) == ""
    assert fsk_decode(random.integers(-1, 2, 60 * RATE) / 32768, name) == ""


@BOTH
def test_what_a_loud_sound_leaves_behind_is_no_text(name):
    """A text that is as soft as what is heard after a word counts only once the line has been quiet for a while."""
    soft = 10 ** (-60 / 20) * fsk_encode("HELLO", name)
    loud = 0.3 * np.sin(2 * np.pi * 3300 * np.arange(RATE) / RATE)
    assert fsk_decode(np.concatenate([loud, soft]), name) == ""
    assert fsk_decode(np.concatenate([loud, np.zeros(20 * RATE), soft]), name) == "HELLO"


@BOTH
def test_the_far_ends_clock_may_be_off_by_a_percent(name):
    for ppm in (-10_000, 10_000):
        assert fsk_decode(clocked(fsk_encode(TEXT, name), ppm), name) == TEXT


@pytest.mark.parametrize("name", ["bell103", "v21", "rtty", "tdd"])
def test_its_pitch_may_be_off(name):
    """A text on a line that moves all tones by 10 Hz."""
    sent = fsk_encode(TEXT, name)
    size = len(sent)
    spectrum = np.fft.fft(sent)
    spectrum[size // 2 :] = 0
    moved = 2 * np.real(np.fft.ifft(spectrum) * np.exp(2j * np.pi * 10 * np.arange(size) / RATE))
    assert fsk_decode(moved, name) == TEXT


@pytest.mark.parametrize("name", ["bell103", "v21", "rtty", "tdd"])
def test_a_voice_and_noise_are_no_text(name):
    voice = np.array(TTStoPCM("This is somebody who talks, and not a modem. " * 8))
    found = fsk_decode(np.concatenate([voice, noisy(0.1 * np.ones(80000), 0)]), name)
    assert len(found) < len(voice) / RATE
    assert name in ("bell103", "v21") or not found


def test_both_ways_at_once_on_one_line():
    """V.21: the caller sends in the lower channel, the one who answers in the upper."""
    one, other = fsk_encode("I am the caller", "v21"), fsk_encode("and I have answered", "v21_answer")
    both = np.zeros(max(len(one), len(other)))
    both[: len(one)] += one
    both[: len(other)] += other
    assert fsk_decode(both, "v21") == "I am the caller"
    assert fsk_decode(both, "v21_answer") == "and I have answered"


def test_characters_and_carrier_have_their_places(run):
    lead = 0.2
    node = FskReceive(Fsk(text="AB", standard="bell103", lead=lead))
    found, carrier, events = [], [], []
    for n in range(25):
        samples, said = run(node)
        found.append(samples)
        carrier.append(node.samples("carrier").copy())
        events += [(name, at + 160 * n, value) for name, at, value in said]
    found, carrier = np.concatenate(found), np.concatenate(carrier)
    at = np.flatnonzero(found)
    assert [chr(int(found[k])) for k in at] == ["A", "B"]
    ends = [(lead + n * 10 / 300) * RATE for n in (1, 2)]
    np.testing.assert_allclose(at, ends, atol=3)
    assert events == [("received", at[0], 65), ("received", at[1], 66)]
    assert node.take() == "AB"
    assert node.take() == ""
    assert carrier[round(0.1 * RATE)] == 1
    assert carrier[-1] == 0


def test_many_characters_a_frame_are_all_kept(run):
    node = FskReceive(Fsk(text="0123456789" * 3, standard="bell202"), standard="bell202")
    run(node, 40)
    assert node.take() == "0123456789" * 3


def test_whether_a_blank_goes_back_to_letters():
    """What a sender sends that counts on it, and what one sends that does not."""
    node = FskReceive(Pcm(data=fsk_encode("1 2", "tdd")), standard="tdd")
    assert node.unshift
    sent = [27, 23, 4, 19]  # figures 1 blank 2
    from graphvoip.codes import framed, keyed, keying

    standard = STANDARDS["tdd"]
    table = keying([(1, 20), *framed(sent, standard), (1, 20)], standard)
    turns = np.zeros(round(8000 * 72 / 45.45), np.float32)
    keyed(table, 0, 0, 0.0, turns)
    sound = np.sin(2 * np.pi * turns)
    assert fsk_decode(sound, "tdd") == "1 W"
    assert fsk_decode(sound, "tdd", unshift=False) == "1 2"
