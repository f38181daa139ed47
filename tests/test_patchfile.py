"""Patch files: what they may say, and that all that is wrong with one is told at once, with its place."""

import json
import os
import random
import re
import time

import numpy as np
import pytest

from graphvoip import PatchError, load_patch, render
from graphvoip import patch as python_patch
from graphvoip.nodes import Constant, Decay, Expression, Gain, Noise, Sine
from graphvoip.patchfile import LARGEST, parse_patch
from graphvoip.recipe import LIMIT


def patch(nodes=None, out="a", **more):
    nodes = {"a": {"type": "sine"}} if nodes is None else nodes
    return {"graphvoip": 1, "nodes": nodes, "out": out} | more


def errors(document, folder="."):
    with pytest.raises(PatchError) as caught:
        parse_patch(document, folder)
    assert all("\n" not in line and len(line) < 400 for line in caught.value.errors)
    return caught.value.errors


def heard(recipe, seconds=0.5, **values):
    return render(recipe(**values), seconds=seconds)


# --- What a file says -------------------------------------------------------------------------------------------------


def test_a_patch_is_its_python_twin_bit_for_bit():
    recipe = parse_patch(
        patch(
            {
                "ding": {"type": "sine", "freq": "pitch * 0.8 + 1"},
                "hit": {"type": "decay", "time": 0.6},
                "soft": {"type": "gain", "input": "ding", "gain": "hit"},
            },
            out="soft / 2 - 0.1 * -ding",
            params={"pitch": {"default": 441, "unit": "Hz", "min": 100, "max": 900}},
        )
    )
    pitch = 500.0
    ding = Sine(freq=Constant(value=pitch) * 0.8 + 1)
    soft = Gain(ding, Decay(time=0.6))
    twin = soft / 2 - 0.1 * -ding
    np.testing.assert_array_equal(heard(recipe, pitch=pitch), render(twin, seconds=0.5))


def test_order_does_not_matter_and_loops_are_legal():
    forward = patch({"a": {"type": "gain", "input": "b", "gain": 0.5}, "b": {"type": "sine", "freq": 441}})
    backward = patch({"b": {"type": "sine", "freq": 441}, "a": {"type": "gain", "input": "b", "gain": 0.5}})
    np.testing.assert_array_equal(heard(parse_patch(forward)), heard(parse_patch(backward)))
    loop = patch({"x": {"type": "impulse", "freq": 0}, "a": {"type": "gain", "input": "x + a", "gain": 0.5}})
    np.testing.assert_allclose(render(parse_patch(loop)(), seconds=0.02)[:4] * 160 / np.arange(1, 5),
                               [0.5, 0.25, 0.125, 0.0625], rtol=1e-5)  # fmt: skip


def test_a_number_in_a_text_is_a_number():
    recipe = parse_patch(patch({"a": {"type": "sine", "freq": "midi(69) * 2", "amp": "db(-6)"}}))
    assert recipe()["a"].freq == 880
    assert recipe()["a"].amp == pytest.approx(0.501, abs=1e-3)


def test_many_signals_are_a_list_or_one():
    nodes = {"s": {"type": "sine"}, "a": {"type": "mix", "inputs": ["s", "s * 2", 0.25]}}
    assert len(parse_patch(patch(nodes))()["a"].inputs) == 3
    assert len(parse_patch(patch(nodes | {"a": {"type": "mix", "inputs": "s"}}))()["a"].inputs) == 1


def test_the_score_changes_numbers_and_params_at_their_sample():
    document = patch(
        {"a": {"type": "constant", "value": 0.0}, "b": {"type": "gain", "input": 0.25, "gain": 1}},
        out="level + b",
        params={"level": 0.5},
        score=[[0.1, "level", 0.25, {"over": 0.01}], [0.2, "b.gain", 2]],
    )
    samples = heard(parse_patch(document))
    np.testing.assert_allclose(samples[160:800], 0.75)
    np.testing.assert_allclose(samples[879:1600], 0.5, atol=1e-6)
    assert samples[800] < 0.75
    np.testing.assert_allclose(samples[1600 + 159 : 2400], 0.75, atol=1e-6)


def test_a_sub_patch_is_a_type_of_node(tmp_path):
    (tmp_path / "bell.json").write_text(
        json.dumps(
            patch(
                {"s": {"type": "sine", "freq": "pitch"}, "hit": {"type": "decay", "time": 0.1}},
                out="s * hit",
                params={"pitch": 441},
                done="hit.done",
            )
        )
    )
    nodes = {"one": {"type": "bell", "pitch": 600}, "lfo": {"type": "sine", "freq": 5},
             "two": {"type": "bell", "pitch": "300 + 50 * lfo"},
             "two_pitch": {"type": "sine"}}  # fmt: skip
    (tmp_path / "both.json").write_text(
        json.dumps(patch(nodes, "one + two", patches={"bell": "bell.json"}, done="one"))
    )
    made = load_patch(tmp_path / "both.json")()
    assert {"one/s", "one/hit", "one/pitch", "two/s", "two/hit", "lfo"} <= set(made.nodes)
    assert made["one/s"].freq.node is made["one/pitch"]
    assert made.done.node is made["one/hit"]
    made.set("one.pitch", 700)
    assert 0.08 < len(render(made)) / 8000 < 0.3


def test_poly_deals_keys_to_voices(tmp_path):
    voice = patch({"k": {"type": "keymap", "keys": "keys"}, "s": {"type": "sine", "freq": "k"}}, out="s * 0.1",
                  inputs={"keys": "events"})  # fmt: skip
    (tmp_path / "voice.json").write_text(json.dumps(voice))
    document = patch({"choir": {"type": "poly", "patch": "voice", "voices": 3, "play": "keys"}}, out="choir",
                     inputs={"keys": "events"}, patches={"voice": "voice.json"})  # fmt: skip
    made = parse_patch(document, tmp_path)()
    render(made, seconds=0.5, keys="1@0.1 5@0.2 1@0.3 9@0.4")
    pitches = [made[f"choir/{k}/k"].samples()[-1] for k in range(3)]
    major = [262 * 2 ** (semitones / 12) for semitones in (0, 7, 14)]  # the keys 1, 5 and 9
    np.testing.assert_allclose(pitches, major, rtol=0.01)  # the 1 that came again went where it was


