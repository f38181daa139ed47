"""Patches written back as documents: while they play, with files, and with what was set in sub-patches."""

import json

import numpy as np

from graphvoip import Param, load_patch, patch, render, savePCMtoWAV
from graphvoip.graph import Graph
from graphvoip.nodes import Handover, Pcm, Sine
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
