import numpy as np
import pytest

from graphvoip.io.wav import load
from graphvoip.line import on_line
from graphvoip.nodes import Answering, VoiceActivity
from graphvoip.palette import SPEECH

RATE = 8000
HUMAN, MACHINE, SILENCE, UNSURE = 1, 2, 3, 4


def spoken(*times):
    """A gate that is on and off in turn for so many seconds, beginning with off."""
    return np.concatenate([np.full(round(RATE * seconds), k % 2) for k, seconds in enumerate(times)])


def verdict(run, signal, gate, **options):
    """What was decided, and when."""
    out, events = run(Answering(signal(gate), **options), 400)
    assert [name for name, _, _ in events] == ["verdict"]
    _, at, value = events[0]
    assert not out[:at].any()
    assert (out[at:] == value).all()
    return value, at / RATE


@pytest.mark.parametrize(
    ("times", "value", "at"),
    [
        ((0.4, 0.6, 6), HUMAN, 1.8),  # hello
        ((0.4, 0.4, 0.3, 0.4, 6), HUMAN, 2.3),  # hello, hello
        ((0.4, 3), MACHINE, 1.9),
        ((0.4, 0.3, 0.2, 0.3, 0.2, 0.3, 6), MACHINE, 1.5),  # a third word
        ((8,), SILENCE, 2.5),
        ((2.4, 0.5, 6), HUMAN, 3.7),
        ((0.4, 0.05, 8), SILENCE, 2.5),  # a click is no word
        ((0.4, 0.3, 0.03, 0.3, 0.03, 0.3, 6), HUMAN, 2.16),  # no pauses, one word
    ],
)
def test_the_rules(run, signal, times, value, at):
    assert verdict(run, signal, spoken(*times)) == (value, pytest.approx(at, abs=0.002))


def test_it_decides_in_time(run, signal):
    gate = spoken(0.4, *[0.5, 0.7] * 8)
    assert verdict(run, signal, gate, greeting=60, words=100) == (UNSURE, pytest.approx(5.0, abs=0.002))
    assert verdict(run, signal, gate, greeting=60, words=100, total=2.5)[1] == pytest.approx(2.5, abs=0.002)


def test_the_limits_can_be_set(run, signal):
    assert verdict(run, signal, spoken(0.4, 2, 6), greeting=3)[0] == HUMAN
    assert verdict(run, signal, spoken(0.4, 0.3, 0.5, 0.3, 6), after_greeting=0.4)[0] == HUMAN
    assert verdict(run, signal, spoken(0.4, 0.3, 0.2, 0.3, 0.2, 0.3, 6), words=3)[0] == HUMAN
    assert verdict(run, signal, spoken(8), initial_silence=1)[1] == pytest.approx(1, abs=0.002)


def test_a_word_and_a_sentence_over_a_line(run, signal):
    speech = load(SPEECH)[RATE:]
    for said, value in ((speech[2000:5500], HUMAN), (np.tile(speech, 3), MACHINE), (speech[:0], SILENCE)):
        sound = on_line(np.concatenate([np.zeros(5000), said, np.zeros(5 * RATE)]), "pcmu, noise=-55dB")
        node = Answering(VoiceActivity(signal(sound), hangover=0.05))
        assert [found for _, _, found in run(node, 400)[1]] == [value]


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match=r"answering: total 0 s is outside 0\.1\.\.600"):
        Answering(0.0, total=0)
