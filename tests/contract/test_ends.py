"""What has an end ends: every node with an event `done`, with empty and with the shortest content, live and offline."""

import asyncio
import re

import numpy as np
import pytest
from rig import TYPES

from graphvoip import patch, render
from graphvoip.node import Sound, types
from graphvoip.nodes import Constant, Gain, Mix, Pcm

HAVE_AN_END = [name for name in TYPES if "done" in types[name].slots.events and types[name].group != "call"]
# What a node needs besides so that it has an end, or so that its content is not a minute long.
BASE = {
    "adsr": {"gate": [0.9]},
    "dial_tone": {"kind": "sit"},
    "dtmf_tone": {"text": "1"},
    "sstv": {"mode": "BW8", "image": np.zeros((1, 1, 3), np.uint8)},
    "sampler": {"data": [0.5, -0.5]},
    "pcm": {"data": [0.5, -0.5]},
    "tts": {"text": "a"},
}


def shortest(slot):
    """The values of an input or an option that leave the least to be heard."""
    if isinstance(slot, Sound):
        return [[], [0.5], np.zeros(0, np.float32)]
    if getattr(slot, "choices", None) or isinstance(slot.default, bool):
        return []
    if isinstance(slot.default, str):
        return ["", " ", "1", "-", "e", "a:d=4:p"]
    if isinstance(slot.default, list):
        return [[], [[0, 0]], [[0, 0.5], [0, 0.5]]]
    return [slot.low] if slot.unit == "s" or slot.name == "time_scale" else []


def cases(name):
    slots = types[name].slots
    yield {}
    for slot in [*slots.inputs.values(), *slots.options.values()]:
        for value in shortest(slot) if slot.default is not None or isinstance(slot, Sound) else ():
            yield {slot.name: value}
    yield {slot.name: slot.low for slot in slots.inputs.values() if getattr(slot, "unit", "") == "s"}


def made(name, case):
    """The node, or None if it refuses, in a line, what it is given."""
    values = BASE.get(name, {}) | case
    values = {key: Pcm(data=one) if key == "gate" else one for key, one in values.items()}
    try:
        return types[name](**values)
    except ValueError as refused:
        error = str(refused)
    assert re.fullmatch(f"{name}: .+", error)
    return None


@pytest.mark.parametrize("name", HAVE_AN_END)
def test_it_ends_offline(name):
    ended = 0
    for case in cases(name):
        node = made(name, case)
        if node is not None:
            assert len(render(node)) < 130 * 8000, case
            assert node.ended
            ended += 1
    assert ended


@pytest.mark.parametrize("name", HAVE_AN_END)
async def test_it_ends_on_a_call(name, phone):
    played = []

    async def handler(call):
        for case in cases(name):
            node = made(name, case)
            if node is not None:
                await asyncio.wait_for(call.play(node), 130)
                played.append(case)

    async with phone(handler) as p:
        assert await p.hung_up(3000)
    assert played


@pytest.mark.parametrize(
    "empty",
    [
        lambda: Pcm(data=[]),
        lambda: types["tone"](seconds=0),
        lambda: types["dtmf_tone"](text=""),
        lambda: Pcm(data=[], loop=True),
    ],
)
def test_what_is_empty_ends_within_a_frame_alone_and_in_a_patch(empty):
    assert len(render(empty())) <= 320

    @patch
    def silent():
        sound = empty()
        return Gain(sound), sound.done

    assert len(render(silent())) <= 320


def test_keys_that_may_come_are_waited_for():
    """Touch tones of keys have no end, whatever text they begin with, or none."""
    for text in ({}, {"text": ""}):
        with pytest.raises(ValueError, match="render: it is not done after 3600 s"):
            render(types["dtmf_tone"](Mix(Constant(value=0)), **text))


async def test_the_documented_methods_end_too(phone):
    done = []

    async def handler(call):
        for play in (
            lambda: call.playTone(440, 0),
            lambda: call.playPCM([]),
            lambda: call.playPCM([], loop=True),
            lambda: call.playPCM([0.5]),
            lambda: call.say(""),
            lambda: call.say(" "),
            lambda: call.playCustom(lambda t, delta: None),
        ):
            await asyncio.wait_for(play(), 2)
            done.append(call.time)

    async with phone(handler) as p:
        assert await p.hung_up(30)
    assert len(done) == 7
