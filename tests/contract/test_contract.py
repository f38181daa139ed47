"""What holds for every node that there is, ours and yours. Written once; a new node is under it by existing."""

import itertools

import numpy as np
import pytest

import graphvoip.nodes
from graphvoip.node import Signals, types
from graphvoip.nodes import Mix, Pcm
from graphvoip.plan import Plan, run_plan

TYPES = sorted(name for name, cls in types.items() if cls.__module__.startswith("graphvoip.nodes."))
FRAMES = 8
INPUTS = {
    "silence": np.zeros(1280),
    "noise": np.random.default_rng(1).uniform(-1, 1, 1280),
    "full scale": np.tile([1.0, -1.0], 640),
    "huge": np.full(1280, 1e30),
    "nan": np.full(1280, np.nan),
    "infinite": np.tile([np.inf, -np.inf], 640),
    "tiny": np.full(1280, 1e-40),
}
assert graphvoip.nodes


def build(name, data):
    """A node of this type with the same signal at every input, and a plan of it."""
    cls = types[name]
    source = Pcm(data=data.astype(np.float32))
    values = {
        slot: [source, source] if isinstance(kind, Signals) else source for slot, kind in cls.slots.inputs.items()
    }
    if "data" in cls.slots.options:
        values["data"] = data.astype(np.float32)
    node = cls(**values)
    return node, Plan([node])


def play(node, plan, edges=(0, 160), frames=FRAMES):
    found = []
    for _ in range(frames):
        for start, stop in itertools.pairwise(edges):
            run_plan(plan.address, start, stop)
        found.append(np.concatenate([node.samples(port) for port in node.slots.outputs] or [np.zeros(0)]))
    return np.concatenate(found)


@pytest.mark.parametrize("name", TYPES)
def test_two_fresh_nodes_agree_bit_for_bit(name):
    one, other = (play(*build(name, INPUTS["noise"])) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("edges", [(0, 1, 160), (0, 77, 160), tuple(range(161))], ids=["1+159", "77+83", "160 x 1"])
@pytest.mark.parametrize("name", TYPES)
def test_a_frame_in_pieces_agrees_to_120_db(name, edges):
    whole, pieces = play(*build(name, INPUTS["noise"])), play(*build(name, INPUTS["noise"]), edges)
    assert np.abs(whole - pieces).max(initial=0) < 1e-6


@pytest.mark.parametrize("what", INPUTS)
@pytest.mark.parametrize("name", TYPES)
def test_any_input_is_survived_and_silence_after_it_is_finite(name, what):
    node, plan = build(name, INPUTS[what])
    play(node, plan)
    after = play(node, plan, frames=100)
    if what in ("silence", "noise", "full scale", "tiny") or not recovers(name):
        return
    assert np.all(np.isfinite(after[-160:]))


def recovers(name):
    """Nodes without memory pass on what they are given; the others must forget it."""
    return name != "pcm"


@pytest.mark.parametrize("name", TYPES)
def test_sound_in_is_finite_sound_out(name):
    for what in ("silence", "noise", "full scale", "tiny"):
        assert np.all(np.isfinite(play(*build(name, INPUTS[what])))), what


@pytest.mark.parametrize("name", TYPES)
def test_state_survives_a_new_plan(name):
    data = np.random.default_rng(2).uniform(-1, 1, 1280)
    straight = play(*build(name, data))
    node, plan = build(name, data)
    first = play(node, plan, frames=4)
    second = play(node, Plan([node, Mix(0.0)]), frames=4)
    np.testing.assert_array_equal(straight, np.concatenate([first, second]))
