"""The commands for patches, as a user meets them: files, samples, lines on stdout and stderr, exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
from disk import room

from graphvoip import load_patch, loadWAVtoPCM, render
from graphvoip.listen import tones
from graphvoip.palette import palette
from graphvoip.patchwriter import dumps, schema

ROOT = Path(__file__).parent.parent
CHIME, KEYPAD = ROOT / "patches" / "chime.json", ROOT / "patches" / "keypad_fm.json"
HELLO = ROOT / "examples" / "hello.py"

SINE = {"graphvoip": 1, "params": {"pitch": 500}, "nodes": {"a": {"type": "sine", "freq": "pitch"}}, "out": "0.5 * a"}
PYTHON = """
from graphvoip import Param, patch
from graphvoip.nodes import Decay, Sine

@patch
def bell(pitch=Param(880, "Hz", 200, 1700)):
    hit = Decay(time=0.2)
    return Sine(freq=pitch) * hit, hit.done
"""


def write(name, content):
    """A file in the present directory, of text or of a document."""
    Path(name).write_text(content if isinstance(content, str) else json.dumps(content))
    return name


def assert_one_line(result, line, code=1):
    assert result.exit_code == code, result.output
    assert re.fullmatch(line + "\n", result.stderr), result.stderr


def assert_fine(result):
    assert result.exit_code == 0, result.output
    assert result.stderr == ""


def shorts(samples):
    return np.rint(samples * np.float32(32768)).clip(-32768, 32767).astype("<i2")


def pitch(name):
    x, rate = soundfile.read(name)
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x))))
    return np.argmax(spectrum) * rate / len(x)


# --- render -----------------------------------------------------------------------------------------------------------


def test_render_writes_what_a_caller_hears(graphvoip):
    result = graphvoip("render", CHIME, "-o", "bell.wav")
    assert_fine(result)
    wanted = shorts(render(load_patch(CHIME)()))
    assert (soundfile.read("bell.wav", dtype="int16")[0] == wanted).all()
    assert re.fullmatch(rf"bell.wav: {len(wanted) / 8000:.2f} s, \d+ times real time\n", result.stdout)


def test_the_file_has_the_name_of_the_patch(graphvoip):
    assert_fine(graphvoip("render", CHIME))
    Path("here").mkdir()
    assert_fine(graphvoip("render", CHIME, "-o", "here"))
    assert Path("chime.wav").read_bytes() == Path("here/chime.wav").read_bytes()


def test_render_of_two_runs_is_the_same(graphvoip):
    for name in ("a.wav", "b.wav"):
        assert_fine(graphvoip("render", ROOT / "patches" / "rain_garden.json", "--seconds", 1, "-o", name))
    assert Path("a.wav").read_bytes() == Path("b.wav").read_bytes()
    graphvoip("render", ROOT / "patches" / "rain_garden.json", "--seconds", 1, "-o", "c.wav", "--seed", 2)
    assert Path("a.wav").read_bytes() != Path("c.wav").read_bytes()


def test_parameters_are_what_they_are_set_to_from_the_first_sample(graphvoip):
    name = write("a.json", SINE)
    settings = ("--set", "pitch=midi(81)", "--set", "a.amp = 0.5")
    assert_fine(graphvoip("render", name, "--seconds", 1, *settings))
    patch = load_patch(name)(pitch=880)
    patch.set("a.amp", 0.5)
    assert (soundfile.read("a.wav", dtype="int16")[0] == shorts(render(patch, 1))).all()
    assert pitch("a.wav") == pytest.approx(880, abs=1)


def test_keys_are_pressed(graphvoip):
    result = graphvoip("render", KEYPAD, "--seconds", 1.5, "--keys", "5@0.3 9@0.9", "-o", "fm.flac")
    assert_fine(result)
    wanted = render(load_patch(KEYPAD)(), 1.5, keys="5@0.3 9@0.9")
    assert (soundfile.read("fm.flac", dtype="int16")[0] == shorts(wanted)).all()
    assert "silent" not in result.stdout


def test_silence_is_told(graphvoip):
    result = graphvoip("render", KEYPAD, "--seconds", 0.5, "--keys", "5@0.7")
    assert result.exit_code == 0
    assert re.fullmatch(r"keypad_fm.wav: 0.50 s, silent, after its end: 5@0.7, \d+ times real time\n", result.stdout)


@pytest.mark.parametrize(
    ("inputs", "nodes", "out", "hint"),
    [
        (
            {"keys": "events"},
            {"map": {"type": "keymap", "keys": "keys"}, "a": {"type": "sine"}},
            "a * map.gate",
            "keymap 'map' waits for keys: give them with --keys '5@0.3 9@0.9'",
        ),
        (
            {"voice": "audio"},
            {"room": {"type": "reverb", "input": "0.5 * voice + 0"}},
            "room",
            "reverb 'room' waits for the caller's voice: give it with --voice FILE",
        ),
        (
            {"voice": "audio", "keys": "events"},
            {"a": {"type": "gain", "input": "voice"}, "map": {"type": "keymap", "keys": "keys"}},
            "a * map.gate",
            "gain 'a' waits for the caller's voice: give it with --voice FILE and "
            "keymap 'map' waits for keys: give them with --keys '5@0.3 9@0.9'",
        ),
    ],
)
def test_what_waits_for_the_caller_is_told_when_nothing_is_heard(graphvoip, inputs, nodes, out, hint):
    name = write("a.json", {"graphvoip": 1, "inputs": inputs, "nodes": nodes, "out": out})
    result = graphvoip("render", name, "--seconds", 1)
    assert result.exit_code == 0
    assert "silent" in result.stdout
    assert result.stderr == f"graphvoip: a.json: {hint}\n"
    if "voice" not in inputs:
        assert_fine(graphvoip("render", name, "--seconds", 1, "--keys", "5@0.3"))


def test_a_control_signal_is_written_as_it_is_or_it_is_told(graphvoip):
    lfo = {"type": "lfo", "freq": 2, "low": 200, "high": 800}
    name = write("a.json", {"graphvoip": 1, "nodes": {"a": lfo}, "out": "a"})
    result = graphvoip("render", name, "--seconds", 0.5)
    words = r"a.wav: 0.50 s, limited \(it came to 800, 1 is full scale; --values writes a control signal as it is\)"
    assert re.match(words, result.stdout)
    assert np.abs(soundfile.read("a.wav")[0]).max() <= 1
    assert_fine(graphvoip("render", name, "--seconds", 0.5, "--values", "--plot", "a.png"))
    values = soundfile.read("a.wav", dtype="float32")[0]
    assert (values[0], values.min(), values.max()) == pytest.approx((500, 200, 800), abs=0.1)
    result = graphvoip("render", name, "--seconds", 0.5, "--values", "-o", "a.flac")
    assert_one_line(result, "graphvoip: a.flac: FLAC has no samples of 32 bits; take 16, or end the name in .wav")


def test_the_voice_is_heard(graphvoip):
    name = write("a.json", {"graphvoip": 1, "inputs": {"voice": "audio"}, "nodes": {}, "out": "0.5 * voice"})
    said = np.sin(np.arange(8000) / 3).astype(np.float32)
    soundfile.write("in.wav", said, 8000)
    assert_fine(graphvoip("render", name, "--voice", "in.wav", "--seconds", 1))
    heard = soundfile.read("a.wav")[0]
    assert np.abs(heard[160:] - 0.5 * said[160:]).max() < 1e-4


def test_32_bits_are_the_floats(graphvoip):
    assert_fine(graphvoip("render", CHIME, "--bits", 32))
    assert (soundfile.read("chime.wav", dtype="float32")[0] == render(load_patch(CHIME)())).all()


def test_another_rate(graphvoip):
    name = write("a.json", SINE)
    for words in (("-o", "a.wav"), ("-o", "a.flac"), ("-o", "f.wav", "--bits", 32)):
        assert_fine(graphvoip("render", name, "--seconds", 1, "--rate", 44100, *words))
        assert soundfile.info(words[1]).samplerate == 44100
        assert soundfile.info(words[1]).frames == 44100
        assert pitch(words[1]) == pytest.approx(500, abs=1)


def test_what_never_ends_is_cut_after_10_s(graphvoip):
    result = graphvoip("render", write("a.json", SINE))
    assert_fine(result)
    assert "10.00 s, cut (nothing ends it; --seconds says how long)" in result.stdout
    assert soundfile.info("a.wav").frames == 80000


def test_what_does_not_come_to_its_end_is_cut_too(graphvoip, monkeypatch):
    monkeypatch.setattr("graphvoip.cli_render.PATIENCE", 2)
    hit = {"type": "decay", "trigger": 0}
    result = graphvoip("render", write("a.json", SINE | {"nodes": SINE["nodes"] | {"hit": hit}, "done": "hit.done"}))
    assert_fine(result)
    assert "2.00 s, cut (it had not ended; --seconds says how long)" in result.stdout


def test_it_ends_before_the_seconds_are_over(graphvoip):
    assert_fine(graphvoip("render", CHIME, "--seconds", 100))
    assert (soundfile.read("chime.wav", dtype="int16")[0] == shorts(render(load_patch(CHIME)()))).all()


def test_render_draws_a_picture(graphvoip):
    result = graphvoip("render", CHIME, "--plot", "chime.png")
    assert_fine(result)
    assert "chime.png: waveform and spectrogram" in result.stdout
    assert Path("chime.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_needs_matplotlib_and_the_sound_does_not(graphvoip, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = graphvoip("render", CHIME, "--plot", "chime.png")
    assert_one_line(result, r"graphvoip: a picture needs matplotlib .*: pip install 'graphvoip\[plot\]'")
    assert Path("chime.wav").stat().st_size > 10000


def test_several_patches_at_once(graphvoip):
    files = sorted((ROOT / "patches").glob("*.json"))[:4]
    result = graphvoip("render", *files, "--seconds", 2, "-o", "all", "--plot", "all")
    assert_fine(result)
    lines = [line for line in result.stdout.splitlines() if ".wav" in line]
    assert [re.match(r"all/(\w+)\.wav: ", line)[1] for line in lines] == [file.stem for file in files]
    for file in files:
        assert (soundfile.read(f"all/{file.stem}.wav", dtype="int16")[0] == shorts(render(load_patch(file)(), 2))).all()
        assert Path(f"all/{file.stem}.png").exists()


def test_a_patch_in_python(graphvoip):
    write("bells.py", PYTHON)
    for words in (["bells.py"], ["bells.py:bell", "-o", "b.wav"]):
        assert_fine(graphvoip("render", *words, "--set", "pitch=700"))
    assert pitch("bell.wav") == pytest.approx(700, abs=4)
    assert Path("bell.wav").read_bytes() == Path("b.wav").read_bytes()


def test_several_recipes_in_a_file(graphvoip):
    write("bells.py", PYTHON)
    write("more.py", "from bells import bell\n" + PYTHON.replace("bell", "ding") + PYTHON.replace("bell", "dong"))
    line = "graphvoip: more.py: it has ding, dong: choose with more.py:ding"
    assert_one_line(graphvoip("render", "more.py"), line)
    assert_fine(graphvoip("render", "more.py:bell"))
    line = "graphvoip: more.py: no @patch function 'dang' in it; it has bell, ding, dong"
    assert_one_line(graphvoip("render", "more.py:dang"), line)


def test_errors_in_a_recipe_are_told_with_their_place(graphvoip):
    write("bad.py", PYTHON.replace("hit = Decay(time=0.2)", "hit = Decay(tim=0.2)"))
    result = graphvoip("render", "bad.py")
    assert result.exit_code == 1
    assert 'File "bad.py", line 7, in bell' in result.stderr
    assert result.stderr.splitlines()[-1] == "graphvoip: bad.py: decay has no 'tim'; did you mean 'time'?"
    write("bad.py", PYTHON.replace("hit = Decay(time=0.2)", "1 / 0"))
    result = graphvoip("render", "bad.py")
    assert result.stderr.splitlines()[-1] == "graphvoip: bad.py cannot be built: ZeroDivisionError: division by zero"


def test_errors_of_a_function_in_a_patch(graphvoip):
    write("bad.py", "from graphvoip import patch\nfrom graphvoip.nodes import Function\n\n\n"
          "def f(x, t):\n    return 1 / (t < 0.1)\n\n\n@patch\ndef bad():\n    return Function(f=f)\n")  # fmt: skip
    result = graphvoip("render", "bad.py")
    assert result.exit_code == 1
    assert 'File "bad.py", line 6, in f' in result.stderr
    assert result.stderr.splitlines()[-1] == "graphvoip: bad.py failed: ZeroDivisionError: division by zero"


def test_a_sound_that_is_not_finite_is_told(graphvoip):
    nodes = {"a": {"type": "gain", "input": "a + 1", "gain": 8}}
    result = graphvoip("render", write("a.json", {"graphvoip": 1, "nodes": nodes, "out": "a"}), "--seconds", 1)
    assert_one_line(result, r"graphvoip: a.json: not finite after 0.0\d s, and silent from there on", 0)


def test_a_handler_renders_too(graphvoip):
    result = graphvoip("render", HELLO, "--script", "wait 0.8", "-o", "a.flac", "--rate", 16000, "--plot", "a.png")
    assert_fine(result)
    assert graphvoip("call", HELLO, "--script", "wait 0.8", "--out", "b.wav").exit_code == 0
    assert "a.flac: what the caller heard, 0.80 s" in result.stdout
    assert "hangs up" in result.stdout
    assert soundfile.info("a.flac").samplerate == 16000
    assert pitch("a.flac") == pytest.approx(420, abs=3)
    assert Path("a.png").exists()
    assert_fine(graphvoip("render", HELLO))
    assert tones(np.array(loadWAVtoPCM("hello.wav"))[8000:])[0][0] == pytest.approx(650, abs=1)


def test_a_handler_by_its_name(graphvoip):
    write("two.py", "async def one(call): ...\nasync def other(call):\n    await call.playTone(500, 0.5)\n")
    assert_fine(graphvoip("render", "two.py:other", "--script", "wait 1"))
    assert pitch("two.wav") == pytest.approx(500, abs=3)


WRONG = [
    (["none.json"], "none.json: no such file"),
    (["."], r"\.: a directory, not a patch"),
    (["pipe.json"], "pipe.json: a pipe, device or socket, not a patch"),
    (["a.txt"], r"a.txt: a patch is a .json file, or a @patch function in a .py file"),
    ([HELLO, "--keys", "5@1"], r".*hello.py: --keys is for patches; this has a handler, whose caller follows --script"),
    ([HELLO, CHIME], ".*hello.py: no @patch function in it; write @patch above a function that makes nodes"),
    ([f"{HELLO}:x"], ".*hello.py: no @patch function in it; write @patch above a function that makes nodes"),
    ([CHIME, "--script", "wait 1"], "--script is for one file with a handler; a patch takes --keys and --voice"),
    ([CHIME, "--set", "pitch"], "--set pitch: write name=number, index=6 or ding.freq=440"),
    ([CHIME, "--set", "pitch=high"], "--set pitch=high: write name=number, index=6 or ding.freq=440"),
    ([CHIME, "--set", "pitch=1kHz"], "--set pitch=1kHz: write name=number, .*; write the number alone: 1000"),
    ([CHIME, "--set", "=3"], "--set =3: write name=number, index=6 or ding.freq=440"),
    ([CHIME, "--set", "pich=3"], r".*chime.json: chime has no 'pich' to set; did you mean 'pitch'\?"),
    (
        [CHIME, "--set", "zzz=3"],
        r".*: chime has no 'zzz' to set; it has pitch, ding.amp, dong.amp, hit1.trigger, hit1.time, .*",
    ),
    ([CHIME, "--set", "pitch=5000"], r".*chime.json: pitch: 5000 Hz is outside 200\.\.1700"),
    ([CHIME, "--set", "ding.amq=1"], r".*chime.json: ding: sine has no input 'amq'; did you mean 'amp'\?"),
    ([CHIME, "--set", "ding.freq=1"], r".*chime.json: ding.freq is wired to pitch.out; only a number can be set"),
    ([CHIME, "--keys", "5@1"], "--keys: .*chime.json has no input 'keys'"),
    ([CHIME, "--voice", "in.wav"], "in.wav: no such sound file in .*"),
    ([KEYPAD, "--keys", "5@x"], "keys: '5@x' is no key and time; write 5@0.3 .*"),
    ([KEYPAD, "--keys", "five"], "keys: 'five' is no key and time; write 5@0.3 .*"),
    ([CHIME, "-o", "none/a.wav"], "none/a.wav: no directory none to save it in"),
    ([CHIME, "-o", "a.mp3"], "a.mp3: its name must end in .wav or .flac"),
    ([CHIME, "-o", "a.flac", "--bits", "32"], "a.flac: FLAC has no samples of 32 bits; .*"),
    ([CHIME, "--rate", "500"], r"chime.wav: a rate of 500 Hz is outside 1000\.\.192000"),
    ([CHIME, KEYPAD, "-o", "a.wav"], "a.wav: this is one file, and there are 2 patches; name a folder"),
    ([CHIME, CHIME], "chime.wav: two patches would have this file; render them one after the other"),
    ([CHIME, "--plot", "none/a.png"], "none/a.png: no directory none to save it in"),
]


@pytest.mark.parametrize(("words", "line"), WRONG, ids=[" ".join(Path(str(w)).name for w in one[0]) for one in WRONG])
def test_what_a_user_can_do_wrong(graphvoip, words, line):
    write("a.txt", "")
    os.mkfifo("pipe.json")
    assert_one_line(graphvoip("render", *words), f"graphvoip: {line}")
    assert sorted(path.name for path in Path().iterdir()) == ["a.txt", "pipe.json"]


@pytest.mark.parametrize("words", [["--seconds", "0"], ["--bits", "24"], ["--seed", "-1"], ["--rate", "fast"], ["--x"]])
def test_options_that_there_are_not(graphvoip, words):
    result = graphvoip("render", CHIME, *words)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_broken_patch_is_told_of_line_by_line(graphvoip):
    nodes = {"a": {"type": "sine", "frq": 3}, "b": {"type": "sin"}}
    name = write("bad.json", {"graphvoip": 1, "nodes": nodes, "out": "a + c"})
    for command in (["render"], ["check"], ["draw"], ["play", "--device", "virtual"]):
        result = graphvoip(*command, name)
        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr.splitlines()[:2] == [
            "bad.json:1:50: nodes.a: sine has no 'frq'; did you mean 'freq'?",
            "bad.json:1:67: nodes.b.type: no node type 'sin'; did you mean 'sine'?",
        ]
    assert [path.name for path in Path().iterdir()] == ["bad.json"]


def test_an_input_that_nobody_gives(graphvoip):
    name = write("a.json", {"graphvoip": 1, "inputs": {"x": "audio"}, "nodes": {}, "out": "x"})
    line = r"graphvoip: a.json: a call has voice and keys for it, but no 'x'; --set x=NUMBER"
    assert_one_line(graphvoip("render", name), line)
    assert_one_line(graphvoip("play", name, "--device", "virtual"), line)
    assert_fine(graphvoip("render", name, "--set", "x=0.25", "--seconds", 1))
    assert soundfile.read("a.wav")[0][1000] == 0.25


def test_an_existing_file_survives_a_full_disk_and_is_named(graphvoip):
    assert_fine(graphvoip("render", CHIME))  # so that nothing is compiled below
    Path("chime.wav").write_text("mine")
    with room():
        assert_one_line(graphvoip("render", CHIME), f"graphvoip: {Path('chime.wav').resolve()}: File too large")
    assert Path("chime.wav").read_text() == "mine"
    assert [path.name for path in Path().iterdir()] == ["chime.wav"]
    assert_one_line(graphvoip("render", CHIME, "-o", "/dev/full"), "graphvoip: /dev/full: No space left on device")


def test_one_failure_of_several_leaves_the_others(graphvoip):
    write("bad.py", "from graphvoip import patch\nfrom graphvoip.nodes import Function\n"
          "@patch\ndef bad():\n    return Function(f=lambda x, t: 'loud')\n")  # fmt: skip
    result = graphvoip("render", "bad.py", CHIME)
    assert result.exit_code == 1
    assert "bad.py: function: f gave" in result.stderr
    assert result.stdout.startswith("chime.wav: ")
    assert Path("chime.wav").exists()
    assert not Path("bad.wav").exists()


SLOW = """
from pathlib import Path
from graphvoip import patch
from graphvoip.nodes import Function, Sine