def test_noise_comes_from_the_seed_and_the_name_alone():
    def noises(nodes, **more):
        return render(parse_patch(patch(nodes, **more))(), seconds=0.02)

    plain = {"a": {"type": "noise"}}
    np.testing.assert_array_equal(noises(plain), noises(plain))
    np.testing.assert_array_equal(noises(plain), noises({"b": {"type": "noise"}, **plain}))
    assert not np.array_equal(noises(plain), noises(plain, seed=1))
    assert not np.array_equal(noises(plain), noises({"b": {"type": "noise"}}, out="b"))
    assert not np.array_equal(noises(plain), render(parse_patch(patch(plain))(seed=5), seconds=0.02))
    fixed = {"a": {"type": "noise", "seed": 7}}
    np.testing.assert_array_equal(noises(fixed, seed=1), render(Noise(seed=7), seconds=0.02))


def test_files_are_found_beside_the_patch(tmp_path):
    from graphvoip import savePCMtoWAV

    (tmp_path / "sounds").mkdir()
    savePCMtoWAV([0.5, -0.5, 0.25], tmp_path / "sounds" / "x.wav")
    (tmp_path / "p.json").write_text(json.dumps(patch({"a": {"type": "pcm", "data": "sounds/x.wav"}})))
    np.testing.assert_allclose(load_patch(tmp_path / "p.json")()["a"].data, [0.5, -0.5, 0.25], atol=1e-4)


def test_the_end_of_what_is_heard_is_the_end():
    assert parse_patch(patch({"a": {"type": "tone", "seconds": 0.1}}))().done.name == "done"
    assert parse_patch(patch({"a": {"type": "tone"}}, out="a * 1"))().done is None


def test_what_feeds_nothing_is_warned_of():
    recipe = parse_patch(patch({"a": {"type": "sine"}, "mod": {"type": "lfo"}}, params={"x": 1}))
    assert recipe.warnings == ["params.x: nothing uses it", "nodes.mod: it feeds nothing"]
    text = '{"graphvoip": 1, "params": {"x": 1},\n "nodes": {"a": {"type": "sine"},\n  "mod": {"type": "lfo"}},'
    recipe = parse_patch(f'{text} "out": "a"}}')
    assert recipe.warnings == ["params.x: nothing uses it", "nodes.mod: it feeds nothing"]
    assert recipe.warning_spots == [(1, 29), (3, 3)]


# --- What is wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, 'graphvoip: write "graphvoip": 1, the number of the format'),
        (patch() | {"graphvoip": 2}, "graphvoip: this reads format 1, not 2"),
        (patch() | {"graphvoip": True}, "graphvoip: this reads format 1, not true"),
        (patch() | {"nods": {}}, "nods: a patch has no 'nods'; did you mean 'nodes'?"),
        (patch() | {"seed": -1}, "seed: it is a whole number from 0 on, not -1"),
        (patch() | {"nodes": []}, "nodes: it is {name: ...}, not a list"),
        (patch() | {"out": ["a"]}, "out: it is a text, not a list"),
        ({"graphvoip": 1, "nodes": {}}, 'out: say what is heard, an expression: "out": "0.5 * ding"'),
        (patch(outputs={"x": "a"}), "out: give out or outputs, not both"),
        (patch({"a": {"type": "sin"}}), "nodes.a.type: no node type 'sin'; did you mean 'sine'?"),
        (patch({"a": {"type": "xyzzy"}}), "nodes.a.type: no node type 'xyzzy'; \"graphvoip nodes\" lists"),
        (patch({"a": {"freq": 440}}),
         'nodes.a.type: say what it is: "type": "sine", or another that "graphvoip nodes" lists'),
        (patch({"a": {"patch": "no.json"}}), 'nodes.a.type: a sub-patch is named in "patches": {"bell": "bell.json"}'),
        (patch({"a": {"type": "no.json"}}), 'nodes.a.type: a sub-patch is named in "patches": {"bell": "bell.json"}'),
        (patch({"a": 440}), "nodes.a: a node is {type: ...}, not 440"),
        (patch({"a": {"type": "sine", "frq": 1}}), "nodes.a: sine has no 'frq'; did you mean 'freq'?"),
        (patch({"a": {"type": "sine", "freq": 9000}}), "nodes.a.freq: 9000 Hz is outside -4000..4000"),
        (patch({"a": {"type": "sine", "freq": "9*1000"}}), "nodes.a.freq: 9000 Hz is outside -4000..4000"),
        (patch({"a": {"type": "sine", "freq": True}}), "nodes.a.freq: it is a number or an expression, not true"),
        (patch({"a": {"type": "sine", "freq": None}}), "nodes.a.freq: it is a number or an expression, not null"),
        (patch({"a": {"type": "sine", "freq": 1e400}}), "nodes.a.freq: it is a number or an expression, not Infinity"),
        (patch({"lfo": {"type": "sine"}, "a": {"type": "sine", "freq": "lf0*3"}}),
         "nodes.a.freq: 'lf0*3': nothing is named 'lf0'; did you mean 'lfo'?"),
        (patch({"k": {"type": "keymap", "keys": 0}, "a": {"type": "sine", "freq": "k.pitch"}}),
         "nodes.a.freq: keymap 'k' has no output 'pitch' (it has out, gate, velocity, index)"),
        (patch({"a": {"type": "gain"}}), "nodes.a: 'input' must be given: a number, or an expression over names"),
        (patch({"a": {"type": "pcm", "loop": 3}}), "nodes.a.loop: it is true or false, not 3"),
        (patch({"a": {"type": "biquad", "input": 0, "kind": "low"}}), "nodes.a.kind: 'low' is none of lowpass"),
        (patch({"a": {"type": "pcm", "data": "../x.wav"}}), "nodes.a.data: ../x.wav is outside the patch's folder"),
        (patch({"a": {"type": "pcm", "data": "/etc/passwd"}}), "/etc/passwd is outside the patch's folder"),
        (patch({"a": {"type": "pcm", "data": "none.wav"}}), "none.wav: no such sound file"),
        (patch({"a": {"type": "custom"}}), "nodes.a.type: 'custom' is for Python only"),
        (patch({"a": {"type": "function"}}), "nodes.a.type: 'function' is for Python only"),
        (patch({"a": {"type": "mix", "inputs": ["b"]}}), "nodes.a.inputs[0]: 'b': nothing is named 'b'"),
        (patch({"a": {"type": "gain", "input": "voice"}}),
         "nodes.a.input: 'voice': nothing is named 'voice'; an input is declared: \"inputs\": {\"voice\": \"audio\"}"),
        (patch({"if": {"type": "sine"}}, out="1"), "nodes.if: 'if' is a word of Python, by whose rules expressions"),
        (patch({"a b": {"type": "sine"}}, out="1"),
         "nodes.a b: a name is made of letters (a to z, A to Z), digits and _, and begins with no digit"),
        (patch({"2a": {"type": "sine"}}, out="1"), "nodes.2a: a name is made of letters"),
        (patch({"out": {"type": "sine"}}, out="1"), "nodes.out: 'out' is what is heard; take another name"),
        (patch({"db": {"type": "sine"}}, out="1"), "nodes.db: 'db' is a function in expressions, db(...); take"),
        ({"graphvoip": 1, "nodes": {}, "outputs": {"if": "1"}}, "outputs.if: 'if' is a word of Python"),
        (patch(params={"a": 1}), "nodes.a: params has this name already"),
        (patch(params={"x": "1"}), "params.x: it is a number or {default, unit, min, max, doc}, not \"1\""),
        (patch(params={"x": {"default": 5, "max": 4}}), "params.x: the default 5 is outside -inf..4"),
        (patch(params={"x": {"default": 5, "mx": 4}}), "params.x: a parameter has no 'mx'; did you mean 'max'?"),
        (patch(inputs={"voice": "sound"}), 'inputs.voice: it is "audio" or "events", not "sound"'),
        (patch(out="a +"), "out: 'a +' is no expression: invalid syntax at character"),
        (patch(done="a.end"), "done: 'a.end': a has no event 'end' (it has none)"),
        (patch(done="a"), "done: 'a': a has no event 'done' (it has none)"),
        (patch(done="b.done"), "done: 'b.done': nothing is named 'b'"),
        (patch(score=[[1, "a.freq", 9000]]), "score[0]: a.freq: 9000 is outside -4000..4000"),
        (patch(score=[[1, "a.frq", 90]]), "score[0]: 'a.frq': only inputs of nodes can be changed, and a has no 'frq'"),
        (patch(score=[[-1, "a.freq", 90]]), 'score[0]: [-1, "a.freq", 90]: it is [seconds, "param" or'),
        (patch(score=[[1, "b", 90]]), "score[0]: there is no 'b' to change; it has a.freq, a.amp"),
        (patch(score=[[1, "a", 90]]), "score[0]: 'a': name one of its inputs; it has freq, amp"),
        (patch({"b": {"type": "lfo"}, "a": {"type": "sine", "freq": "b"}}, score=[[1, "a.freq", 90]]),
         "score[0]: a.freq is wired to 'b'; only a number can be changed"),
        (patch(patches={"bell": "none.json"}), "patches.bell: none.json: no such file"),
        (patch(patches={"sine": "x.json"}), "patches.sine: 'sine' is a type of node already; take another name"),
        (patch({"a": {"type": "poly", "patch": "bell"}}), "nodes.a.patch: it is a name of 'patches'; the file has"),
        (patch({"a": {"type": "poly", "patch": "bell", "play": 0}}),
         'nodes.a.play: say which events it is played by, an expression: "play": "keys"'),
    ],
)  # fmt: skip
def test_an_error_names_the_place_and_the_remedy(document, says, tmp_path):
    assert any(says in line for line in errors(document, tmp_path)), errors(document, tmp_path)


