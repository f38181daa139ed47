"""The model of what sounds: roots and what they need, whose node is whose, and what listeners hear."""

import pytest

from graphvoip.graph import Graph, walk
from graphvoip.nodes import Gain, Mix, Sine, Tone


def test_a_graph_is_its_roots_and_all_that_they_need():
    graph = Graph("call 1")
    source, unheard = Sine(), Sine()
    root = Mix(Gain(source, 0.5), source)
    graph.add(root)
    graph.compile()
    assert {node.type for node in graph.plan.nodes} == {"sine", "gain", "mix"}
    assert source.graph is graph
    assert unheard.graph is None


def test_a_node_that_leaves_may_sound_elsewhere():
    one, other = Graph("call 1"), Graph("call 2")
    root = Gain(Sine(), 0.5)
    one.add(root)
    one.compile()
    with pytest.raises(ValueError, match="gain sounds in call 1 already; build another one for call 2"):
        other.add(root)
    assert not other.roots
    one.remove(root)
    one.compile()
    other.add(root)
    other.compile()
    assert root.graph is other


def test_a_refused_edit_changes_nothing():
    one, other = Graph("call 1"), Graph("call 2")
    shared = Sine()
    one.add(shared)
    one.compile()
    other.compile()
    touched = []
    other.on_touch = touched.append
    with pytest.raises(ValueError, match="sounds in call 1"):
        other.add(Mix(Gain(shared, 0.5)))
    assert not touched
    assert not other.roots


def test_nodes_that_have_left_are_not_heard():
    graph, heard = Graph(), []
    tone = Tone()
    graph.add(tone)
    graph.listen(tone, "done", lambda sample, value: heard.append((sample, value)))
    graph.compile()
    graph.hear(tone.id << 4, 5, 7)
    graph.remove(tone)
    graph.compile()
    graph.hear(tone.id << 4, 6, 8)
    assert heard == [(5, 7)]


def test_the_model_has_every_wire_by_name():
    graph = Graph("call 1")
    sine, gain = Sine(), Gain(0.0, 0.5)
    mix = Mix(sine, gain)
    gain.input = mix
    graph.add(mix)
    edges = {(a.type, b.type, data["output"], data["input"]) for a, b, data in graph.model().edges(data=True)}
    assert edges == {
        ("sine", "mix", "out", "inputs"),
        ("gain", "mix", "out", "inputs"),
        ("mix", "gain", "out", "input"),
    }
    assert graph.model().nodes[mix] == {"type": "mix", "root": True}


def test_a_walk_meets_each_node_once():
    source = Sine()
    mix = Mix(source, Gain(source, 1.0), source)
    assert sorted(node.type for node in walk([mix, source])) == ["gain", "mix", "sine"]
