"""Patches in Python: names, parameters, arithmetic, and the way to a file and back."""

import json

import numpy as np
import pytest

from graphvoip import Param, load_patch, patch, poly, render
from graphvoip.nodes import Adsr, Biquad, Constant, Decay, Gain, Keymap, Mix, Noise, Pcm, Record, Sine, Tone
from graphvoip.patchfile import parse_patch
from graphvoip.patchwriter import document_of, dumps


@patch
def chime(pitch=Param(880, "Hz", 200, 1700, "of the first bell")):
    """Two bells."""
    ding, dong = Sine(freq=pitch), Sine(freq=pitch * 0.8)
    hit1, hit2 = Decay(time=0.6), Decay(time=1.2, at=0.5)
    return 0.4 * (ding * hit1 + dong * hit2), hit2.done


@patch
def fm(keys, index=2.5):
    note = Keymap(keys, map={"1": 262, "2": 294, "3": 330}, name="note")
    env = Adsr(gate=note.gate, attack=0.01, release=0.4, name="env")
    mod = Sine(freq=note * 2, name="mod")
    return 0.5 * Sine(freq=note + mod * note * index * env, name="car") * env


# --- Making one -------------------------------------------------------------------------------------------------------


def test_a_patch_has_its_nodes_by_name_in_the_order_in_which_they_were_made():
    made = chime(pitch=700)
    assert list(made.nodes) == ["pitch", "sine", "sine2", "decay", "decay2"]
    assert made.done == (made["decay2"], "done")
    assert made.params["pitch"].target == 700
    assert chime.doc == "Two bells."
    assert chime.params["pitch"].unit == "Hz"


def test_it_ends_when_it_is_done():
    samples = render(chime())
    assert 2.0 < len(samples) / 8000 < 2.3
    assert np.abs(samples[-10:]).max() == 0


def test_inputs_are_what_has_no_default():
    assert fm.inputs == {"keys": "events"}
    samples = render(fm(), seconds=1, keys="2@0.2")
    assert np.abs(samples[:1600]).max() == 0
    assert np.abs(samples[1600:]).max() > 0.3


def test_an_input_or_parameter_may_be_any_signal():
    made = chime(pitch=Sine(freq=3) * 50 + 600)
    assert made.params == {}
    assert np.abs(render(made)).max() > 0.3


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: chime(pich=3), TypeError, "chime has no 'pich'; did you mean 'pitch'?"),
        (lambda: chime(3), ValueError, "pitch: 3 Hz is outside 200..1700"),
        (lambda: chime("loud"), TypeError, "pitch is a number, a node or a node's output, not 'loud'"),
        (lambda: chime(300, 400), TypeError, "chime takes 1 values, not 2"),
        (lambda: chime(300, pitch=300), TypeError, "chime: 'pitch' is given twice"),
        (lambda: patch(lambda x=[]: Sine()), TypeError, "the default of x is a number or a Param, not []"),
        (lambda: patch(lambda *x: Sine()), TypeError, "its parameters are plain names, not *x"),
        (lambda: patch(lambda: 5)(), TypeError, "gave 5; it gives a node, or a node and the event that ends it"),
        (lambda: patch(lambda: (Sine(), 5))(), TypeError, "5 is no event of a node; write node.done"),
        (lambda: Param(5, "Hz", 0, 4), ValueError, "Param: the default 5 is outside 0..4"),
        (lambda: Param("5"), TypeError, "Param: default is '5'; it is a number"),
        (lambda: patch(lambda: Mix(Sine(name="a"), Sine(name="a")))(), ValueError, "two nodes are named 'a'"),
        (lambda: patch(lambda: Mix(*(Sine() for _ in range(2001))))(), ValueError, "a patch has at most 2000"),
        (lambda: chime().port("left"), ValueError, "chime has no output 'left' (it has out)"),
        (
            lambda: poly(chime, 0.0),
            ValueError,
            "poly: chime must have one input for events",
        ),
        (lambda: render(patch(lambda mic: Gain(mic, 1.0))(), seconds=1), ValueError, "its input 'mic' is not wired"),
        (lambda: poly(fm, 0.0, 0), ValueError, "poly: voices is 0; it is a whole number from 1 to 64"),
        (lambda: poly(fm, 0.0, True), ValueError, "poly: voices is True; it is a whole number from 1 to 64"),
        (lambda: patch(lambda seed=1: Sine()), TypeError, "a parameter cannot be named 'seed'; that means something"),
        (lambda: patch(lambda: fm() * 0.5)(), TypeError, "fm: 'keys' must be given where it is a part of another"),
        (lambda: Sine() + "a", TypeError, "unsupported operand"),
        (lambda: np.ones(3) * Sine(), TypeError, "unsupported operand|not support"),
        (lambda: Sine() >> 5, TypeError, "unsupported operand"),
    ],
)
def test_mistakes_are_told(make, error, says):
    with pytest.raises(error) as caught:
        make()
    assert any(one in str(caught.value) for one in says.split("|")), str(caught.value)


