"""The model of what sounds: one graph of nodes, its roots and its edits.

A graph is made of its roots, the nodes that are pulled though nothing listens to them (line_out, recorders, sinks), and
of all that is wired to them. An edit changes roots or wires and says so with `touch`; the engine makes one plan of all
the edits of one step of the event loop.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .node import Node, Port
from .plan import Plan

if TYPE_CHECKING:
    import networkx as nx


class Graph:
    """name: what errors call it, "call 3". on_touch(graph) is told of edits; the engine sets it."""

    def __init__(self, name: str = "graph"):
        self.name = name
        self.roots: dict[Node, None] = {}
        self.clock = np.zeros(1, np.int64)  # frames run, counted by the audio thread
        self.plan: Plan | None = None
        self.on_touch: Callable[[Graph], Any] = lambda graph: None
        self._listeners: dict[int, list[Callable[[int, int], Any]]] = {}

    def add(self, root: Node) -> None:
        """Pull this node, and what it needs, in every frame."""
        self.claim(root)
        self.roots[root] = None
        self.touch()

    def remove(self, root: Node) -> None:
        if self.roots.pop(root, root) is None:
            self.forget(root)
            self.touch()

    def claim(self, *nodes: Node) -> None:
        """Refuse a node that sounds elsewhere, before anything is changed: it would run twice a frame."""
        for node in walk(nodes):
            self._check(node)

    def _check(self, node: Node) -> None:
        if node.graph not in (None, self):
            raise ValueError(f"{node.type} sounds in {node.graph.name} already; build another one for {self.name}")

    def touch(self) -> None:
        self.on_touch(self)

    def listen(self, node: Node, event: str, heard: Callable[[int, int], Any]) -> None:
        """Call heard(sample, value) on the event loop at every such event; sample counts from the call's start."""
        self._listeners.setdefault(node.id << 4 | list(node.slots.events).index(event), []).append(heard)

    def hear(self, token: int, sample: int, value: int) -> None:
        """An event has come from the audio thread; nodes that have left are not heard any more."""
        for heard in list(self._listeners.get(token, ())):
            heard(sample, value)

    def compile(self) -> Plan:
        """A new plan of the graph as it is now. ValueError, and the old plan stays, if a node sounds elsewhere."""
        plan = Plan(self.roots, self.clock)
        for node in plan.nodes:
            self._check(node)
        before = set(self.plan.nodes) if self.plan else set()
        self.plan = plan
        for node in before.difference(plan.nodes):
            node.graph = None
            self.forget(node)
        for node in plan.nodes:
            node.graph = self
        return plan

    def forget(self, node: Node) -> None:
        """Stop listening to a node that does not sound."""
        for k in range(len(node.slots.events) if node.graph is None else 0):
            self._listeners.pop(node.id << 4 | k, None)

    def model(self) -> "nx.MultiDiGraph":
        """What sounds as a networkx graph, to be looked at: nodes, and an edge from source to consumer for every wire.

        An edge has the names of both ends: output, input. It is a copy; edits are made on the nodes and roots.
        """
        import networkx as nx

        model = nx.MultiDiGraph(name=self.name)
        for node in walk(self.roots):
            model.add_node(node, type=node.type, root=node in self.roots)
            for name, wire in node.wires.items():
                for port in wire if isinstance(wire, list) else [wire]:
                    if isinstance(port, Port):
                        model.add_edge(port.node, node, output=port.name, input=name)
        return model

    def clear(self) -> None:
        """Let go of every node."""
        for node in self.plan.nodes if self.plan else ():
            node.graph = None
        self.roots.clear()
        self._listeners.clear()
        self.plan = None
        self.on_touch = lambda graph: None


def walk(nodes: Any) -> Iterator[Node]:
    """These nodes and all that is wired to them, each once."""
    waiting = list(nodes)
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        yield node
        for port in node.sources():
            if port.node not in seen:
                seen.add(port.node)
                waiting.append(port.node)
