"""Delays have the memory that their time needs, whatever brings it."""

import asyncio
import json

import numpy as np
import pytest

from graphvoip import Param, patch, render
from graphvoip.graph import Graph
from graphvoip.nodes import Constant, Delay, Echo, Pcm, Recorder, Sine
from graphvoip.patchfile import parse_patch


def first(samples):
    """Seconds after which it is heard."""
    return np.flatnonzero(np.abs(samples) > 0.01)[0] / 8000


def click():
    return Pcm(data=np.append(np.zeros(800), [0.9]))


def edited(node, edit, seconds):
    """What a node makes that is edited after 1.4 s."""
    graph, recorder = Graph(), Recorder(node, limit=round(8000 * seconds))
    graph.add(recorder)
    for frame in range(round(50 * seconds)):
        if frame == 70:
            edit(node)
        graph.compile()
        graph.plan.run()
    return recorder.recorded()


def test_what_is_on_its_way_when_the_memory_grows_is_kept():
    """A click that is 0.4 s old when the time goes from 0.5 s to 3 s is heard after 3 s."""
    node = Delay(Pcm(data=np.append(np.zeros(8000), [0.9])), time=0.5)
    assert first(edited(node, lambda node: setattr(node, "time", 3), 4.1)) == pytest.approx(4)


@pytest.mark.parametrize("kind", [Delay, lambda *args, **kw: Echo(*args, mix=1, **kw)], ids=["delay", "echo"])
class TestMemory:
    """It follows whatever brings the time: 3 s were 1 s once, without a word."""

    def test_a_parameter_at_its_start_and_when_it_is_set(self, kind):
        @patch
        def late(time=Param(0.25, "s", 0.001, 5)):
            return kind(click(), time=time)

        assert first(render(late(time=3), seconds=4)) == pytest.approx(3.1)
        set_before = late(time=2.9)
        set_before.set("time", 3)
        assert first(render(set_before, seconds=4)) == pytest.approx(3.1, abs=0.1)

    def test_arithmetic_with_a_parameter(self, kind):
        @patch
        def late(time=Param(250, "ms", 1, 5000), more=Param(2.0)):
            return kind(click(), time=time / 1000 * more + 2 - 1)

        assert first(render(late(time=1500), seconds=5)) == pytest.approx(4.1)

    def test_a_score_and_a_file(self, kind):
        node = {"type": kind(0.0).type, "input": "sound", "time": "late"}
        document = {
            "graphvoip": 1,
            "params": {"late": 0.25},
            "nodes": {
                "sound": {"type": "pcm", "data": [0.0] * 800 + [0.9]},
                "far": node | ({"mix": 1} if node["type"] == "echo" else {}),
            },
            "out": "far",
        }
        recipe = parse_patch(json.dumps(document))
        assert first(render(recipe(late=3), seconds=4)) == pytest.approx(3.1)
        scored = parse_patch(json.dumps(document | {"score": [[0, "late", 3, {"over": 0}]]}))
        assert first(render(scored(), seconds=4)) == pytest.approx(3.1)

    def test_an_edit_before_it_sounds(self, kind):
        node = kind(click(), time=0.2)
        node.time = 3
        assert first(render(node, seconds=4)) == pytest.approx(3.1)

    def test_an_edit_while_it_sounds(self, kind):
        """An echo glides to it, 2.5 s in 5 s."""
        for start, edit in (
            (0.5, lambda node: setattr(node, "time", 3)),
            (Constant(value=0.5), lambda node: node.time.node.set(3)),
        ):
            node = kind(Pcm(data=np.append(np.zeros(56_000), [0.9])), time=start)
            assert first(edited(node, edit, 10.1)) == pytest.approx(10)

    def test_what_nobody_can_know_is_told_once_with_the_node_and_the_limit(self, kind, caplog):
        node = kind(click(), time=Sine(freq=0) + 2.96, name="far")
        assert first(render(node, seconds=4)) == pytest.approx(1.1)
        name = node.type
        assert [one.message for one in caplog.records] == [
            f"render: {name} 'far': time 2.96 s is longer than its memory of 1 s and is held there; give it longest=3"
        ]
        caplog.clear()
        far = kind(click(), time=Sine(freq=0) + 100, longest=60, name="far")
        render(far, seconds=0.1)
        assert [one.message for one in caplog.records] == [
            f"render: {name} 'far': time 100 s is longer than its memory of 60 s and is held there"
        ]

    def test_enough_memory_is_not_told_of(self, kind, caplog):
        node = kind(click(), time=Sine(freq=0) + 2.5, longest=2.5)
        assert first(render(node, seconds=4)) == pytest.approx(2.6)
        assert not caplog.records


def set_in_a_patch(call):
    @patch
    def late(time=Param(0.5, "s", 0, 5)):
        return Delay(click(), time=time)

    synth = call.play(late())
    return lambda: setattr(synth, "time", 3)


def edited_in_place(call):
    delay = Delay(click(), time=0.5)
    call.play(delay)
    return lambda: setattr(delay, "time", 3)


def reloaded(call):
    def late(seconds):
        return patch(lambda: Delay(click(), time=seconds, name="far"))()

    synth = call.play(late(0.5))
    return lambda: synth.reload(late(3))


@pytest.mark.parametrize("begin", [set_in_a_patch, edited_in_place, reloaded])
async def test_a_time_that_becomes_longer_on_a_call(phone, begin):
    async def handler(call):
        make_longer = begin(call)
        await asyncio.sleep(0.2)
        make_longer()
        await asyncio.sleep(4)

    async with phone(handler) as p:
        assert await p.hung_up(10)
    assert first(np.array(p.heard)) == pytest.approx(3.1, abs=0.1)


async def test_a_call_is_told_what_is_held(phone, caplog):
    async def handler(call):
        call.play(Delay(click(), time=Sine(freq=0) + 3))
        await asyncio.sleep(0.2)

    async with phone(handler) as p:
        assert await p.hung_up(10)
    said = "delay: time 3 s is longer than its memory of 1 s and is held there; give it longest=3"
    assert [one.message for one in caplog.records] == [f"{p.call.id}: {said}"]