def test_a_lambda_and_a_decorator_with_a_seed():
    @patch(seed=7)
    def hiss():
        return Noise()

    assert not np.array_equal(render(hiss(), seconds=0.1), render(hiss(seed=8), seconds=0.1))
    np.testing.assert_array_equal(render(hiss(), seconds=0.1), render(hiss(seed=7), seconds=0.1))


# --- Arithmetic -------------------------------------------------------------------------------------------------------


def test_operators_are_what_they_say():
    a, b = np.linspace(-1, 1, 160), np.linspace(0.5, 2, 160)

    def signal(x):
        return Pcm(data=x)

    for made, wanted in (
        (lambda: signal(a) + signal(b) - 0.25, a + b - 0.25),
        (lambda: 1 - signal(a), 1 - a),
        (lambda: 2 * signal(a) * signal(b), 2 * a * b),
        (lambda: signal(a) / signal(b), a / b),
        (lambda: 1 / signal(b).out, 1 / b),
        (lambda: -signal(a), -a),
        (lambda: sum([signal(a), signal(b), signal(a)]), 2 * a + b),
    ):
        node = made()
        from graphvoip.plan import Plan

        plan = Plan([node])
        plan.run()
        np.testing.assert_allclose(node.samples(), wanted, atol=1e-6)


def test_what_is_divided_by_zero_is_zero():
    assert np.abs(render(Pcm(data=np.ones(160)) / 0.0, seconds=0.02)).max() == 0


def test_a_chain_reads_from_left_to_right():
    chain = Sine(freq=441) >> Biquad(freq=900) >> Gain(gain=0.5)
    assert chain.type == "gain"
    assert chain.input.node.type == "biquad"
    assert chain.input.node.input.node.type == "sine"
    with pytest.raises(
        ValueError, match=r"gain: >> feeds 'input', and that is 0\.5 already; give the other inputs by name"
    ):
        Sine() >> Gain(0.5)
    with pytest.raises(ValueError, match=r"noise: >> feeds 'amp'"):
        Sine() >> Noise(amp=0.5)
    assert len((Sine() >> Mix(0.25)).inputs) == 2


# --- Seeds ------------------------------------------------------------------------------------------------------------


def test_editing_elsewhere_does_not_change_a_noise():
    @patch
    def alone():
        return Noise(name="hiss")

    @patch
    def among():
        Noise(), Sine()
        return Noise(name="hiss") + 0.0 * Noise()

    np.testing.assert_array_equal(render(alone(), seconds=0.1), render(among(), seconds=0.1))


def test_voices_have_noises_of_their_own():
    @patch
    def puff(keys):
        return Noise() * Adsr(gate=Keymap(keys).gate)

    choir = poly(puff, 0.0, voices=2)
    a, b = choir["0/noise"], choir["1/noise"]
    assert a.state["random"] != b.state["random"]


# --- To a file and back -----------------------------------------------------------------------------------------------


