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
from .node import GONE, Node, Port, building, node_type, settled, without_gone
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
        self._python: set[Node] = set()  # nodes whose samples Python makes
        self._preparing: set[Node] = set()  # nodes that get ready for what they are wired to
        self.clock = np.zeros(1, np.int64)  # frames run, counted by the audio thread
        self.plan: Plan | None = None
        self.on_touch: Callable[[Graph], Any] = lambda graph: None
        self.live = False  # a thread runs its frames, and waits for nobody
        self.on_error: Callable[[Node, Exception], Any] = _raise  # what a node has no sound for went wrong; any thread
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
            self.check(node)
            for name, wire in node.wires.items():
                if wire is None:
                    raise ValueError(f"{title(node)}: '{name}' must be given: a number, a node or a node's output")
        for node in walk(nodes, Node.written) if any(node.in_python for node in found) else ():
            if node.in_python and (_feeds(node, node) or node is feeding or (feeding and _feeds(feeding, node))):
                raise ValueError(
                    f"{title(node)} is in a cycle, and its function is heard some frames late: it would not be the "
                    "cycle that is written; write the function as a @kernel, or take it out of the cycle"
                )
        for node in found:
            if node.graph is None and node.claimed is None:
                node.claimed = self
                self._claimed.append(node)
                if node.in_python:
                    self._python.add(node)

    def check(self, node: Node) -> None:
        """ValueError if it cannot sound here, because it does elsewhere or belongs to another call."""
        holder = node.graph or node.claimed
        if holder not in (None, self):
            raise ValueError(f"{title(node)} sounds in {holder.name} already; build another one for {self.name}")
        if node.home not in (None, self):
            raise ValueError(f"{title(node)} belongs to {node.home.name}, it cannot sound in {self.name}")

    def _unclaim(self) -> None:
        for node in self._claimed:
            node.claimed = None
            self._python.discard(node)
        self._claimed = []

    def _left(self, node: Node) -> None:
        """It is not in the plan any more."""
        node.graph = None
        self._preparing.discard(node)
        try:
            node.leave()
        except Exception as error:
            log.error("%s: %s: %s", self.name, title(node), error)
        if node.in_python:
            self._python.discard(node)
            self.on_python(node)
        if not node.stands_in:
            self._settle(node)

    def prepare(self) -> None:
        """A number is going to be another one: let the nodes that it may come to get ready for it."""
        for node in self._preparing:
            node.prepare()

    def touch(self) -> None:
        self.on_touch(self)

    def rewire(self, node: Node, name: str, new: Any, over: int = FRAME) -> None:
        """Wire an input of a node anew, if that can sound: what sounds already goes over to it in `over` samples."""
        sources = [port.node for port in (new if isinstance(new, list) else [new]) if isinstance(port, Port)]
        if not self._python:  # what sounds here has been looked at; only Python minds what it becomes a part of
            sources = [one for one in sources if one.graph is not self]
        self.claim(*sources, feeding=node)
        self.replace(node, name, new, over)

    def replace(self, node: Node, name: str, new: Any, over: int = FRAME) -> None:
        """The same for what has been claimed."""
        old = node.wires[name]
        if node.graph is None:
            wire = new
        elif isinstance(old, list):
            size = max(len(old), len(new))
            padded = zip(old + [GONE] * (size - len(old)), new + [GONE] * (size - len(new)), strict=True)
            wire = without_gone([self._between(a, b, over) for a, b in padded])
        elif isinstance(new, float):
            wire = self._moved(old, new, over, name)
        else:
            wire = self._between(old, new, over)
        if wire is not old:
            node.wires[name] = wire
            _tell(node, name)
            self.touch()

    def _moved(self, old: Any, new: float, over: int, name: str) -> Any:
        """A number that changes is a node from then on: changing it again makes no new plan."""
        if isinstance(settled(old), Port):
            old = self._heard(old)
        end = old
        while isinstance(end, Port) and end.node.stands_in and isinstance(end.node.becomes, Port):
            end = end.node.becomes
        if isinstance(end, Port) and end.node.stands_in:
            end.node.set(new, over / RATE)  # type: ignore[attr-defined]
            return old
        if old == new:
            return new
        held: Any = _stand_in("constant", value=old if isinstance(old, float) else new, name=name)
        if not isinstance(old, float):
            return self._between(old, held.port(), over)
        held.set(new, over / RATE)
        return held.port()

    def _between(self, old: Any, new: Any, over: int) -> Any:
        """What is on a wire while one signal takes over from another: a node, or the signal if it is there already."""
        on_its_way = isinstance(old, Port) and old.node.stands_in and _same(settled(old), new)
        if on_its_way and vars(old.node).get("over", 0) <= over:
            return old
        old = self._heard(old)
        if _same(old, new):
            return new
        passing = _stand_in("handover", a=old, b=new, over=over)
        _tell(passing, "a")
        self.listen(passing, "done", lambda sample, value: self._arrived(passing))
        return passing.port()

    def _arrived(self, passing: Node) -> None:
        """It is all the new signal: who is wired to it is wired to that."""
        node, name = passing.holder
        wire, port = node.wires[name], passing.port()
        if isinstance(wire, list) and port in wire:
            node.wires[name] = without_gone([passing.becomes if one is port else one for one in wire])
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
            node.wires[name] = settled(wire)

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
            self.check(node)
        self.plan = plan
        self._unclaim()
        for node in left:
            self._left(node)
            self.forget(node)
        for node in came:
            node.graph = self
            if type(node).prepare is not Node.prepare:
                node.prepare()
                self._preparing.add(node)
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
        self.on_error = lambda node, error: None


def _raise(node: Node, error: Exception) -> None:
    raise error


def _stand_in(kind: str, **values: Any) -> Node:
    """A node that is on a wire while that changes: no part of a patch that may be being built."""
    outer = building.set(None)
    try:
        node = node_type(kind)(**values)
    finally:
        building.reset(outer)
    node.stands_in = True
    return node


def _same(one: Any, other: Any) -> bool:
    return one is other or (one == other and one is not GONE and other is not GONE)


def _tell(node: Node, name: str) -> None:
    """Let those that stand in on a wire know where it leads."""
    wire = node.wires[name]
    for one in wire if isinstance(wire, list) else [wire]:
        if isinstance(one, Port) and one.node.stands_in:
            one.node.holder = node, name


def title(node: Node) -> str:
    """What errors call a node: its type, and the name that a patch gave it."""
    return f"{node.type} '{node.name}'" if node.name else node.type


def _feeds(node: Node, other: Node) -> bool:
    """Does a node's sound come, as it is written, to the inputs of the other?"""
    sources = [port.node for port in other.written()]
    return node in walk(sources, Node.written)


def walk(nodes: Any, sources: Callable[[Node], list[Port]] = Node.sources) -> Iterator[Node]:
    """These nodes and all that is wired to them, each once."""
    waiting = list(nodes)
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        yield node
        for port in sources(node):
            if port.node not in seen:
                seen.add(port.node)
                waiting.append(port.node)