def test_all_errors_are_told_in_the_order_of_the_file():
    nodes = {"x": {"type": "sin"}, "y": {"type": "sine", "frq": 1}, "z": {"type": "gain", "input": "q"}}
    found = errors(patch(nodes, out="x + w", done="z.end"))
    assert [line.split(":")[0] for line in found] == ["nodes.x.type", "nodes.y", "nodes.z.input", "out", "done"]


def test_all_that_is_wrong_with_a_node_is_told(tmp_path):
    says = [
        "nodes.a: sine has no 'phase'; it has freq, amp",
        "nodes.a.freq: 'pich': nothing is named 'pich'; did you mean 'pitch'?",
        "nodes.a.amp: 'loud': nothing is named 'loud'",
    ]
    nodes = {"a": {"type": "sine", "freq": "pich", "amp": "loud", "phase": 3}}
    assert errors(patch(nodes, params={"pitch": 440})) == says
    nodes = {"a": {"type": "biquad", "kind": "low", "freq": 9000, "q": "z"}}
    assert [line.split(": ")[0] for line in errors(patch(nodes))] == [
        "nodes.a.kind", "nodes.a.freq", "nodes.a", "nodes.a.q"
    ]  # fmt: skip
    nodes = {"a": {"type": "mix", "inputs": ["x", True], "gain": 1}}
    assert [line.split(": ")[0] for line in errors(patch(nodes))] == [
        "nodes.a",
        "nodes.a.inputs[0]",
        "nodes.a.inputs[1]",
    ]
    (tmp_path / "bell.json").write_text(json.dumps(patch(inputs={"voice": "audio"}, params={"p": 1})))
    bell = {"patches": {"bell": "bell.json"}}
    found = errors(patch({"a": {"type": "bell", "p": "z", "x": 1}}, **bell), tmp_path)
    assert [line[:17] for line in found] == ["nodes.a: bell has", "nodes.a: 'voice' ", "nodes.a.p: 'z': n"]
    poly = {"type": "poly", "patch": "bell", "voices": 0, "play": "z", "p": True}
    found = [line.split(": ")[0] for line in errors(patch({"a": poly}, **bell), tmp_path)]
    assert found == ["nodes.a.voices", "nodes.a.p", "nodes.a", "nodes.a.play"]


def test_what_speaks_of_a_wrong_node_is_not_wrong_too():
    score = [[1, "a.freq", 3]]
    nodes = {"a": {"type": "sin"}, "b": {"type": "gain", "input": "a * 2"}}
    assert len(errors(patch(nodes, out="a + b", score=score))) == 1
    assert len(errors(patch({"a": 3}, score=score))) == 1


