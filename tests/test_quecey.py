"""Scripts in the manner of the original package's eight, as they were written: main.py leads to all of them.

Each sound that they load is a tone of its own.
"""

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from graphvoip.cli_files import import_file
from voip import loadWAVtoPCM, savePCMtoWAV

SCRIPTS = Path(__file__).parent / "quecey"
SOUNDS = {
    "enter_experiment": 610, "invalid_experiment": 310, "teleport": 1210,
    "password_correct": 880, "password_incorrect": 220, "fish_not_ready": 270,
    "memo_intro": 710, "memo_record": 760, "experiment_busy": 480,
    "phone_tree_trailhead": 810, "phone_tree_answer_missing": 860, "phone_tree_author_finalize": 910,
    "hangman/intro": 1010, "hangman/prompt": 1060, "hangman/position": 1110,
    "hangman/A": 1300, "hangman/E": 1350, "hangman/L": 1400, "hangman/R": 1450, "hangman/T": 1500,
    "hangman/1": 1600, "hangman/2": 1700, "hangman/3": 1800,
}  # fmt: skip


@pytest.fixture
def script(tmp_path, monkeypatch):
    """script("echo.py") -> its handler, in a folder with its sounds."""
    shutil.copytree(SCRIPTS, tmp_path, dirs_exist_ok=True)
    (tmp_path / "assets" / "hangman").mkdir(parents=True)
    (tmp_path / "memos").mkdir()
    for name, frequency in SOUNDS.items():
        sound = 0.5 * np.sin(2 * np.pi * frequency * np.arange(4000) / 8000)
        savePCMtoWAV(sound.tolist(), f"{tmp_path}/assets/{name}.wav")
    monkeypatch.chdir(tmp_path)
    modules, path = set(sys.modules), sys.path[:]
    yield lambda name: import_file(tmp_path / name)[0].handler
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def tone(frequency, seconds=1.0):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(8000 * seconds)) / 8000)


async def test_the_password(script, phone):
    handler = script("test.py")
    for keys, frequency in (("1234", 880), ("4321", 220)):
        async with phone(handler) as p:
            await p.press("99")  # nobody asks yet
            for pitch in (420, 560, 650):
                assert await p.hears_tone(pitch)
            await p.wait(1)
            await p.press(keys)
            assert await p.hears_tone(frequency)
            assert await p.hung_up()
    async with phone(handler) as p:
        assert await p.hears_tone(650)
        assert await p.hears_tone(220, within=70)


async def test_echo(script, phone):
    async with phone(script("echo.py")) as p:
        await p.play(tone(440))
        assert await p.hears_tone(440)
        assert await p.hears_quiet(0.5)
        await p.press("5")
        assert await p.hung_up()


@pytest.mark.parametrize("ends", [True, False])
async def test_a_song_from_a_program(script, phone, ends):
    async with phone(script("dialasong.py")) as p:
        assert await p.hears_tone(523, within=20)
        if ends:
            assert await p.hears_tone(350)
            assert await p.hung_up()


async def test_hangman(script, phone):
    async with phone(script("hangman.py")) as p:
        assert await p.hears_tone(1010)
        await p.wait(3)
        assert await p.hears_tone(1010)  # in a loop
        await p.press("13")  # 1 is no length
        assert await p.hears_tone(1350)  # E?
        assert await p.hears_tone(1060)
        await p.press("2")
        assert await p.hears_tone(1110)
        assert await p.hears_tone(1700)  # position, 2
        await p.press("0")
        assert await p.hears_sound(within=5)  # tea
        assert await p.hung_up(within=10)
        assert not p.call.error


async def test_a_fish(script, phone):
    handler = script("makeafish/main.py")
    async with phone(handler) as p:
        assert await p.hears_tone(1900)
        assert await p.hung_up()


async def test_a_memo(script, phone):
    handler = script("memo.py")
    async with phone(handler) as p:
        await p.press("#")
        assert await p.hung_up()
    async with phone(handler) as p:
        assert await p.hears_tone(710)
        await p.press("12*3#")
        assert await p.hears_tone(760)
        await p.press("#")
        assert await p.hears_tone(1000)
        await p.wait(0.5)
        await p.play(tone(555))
        await p.press("1")
        assert await p.hung_up()
    memo = loadWAVtoPCM("memos/123.wav")
    assert len(memo) == pytest.approx(8000, abs=2)
    assert max(memo) == pytest.approx(1, abs=1e-3)
    async with phone(handler) as p:
        await p.wait(1)
        await p.press("123#")
        assert await p.hears_tone(555)
        assert await p.hung_up()
    async with phone(handler) as p:
        await p.wait(1)
        await p.press("9#")
        await p.wait(1)
        await p.press("#")
        assert await p.hears_tone(900, within=125)
        assert await p.hung_up()


async def test_a_tree_that_callers_write(script, phone):
    handler = script("phoneventure.py")
    async with phone(handler) as p, phone(handler) as other:
        assert await other.hears_tone(480)  # busy
        assert await other.hung_up()
        assert await p.hears_tone(810)
        await p.wait(1)
        await p.press("7")
        assert await p.hears_tone(860)  # there is nothing
        await p.press("#")  # too early: nobody asks
        await p.wait(0.5)
        await p.press("#")
        assert await p.hears_tone(1000)
        await p.wait(0.5)
        await p.press("1")
        assert await p.hears_tone(900)  # it was silent
        assert await p.hears_tone(1000)
        await p.wait(0.5)
        await p.play(tone(555))
        await p.press("1")
        assert await p.hears_tone(555)
        assert await p.hears_tone(910)
        await p.press("1")
        assert await p.hears_tone(555)
        await p.wait(0.5)
        await p.press("*")
        assert await p.hears_tone(810)
        await p.wait(0.5)
        await p.press("*")
        assert await p.hung_up()
    tree = pickle.loads(Path("phone_tree.pkl").read_bytes())
    assert {place: type(pcm) for place, pcm in tree.items()} == {"s": list, "s7": list}


async def test_the_menu_leads_to_all_of_them(script, phone):
    handler = script("main.py")
    heard = {"0000": 420, "1111": 1900, "1234": 810, "4264": 1010, "6366": 710, "6962": 523, "8888": 310}
    for code, frequency in heard.items():
        async with phone(handler) as p:
            assert await p.hears_tone(610)
            await p.press(code[0])
            assert await p.hears_quiet(0.3, within=1)  # the prompt is cut off
            await p.press(code[1:])
            assert frequency == 310 or await p.hears_tone(1210)
            assert await p.hears_tone(frequency, within=20), code
    async with phone(handler) as p:
        assert await p.hears_tone(310, within=70)


def test_the_menu_runs_as_a_program(script, tmp_path):
    environment = {
        **os.environ,
        "GRAPHVOIP_DEVICE": "virtual",
        "GRAPHVOIP_SCRIPT": "until tone 610; keys 0000; until tone 650; wait 1; keys 1234; until tone 880; wait 1",
    }
    command = [sys.executable, "main.py", "4477"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stderr
    assert '"4477" <sip:4477@localhost>' in done.stderr
    assert "the handler is done" in done.stderr
