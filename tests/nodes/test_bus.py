"""send, receive and conference: what calls say to each other, one frame later, whichever of them runs first."""

import asyncio
import gc
import itertools

import numpy as np
import pytest

from graphvoip.bus import Buses
from graphvoip.graph import Graph
from graphvoip.nodes import Conference, Gain, Receive, Send, Sine
from graphvoip.plan import run_plan

N = 1600


def tone(frequency, level):
    return level * np.sin(2 * np.pi * frequency * np.arange(N) / 8000)


def calls(*nodes):
    """Graphs that share a clock and buses, as those of an engine do."""
    clock = np.zeros(1, np.int64)
    buses = Buses(clock)
    graphs = []
    for node in nodes:
        graph = Graph()
        graph.buses = buses
        graph.add(node)
        graph.compile()
        graphs.append(graph)
    return graphs, clock


def run_in(order, graphs, clock, nodes, edges=(0, 160)):
    found = [[] for _ in nodes]
    for tick in range(N // 160):
        for k in order(tick, len(graphs)):
            for start, stop in itertools.pairwise(edges):
                run_plan(graphs[k].plan.address, start, stop)
        clock[0] += 1
        for k, node in enumerate(nodes):
            found[k].append(node.samples().copy())
    return [np.concatenate(one) for one in found]


ORDERS = {
    "as they came": lambda tick, n: range(n),
    "backwards": lambda tick, n: range(n - 1, -1, -1),
    "mixed": lambda tick, n: np.random.default_rng(tick).permutation(n),
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("edges", [(0, 160), (0, 1, 77, 160)], ids=["whole", "in pieces"])
def test_what_is_sent_is_heard_a_frame_later_in_any_order(order, edges):
    sends = [Send(Sine(freq=441, amp=0.5), bus="x"), Send(Sine(freq=600, amp=0.25), bus="x")]
    nodes = [sends[0], Receive(bus="x"), sends[1], Receive(bus="other")]
    graphs, clock = calls(*nodes)
    heard = run_in(order, graphs, clock, nodes, edges)
    np.testing.assert_allclose(heard[1][160:], (tone(441, 0.5) + tone(600, 0.25))[:-160], atol=1e-5)
    np.testing.assert_array_equal(heard[1][:160], 0)
    np.testing.assert_array_equal(heard[3], 0)
    np.testing.assert_allclose(heard[0], tone(441, 0.5), atol=1e-6)


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_on_a_party_line_one_hears_the_others(order):
    levels = {441: 0.5, 600: 0.25, 1234.5: 0.125}
    nodes = [Conference(Sine(freq=freq, amp=amp), bus="party") for freq, amp in levels.items()]
    graphs, clock = calls(*nodes)
    heard = run_in(order, graphs, clock, nodes)
    for k, mine in enumerate(levels):
        others = sum(tone(freq, amp) for freq, amp in levels.items() if freq != mine)
        np.testing.assert_allclose(heard[k][160:], others[:-160], atol=1e-4)


def test_who_leaves_is_not_heard_any_more():
    send, receive = Send(Sine(freq=441), bus="x"), Receive(bus="x")
    graphs, clock = calls(send, receive)
    run_in(ORDERS["as they came"], graphs, clock, [receive])
    graphs[0].remove(send)
    graphs[0].compile()
    (heard,) = run_in(ORDERS["as they came"], graphs, clock, [receive])
    assert np.abs(heard[:160]).max() > 0.9
    assert np.abs(heard[160:]).max() == 0


def test_alone_it_is_silent(run, signal):
    assert np.abs(run(Receive(bus="x"), 2)[0]).max() == 0
    graphs, clock = calls(Receive(bus="x"))
    (heard,) = run_in(ORDERS["as they came"], graphs, clock, [next(iter(graphs[0].roots))])
    assert np.abs(heard).max() == 0


async def test_callers_hear_each_other(phone):
    async def handler(call):
        call.play(Conference(call.voice, bus="room"))
        await asyncio.sleep(1)

    async with phone(handler) as p, phone(handler) as q:
        await p.play(0.5 * np.sin(2 * np.pi * 441 * np.arange(3200) / 8000))
        await q.play(0.25 * np.sin(2 * np.pi * 600 * np.arange(3200) / 8000))
        await p.hung_up()
        await q.hung_up()
    for heard, level, pitch in ((np.array(q.heard), 0.5, 441), (np.array(p.heard), 0.25, 600)):
        loud = heard[np.abs(heard) > 0.01]
        assert np.abs(heard).max() == pytest.approx(level, abs=0.02)
        spectrum = np.abs(np.fft.rfft(heard[: len(heard) // 2 * 2]))
        assert np.argmax(spectrum) * 8000 / len(heard) == pytest.approx(pitch, abs=3)
        assert len(loud) > 2000


async def test_a_bus_does_not_outlive_who_uses_it(phone):
    buses = []

    async def handler(call):
        playing = call.play(Gain(Send(Sine(freq=441), bus="gone"), 0.1))
        await asyncio.sleep(0.1)
        buses.append(call.engine.buses)
        assert list(call.engine.buses._buses) == ["gone"]
        playing.stop()
        await asyncio.sleep(0.2)

    async with phone(handler) as p:
        await p.hung_up()
    gc.collect()
    assert list(buses[0]._buses) == []