def test_a_mistake_is_told_once(tmp_path):
    nodes = {"a": {"type": "gain", "input": 1, "gain": "1/0"}}
    assert errors(patch(nodes, score=[[1, "a.gain", 2]])) == ["nodes.a.gain: '1/0': it divides by zero"]
    nodes = {"a": {"type": "sine", "freq": 9000}}
    assert errors(patch(nodes, score=[[1, "a.freq", 2]])) == ["nodes.a.freq: 9000 Hz is outside -4000..4000"]
    assert errors(patch(params={"x": {"default": "y"}})) == ['params.x.default: it is a number, not "y"']
    poly = {"type": "poly", "patch": "bell", "play": "a"}
    found = errors(patch({"a": {"type": "sine"}, "b": poly}, patches={"bell": "none.json"}), tmp_path)
    assert found == ["patches.bell: none.json: no such file"]


def test_the_score_of_a_sub_patch_says_what_to_do(tmp_path):
    (tmp_path / "bell.json").write_text(json.dumps(patch(params={"p": 1})))
    more = {"patches": {"bell": "bell.json"}, "score": [[1, "a.p", 3]]}
    says = "score[0]: 'a.p': a sub-patch is changed by a param of this file that is wired to it"
    assert errors(patch({"a": {"type": "bell"}}, **more), tmp_path) == [says]
    parse_patch(patch({"a": {"type": "bell", "p": "x"}}, params={"x": 1}, **more | {"score": [[1, "x", 3]]}), tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": the file is empty"),
        (" \n", ": the file is empty"),
        ("graphvoip", "bad.json:1:1: no JSON"),
        ('{"graphvoip": 1,\n "nodes": {,}}', "bad.json:2:12: no JSON"),
        (
            '{"graphvoip": 1, "doc": "NaN or \\"Infinity", "nodes":\n{"a": {"type": "sine", "freq": NaN}}, "out": "a"}',
            "bad.json:2:32: no JSON: NaN is no number in JSON",
        ),
        ('{"graphvoip": 1,\n "seed": -Infinity}', "bad.json:2:10: no JSON: -Infinity is no number in JSON"),
        ('{"graphvoip": 1, "nodes": {"a": {}, "a": {}}, "out": "a"}', "bad.json:1:37: 'a' is there twice in one place"),
        ("[1, 2]", "a patch is"),
        ("[" * 100000, "no JSON"),
        (
            '{"graphvoip": 1, "nodes": {"a": {"type": "sine", "freq": ' + "9" * 5000 + '}}, "out": "a"}',
            "json:1:58: no JSON",
        ),
    ],
)
def test_what_is_no_json_is_told(text, says, tmp_path):
    file = tmp_path / "bad.json"
    file.write_text(text)
    with pytest.raises(PatchError) as caught:
        load_patch(file)
    assert says in str(caught.value)
    assert str(caught.value).startswith(str(file))
    assert file.read_text() == text


TEXT = """{
  "graphvoip": 1,
  "params": {"pitch": {"default": "440 Hz", "mx": 3}},
  "nodes": {
    "a": {"type": "sine",
          "frq": 440, "amp": "lout"},
    "m": {"type": "mix", "inputs": [1,
                                    "x"]},
    "b b": {"type": "sin"}, "p": 3
  },
  "score": [[1, "a.freq", 500],
            [2, "a.freq", 9000]],
  "outt": "a"
}
"""
SPOTS = {
    "params.pitch.default: it is a number": (3, 24),
    "params.pitch: a parameter has no 'mx'": (3, 45),
    "nodes.a: sine has no 'frq'": (6, 11),
    "nodes.a.amp: 'lout': nothing is named": (6, 23),
    "nodes.m.inputs[1]: 'x': nothing": (8, 37),
    "nodes.b b: a name is made of": (9, 5),
    "nodes.b b.type: no node type 'sin'": (9, 13),
    "nodes.p: a node is": (9, 29),
    "score[1]: a.freq: 9000 is outside": (12, 13),
    "outt: a patch has no 'outt'": (13, 3),
    "out: say what is heard": (1, 1),
}


def test_an_error_has_the_line_and_column_of_its_key(tmp_path):
    """What a file lacks is told at the beginning of what lacks it."""
    found = {}
    for text in (TEXT, TEXT.replace("outt", "out")):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(PatchError) as caught:
            load_patch(tmp_path / "bad.json")
        assert len(caught.value.errors) == len(caught.value.spots)
        for line, says, (row, column) in zip(str(caught.value).splitlines(), caught.value.errors, caught.value.spots,
                                             strict=True):  # fmt: skip
            assert line == f"{tmp_path / 'bad.json'}:{row}:{column}: {says}"
            found[says] = row, column
    with pytest.raises(PatchError, match=r"^line 3, column 24: params\.pitch\.default: "):
        parse_patch(text)
    assert {start: next(spot for says, spot in found.items() if says.startswith(start)) for start in SPOTS} == SPOTS


def test_an_error_in_a_sub_patch_has_its_place_there(tmp_path):
    (tmp_path / "bell.json").write_text('{"graphvoip": 1,\n "nodes": {"a": {"type": "sin"}}, "out": "a"}')
    (tmp_path / "a.json").write_text('{"graphvoip": 1, "nodes": {"b": {"type": "bell"}},\n\n "patches": '
                                     '{"bell": "bell.json"}, "out": "b"}')  # fmt: skip
    says = r"a\.json:3:14: patches\.bell: bell\.json:2:18: nodes\.a\.type: no node type 'sin'"
    with pytest.raises(PatchError, match=says):
        load_patch(tmp_path / "a.json")


def test_a_key_that_is_there_twice_is_shown(tmp_path):
    text = '{"graphvoip": 1, "nodes": {"a": {"type": "sine",\n "type": "lfo"}}, "out": "a",\n"out": "b"}'
    with pytest.raises(PatchError) as caught:
        parse_patch(text)
    assert caught.value.errors == ["'type' is there twice in one place", "'out' is there twice in one place"]
    assert caught.value.spots == [(2, 2), (3, 1)]


@pytest.mark.parametrize("shift", [0, 3])
def test_places_are_found_whatever_the_spelling(shift):
    """Blanks, escapes and brackets in texts: a place in a file is where json.loads has read it."""
    text = (
        " " * shift
        + '{"graphvoip":1,"doc":"{[\\",:\\u0022","nodes" :\t{"\\u0061":\r\n{"type":"sine","amp":[ ]}},"out":-1e0}'
    )
    with pytest.raises(PatchError) as caught:
        parse_patch(text)
    assert caught.value.errors == ["nodes.a.amp: it is a number or an expression, not a list"]
    assert caught.value.spots == [(2, 16)]


