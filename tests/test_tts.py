import math
import subprocess
import sys

import numpy as np
import pytest

from graphvoip import tts
from graphvoip.tts import TTStoPCM

TEXT = "This is a test of speech, spoken by a machine. It has two sentences."


def decibels(x):
    return 20 * math.log10(np.sqrt(np.mean(np.square(x))))


def pitch(x):
    """Of the voice in Hz: how much later the sound is most like itself, in most pieces of 50 ms."""
    pieces = np.array(x)[: len(x) // 400 * 400].reshape(-1, 400)
    pieces = pieces[np.abs(pieces).max(axis=1) > 0.1]
    likeness = np.fft.irfft(np.abs(np.fft.rfft(pieces, 800)) ** 2)
    shortest, longest = 8000 // 350, 8000 // 60
    return 8000 / (shortest + np.median(np.argmax(likeness[:, shortest:longest], axis=1)))


@pytest.fixture(params=["command", "library"])
def either(request, monkeypatch):
    """Both ways that espeak-ng comes."""
    if request.param == "library":
        monkeypatch.setenv("PATH", "")
    return request.param


def test_a_text_is_spoken(either):
    x = TTStoPCM(TEXT)
    assert isinstance(x, list)
    assert isinstance(x[0], float)
    assert 3 < len(x) / 8000 < 6
    assert -30 < decibels(x) < -15
    assert max(map(abs, x)) <= 1


def test_command_and_library_say_the_same(monkeypatch):
    for opts in ([], ["-v", "en-us+f3", "-s", "220"], ["-v", "de", "-p", "80", "-a", "60", "-g", "10"]):
        monkeypatch.undo()
        command = TTStoPCM(TEXT, opts)
        monkeypatch.setenv("PATH", "")
        library = TTStoPCM(TEXT, opts)
        assert len(library) == pytest.approx(len(command), rel=0.03)
        assert decibels(library) == pytest.approx(decibels(command), abs=1)


def test_the_options(either):
    plain = TTStoPCM(TEXT)
    assert len(TTStoPCM(TEXT, ["-s", "350"])) < 0.65 * len(plain)
    assert len(TTStoPCM(TEXT, ["-s90"])) > 1.6 * len(plain)
    assert len(TTStoPCM(TEXT, ["-g", "20"])) > 1.3 * len(plain)
    assert decibels(TTStoPCM(TEXT, ["-a", "50"])) == pytest.approx(decibels(plain) - 6, abs=1)
    assert pitch(TTStoPCM(TEXT, ["-p", "99"])) > 1.3 * pitch(TTStoPCM(TEXT, ["-p", "0"]))
    assert len(TTStoPCM(TEXT)) == pytest.approx(len(plain), rel=0.01)  # and nothing of them stays
    assert len(TTStoPCM(TEXT, ["-v", "de"])) != len(plain)
    assert TTStoPCM(TEXT, ["-s", 200])  # type: ignore[list-item]


def test_texts_of_all_kinds(either):
    assert TTStoPCM("") == TTStoPCM(" \n\t") == []
    hello = len(TTStoPCM("hello"))
    assert len(TTStoPCM("-v hello")) >= hello  # no option
    assert len(TTStoPCM("--help")) > 0.5 * hello
    assert len(TTStoPCM("hello\0 hello")) > 1.3 * hello
    assert len(TTStoPCM("hello\nhello")) > 1.3 * hello
    assert TTStoPCM("Grüße über Öl, 电话, \ud800", ["-v", "de"])
    assert len(TTStoPCM("hello" + 140_000 * " " + "hello")) > 1.3 * hello  # longer than an argument may be


def test_an_unknown_voice(either):
    with pytest.raises(ValueError, match=r"^TTStoPCM: espeak-ng .*voice") as caught:
        TTStoPCM("hello", ["-v", "klingonese"])
    assert "klingonese" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert TTStoPCM("hello")  # the next is not concerned


def test_options_that_the_command_does_not_know():
    with pytest.raises(ValueError, match=r"^TTStoPCM: espeak-ng --bogus: .*unrecognized option '--bogus'"):
        TTStoPCM("hello", ["--bogus"])
    with pytest.raises(ValueError, match=r"^TTStoPCM: espeak-ng -q: it gave no sound"):
        TTStoPCM("hello", ["-q"])


def test_options_that_the_library_does_not_know(monkeypatch):
    monkeypatch.setenv("PATH", "")
    for option, name in (("-k20", "-k"), ("--ipa", "--ipa"), ("-m", "-m")):
        with pytest.raises(ValueError, match=rf"option {name} not recognized: .* takes -v -s -p -a -g; .* apt install"):
            TTStoPCM("hello", [option])
    with pytest.raises(ValueError, match="option -s requires argument"):
        TTStoPCM("hello", ["-s"])
    with pytest.raises(ValueError, match=r"^TTStoPCM: -s takes a whole number, not 'fast'$"):
        TTStoPCM("hello", ["-s", "fast"])


def test_the_older_command_will_do(monkeypatch, tmp_path):
    """A machine with espeak only: the command of that name is run."""
    script = tmp_path / "espeak"
    script.write_text('#!/bin/sh\nexec /usr/bin/espeak-ng -s 350 "$@"\n')
    script.chmod(0o755)
    plain = len(TTStoPCM(TEXT))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert len(TTStoPCM(TEXT)) < 0.65 * plain


def test_neither_command_nor_library():
    script = (
        "import sys; sys.modules['espeakng_loader'] = None\n"  # importing it fails, as if it were not installed
        "from graphvoip.tts import TTStoPCM\n"
        "assert TTStoPCM('') == []\n"
        "TTStoPCM('hello')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PATH": "", "PYTHONPATH": ":".join(sys.path)}, capture_output=True
    )
    last = done.stderr.decode().splitlines()[-1]
    assert last == (
        "RuntimeError: TTStoPCM: espeak-ng is not installed; "
        "sudo apt install espeak-ng (macOS: brew install espeak-ng), or pip install 'graphvoip[tts]'"
    )


def test_a_text_that_takes_too_long(either, monkeypatch):
    monkeypatch.setattr(tts, "TIMEOUT", 0)
    with pytest.raises(TimeoutError, match=r"^TTStoPCM: 68 bytes of text took longer than 0 s; speak it in parts$"):
        TTStoPCM(TEXT)
    monkeypatch.setattr(tts, "TIMEOUT", 60)
    assert len(TTStoPCM(TEXT)) > 8000


def test_threads_do_not_mix_their_texts(either):
    from concurrent.futures import ThreadPoolExecutor

    speeds = ["100", "200", "300", "400"] * 3
    alone = [len(TTStoPCM(TEXT, ["-s", speed])) for speed in speeds]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda speed: len(TTStoPCM(TEXT, ["-s", speed])), speeds))
    assert together == pytest.approx(alone, rel=0.05)  # the same text is not always as long; the speeds are 25 % apart


def test_arguments_that_are_wrong():
    with pytest.raises(ValueError, match=r"^TTStoPCM: no engine 'parrot'; there is: espeak$"):
        TTStoPCM("hello", engine="parrot")
    with pytest.raises(TypeError, match=r"^TTStoPCM: text is a str, not int$"):
        TTStoPCM(42)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^TTStoPCM: opts is a list"):
        TTStoPCM("hello", "-s 140")
