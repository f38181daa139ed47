"""The model of what sounds: one graph of nodes, its roots and its edits.

A graph is made of its roots, the nodes that are pulled though nothing listens to them (line_out, recorders, sinks), and
of all that is wired to them. An edit changes roots or wires and says so with `touch`; the engine makes one plan of all
the edits of one step of the event loop.
"""

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .bus import Buses
from .node import Node, Port, node_type, settled
from .plan import Plan
from .rings import FRAME, RATE

if TYPE_CHECKING:
    import networkx as nx

log = logging.getLogger("graphvoip")


class Graph:
    """name: what errors call it, "call 3". on_touch(graph) is told of edits; the engine sets it."""

    def __init__(self, name: str = "graph"):
        self.name = name
        self.roots: dict[Node, int] = {}  # and for how many it is one
        self._claimed: list[Node] = []  # nodes that are not in a plan yet
        self._python: set[Node] = set()  # nodes of the plan whose samples Python makes
        self.clock = np.zeros(1, np.int64)  # frames run, counted by the audio thread
        self.plan: Plan | None = None
        self.on_touch: Callable[[Graph], Any] = lambda graph: None
        self.on_python: Callable[[Node], Any] = lambda node: None  # a node whose samples Python makes has come, or left
        self.buses = Buses(self.clock)  # an engine gives its own, which all its calls share
        self._listeners: dict[int, list[Callable[[int, int], Any]]] = {}

    def add(self, root: Node) -> None:
        """Pull this node, and what it needs, in every frame."""
        self.claim(root)
        self.roots[root] = self.roots.get(root, 0) + 1
        self.touch()

    def remove(self, root: Node) -> None:
        """Pull it no more; it stays as long as it has been added by others too."""
        if root not in self.roots:
            return
        self.roots[root] -= 1
        if not self.roots[root]:
            del self.roots[root]
            self.forget(root)
            self.touch()

    def claim(self, *nodes: Node, feeding: Node | None = None) -> None:
        """Refuse what cannot sound here, before anything is changed; what can is ours from now on.

        Refused is a node that sounds elsewhere (it would run twice a frame), an input without a wire, and a cycle
        through a node that runs Python; feeding: the node that they are going to be wired to.
        """
        found = list(walk(nodes))
        for node in found:
            self._check(node)
            for name, wire in node.wires.items():
                if wire is None:
                    raise ValueError(f"{title(node)}: '{name}' must be given: a number, a node or a node's output")
            around = [port.node for port in node.sources()] if node.in_python else []
            if node in walk(around) or (feeding and node.in_python and feeding in walk([node])):
                raise ValueError(
                    f"{title(node)} is in a cycle, and its function is heard some frames late: it would not be the "
                    "cycle that is written; write the function as a @kernel, or take it out of the cycle"
                )
        for node in found:
            if node.graph is None and node.claimed is None:
                node.claimed = self
                self._claimed.append(node)

    def _check(self, node: Node) -> None:
        holder = node.graph or node.claimed
        if holder not in (None, self):
            raise ValueError(f"{title(node)} sounds in {holder.name} already; build another one for {self.name}")
        if node.home not in (None, self):
            raise ValueError(f"{title(node)} belongs to {node.home.name}, it cannot sound in {self.name}")

    def _unclaim(self) -> None:
        for node in self._claimed:
            node.claimed = None
        self._claimed = []

    def _left(self, node: Node) -> None:
        """It is not in the plan any more."""
        node.graph = None
        try:
            node.leave()
        except Exception as error:
            log.error("%s: %s: %s", self.name, title(node), error)
        if node.in_python:
            self._python.discard(node)
            self.on_python(node)
        if not node.stands_in:
            self._settle(node)

    def touch(self) -> None:
        self.on_touch(self)

    def hand_over(self, node: Node, name: str, new: Any, over: int = FRAME) -> None:
        """Wire an input of a node that sounds anew: the new signal takes over from the old within `over` samples."""
        old = node.wires[name]
        ports = new if isinstance(new, list) else [new]
        sources = [port.node for port in ports if isinstance(port, Port)]
        if not self._python:  # what sounds here has been looked at; only Python minds what it becomes a part of
            sources = [one for one in sources if one.graph is not self]
        self.claim(*sources, feeding=node)
        if isinstance(old, list):
            size = max(len(old), len(new))
            padded = zip(old + [GONE] * (size - len(old)), new + [GONE] * (size - len(new)), strict=True)
            node.wires[name] = _kept([self._between(a, b, over) for a, b in padded])
        elif isinstance(new, float):
            node.wires[name] = self._moved(old, new, over, name)
        else:
            node.wires[name] = self._between(old, new, over)
        _tell(node, name)
        self.touch()

    def _moved(self, old: Any, new: float, over: int, name: str) -> Any:
        """A number that changes is a node from then on: changing it again makes no new plan."""
        held: Any = old.node if isinstance(old, Port) and isinstance(settled(old), float) else None
        if held is None or held.type != "constant" or held.graph is None:
            old = self._heard(old)
            if isinstance(old, Port) or old == new:
                return self._between(old, new, over)
            held = node_type("constant")(value=old, name=name)
            held.stands_in = True
        held.set(new, over / RATE)
        return held.port()

    def _between(self, old: Any, new: Any, over: int) -> Any:
        """What is on a wire while one signal takes over from another: a node, or the signal if it is there already."""
        if isinstance(old, Port) and old.node.stands_in and settled(old) == new and vars(old.node)["over"] <= over:
            return old  # on its way
        old = self._heard(old)
        if old == new:
            return new
        passing = node_type("handover")(old, new, over=over)
        _tell(passing, "a")
        self.listen(passing, "done", lambda sample, value: self._arrived(passing))
        return passing.port()

    def _arrived(self, passing: Node) -> None:
        """It is all the new signal: who is wired to it is wired to that."""
        node, name = passing.holder
        wire, port = node.wires[name], passing.port()
        if isinstance(wire, list) and port in wire:
            node.wires[name] = _kept([passing.becomes if one is port else one for one in wire])
            self.touch()
        elif wire is port:
            node.wires[name] = passing.becomes
            self.touch()

    def _heard(self, wire: Any) -> Any:
        """What sounds on a wire now: an edit that was edited again before its first frame has never been."""
        while isinstance(wire, Port) and wire.node.stands_in and wire.node.graph is None:
            self.forget(wire.node)
            wire = wire.node.was
        return wire

    def _settle(self, node: Node) -> None:
        """A node that leaves keeps what its wires were to become."""
        for name, wire in node.wires.items():
            for one in wire if isinstance(wire, list) else [wire]:
                self._heard(one)
            node.wires[name] = [settled(one) for one in wire] if isinstance(wire, list) else settled(wire)

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
        before = self.plan.nodes if self.plan else {}
        came = [node for node in plan.nodes if node not in before]
        left = [node for node in before if node not in plan.nodes]
        for node in came:
            self._check(node)
        self.plan = plan
        self._unclaim()
        for node in left:
            self._left(node)
            self.forget(node)
        for node in came:
            node.graph = self
            try:
                node.join(self)
            except Exception as error:  # a disk that is full, say: the others sound
                log.error("%s: %s: %s", self.name, title(node), error)
            if node.in_python:
                self._python.add(node)
                self.on_python(node)
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
            self._left(node)
        self._unclaim()
        self.roots.clear()
        self._listeners.clear()
        self.plan = None
        self.on_touch = lambda graph: None
        self.on_python = lambda node: None


GONE = float("-0")  # an input that a list of them has no more, until its sound has faded; known by its identity


def _kept(wires: list[Any]) -> list[Any]:
    """Without the inputs at the end that are gone."""
    while wires and wires[-1] is GONE:
        wires.pop()
    return wires


def _tell(node: Node, name: str) -> None:
    """Let those that stand in on a wire know where it leads."""
    wire = node.wires[name]
    for one in wire if isinstance(wire, list) else [wire]:
        if isinstance(one, Port) and one.node.stands_in:
            one.node.holder = node, name


def title(node: Node) -> str:
    """What errors call a node: its type, and the name that a patch gave it."""
    return f"{node.type} '{node.name}'" if node.name else node.type


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