def test_a_file_may_name_its_schema_and_begin_with_a_byte_order_mark(tmp_path):
    document = {"$schema": "../docs/patch.schema.json", **patch()}
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(document).encode())
    assert heard(load_patch(tmp_path / "a.json")).any()
    assert heard(parse_patch("\ufeff" + json.dumps(document))).any()
    assert errors(document | {"$schema": 3}) == ["$schema: it is a text, not 3"]
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + b'{"graphvoip": 1, "nodes": {}}')
    with pytest.raises(PatchError, match=r"a\.json:1:1: out: say what is heard"):
        load_patch(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        (
            "a.py",
            b"from graphvoip import patch",
            r"no JSON: .*; it is Python: import its @patch function, or say a\.py:FUNC",
        ),
        ("a.yaml", b"graphvoip: 1", "no JSON: .*; a patch is written in JSON, not in YAML"),
        ("a.toml", b"graphvoip = 1", "no JSON: .*; a patch is written in JSON, not in TOML"),
        ("a.json", '{"graphvoip": 1}'.encode("utf-16"), "this is UTF-16, no UTF-8 text; save it as UTF-8"),
        (
            "a.wav",
            b"RIFF\xf0\x00\x00\x00WAVE",
            'this is a sound file, no patch; a patch plays it by a node: {"type": "pcm"',
        ),
        ("a.png", b"\x89PNG\r\n", "this is no UTF-8 text, so no patch"),
    ],
)
def test_a_file_of_another_kind_is_told_with_what_to_do(name, data, says, tmp_path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(PatchError, match=says):
        load_patch(tmp_path / name)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("2 s", "nodes.a.time: '2 s' is no expression: invalid syntax at character 3"
                "; write the number alone: 2, it is in s"),
        ("200ms", "; write the number alone: 0.2, it is in s"),
        (" 1.5 seconds ", "; write the number alone: 1.5, it is in s"),
        ("440Hz", "; it is in s, not in Hz"),
        ("-6 dB", "; write 'db(-6)', the factor of so many dB"),
        ("A4", "nodes.a.time: 'A4' is no number; A4 is a note: write 440 (Hz), or 'midi(69)'"),
        ("c#3", "; c#3 is a note: write 138.591 (Hz), or 'midi(49)'"),
    ],
)  # fmt: skip
def test_units_and_notes_are_told_what_to_write(written, says):
    (line,) = errors(patch({"a": {"type": "decay", "time": written}}))
    assert says in line


def test_units_are_those_of_the_place():
    nodes = {
        "f": {"type": "sine", "freq": "1 kHz", "amp": "50%"},
        "m": {"type": "mix", "inputs": ["f", "+3 dB"]},
        "t": {"type": "pcm", "data": "x.wav", "loop": "1 s"},
    }
    found = errors(patch(nodes, out="m", params={"p": "5 ms", "q": {"default": "A4", "unit": "Hz"}}))
    says = {line.split(": ")[0]: line.rpartition("; ")[2] for line in found}
    assert says == {
        "params.p": "write the number alone: 0.005",
        "params.q.default": "A4 is a note: write 440 (Hz), or 'midi(69)'",
        "nodes.f.freq": "write the number alone: 1000, it is in Hz",
        "nodes.f.amp": "write the number alone: 0.5",
        "nodes.m.inputs[1]": "write 'db(3)', the factor of so many dB",
        "nodes.t.data": says["nodes.t.data"],
        "nodes.t.loop": "write the number alone: 1",
    }


def test_a_name_that_is_also_a_note_is_a_name():
    nodes = {"a4": {"type": "sine"}, "A4": {"type": "lfo"}, "a": {"type": "gain", "input": "a4", "gain": "A4 + 1"}}
    parse_patch(patch(nodes))


def test_files_that_cannot_be_read_are_told(tmp_path):
    (tmp_path / "big.json").write_text(" " * (LARGEST + 1))
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe{}")
    for name, says in (("none.json", "none.json: no such file"), ("big.json", "a patch has at most 1000000"),
                       ("bytes.json", "no UTF-8 text"), (".", ": a directory, not a patch")):  # fmt: skip
        with pytest.raises(PatchError, match=says):
            load_patch(tmp_path / name)


@pytest.mark.parametrize("where", ["the patch", "a sound", "a sub-patch", "a picture"])
def test_a_pipe_is_refused_and_not_waited_for(where, tmp_path):
    name = {"the patch": "x.json", "a sound": "x.wav", "a sub-patch": "sub.json", "a picture": "x.png"}[where]
    documents = {
        "a sound": patch({"a": {"type": "pcm", "data": name}}),
        "a sub-patch": patch({"a": {"type": "sub"}}, patches={"sub": name}),
        "a picture": patch({"a": {"type": "sstv", "file": name}}),
    }
    os.mkfifo(tmp_path / name)
    if where != "the patch":
        (tmp_path / "x.json").write_text(json.dumps(documents[where]))
    with pytest.raises(PatchError, match="a pipe, device or socket, not a regular file"):
        load_patch(tmp_path / "x.json")


def test_patches_cannot_contain_themselves_nor_grow_without_end(tmp_path):
    (tmp_path / "self.json").write_text(json.dumps(patch({"a": {"type": "me"}}, patches={"me": "self.json"})))
    with pytest.raises(PatchError, match=r"self.json is this patch, or one that it is a part of"):
        load_patch(tmp_path / "self.json")
    (tmp_path / "0.json").write_text(json.dumps(patch({f"s{k}": {"type": "sine"} for k in range(20)}, out="s0")))
    for n in range(1, 12):
        nodes = {f"b{k}": {"type": "below"} for k in range(20)}
        (tmp_path / f"{n}.json").write_text(json.dumps(patch(nodes, out="b0", patches={"below": f"{n - 1}.json"})))
    load_patch(tmp_path / "1.json")
    for n, says in ((2, f"there are more than {LIMIT} nodes"), (11, "nested more than 8 deep|more than 2000 nodes")):
        with pytest.raises(PatchError, match=says):
            load_patch(tmp_path / f"{n}.json")


def test_a_link_out_of_the_folder_is_outside(tmp_path):
    (tmp_path / "secret.wav").write_bytes(b"x")
    folder = tmp_path / "patches"
    folder.mkdir()
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    assert any("is outside" in line for line in errors(patch({"a": {"type": "pcm", "data": "link.wav"}}), folder))