@patch
def everything(keys, voice, depth=Param(0.5, "", 0, 1)):
    bell = chime(pitch=600)
    hiss = Noise(amp=0.01)
    loop = Gain(0.0, 0.5, name="loop")
    loop.input = bell + loop
    shared = bell * depth
    return {"out": shared + shared * hiss + loop * 0.1 + voice * 0.1 + fm(keys), "dry": bell}


@pytest.mark.parametrize("recipe", [chime, fm, everything])
def test_the_file_is_its_twin_bit_for_bit(recipe, tmp_path):
    values = {"seconds": 1.0, "keys": "1@0.1 3@0.5", "voice": np.sin(np.arange(8000) / 3) * 0.5}
    made = recipe()
    made.save(tmp_path / "twin.json")
    twin = load_patch(tmp_path / "twin.json")
    assert twin.warnings == []
    np.testing.assert_array_equal(render(made, **values), render(twin(), **values))
    text = (tmp_path / "twin.json").read_text()
    assert dumps(twin.document) == text
    assert dumps(document_of(twin())) == text
    assert list(twin.params) == list(recipe.params)
    assert twin.inputs == recipe.inputs


def test_long_sums_and_shared_parts_have_names_in_the_file():
    @patch
    def many():
        total = sum((Sine(freq=100 + k) * 0.001 for k in range(300)), 0.0)
        return total * total

    document = document_of(many())
    assert len(document["nodes"]) < 320
    np.testing.assert_array_equal(render(many(), seconds=0.1), render(parse_patch(document)(), seconds=0.1))


@pytest.mark.parametrize(
    ("node", "says"),
    [
        (lambda: Pcm(data=np.array([np.nan])), "pcm: data is .*nan.*, which a file cannot say"),
        (lambda: Record(Sine(), file="/elsewhere/x.wav"), "record: /elsewhere/x.wav is outside the patch's folder"),
    ],
)
def test_what_a_file_cannot_say_is_told_and_no_file_is_written(node, says, tmp_path):
    def build():
        made = node()
        return made if made.slots.outputs else made.left

    with pytest.raises(ValueError, match=says):
        patch(build)().save(tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()


def test_python_functions_cannot_be_saved(tmp_path):
    from graphvoip.nodes import Function

    with pytest.raises(ValueError, match="function: a file has no 'function', it is for Python only"):
        patch(lambda: Function(Sine(), f=lambda x, t: x))().save(tmp_path / "x.json")


def test_setting_before_it_sounds():
    made = chime()
    made.set("pitch", 500)
    made.set("sine2.amp", 0.25)
    assert made.params["pitch"].target == 500
    assert made["sine2"].amp == 0.25
    for name, says in (
        ("pich", "chime has no 'pich' to set; did you mean 'pitch'?"),
        ("sine.freq", "sine.freq is wired to"),
        ("sine.frq", "sine: sine has no input 'frq'; did you mean 'freq'?"),
        ("pitch", "pitch: 5 Hz is outside 200..1700"),
    ):
        with pytest.raises(ValueError, match=r".") as caught:
            made.set(name, 5)
        assert says in str(caught.value)


def test_what_ends_by_itself_ends_the_patch():
    assert patch(lambda: Tone(seconds=0.1))().done.name == "done"
    assert patch(lambda: Tone(seconds=0.1) * 1.0)().done is None


def test_the_schema_describes_every_patch_that_is_right():
    from graphvoip.patchwriter import schema

    found = json.loads(json.dumps(schema()))
    assert found["$defs"]["sine"]["properties"]["freq"]["maximum"] == 4000
    assert "custom" not in found["$defs"]
    assert {"graphvoip", "nodes", "out", "score"} <= set(found["properties"])


def test_a_constant_may_be_wired_by_hand():
    held = Constant(value=0.25)
    assert render(held, seconds=0.1)[-1] == 0.25


def test_names_that_are_no_words_are_written_as_words():
    @patch
    def tune():
        return Sine(name="ADA LOVELACE") + Sine(name="1st")

    document = tune().to_json()
    assert list(document["nodes"]) == ["ADA_LOVELACE", "n_1st"]
    parse_patch(document)