@patch
def slow():
    Path("built").touch()
    return Function(Sine(freq=500), f=lambda x, t: x / 2)
"""


@pytest.mark.parametrize("several", [False, True])
def test_ctrl_c_writes_what_there_is(tmp_path, several):
    (tmp_path / "slow.py").write_text(SLOW)
    words = ["render", "slow.py", *([ROOT / "patches" / "drum_line.json"] if several else []), "--seconds", "80000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "graphvoip", *words], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    while not (tmp_path / "built").exists():
        time.sleep(0.01)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.match(r"slow.wav: [\d.]+ s, stopped, \d+ times real time\n", out)
    assert ("drum_line.wav" in out) is several
    x = soundfile.read(tmp_path / "slow.wav")[0]
    assert len(x) > 8000
    assert np.abs(x[8000:]).max() == pytest.approx(0.5, abs=0.01)
    assert x[-160:].any()


def test_a_progress_bar_is_only_for_terminals(tmp_path):
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.environ["TERM"] = "xterm"
        words = ["graphvoip", "render", str(ROOT / "patches/drum_line.json"), "--seconds", "400", "-o", "a.wav"]
        os.execv(sys.executable, [sys.executable, "-m", *words])
    shown = b""
    try:
        while data := os.read(terminal, 65536):
            shown += data
    except OSError:  # it is closed
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert "━".encode() in shown
    assert re.search(rb"a\.wav: 400\.00 s, \d+ times real time", shown)


# --- play -------------------------------------------------------------------------------------------------------------


def test_play_to_a_caller_that_is_simulated(graphvoip, caplog):
    caplog.set_level("INFO")
    result = graphvoip("play", CHIME, "--device", "virtual")
    assert result.exit_code == 0, result.output
    ends = re.search(r"ended after ([\d.]+) s, the handler is done", caplog.text)
    assert float(ends[1]) == pytest.approx(len(render(load_patch(CHIME)())) / 8000, abs=0.2)


@pytest.mark.parametrize("watch", [[], ["--watch"]])
def test_play_for_some_seconds(graphvoip, caplog, watch):
    caplog.set_level("INFO")
    result = graphvoip(
        "play", write("a.json", SINE), "--device", "virtual", "--seconds", 3, "--set", "pitch=700", *watch
    )
    assert result.exit_code == 0, result.output
    assert re.search(r"ended after 3\.\d s, the handler is done", caplog.text)


def test_play_fails_when_the_patch_does(graphvoip):
    write("bad.py", "from graphvoip import patch\nfrom graphvoip.nodes import Function\n"
          "@patch\ndef bad():\n    return Function(f=lambda x, t: 'loud')\n")  # fmt: skip
    result = graphvoip("play", "bad.py", "--device", "virtual")
    assert result.exit_code == 1
    assert "graphvoip: bad.py: TypeError: function: f gave" in result.stderr.splitlines()[-1]


# --- check ------------------------------------------------------------------------------------------------------------


def test_check_says_what_is_fine(graphvoip):
    result = graphvoip("check", CHIME, KEYPAD)
    assert_fine(result)
    assert result.stdout == (
        f"{CHIME}: fine, 4 nodes, params pitch; ends at hit2.done\n{KEYPAD}: fine, 4 nodes, params index; inputs keys\n"
    )


def test_every_patch_of_ours_is_sound(graphvoip):
    assert_fine(graphvoip("check", *(ROOT / "patches").glob("*.json")))


def test_check_goes_on_after_an_error(graphvoip):
    write("bad.json", "{")
    write("bells.py", PYTHON)
    result = graphvoip("check", "bad.json", "none.json", "bells.py:bell")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 2
    assert result.stderr.startswith("bad.json:1:2: no JSON: ")
    assert result.stdout == "bells.py:bell: fine, 2 nodes, params pitch; ends at decay.done\n"


def test_warnings_are_no_errors(graphvoip):
    result = graphvoip("check", write("a.json", SINE | {"nodes": SINE["nodes"] | {"z": {"type": "noise"}}}))
    assert result.exit_code == 0
    assert result.stderr == "a.json:1:94: warning: nodes.z: it feeds nothing\n"
    assert result.stdout == "a.json: fine, 2 nodes, params pitch\n"


def test_check_writes_the_canonical_form(graphvoip):
    write("a.json", json.dumps(SINE, indent=8))
    result = graphvoip("check", "a.json", "--write")
    assert_fine(result)
    assert result.stdout == "a.json: fine, 1 node, params pitch; written anew\n"
    assert Path("a.json").read_text() == dumps(SINE)
    assert "canonical already" in graphvoip("check", "a.json", "--write").stdout
    (data := Path("a.json")).write_bytes(b"\xef\xbb\xbf" + dumps({"$schema": "x.json"} | SINE).encode())
    assert "written anew" in graphvoip("check", "a.json", "--write").stdout
    assert data.read_text().startswith('{\n  "$schema": "x.json",\n  "graphvoip": 1,\n')
    bad = write("bad.json", '{"graphvoip": 1}')
    assert graphvoip("check", bad, "--write").exit_code == 1
    assert Path(bad).read_text() == '{"graphvoip": 1}'
    write("bells.py", PYTHON)
    assert_one_line(graphvoip("check", "bells.py", "--write"), "graphvoip: bells.py: --write is for .json files")
    assert Path("bells.py").read_text() == PYTHON


def test_check_prints_the_schema(graphvoip):
    result = graphvoip("check", "--schema")
    assert_fine(result)
    assert json.loads(result.stdout) == json.loads(json.dumps(schema()))


def test_check_of_nothing(graphvoip):
    assert_one_line(graphvoip("check"), "graphvoip: check: name a patch, or --schema")


# --- draw -------------------------------------------------------------------------------------------------------------


def test_draw(graphvoip):
    result = graphvoip("draw", CHIME)
    assert_fine(result)
    assert result.stdout == "chime.svg: chime, 4 nodes\n"
    assert ElementTree.parse("chime.svg").getroot().tag.endswith("svg")
    assert_fine(graphvoip("draw", CHIME, "-o", "a.svg"))
    assert Path("a.svg").read_bytes() == Path("chime.svg").read_bytes()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["none.json"], "none.json: no such file"),
        ([CHIME, "-o", "a.png"], "a.png: its name must end in .svg"),
        ([CHIME, "-o", "none/a.svg"], "none/a.svg: no directory none to save it in"),
    ],
)
def test_draw_errors(graphvoip, words, line):
    assert_one_line(graphvoip("draw", *words), f"graphvoip: {line}")


# --- nodes ------------------------------------------------------------------------------------------------------------


def test_nodes_lists_all_by_group(graphvoip):
    result = graphvoip("nodes")
    assert_fine(result)
    for name, cls in palette().items():
        assert re.search(rf"^  {name} +\S", result.stdout, re.M), name
        assert re.search(rf"^{cls.group}$", result.stdout, re.M)
    last = f"{len(palette())} nodes; graphvoip nodes NAME says all of one, as graphvoip nodes sine"
    assert result.stdout.splitlines()[-1] == last


@pytest.mark.parametrize("name", ["biquad", "Biquad"])
def test_nodes_says_all_of_one(graphvoip, name):
    result = graphvoip("nodes", name)
    assert_fine(result)
    for part in (
        "biquad  filters; Biquad in Python",
        "formulas of the Audio EQ Cookbook",
        r"freq +1000 +1\.\.3999 Hz +corner",
        r"input +must be given",
        r'kind +"lowpass" +lowpass \| highpass',
        r"outputs\n  out",
        r"in Python\n  Biquad\(Saw",
        r'in a patch file\n  \{\n    "graphvoip": 1',
    ):
        assert re.search(part, result.stdout), part


@pytest.mark.parametrize("name", palette())
def test_nodes_says_something_of_every_node(graphvoip, name):
    result = graphvoip("nodes", name)
    assert_fine(result)
    if "in a patch file" in result.stdout and 'more"' not in result.stdout:
        Path("a.json").write_text(result.stdout.split("in a patch file\n")[1])
        assert graphvoip("check", "a.json").exit_code == 0


def test_nodes_as_json(graphvoip):
    found = json.loads(graphvoip("nodes", "--json").stdout)
    assert [one["type"] for one in found] == list(palette())
    one = json.loads(graphvoip("nodes", "biquad", "--json").stdout)
    assert one in found
    assert (
        one["inputs"][1] | {"name": "freq", "default": 1000, "unit": "Hz", "low": 1, "high": 3999} == one["inputs"][1]
    )


@pytest.mark.parametrize(
    ("word", "found"),
    {
        "moog": "ladder", "vca": "gain multiply", "vco": "pulse saw sine triangle wavetable",
        "VCF": "biquad ladder svf", "lpf": "biquad ladder one_pole svf", "hpf": "biquad dc_block one_pole svf",
        "303": "pulse saw sequencer ladder", "sub": "sine triangle", "karplus": "pluck", "string": "pluck",
        "noise gate": "noise_gate", "delay": "delay", "chorus": "chorus", "leslie": "chorus delay phaser",
        "wah": "biquad formant_filter svf", "bandpass": "biquad phone_band svf", "ring": "ring_mod multiply",
        "AM": "gain ring_mod multiply", "distortion": "bitcrush drive", "fuzz": "drive", "overdrive": "drive",
        "ducking": "duck", "sidechain": "duck vocoder", "arp": "sequencer", "sequencer": "sequencer",
        "s&h": "sample_hold", "portamento": "ramp slew", "glide": "ramp slew", "ADSR": "adsr",
        "envelope follower": "follower", "quantizer": "scale", "LPC": "vocoder", "talkbox": "formant_filter vocoder",
        "T.38": "dial_tone call_progress", "fax": "dial_tone call_progress", "DX7": "fm", "granular": "grains",
        "tremolo": "lfo ring_mod", "vibrato": "lfo chorus delay", "harmonizer": "pitch_shift",
        "voicemail": "answering", "scope": "tap", "compressors": "compressor", "looper": "sampler stutter",
    }.items(),
)  # fmt: skip
def test_nodes_are_found_by_what_people_call_them(graphvoip, word, found):
    result = graphvoip("nodes", *word.split(), "--json")
    shown = json.loads(result.stdout)
    assert [one["type"] for one in (shown if isinstance(shown, list) else [shown])] == found.split()


def test_several_nodes_that_a_word_may_mean_are_listed_and_one_is_shown(graphvoip):
    result = graphvoip("nodes", "vca")
    assert_fine(result)
    assert re.search(r"^dynamics\n  gain +Multiply a signal", result.stdout, re.M)
    assert result.stdout.endswith("2 nodes; graphvoip nodes NAME says all of one, as graphvoip nodes gain\n")
    result = graphvoip("nodes", "moog")
    assert result.stdout.startswith("ladder  filters; Ladder in Python\n")
    assert "Also known as moog, moog filter, " in " ".join(result.stdout.split())


def test_a_node_that_there_is_not(graphvoip):
    assert_one_line(graphvoip("nodes", "sin"), r"graphvoip: no node 'sin'; did you mean 'sine'\?")
    assert_one_line(graphvoip("nodes", "biqad"), r"graphvoip: no node 'biqad'; did you mean 'biquad'\?")
    assert_one_line(graphvoip("nodes", "mooog"), r"graphvoip: no node 'mooog'; did you mean 'moog'\?")
    assert_one_line(graphvoip("nodes", "xyzzy"), "graphvoip: no node 'xyzzy'; graphvoip nodes lists them")


# --- What it costs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [["--help"], ["render", "-h"], ["play", "-h"], ["check", "-h"], ["nodes", "-h"]])
def test_help_imports_nothing_heavy(words):
    script = (
        "import sys\nfrom graphvoip.cli import app\n"
        f"try:\n    app({words})\nfinally:\n"
        "    print(*{'numpy', 'numba', 'scipy', 'matplotlib', 'soundfile'}.intersection(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stderr.split() == []
    assert "Usage: " in done.stdout


def test_rendering_imports_no_more_than_it_needs(tmp_path):
    words = ["render", str(CHIME), "-o", str(tmp_path / "a.wav")]
    heavy = {
        "scipy.signal",
        "matplotlib",
        "soundfile",
        "soxr",
        "networkx",
        "rich.progress",
    }
    script = (
        "import sys\nfrom graphvoip.cli import app\n"
        f"try:\n    app({words})\nfinally:\n    print(*{heavy}.intersection(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []
