"""One declaration: the constructor, the checks and the schema come from the class."""

import copy
import math
import pickle
import subprocess
import sys

import numpy as np
import pytest

from graphvoip import Event, Node, Option, Output, Signal, Signals, State
from graphvoip.graph import Graph
from graphvoip.kernel import event, kernel
from graphvoip.node import types
from graphvoip.nodes import Gain, Mix, Pcm, Sine, Tone, load_all
from graphvoip.plan import Plan

load_all()


def test_a_node_is_loaded_when_it_is_asked_for():
    text = """
import sys
import graphvoip.nodes
from graphvoip.nodes import Sine
assert "graphvoip.nodes.gain" not in sys.modules
assert {"Gain", "DcBlock", "Sine"} <= set(dir(graphvoip.nodes))
from graphvoip.nodes import *
assert DcBlock.type == "dc_block"
try:
    from graphvoip.nodes import Sinus
except ImportError as error:
    assert "Sinus" in str(error)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", text], check=True)


def test_the_palette_is_the_folder():
    assert {"sine", "tone", "pcm", "custom", "mix", "gain", "recorder", "sink", "line_in", "line_out", "keypad"} <= set(
        types
    )
    for name, cls in types.items():
        if cls.__module__.startswith("graphvoip.nodes."):
            assert cls.__module__ == f"graphvoip.nodes.{name}"


def test_inputs_by_keyword_and_by_position():
    source = Sine()
    by_name, by_place = Gain(input=source, gain=0.5), Gain(source, 0.5)
    assert by_name.input.node is by_place.input.node is source
    assert by_name.gain == by_place.gain == 0.5


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Sine(frq=440), TypeError, "sine has no 'frq'; did you mean 'freq'?"),
        (lambda: Sine(colour=1), TypeError, "sine has no 'colour'; it has freq, amp"),
        (lambda: Sine(freq=9000), ValueError, "sine: freq 9000 Hz is outside -4000..4000"),
        (lambda: Sine(freq=math.nan), ValueError, "sine: freq nan Hz is outside -4000..4000"),
        (lambda: Sine(freq="loud"), TypeError, "sine: freq is a number, a node or a node's output, not 'loud'"),
        (lambda: Graph().add(Gain(gain=2)), ValueError, "gain: 'input' must be given: a number, a node or a node's"),
        (lambda: Plan([Gain(gain=2, name="loud")]), ValueError, "loud: 'input' must be given"),
        (lambda: Gain(1, 2, 3), TypeError, "gain takes 2 inputs by position, not 3"),
        (lambda: Gain(Sine(), input=1), TypeError, "gain: 'input' is given twice"),
        (lambda: Sine().port("gate"), ValueError, "sine has no output 'gate' (it has out)"),
        (lambda: Mix("a"), TypeError, "mix: inputs is a number, a node or a node's output, not 'a'"),
        (lambda: Tone(seconds=-1), ValueError, "tone: seconds -1 s is outside 0..1e+09"),
        (lambda: Pcm(data=np.zeros((2, 2))), ValueError, "pcm: data has 2 dimensions"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(make, error, says):
    with pytest.raises(error) as caught:
        make()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_kernel_must_take_what_is_declared():
    with pytest.raises(TypeError, match=r"Wrong.process takes \(signal, out\), its slots are \(input, out\)"):

        class Wrong(Node):
            input = Signal(0.0)
            out = Output()

            @kernel
            def process(signal, out):
                pass


def test_a_slot_may_not_hide_what_every_node_has():
    with pytest.raises(TypeError, match="cannot be named 'wires'"):

        class Wrong(Node):
            wires = Signal(0.0)

            @kernel
            def process(wires):
                pass


def test_a_users_own_node_is_equal_to_ours():
    class Halve(Node):
        """Half as loud, and says at which sample the signal first rose above 0.9."""

        input = Signal(None, doc="what is halved")
        factor = Option(0.5, "x")
        out = Output("half of it")
        loud = Event("above 0.9")
        state = State(factor_="f8", seen="i8")

        def start(self):
            self.state["factor_"] = self.factor

        @kernel
        def process(state, input, out):
            for i in range(out.size):
                out[i] = input[i] * state.factor_
                if input[i] > 0.9 and state.seen == 0:
                    state.seen = 1
                    state.loud = event(i, 7)

    ramp = Pcm(data=np.linspace(0, 1, 320, dtype=np.float32))
    half = Halve(ramp)
    plan = Plan([half])
    plan.run()
    assert not plan.taken_events()
    np.testing.assert_allclose(half.samples(), np.linspace(0, 1, 320)[:160] / 2, atol=1e-7)
    plan.run()
    ((at, value),) = [(at, value) for token, at, value in plan.taken_events() if token >> 4 == half.id]
    assert value == 7
    assert at == math.floor(0.9 * 319) + 1 - 160
    assert types.pop("halve") is Halve


def test_the_schema_is_the_declaration():
    schema = Sine.schema()
    assert schema["properties"]["freq"] == {
        "type": ["number", "string"],
        "description": "pitch; below 0 it runs backwards, and a wire may go beyond, for FM",
        "default": 440.0,
        "unit": "Hz",
        "minimum": -4000,
        "maximum": 4000,
    }
    assert Gain.schema()["required"] == ["type", "input"]
    assert schema["additionalProperties"] is False


def test_every_node_has_docs():
    for cls in types.values():
        assert cls.__doc__
        assert cls.__doc__.strip().split("\n")[0].endswith((".", ":"))
        for name, slot in (cls.slots.inputs | cls.slots.options | cls.slots.events).items():
            assert slot.doc, f"{cls.type}.{name}"


def test_signals_take_any_number():
    assert Mix().wires["inputs"] == []
    one = Mix(Sine(), 0.25, Sine())
    assert len(one.inputs) == 3
    assert isinstance(Mix.inputs, Signals)


def test_an_option_is_fixed_when_the_node_is_built():
    node = Pcm(data=np.ones(10, np.float32))
    with pytest.raises(AttributeError, match="pcm: data is fixed when it is built; build another one"):
        node.data = np.zeros(10, np.float32)  # the kernel reads the memory of the first one


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_node_cannot_be_copied(copier):
    with pytest.raises(TypeError, match="sine: a node cannot be copied; build another one"):
        copier(Sine())


def test_a_class_without_a_kernel_is_told_what_it_lacks():
    with pytest.raises(TypeError, match="Silent needs a function `process`, decorated with @kernel"):

        class Silent(Node):
            """Nothing."""

            out = Output()

    with pytest.raises(TypeError, match="Plain needs a function `process`, decorated with @kernel"):

        class Plain(Node):
            """Not compiled."""

            out = Output()

            def process(out):
                pass


def test_a_name_that_a_node_does_not_have_is_refused_when_it_is_set():
    sine = Sine(freq=440)
    with pytest.raises(AttributeError, match="sine has no 'frequency'; did you mean 'freq'"):
        sine.frequency = 300
    with pytest.raises(AttributeError, match="multiply has no 'freq'; change the nodes that it is made of"):
        (0.3 * sine).freq = 220
    sine.mine = 1  # a note of one's own
    sine.freq = 300
    assert sine.freq == 300


def test_a_users_class_may_be_named_as_one_of_ours():
    text = """
