import numpy as np
import pytest
from independent import minimodem_reads

from graphvoip.codes import STANDARDS
from graphvoip.nodes import Fsk
from graphvoip.telegraph import fsk_decode, fsk_encode

RATE = 8000
TEXT = "THE QUICK BROWN FOX JUMPS OVER 13 LAZY DOGS; 0123456789 (-$',!:)?&./#\" END"


@pytest.mark.parametrize("name", STANDARDS)
def test_minimodem_reads_it(name, tmp_path):
    assert minimodem_reads(fsk_encode(TEXT, name), name, tmp_path) == TEXT


def test_bytes_are_sent_in_utf_8(tmp_path):
    assert minimodem_reads(fsk_encode("Grüße, 电话", "v21"), "v21", tmp_path) == "Grüße, 电话"


@pytest.mark.parametrize("name", ["bell103", "bell202", "v21_answer"])
def test_its_phase_is_the_sum_of_its_tones_to_the_sample(name, run):
    """Against a plain integral on a time axis 64 times as fine; edges lie between samples."""
    standard = STANDARDS[name]
    node = Fsk(text="U", standard=name, lead=0.05, tail=0.05, amp=1)
    levels = [1] * 4 + [0] + [0x55 >> k & 1 for k in range(8)]
    bit = RATE / standard.baud
    samples, events = run(node, 40)
    size = events[0][1] + 1
    lead = 0.05 * RATE
    t = (np.arange(64 * size) + 0.5) / 64
    which = np.floor((t - lead) / bit).astype(int) + 4
    level = np.array(levels)[np.clip(which, 0, len(levels) - 1)]
    level[(t < lead) | (which >= len(levels))] = 1
    turns = np.concatenate([[0], np.cumsum(np.where(level, standard.mark, standard.space) / RATE / 64)])[:-1:64]
    inside = slice(20, size - 20)
    np.testing.assert_allclose(samples[:size][inside], np.sin(2 * np.pi * turns)[inside], atol=0.02)


@pytest.mark.parametrize(("name", "seconds"), [("bell103", 10 / 300), ("bell202", 10 / 1200), ("rtty", 7.5 / 45.45)])
def test_a_character_is_as_long_as_it_should_be_however_many_there_are(name, seconds):
    """No rounding adds up: 900 characters are 800 and 100."""
    sizes = [len(fsk_encode("E" * n, name)) for n in (100, 900)]
    assert sizes[1] - sizes[0] == pytest.approx(800 * seconds * RATE, abs=1.01)


def test_it_is_done_with_its_last_sample_and_has_soft_edges(run):
    node = Fsk(text="E", standard="v23", lead=0.01, tail=0.02)
    samples, events = run(node, 20)
    end = round((0.03 + 10 / 1200) * RATE)
    assert events == [("done", end - 1, 0)]
    assert not np.any(samples[end:])
    assert np.abs(samples[:3]).max() < 0.05
    assert np.abs(samples[end - 3 : end]).max() < 0.05


def test_wrong_options_are_refused():
    for values, words in (
        ({"text": "~", "standard": "tdd"}, "fsk: text has '~'; it may have letters, digits, blanks and - "),
        ({"text": 5}, "fsk: text is 5; it is a text"),
        ({"standard": "bell104"}, "did you mean 'bell103"),
    ):
        with pytest.raises(ValueError, match=words):
            Fsk(**values)


def test_line_ends_come_back():
    assert fsk_decode(fsk_encode("a\nb", "v21"), "v21") == "a\nb"
    assert fsk_decode(fsk_encode("A\nB", "tdd"), "tdd") == "A\r\nB"
