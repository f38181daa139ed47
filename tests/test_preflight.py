"""What a handler's source says of voices, before the first call."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from graphvoip.cli import app
from graphvoip.client import run
from graphvoip.io.virtual import Phone
from graphvoip.preflight import Speech, missing_voices, speech_in

SOURCE = """import os
import graphvoip
from graphvoip import TTStoPCM, nodes
from graphvoip.nodes import Tts

VOICE = os.environ["VOICE"]


async def handler(call):
    await call.say("Hello.", voice="mb-la1")
    await call.say("Hello.", "mb-la1", "espeak", ["-s", "140"])
    await call.say("Hello.", voice="en-us+f3")
    await call.say("Hello.", voice=VOICE, engine="festival")
    call.play(Tts(text="Hello.", engine="festival", voice="don_diphone"))
    call.play(nodes.Tts("Hello.", "nobody", "flite"))
    graphvoip.TTStoPCM("Hello.", ["-v", "mb-zz9", "-s", "140"])
    TTStoPCM("Hello.", engine="parrot")
    await call.say("Hello.")
    call.say
"""
HANDLER = 'async def handler(call):\n    await call.say("Hello.", voice="mb-la1")\n'


def test_engines_and_voices_are_read_where_they_are_written():
    assert list(speech_in(SOURCE)) == [
        Speech(10, "espeak", "mb-la1"),
        Speech(11, "espeak", "mb-la1"),
        Speech(12, "espeak", "en-us+f3"),
        Speech(13, "festival", ""),
        Speech(14, "festival", "don_diphone"),
        Speech(15, "flite", "nobody"),
        Speech(16, "espeak", "mb-zz9"),
        Speech(17, "parrot", ""),
        Speech(18, "espeak", ""),
    ]
    assert list(speech_in("await (")) == []


def test_what_is_missing_is_told_with_its_line_and_package(tmp_path):
    """The file would fail if it were run."""
    file = tmp_path / "handler.py"
    file.write_text(SOURCE)
    found = [line.removeprefix(f"{file}:") for line in missing_voices(file)]
    assert [line[:60] for line in found] == [
        "10: espeak-ng has no voice 'mb-la1'; sudo apt install mbrola mbrola-la1"[:60],
        "14: festival has no voice 'don_diphone'; sudo apt install festvox-don"[:60],
        "15: flite has no voice 'nobody'; it has kal, awb_time, kal16, awb"[:60],
        "16: espeak-ng has no voice 'mb-zz9'; it has "[:60] + found[3][44:60],
        "17: no engine 'parrot'; there is: espeak, flite, festival, rhvoice"[:60],
    ]


def test_an_engine_that_is_missing_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    (tmp_path / "a.py").write_text('TTStoPCM("Hello", engine="rhvoice", voice="bdl")')
    (line,) = missing_voices(tmp_path / "a.py")
    assert line.startswith(f"{tmp_path}/a.py:1: rhvoice is not installed; sudo apt install rhvoice rhvoice-english")


@pytest.mark.parametrize("source", ["", "x = [", "call.say(*texts, **more)", "say()", "\0"])
def test_what_says_nothing_of_voices_misses_none(tmp_path, source):
    (tmp_path / "a.py").write_text(source)
    assert missing_voices(tmp_path / "a.py") == []


def test_check_warns_of_what_a_handler_needs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("handler.py").write_text(HANDLER)
    result = CliRunner().invoke(app, ["check", "handler.py"])
    assert result.exit_code == 0
    assert result.stdout == "handler.py: fine, a handler: handler\n"
    says = r"handler\.py:2: warning: espeak-ng has no voice 'mb-la1'; sudo apt install mbrola mbrola-la1 .*\n"
    assert re.fullmatch(says, result.stderr)
    Path("handler.py").write_text(HANDLER.replace("mb-la1", "en-us"))
    assert CliRunner().invoke(app, ["check", "handler.py"]).stderr == ""


def test_a_server_warns_when_it_starts(tmp_path, caplog):
    """serve and runVoipClient both begin with run."""
    source = "async def handler(call):\n    if call is None:\n        call.say('', 'mb-la1')\n"
    (tmp_path / "handler.py").write_text(source)
    module: dict = {}
    exec(compile(source, f"{tmp_path}/handler.py", "exec"), module)
    run(module["handler"], Phone(script="hangup"))
    (record,) = [one for one in caplog.records if one.levelname == "WARNING"]
    assert record.getMessage().startswith(f"{tmp_path}/handler.py:3: espeak-ng has no voice 'mb-la1'; sudo apt inst")
