import itertools

import numpy as np
import pytest

from graphvoip.nodes import Morse
from graphvoip.plan import Plan

RATE = 8000
# The code as a tree, independent of the node's table: from place n a dot leads to 2n and a dash to 2n + 1.
TREE = "**ETIANMSURWDKGOHVF*L*PJBXCYZQ**54*3***2*******16*******7***8*90"


def decoded(samples, freq, dot):
    """Read it by ear: whether it is louder than half, and how long that lasts in dots."""
    moved = samples * np.exp(-2j * np.pi * freq / RATE * np.arange(len(samples)))
    height = np.abs(np.convolve(moved, np.hanning(35) / np.hanning(35).sum(), "same"))
    loud = height > height.max() / 2
    text, place = "", 1
    for down, group in itertools.groupby(loud):
        length = round(sum(1 for _ in group) / dot)
        if down:
            assert length in (1, 3)
            place = 2 * place + (length == 3)
        elif length >= 3 and place > 1:
            text += TREE[place] + (" " if length == 7 else "")
            place = 1
    return text.strip()


@pytest.mark.parametrize("wpm", [12, 20, 37.5, 60])
def test_it_can_be_read_by_ear(run, wpm):
    text = "THE QUICK BROWN FOX 0123456789 JUMPS OVER THE LAZY DOG"
    samples, events = run(Morse(text=text.lower(), wpm=wpm, freq=1234.5), round(50 * 900 / wpm))
    assert decoded(samples, 1234.5, 1.2 / wpm * RATE) == text
    (what, at, _), *others = events
    assert what == "done"
    assert others == []
    assert np.abs(samples[at - 8 : at + 1]).max() > 0
    assert not np.any(samples[at + 1 :])


def gate(node, frames):
    plan, found = Plan([node]), []
    for _ in range(frames):
        plan.run()
        found.append(node.samples("gate").copy())
    return np.concatenate(found)


def test_paris_takes_a_minute_divided_by_wpm():
    found = gate(Morse(text="PARIS PARIS", wpm=20), 320)
    rises = np.flatnonzero(np.diff(np.concatenate([[0], found])) > 0)
    assert rises[14] - rises[0] == 60 / 20 * RATE  # PARIS has 14 signs


@pytest.mark.parametrize("wpm", [13, 17, 23.7])
def test_the_gate_is_right_to_the_sample_and_does_not_drift(wpm):
    """E is a dot with a gap of three: rises are at multiples of four dots, however long it lasts."""
    found = gate(Morse(text="E" * 60, wpm=wpm), round(50 * 250 * 1.2 / wpm))
    dot = 1.2 / wpm * RATE
    change = np.diff(np.concatenate([[0], found]))
    np.testing.assert_allclose(np.flatnonzero(change > 0), 4 * dot * np.arange(60), atol=0.51)
    np.testing.assert_allclose(np.flatnonzero(change < 0), 4 * dot * np.arange(60) + dot, atol=0.51)


def test_its_edges_take_5_ms_and_do_not_click(run):
    samples, _ = run(Morse(text="T", freq=441, wpm=20), 15)
    n, last = np.arange(1480), 3 * 480
    rise = np.where(n < 40, 0.5 - 0.5 * np.cos(np.pi * (n + 0.5) / 40), 1)
    fall = np.where(n >= last, 0.5 + 0.5 * np.cos(np.pi * (n - last + 0.5) / 40), 1)
    expected = rise * fall * np.sin(2 * np.pi * 441 * n / RATE)
    np.testing.assert_allclose(samples[:1480], expected, atol=1e-5)
    assert not np.any(samples[1480:])


@pytest.mark.parametrize(
    ("sign", "code"),
    [
        (".", ".-.-.-"),
        (",", "--..--"),
        ("?", "..--.."),
        ("/", "-..-."),
        ("@", ".--.-."),
        ("=", "-...-"),
        ("é", "..-.."),
    ],
)
def test_punctuation(sign, code):
    found = gate(Morse(text=sign, wpm=60), 25)
    lengths = [sum(1 for _ in group) for down, group in itertools.groupby(found) if down]
    assert "".join(".-"[length > 320] for length in lengths) == code


def test_pitch_and_level_may_be_signals(run, signal):
    freq = np.linspace(400, 900, 1440)
    samples, _ = run(Morse(signal(freq), signal(np.linspace(0, 1, 1440)), text="T"), 9)
    turns = np.concatenate([[0], np.cumsum(freq.astype(np.float32).astype(float))[:-1]]) / RATE
    expected = np.linspace(0, 1, 1440) * np.sin(2 * np.pi * turns)
    np.testing.assert_allclose(samples[40:1440], expected[40:], atol=1e-5)


def test_wrong_options_are_refused():
    for values, words in (
        ({"text": "A€"}, "morse: text has '€'; it may have letters, digits"),
        ({"text": "  "}, "one letter at least"),
        ({"wpm": 0}, "wpm 0 is outside 1..60"),
    ):
        with pytest.raises(ValueError, match=words):
            Morse(**values)
