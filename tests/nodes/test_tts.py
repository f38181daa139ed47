import numpy as np
import pytest

from graphvoip import PatchError, TTStoPCM, render
from graphvoip.nodes import Tts
from graphvoip.patchfile import parse_patch

TEXT = "Hello, this is a telephone."


def test_it_is_the_spoken_text_and_done_with_its_last_sample(run):
    expected = np.array(TTStoPCM(TEXT, ["-v", "en-us", "-s", "210"]), np.float32)
    samples, events = run(Tts(text=TEXT, voice="en-us", speed=1.2), len(expected) // 160 + 3)
    np.testing.assert_array_equal(samples[: len(expected)], expected)
    assert not np.any(samples[len(expected) :])
    assert events == [("done", len(expected) - 1, 0)]


def test_without_a_text_it_is_silent_and_done_at_once(run):
    samples, events = run(Tts(), 2)
    assert not np.any(samples)
    assert events == [("done", 0, 0)]


def test_in_a_patch_it_ends_the_patch():
    document = {
        "graphvoip": 1,
        "nodes": {"hi": {"type": "tts", "text": TEXT, "voice": "en"}},
        "out": "hi * 0.5",
        "done": "hi.done",
    }
    recipe = parse_patch(document)
    heard = render(recipe())
    assert len(heard) == pytest.approx(len(TTStoPCM(TEXT, voice="en")), abs=400)
    assert 0.1 < np.abs(heard).max() <= 0.5
    assert recipe().to_json()["nodes"]["hi"] == document["nodes"]["hi"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"text": 5}, "text is 5; it is a text"),
        ({"text": "x" * 10001}, "text has 10001 characters; it may have 10000"),
        ({"voice": "../../etc/x"}, "voice '../../etc/x' is no name of a voice"),
        ({"voice": "kal) (system 1"}, "is no name of a voice"),
        ({"voice": "-w"}, "voice '-w' is no name of a voice"),
        ({"voice": "klingonese"}, "espeak-ng has no voice 'klingonese'; it has .*de"),
        ({"engine": "parrot"}, "engine 'parrot' is none of espeak"),
        ({"speed": 9}, "speed 9 x is outside 0.3..3"),
    ],
)
def test_wrong_options_are_refused(values, words):
    """The voice's name is all that a patch can tell an engine: it is no file, no option and no program."""
    with pytest.raises(ValueError, match=f"^tts: .*{words}"):
        Tts(**{"text": "hello"} | values)
    document = {"graphvoip": 1, "nodes": {"a": {"type": "tts", "text": "hello"} | values}, "out": "a"}
    with pytest.raises(PatchError):
        parse_patch(document)()