# --- How large it may be ----------------------------------------------------------------------------------------------


def written(folder, name, document):
    (folder / name).write_text(json.dumps(document))


def counted(recipe):
    """How many nodes a recipe makes, anonymous ones too: every node has the next number."""
    before = Constant().id
    recipe()
    return Constant().id - before - 1


def test_size_is_all_that_is_made(tmp_path):
    voice = patch({"s": {"type": "sine", "freq": "pitch + 10 * wobble"}}, out="s * 0.1 + 0.01",
                  inputs={"keys": "events", "wobble": "audio"}, params={"pitch": 441},
                  score=[[0.1, "pitch", 500], [0.2, "s.amp", 0.5]])  # fmt: skip
    written(tmp_path, "voice.json", voice)
    nodes = {
        "one": {"type": "voice", "keys": "keys", "wobble": "lfo * 2"},
        "two": {"type": "voice", "keys": 0, "wobble": 0, "pitch": "300 + lfo"},
        "all": {"type": "poly", "patch": "voice", "voices": 3, "play": "keys", "wobble": "lfo", "pitch": 300},
        "lfo": {"type": "lfo"},
    }
    document = patch(nodes, None, inputs={"keys": "events"}, patches={"voice": "voice.json"})
    document["outputs"] = {"a": "one + two + all", "b": "0.5"}
    del document["out"]
    recipe = parse_patch(document, tmp_path)
    assert recipe.size == counted(recipe)
    assert recipe.recipes["voice"].size == counted(recipe.recipes["voice"]) == 9


def test_operators_count_when_patches_are_nested(tmp_path):
    sums = " + ".join(["a"] * 150)
    written(tmp_path, "0.json", patch({"a": {"type": "sine"}}, out=sums))
    for n in (1, 2):
        nodes = {f"b{k}": {"type": "below"} for k in range(10)}
        written(tmp_path, f"{n}.json", patch(nodes, out="b0", patches={"below": f"{n - 1}.json"}))
    assert load_patch(tmp_path / "1.json").size == 10 * 150
    with pytest.raises(PatchError, match=f"there are more than {LIMIT} nodes"):
        load_patch(tmp_path / "2.json")


def test_when_too_much_is_wrong_the_rest_is_not_looked_at(tmp_path, monkeypatch):
    import difflib

    looked = []
    near = difflib.get_close_matches
    monkeypatch.setattr(difflib, "get_close_matches", lambda a, b, *n: looked.append(len(b)) or near(a, b, *n))
    document = patch({f"node_number_{k}": {"type": "sine", "freq": f"nod_number_{k}x"} for k in range(1500)}, out="1")
    found = errors(document)
    assert len(found) == 201
    assert found[-1] == "too much is wrong; the rest was not looked at"
    assert "did you mean" in found[0]
    assert "did you mean" not in found[50]
    assert len(looked) <= 50
    assert max(looked) <= 200
    with pytest.raises(PatchError, match=r"and 150 more\n.*too much is wrong"):
        parse_patch(document)
    assert len(errors({f"x{k}": 1 for k in range(1000)} | patch())) == 201
    assert len(errors(patch(score=[1] * 1000))) == 201
    assert len(errors(patch(score=[[0, "q", 1]] * 1000))) == 201


def test_an_error_is_short_whatever_it_is_about():
    long = "x" * 100_000
    for document in (
        patch({"a": {"type": "biquad", "input": 0, "kind": long}}),
        patch({"a": {"type": long}}),
        patch({"a": {"type": "sine", long: 1}}),
        patch({long: {"type": "sine", "frq": 1}}, out="1"),
        patch(score=[[0, "a." + long, 1]]),
        patch(out=long),
        patch(done=long),
    ):
        assert errors(document)


def test_names_that_are_there_twice_are_found_at_once():
    text = '{"graphvoip": 1, "nodes": {' + ", ".join(f'"n{k}": 1' for k in range(50_000)) + ', "n7": 1, "n7": 2}}'
    began = time.process_time()
    with pytest.raises(PatchError) as caught:
        parse_patch(text)
    assert caught.value.errors == ["'n7' is there twice in one place"]
    assert time.process_time() - began < 2


def test_a_score_is_read_once_and_has_its_limit(monkeypatch):
    from graphvoip import patchbuilder

    document = patch({"a": {"type": "sine", "freq": 400}}, params={"x": 1}, out="a * x",
                     score=[[2, "a.freq", 500], [1, "a.freq", 600], [1, "x", 0.5]])  # fmt: skip
    recipe = parse_patch(document)
    monkeypatch.setattr(patchbuilder, "change_of", None)
    for _ in range(2):
        made = recipe()
        assert [row[1] for row in made["a"].freq.node.score] == [600, 500]
        assert len(made.params["x"].score) == 1
    monkeypatch.undo()
    found = errors(document | {"score": [[0, "x", 1]] * 10_001})
    assert found == ["score: it has 10001 changes; a patch has at most 10000"]
    parse_patch(document | {"score": [[0, "x", 1]] * 10_000})


def test_memory_has_its_limit(tmp_path):
    delay = {"type": "delay", "input": "s", "longest": 60}
    nodes = {"s": {"type": "sine"}} | {f"d{k}": delay for k in range(300)}
    found = errors(patch(nodes, out="s"))
    assert len(found) == 1
    assert re.fullmatch(r"nodes\.d\d+: with it the patch takes more than 256 MB of memory", found[0])
    score = [[0, f"d{k}.time", 60] for k in range(300)]
    for late, more in ("late", {"params": {"late": 60}}), (1, {"score": score}):
        wired = {f"d{k}": {"type": "delay", "input": "s", "time": late} for k in range(300)}
        found = errors(patch({"s": {"type": "sine"}} | wired, out="s", **more))
        assert re.fullmatch(r"nodes\.d\d+: with it the patch takes more than 256 MB of memory", found[0])
    one = patch({"d": {"type": "delay", "input": "0", "time": "late"}}, out="d", params={"late": 1})
    written(tmp_path, "late.json", one)
    many = {f"d{k}": {"type": "late", "late": 60} for k in range(300)}
    found = errors(patch(many, out="d0", patches={"late": "late.json"}), tmp_path)
    assert re.fullmatch(r"nodes\.d\d+: with it the patch takes more than 256 MB of memory", found[0])
    written(tmp_path, "0.json", patch({"s": {"type": "sine"}} | {f"d{k}": delay for k in range(30)}, out="s"))
    below = {"patches": {"below": "0.json"}}
    parse_patch(patch({f"b{k}": {"type": "below"} for k in range(2)}, out="b0", **below), tmp_path)
    found = errors(patch({f"b{k}": {"type": "below"} for k in range(9)}, out="b0", **below), tmp_path)
    assert re.fullmatch(r"nodes\.b\d: with it the patch takes more than 256 MB of memory", found[0])