from graphvoip import Node, Output, Signal
from graphvoip.kernel import kernel
from graphvoip.patchfile import parse_patch


class Named(Node):
    times = Signal(1.0)
    out = Output()

    @kernel
    def process(times, out):
        for i in range(out.size):
            out[i] = times[i]


class Echo(Named):
    pass


class Constant(Named):
    pass


class Multiply(Named):
    pass


from graphvoip.graph import Graph
from graphvoip.nodes import Gain, Sine

made = parse_patch({"graphvoip": 1, "name": "p", "nodes": {"e": {"type": "echo", "times": 2}}, "out": "e"})()
assert type(made["e"]) is Echo
gain = Gain(Sine(freq=441) * 0.5, 0.5)
graph = Graph()
graph.add(gain)
graph.compile()
gain.gain = 0.3
assert gain.gain == 0.3
"""
    subprocess.run([sys.executable, "-c", text], check=True)


def with_events(count):
    names = {f"e{k}": Event() for k in range(count)}
    return type(
        "Eventful", (Node,), {"__doc__": "Nothing.", "out": Output(), **names, "process": kernel(lambda out: 0)}
    )


def test_a_class_with_more_events_than_their_tokens_tell_apart_is_refused():
    assert list(with_events(16)().slots.events)[-1] == "e15"
    with pytest.raises(
        TypeError, match="Eventful has 17 events, a node at most 16; tell the others apart by the value"
    ):
        with_events(17)
