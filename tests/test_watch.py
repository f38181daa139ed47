"""Playing a patch whose file is edited meanwhile, on the real clock."""

import json
import os

import numpy as np
import pytest

from graphvoip.cli_files import Problem, Source
from graphvoip.watch import POLL, Player, Watched


def document(freq, **more):
    nodes = {"a": {"type": "sine", "freq": freq}}
    return json.dumps({"graphvoip": 1, "params": {"pitch": 500}, "nodes": nodes, "out": "0.5 * a", **more})


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(document("pitch"))
    return path


def polled(watched, times=2):
    for _ in range(times):
        version = watched.poll()
    return version


def test_a_file_that_is_saved_is_read_again(file):
    source = Source(str(file))
    watched = Watched(source)
    assert polled(watched) == 0
    file.write_text(document("pitch * 2"))
    assert polled(watched) == 1
    assert source.recipe.document["nodes"]["a"]["freq"] == "pitch * 2"
    new = file.with_name("new")  # as many editors save
    new.write_text(document("pitch * 3"))
    os.replace(new, file)
    assert polled(watched) == 2
    assert polled(watched) == 2


def test_what_is_wrong_with_it_is_told_once_and_not_while_it_is_written(file, capsys):
    source = Source(str(file))
    watched = Watched(source)
    recipe = source.recipe
    text = document("pitch * 2")
    file.write_text(text[:30])
    assert watched.poll() == 0
    file.write_text(text)
    assert watched.poll() == 1
    assert capsys.readouterr().err == ""
    recipe = source.recipe
    file.write_text(document("pitc"))
    assert polled(watched, 5) == 1
    assert (
        capsys.readouterr().err
        == f"{file}:1:76: nodes.a.freq: 'pitc': nothing is named 'pitc'; did you mean 'pitch'?\n"
    )
    assert source.recipe is recipe
    file.unlink()
    assert polled(watched, 5) == 1
    assert capsys.readouterr().err == f"graphvoip: {file}: no such file\n"
    file.write_text(document("pitch"))
    assert polled(watched) == 2


def test_sub_patches_are_watched(file):
    outer = file.with_name("outer.json")
    text = {"graphvoip": 1, "patches": {"sub": "a.json"}, "nodes": {"s": {"type": "sub"}}, "out": "s"}
    outer.write_text(json.dumps(text))
    watched = Watched(Source(str(outer)))
    assert [path.name for path in watched.source.files] == ["outer.json", "a.json"]
    file.write_text(document("pitch * 2"))
    assert polled(watched) == 1
    (file.parent / "b.json").write_text(document("300"))
    outer.write_text(outer.read_text().replace("a.json", "b.json"))
    assert polled(watched) == 2
    file.write_text(document("pitch * 4"))
    assert polled(watched) == 2
    (file.parent / "b.json").write_text(document("200"))
    assert polled(watched) == 3


def test_a_recipe_in_python_is_read_anew(tmp_path):
    path = tmp_path / "tones.py"
    text = "from graphvoip import patch\nfrom graphvoip.nodes import Sine\n"
    text += "@patch\ndef tone():\n    return Sine(freq=400)\n"
    path.write_text(text)
    source = Source(str(path))
    watched = Watched(source)
    path.write_text(text.replace("400", "800"))  # in the same second, and as long
    assert polled(watched) == 1
    assert source.build()["sine"].freq == 800


def pitch(x):
    return np.argmax(np.abs(np.fft.rfft(x * np.hanning(len(x))))) * 8000 / len(x)


async def test_callers_hear_the_file_as_it_is_saved(file, phone, capsys):
    player = Player(Source(str(file)), {"pitch": 600}, watch=True)
    async with phone(player.answer) as p:
        await p.wait(1)
        file.write_text(document("pitch * 2"))
        await p.wait(1)
        file.write_text(document("nothing"))
        await p.wait(1)
        file.write_text(document("pitch", params={}))  # the value that was set has no place any more
        await p.wait(1)
        file.write_text(document("pitch * 1.5"))
        await p.wait(1)
        heard = np.array(p.heard)
    seconds = heard[: len(heard) // 8000 * 8000].reshape(-1, 8000)[:, 4000:]
    assert [round(pitch(one)) for one in seconds[:5]] == [600, 1200, 1200, 1200, 900]
    assert np.abs(np.diff(heard[8000:39000])).max() < 0.5 * 2 * np.pi * 1200 / 8000 * 1.05  # without a click
    assert [line.split(": ", 1)[1] for line in capsys.readouterr().err.splitlines()] == [
        "nodes.a.freq: 'nothing': nothing is named 'nothing'",
        "nodes.a.freq: 'pitch': nothing is named 'pitch'",
    ]


async def test_a_parameter_that_has_gone_is_told_and_the_old_one_plays_on(file, phone, capsys):
    player = Player(Source(str(file)), {"pitch": 600}, watch=True)
    async with phone(player.answer) as p:
        await p.wait(0.5)
        file.write_text(document("300", params={}))
        await p.wait(1)
        assert pitch(np.array(p.heard)[-4000:]) == pytest.approx(600, abs=3)
    assert capsys.readouterr().err == f"graphvoip: {file}: a has no 'pitch' to set; it has a.freq, a.amp\n"


async def test_a_patch_that_has_ended_plays_again_when_it_is_saved(file, phone):
    end = {"nodes": {"a": {"type": "sine", "freq": "pitch"}, "e": {"type": "decay", "time": 0.1}}, "out": "a * e",
           "done": "e.done"}  # fmt: skip
    file.write_text(document("pitch", **end))
    player = Player(Source(str(file)), {}, watch=True)
    async with phone(player.answer) as p:
        await p.wait(2)
        assert not np.array(p.heard)[-8000:].any()
        file.write_text(document("pitch", **end | {"out": "0.9 * a * e"}))
        await p.wait(1)
        assert np.array(p.heard)[-8000:].any()
        assert p.ended is None


async def test_without_watching_the_call_ends_with_the_patch(file, phone):
    end = {"nodes": {"e": {"type": "decay", "time": 0.1}}, "out": "e", "done": "e.done"}
    file.write_text(document("pitch", **end))
    async with phone(Player(Source(str(file)), {}).answer) as p:
        assert await p.hung_up(within=3)


@pytest.mark.parametrize("watch", [False, True])
async def test_it_plays_for_so_many_seconds_and_fades(file, phone, watch):
    async with phone(Player(Source(str(file)), {}, seconds=1.5, watch=watch).answer) as p:
        assert await p.hung_up(within=3)
        heard = np.array(p.heard)
    assert np.flatnonzero(heard)[-1] == pytest.approx(1.5 * 8000, abs=2 * 8000 * POLL)
    assert np.abs(np.diff(heard)).max() < 0.5 * 2 * np.pi * 500 / 8000 * 1.1


async def test_what_ended_a_call_is_kept(tmp_path, phone):
    path = tmp_path / "bad.py"
    path.write_text("from graphvoip import patch\nfrom graphvoip.nodes import Function\n"
                    "@patch\ndef bad():\n    return Function(f=lambda x, t: 1 / 0)\n")  # fmt: skip
    player = Player(Source(str(path)), {})
    with pytest.raises(ZeroDivisionError):
        async with phone(player.answer) as p:
            await p.hung_up(within=3)
    assert isinstance(player.trouble, ZeroDivisionError)


def test_an_input_that_no_call_has(file):
    file.write_text(document("pitch", inputs={"x": "audio"}))
    with pytest.raises(Problem, match="no 'x'; --set x=NUMBER"):
        Source(str(file)).playable()
    Source(str(file)).playable(values={"x": 1})