def test_a_long_sound_file_is_refused_before_it_is_read(tmp_path, monkeypatch):
    import soundfile

    soundfile.write(tmp_path / "long.flac", np.zeros(601 * 8000, np.int16), 8000)
    soundfile.write(tmp_path / "fine.flac", np.zeros(600 * 8000, np.int16), 8000)
    parse_patch(patch({"a": {"type": "pcm", "data": "fine.flac"}}), tmp_path)
    monkeypatch.setattr("graphvoip.io.wav.load", None)
    found = errors(patch({"a": {"type": "pcm", "data": "long.flac"}}), tmp_path)
    assert found == ["nodes.a.data: long.flac is 601 s long; a sound in a patch has at most 600 s"]


def test_a_sound_file_is_loaded_once_for_all_nodes(tmp_path, monkeypatch):
    from graphvoip import savePCMtoWAV
    from graphvoip.io import wav

    loads, load = [], wav.load
    monkeypatch.setattr(wav, "load", lambda path: loads.append(path) or load(path))
    savePCMtoWAV([0.5, -0.5, 0.25] * 100, tmp_path / "x.wav")
    voice = patch({"a": {"type": "pcm", "data": "x.wav"}, "k": {"type": "gain", "input": "keys"}},
                  inputs={"keys": "events"})  # fmt: skip
    written(tmp_path, "voice.json", voice)
    nodes = {"a": {"type": "pcm", "data": "x.wav"}, "b": {"type": "pcm", "data": "./x.wav"},
             "p": {"type": "poly", "patch": "voice", "play": "a"}}  # fmt: skip
    recipe = parse_patch(patch(nodes, out="a + b + p", patches={"voice": "voice.json"}), tmp_path)
    one, other = recipe(), recipe()
    assert len(loads) == 1
    assert one["a"].data is one["b"].data is other["a"].data is one["p/0/a"].data
    assert not one["a"].data.flags.writeable
    assert one["a"].given["data"] == tmp_path / "x.wav"
    savePCMtoWAV([0.25] * 10, tmp_path / "x.wav")
    assert recipe()["a"].data.size == 10  # it has been written anew


def test_sounds_are_counted_once(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "x.wav", np.zeros(500 * 8000, np.int16), 8000)
    nodes = {f"a{k}": {"type": "pcm", "data": "x.wav"} for k in range(30)}
    parse_patch(patch(nodes, out="a0"), tmp_path)
    for k in range(20):
        (tmp_path / f"x{k}.wav").hardlink_to(tmp_path / "x.wav")
    nodes = {f"a{k}": {"type": "pcm", "data": f"x{k}.wav"} for k in range(20)}
    assert "256 MB" in errors(patch(nodes, out="a0"), tmp_path)[0]


def test_wires_and_texts_have_their_limits(tmp_path, monkeypatch):
    found = errors(patch({"a": {"type": "mix", "inputs": [0] * 1001}}))
    assert found == ["nodes.a.inputs: it has 1001 signals; it may have 1000"]
    monkeypatch.setattr("graphvoip.node.Spoken.samples", lambda self, node: np.zeros(1, np.float32))
    nodes = {"a": {"type": "tts", "text": "a" * 6000}, "b": {"type": "tts", "text": "a" * 4000}}
    parse_patch(patch(nodes))
    says = "with it the patch speaks more than 10000 characters"
    assert errors(patch(nodes | {"c": {"type": "tts", "text": "a"}})) == [f"nodes.c: {says}"]
    written(tmp_path, "0.json", patch(nodes))
    below = patch({"a": {"type": "b"}, "c": {"type": "b"}}, patches={"b": "0.json"})
    assert errors(below, tmp_path) == [f"nodes.c: {says}"]


# --- What nodes and sub-patches are given -----------------------------------------------------------------------------


def test_a_number_is_there_when_the_node_is_built():
    nodes = {"i": {"type": "impulse", "freq": 0}, "a": {"type": "delay", "input": "i", "time": "1 + 1"}}
    samples = heard(parse_patch(patch(nodes)), seconds=2.5)
    assert samples[16000] == pytest.approx(1)
    assert np.count_nonzero(samples) == 1
    nodes["a"]["time"] = 61
    assert errors(patch(nodes)) == ["nodes.a.time: 61 s is outside 0..60"]


def test_an_input_of_a_sub_patch_must_be_given(tmp_path):
    voice = patch({"k": {"type": "keymap", "keys": "keys"}, "g": {"type": "gain", "input": "voice"}}, out="k + g",
                  inputs={"keys": "events", "voice": "audio"})  # fmt: skip
    written(tmp_path, "voice.json", voice)
    more = {"patches": {"voicing": "voice.json"}}
    says = "must be given: a number, or an expression over names"
    assert errors(patch({"a": {"type": "voicing", "voice": 0}}, **more), tmp_path) == [f"nodes.a: 'keys' {says}"]
    poly = {"type": "poly", "patch": "voicing", "play": "b"}
    nodes = {"a": poly, "b": {"type": "impulse"}}
    assert errors(patch(nodes, **more), tmp_path) == [f"nodes.a: 'voice' {says}"]
    parse_patch(patch(nodes | {"a": poly | {"voice": 0}}, **more), tmp_path)


@pytest.mark.parametrize("name", ["seed", "type", "doc", "voices", "patch", "play", "self"])
def test_names_that_a_sub_patch_could_not_be_given_are_refused(name):
    says = f"'{name}' means something else where a patch is used; take another name"
    assert errors(patch(params={name: 1})) == [f"params.{name}: {says}"]
    assert errors(patch(inputs={name: "audio"})) == [f"inputs.{name}: {says}"]
    parse_patch(patch({name: {"type": "sine"}}, out=name))


# --- Fuzz -------------------------------------------------------------------------------------------------------------

