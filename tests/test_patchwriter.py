"""Patches written back as documents: while they play, with files, and with what was set in sub-patches."""

import json

import numpy as np
import pytest

from graphvoip import Param, PatchError, load_patch, patch, poly, render, save_patch, savePCMtoWAV
from graphvoip.graph import Graph
from graphvoip.nodes import Decay, Function, Handover, Noise, Pcm, Sine
from graphvoip.patchfile import parse_patch
from graphvoip.patchwriter import document_of


@patch
def tone(voice, pitch=Param(440, "Hz", 100, 2000)):
    return Sine(freq=pitch, amp=0.5, name="s") * voice


def test_an_edit_under_way_is_written_as_what_it_becomes():
    made = tone()
    before = document_of(made)
    passing = [Handover(0.5, 0.25), Handover(made.params["pitch"], made.params["pitch"] * 2.0)]
    for name, node in zip(("amp", "freq"), passing, strict=True):
        node.stands_in = True
        made["s"].wires[name] = node.port()
    document = document_of(made)
    assert document["nodes"] == {"s": {"type": "sine", "freq": "pitch * 2", "amp": 0.25}}
    assert document["out"] == before["out"]


def test_a_patch_that_sounds_can_be_written():
    made = tone()
    graph = Graph()
    graph.add(made.outputs["out"].node)
    graph.compile()
    made.set("s.amp", 0.125, over=1)
    assert document_of(made)["nodes"]["s"]["amp"] == 0.125


def test_the_calls_own_nodes_are_not_written():
    made = tone()
    before = document_of(made)
    made.bind(voice=Sine(freq=100, name="line").port())
    assert document_of(made) == before
    assert list(parse_patch(document_of(made)).inputs) == ["voice"]


def test_what_was_set_in_a_sub_patch_is_written():
    @patch
    def bell(pitch=440):
        return Sine(freq=pitch)

    @patch
    def two():
        return bell() + bell(pitch=500)

    made = two()
    made.set("bell.pitch", 700)
    document = document_of(made)
    assert [node["value"] for node in document["nodes"].values() if node["type"] == "constant"] == [700, 500]
    again = document_of(parse_patch(document)())
    assert again["nodes"] == document["nodes"]


def test_files_are_named_from_the_recipes_folder(tmp_path, monkeypatch):
    folder = tmp_path / "patches"
    (folder / "sounds").mkdir(parents=True)
    savePCMtoWAV([0.5, -0.5], folder / "sounds" / "x.wav")
    nodes = {"a": {"type": "pcm", "data": "sounds/x.wav"}}
    (folder / "p.json").write_text(json.dumps({"graphvoip": 1, "nodes": nodes, "out": "a"}))
    monkeypatch.chdir(tmp_path)
    made = load_patch("patches/p.json")()
    document = made.to_json()
    assert document["nodes"] == nodes
    np.testing.assert_array_equal(render(parse_patch(document, folder)()), render(made))
    made.save(tmp_path / "other.json")
    assert json.loads((tmp_path / "other.json").read_text())["nodes"]["a"]["data"] == "patches/sounds/x.wav"
    assert patch(lambda: Pcm(data="patches/sounds/x.wav"), seed=1)().to_json()["nodes"]["pcm"]["data"] == (
        "patches/sounds/x.wav"
    )


@patch(seed=3)
def bell(keys, pitch=Param(440, "Hz", 100, 2000, "how high")):
    """A bell."""
    hit = Decay(trigger=keys.out, time=0.3, name="hit")
    return Sine(freq=pitch, name="ding") * hit + 0.01 * Noise(name="hiss"), hit.done


def same(one, other, **given):
    np.testing.assert_array_equal(render(one, seconds=0.5, **given), render(other, seconds=0.5, **given))


@pytest.mark.parametrize("way", ["function", "method"])
def test_a_recipe_is_saved_and_loaded_again(tmp_path, way):
    path = tmp_path / "bell.json"
    save_patch(bell, path) if way == "function" else bell.save(path)
    again = load_patch(path)
    assert (again.name, again.doc, again.seed) == ("bell", "A bell.", 3)
    assert (again.params, again.inputs) == (bell.params, {"keys": "events"})
    same(again(pitch=500), bell(pitch=500), keys="5@0.1")


def test_a_patch_is_saved_as_it_is_now(tmp_path):
    made = bell(pitch=600, seed=9)
    save_patch(made, tmp_path / "a.json")
    made.save(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text()
    again = load_patch(tmp_path / "a.json")
    assert again.params["pitch"].default == 600
    same(again(), made, keys="5@0.1")


def test_a_loaded_recipe_is_written_as_its_file_says_it(tmp_path):
    """Sub-patches, expressions, the score and what editors keep in it are not lost."""
    save_patch(bell, tmp_path / "bell.json")
    document = {
        "$schema": "patch.schema.json", "graphvoip": 1, "inputs": {"keys": "events"}, "patches": {"bell": "bell.json"},
        "nodes": {"b": {"type": "poly", "patch": "bell", "play": "keys"}, "s": {"type": "sine", "freq": 300}},
        "out": "b + s*0.1", "score": [[0.2, "s.freq", 400]], "view": {"s": [1, 2]},
    }  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(document))
    recipe = load_patch(tmp_path / "a.json")
    save_patch(recipe, tmp_path / "copy.json")
    assert json.loads((tmp_path / "copy.json").read_text()) == document | {"out": "b + s * 0.1"}
    same(load_patch(tmp_path / "copy.json")(), recipe(), keys="5@0.1")
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(PatchError, match=r"elsewhere/copy\.json: patches\.bell: bell\.json: no such file"):
        recipe.save(tmp_path / "elsewhere" / "copy.json")
    assert not any((tmp_path / "elsewhere").iterdir())


def test_what_cannot_be_saved_leaves_the_file_alone(tmp_path):
    @patch
    def python():
        return Function(f=lambda x, t: x)

    path = tmp_path / "a.json"
    save_patch(bell, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="a file has no 'function', it is for Python only"):
        save_patch(python, path)
    with pytest.raises(TypeError, match=r"^save_patch: <function .*> is no patch; write @patch above a function"):
        save_patch(bell.function, path)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="save_patch: 3 is no patch"):
        save_patch(3, path)  # type: ignore[arg-type]
    assert path.read_bytes() == before


def test_voices_are_saved(tmp_path):
    @patch
    def many(keys):
        return poly(bell, keys, voices=2)

    many.save(tmp_path / "many.json")
    same(load_patch(tmp_path / "many.json")(), many(), keys="5@0.1 6@0.2")