SEED = {
    "graphvoip": 1, "name": "fuzz", "seed": 3,
    "params": {"pitch": {"default": 880, "unit": "Hz", "min": 200, "max": 1700}},
    "inputs": {"keys": "events", "voice": "audio"},
    "nodes": {
        "note": {"type": "keymap", "keys": "keys", "hold": 0.3, "map": {"1": 262, "2": "C4"}},
        "env": {"type": "adsr", "gate": "note.gate", "attack": 0.01, "release": 0.4},
        "car": {"type": "sine", "freq": "pitch + 30 * car * env"},
        "lp": {"type": "biquad", "input": "car + voice * db(-6)", "kind": "lowpass", "freq": 900},
        "all": {"type": "mix", "inputs": ["lp", "car * 0.1", 0.0]},
        "hiss": {"type": "noise", "colour": "pink"},
    },
    "out": "0.5 * all + hiss * 0.01", "done": "env.done", "score": [[0.5, "pitch", 300, {"over": 0.5}]],
}  # fmt: skip
JUNK = [None, True, -1, 0, 1e400, 1e30, 9**99, "", "x" * 300, "a.b", "car", "1/0", "..", "\0", [], [[]], {},
        {"type": "sine"}, "sine", "poly", "gate", -0.0,
        3.5, "é", "__class__", "db(-6)", [1, 2, 3], {"default": "x"}]  # fmt: skip


def mutated(document, rng):
    """A document with some of its parts replaced, removed, doubled or renamed."""
    document = json.loads(json.dumps(document))
    for _ in range(rng.choice([1, 1, 2, 4])):
        place = document
        for _ in range(rng.randint(0, 4)):
            inner = [
                one for one in (place.values() if isinstance(place, dict) else place) if isinstance(one, (dict, list))
            ]
            if not inner:
                break
            place = rng.choice(inner)
        if isinstance(place, dict) and place:
            key = rng.choice(list(place))
            what = rng.randrange(4)
            if what == 0:
                place[key] = rng.choice(JUNK)
            elif what == 1:
                del place[key]
            elif what == 2:
                place[str(rng.choice(JUNK))] = place.pop(key)
            else:
                place[key] = rng.choice([*place.values(), *document.values()])
        elif isinstance(place, list) and place:
            place[rng.randrange(len(place))] = rng.choice(JUNK)
    return document


def test_a_megabyte_of_fuzz_is_clean_errors_or_sound(tmp_path):
    """Damaged documents, as values and as bytes: each is a valid patch or a PatchError, and nothing else."""
    rng, size, good, bad = random.Random(4), 0, 0, 0
    while size < 1_000_000:
        try:
            text = json.dumps(mutated(SEED, rng), default=str)
        except (ValueError, RecursionError):  # a document that was put into itself
            continue
        if len(text) > 20_000:
            continue
        if rng.random() < 0.3:
            cut = bytearray(text.encode())
            for _ in range(rng.randint(1, 5)):
                cut[rng.randrange(len(cut))] = rng.choice(b'{}[]",:0 \\\x00a')
            text = cut.decode("utf-8", "replace")
        size += len(text)
        found = []
        try:
            made = parse_patch(text, tmp_path)()
        except PatchError as error:
            bad, found = bad + 1, error.errors
            clean = [line for line in found if len(line) < 500 and not re.search("\n|object at 0x|NoneType", line)]
            assert found and clean == found  # noqa: PT018
            continue
        good += 1
        if good % 20 == 0:
            assert np.all(np.isfinite(render(made, seconds=0.1)))
    assert good > 50
    assert bad > 300


# --- Expressions of signals -------------------------------------------------------------------------------------------

TWO = {"a": {"type": "sine", "freq": 200}, "b": {"type": "sine", "freq": 3}}


@pytest.mark.parametrize(
    ("out", "twin"),
    [
        ("0.4 * tanh(2 * a)", lambda a, b: 0.4 * Expression(a, formula="tanh(2 * a)")),
        ("0.4 * (a > b) * a ** 2", lambda a, b:
            0.4 * Expression(a, b, formula="a > b") * Expression(a, formula="a ** 2")),
        ("mix(a, b, 0.5 + b / 2)", lambda a, b: Expression(a, b, formula="mix(a, b, 0.5 + b / 2)")),
        ("max(b, a) / 2 + sin(2 * pi * 441 * t) / 4", lambda a, b:
            Expression(b, a, formula="max(a, b)") / 2 + Expression(formula="sin(2 * pi * 441 * t)") / 4),
        ("0.1 * t * a", lambda a, b: 0.1 * Expression(formula="t") * a),
    ],
)  # fmt: skip
def test_a_function_of_signals_is_the_node_expression(tmp_path, out, twin):
    @python_patch
    def other():
        return twin(Sine(freq=200), Sine(freq=3))

    recipe = parse_patch(patch(TWO, out=out))
    np.testing.assert_array_equal(heard(recipe), render(other(), seconds=0.5))
    recipe().save(tmp_path / "saved.json")
    np.testing.assert_array_equal(heard(recipe), heard(load_patch(tmp_path / "saved.json")))


def test_expressions_stand_wherever_a_signal_does_and_their_mistakes_have_a_place():
    nodes = TWO | {"far": {"type": "delay", "input": "abs(a)", "time": "0.01 + clip(b, 0, 1) / 100"}}
    heard(parse_patch(patch(nodes, out="far")))
    five = {name: {"type": "sine"} for name in "abcde"}
    assert errors(patch(five, out="min(a, b, c, d, e)")) == [
        "out: 'min(a, b, c, d, e)' is of 5 signals, and 4 are possible; give parts of it names of their own"
    ]
    assert errors(patch(TWO, out="sin(c)"))[0].startswith("out: 'sin(c)': nothing is named 'c'")
    assert errors(patch(TWO, out="sin")) == ["out: 'sin': 'sin' is a function; write sin(x)"]
    assert errors(patch(TWO, out="sinn(a)")) == ["out: 'sinn(a)': there is no function 'sinn'; did you mean 'sin'?"]


def test_a_node_may_be_called_like_the_time_or_a_function_but_not_like_a_number():
    named = {"t": {"type": "constant", "value": 0.25}, "mix": {"type": "constant", "value": 2}}
    assert heard(parse_patch(patch(named, out="mix(0, 1, t) + t * mix * 0")))[1000] == np.float32(0.25)
    assert errors(patch({"pi": {"type": "sine"}}, out="pi"))[0].endswith("'pi' is a number; take another name")
