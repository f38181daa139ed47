"""A graph -> a plan: the order, the loops and the addresses. Running one frame of it is one native call.

A plan is one array of integers. Building it is all that Python does; running it never touches Python, takes no lock,
allocates nothing and compiles nothing.

A cycle runs sample by sample, and the wire that closes it is read one sample late. That wire's address is just 4 bytes
lower: every buffer has a float before its first sample, where the last sample of the frame before is carried to.
"""

import itertools
import struct
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from .kernel import FLUSH, OPTIONS, call_kernel, float_mode, floats_at, native, set_float_mode, words_at
from .node import Node, Port, aligned
from .rings import FRAME

# A plan's header: how many steps, groups, carries and events, where each table begins, and the graph's frame counter.
STEPS, GROUPS, CARRIES, EVENTS, STEPS_AT, GROUPS_AT, CARRIES_AT, EVENTS_AT, CLOCK_AT = range(9)
HEADER = 9
STEP, GROUP, EVENT = 4, 3, 2  # words a row


@njit(nogil=True, **OPTIONS)
def run_plan(address, start, stop):
    """Run samples start..stop of a frame of the plan at an address."""
    header = words_at(address, HEADER)
    steps = words_at(header[STEPS_AT], header[STEPS] * STEP)
    groups = words_at(header[GROUPS_AT], header[GROUPS] * GROUP)
    for g in range(0, groups.size, GROUP):
        first, last, is_loop = groups[g], groups[g + 1], groups[g + 2]
        size = 1 if is_loop else stop - start  # a cycle runs sample by sample
        for t in range(start, stop, size):
            for k in range(STEP * first, STEP * last, STEP):
                call_kernel(steps[k], steps[k + 1], steps[k + 2], steps[k + 3], t, t + size)
    if stop == FRAME:
        carries = words_at(header[CARRIES_AT], header[CARRIES])
        for k in range(carries.size):
            buffer = floats_at(carries[k] - 4, FRAME + 1)
            buffer[0] = buffer[FRAME]


@native("void(int64, int64)", at_once=False)
def run_frame(address, frames):
    """Run whole frames, for a graph that has no far end: rendering and measuring."""
    mode = float_mode()
    set_float_mode(mode | FLUSH)
    for _ in range(frames):
        run_plan(address, 0, FRAME)
        words_at(words_at(address, HEADER)[CLOCK_AT], 1)[0] += 1
    set_float_mode(mode)


@native("int64(int64, int64)", at_once=False)
def run_to_event(address, frames):
    """Run whole frames, up to the one in which the first event happens: how many have been run."""
    header = words_at(address, HEADER)
    events = words_at(header[EVENTS_AT], header[EVENTS] * EVENT)
    mode = float_mode()
    set_float_mode(mode | FLUSH)
    done, found = 0, False
    while done < frames and not found:
        run_plan(address, 0, FRAME)
        words_at(header[CLOCK_AT], 1)[0] += 1
        done += 1
        for k in range(0, events.size, EVENT):
            found = found or words_at(events[k], 1)[0] != 0
    set_float_mode(mode)
    return done


class Flat:
    """A number as a signal: a buffer filled once."""

    __slots__ = ("__weakref__", "address", "memory")

    def __init__(self, value: float):
        self.memory, self.address = aligned(4 * FRAME)
        self.memory.view(np.float32)[:] = value


_flats: weakref.WeakValueDictionary[float, Flat] = weakref.WeakValueDictionary()


def flat(value: float) -> Flat:
    """One for all the inputs of that value."""
    found = _flats.get(value)
    if found is None:
        found = _flats[value] = Flat(value)
    return found


def _walked(roots: Iterable[Node], sources: Callable[[Node], list[Node]]) -> tuple[dict[Node, None], bool]:
    """The nodes that the roots need, in the order in which a depth-first walk along the wires finishes them: sources
    before what they feed. And whether there is a cycle, in which that cannot be. sources is asked once for each node.
    """
    begun: set[Node] = set()
    finished: dict[Node, None] = {}
    cyclic = False
    path = list(roots)
    path.reverse()
    while path:
        node = path[-1]
        if node in begun:  # and so are all its sources
            path.pop()
            finished.setdefault(node)
            continue
        begun.add(node)
        for source in reversed(sources(node)):
            if source not in begun:
                path.append(source)
            elif source not in finished:  # we are on a way that began there
                cyclic = True
    return finished, cyclic


def _grouped(nodes: dict[Node, None], sources: Callable[[Node], list[Node]]) -> list[list[Node]]:
    """Nodes among which there are cycles: each cycle's together, at the place where the last of them was finished."""
    import networkx as nx  # here, because it takes longer to import than all the rest of this package

    places = {node: place for place, node in enumerate(nodes)}
    needs = nx.DiGraph((node, source) for node in nodes for source in sources(node))
    needs.add_nodes_from(nodes)
    groups = [sorted(part, key=places.__getitem__) for part in nx.strongly_connected_components(needs)]
    return sorted(groups, key=lambda part: places[part[-1]])


def order(roots: Iterable[Node]) -> list[list[Node]]:
    """The nodes that the roots need, as it is written, in groups: sources first, and a group of several is a cycle.

    The order depends on the wires only, so two runs make the same sound.
    """

    def sources(node: Node) -> list[Node]:
        return [port.node for port in node.written()]

    nodes, cyclic = _walked(roots, sources)
    return _grouped(nodes, sources) if cyclic else [[node] for node in nodes]


class Row(NamedTuple):
    """What a plan takes from a node: machine words as bytes. It holds as long as the node's wires are what they are."""

    step: bytes  # its code, its state, and where in its words its inputs and its outputs begin
    words: bytes  # a table of signals [count, address ...] if it has one, the addresses of its inputs, of its outputs
    table: int | None  # the input that is such a table; its address is known when the words have their place
    events: bytes  # the words of its events in its state, and how they are called
    reads: list[tuple[int, Port]]  # where in its words there are outputs of other nodes
    sources: list[Node]  # those nodes
    flats: list[Flat]  # numbers that it reads


def row_of(node: Node) -> Row:
    wires = node.wires
    version, row = wires.version, wires.row
    if row is None:
        row = wires.row = _row(node)
        if wires.version != version:  # another thread has changed them meanwhile
            wires.row = None
    return row


def _row(node: Node) -> Row:
    node.prepare()
    wires = list(node.wires.values())
    many = wires.pop() if wires and isinstance(wires[-1], list) else None  # a slot of Signals is the last one
    words = [] if many is None else [len(many)]
    reads: list[tuple[int, Port]] = []
    flats: list[Flat] = []
    for wire in [*(many or ()), *wires]:
        if isinstance(wire, Port):
            reads.append((len(words), wire))
            words.append(wire.address)
        elif wire is None:
            missing = next(name for name, one in node.wires.items() if one is None)
            raise ValueError(f"{node.name or node.type}: '{missing}' must be given")
        else:
            flats.append(flat(wire))
            words.append(flats[-1].address)
    inputs_at = len(words) - len(wires)
    table = None if many is None else len(words)
    words += [] if many is None else [0]
    step = (node.kernel, node.state_address, 8 * inputs_at, 8 * len(words))
    words += [port.address for port in node._ports.values()]
    events = [word for k in range(len(node.slots.events)) for word in (node.state_address + 8 * k, node.id << 4 | k)]
    return Row(_bytes(step), _bytes(words), table, _bytes(events), reads, [port.node for _, port in reads], flats)


def _bytes(words: Sequence[int]) -> bytes:
    return struct.pack(f"{len(words)}q", *words)


def _joined(parts: Iterable[bytes]) -> np.ndarray:
    return np.frombuffer(b"".join(parts), np.int64)


class Plan:
    """A compiled graph. It keeps its nodes, so their memory lives as long as the plan may run."""

    def __init__(self, roots: Iterable[Node], clock: np.ndarray | None = None):
        self.clock = np.zeros(1, np.int64) if clock is None else clock  # frames that the graph has run
        self.loops: list[list[Node]] = []
        rows: dict[Node, Row] = {}

        def sources(node: Node) -> list[Node]:
            row = rows[node] = node.wires.row or row_of(node)
            return row.sources

        self.nodes, cyclic = _walked(roots, sources)  # a dict that is used as an ordered set
        late: list[tuple[Node, int]] = []
        carries: dict[int, None] = {}
        groups = [(0, len(self.nodes), False)]
        if cyclic:
            groups = self._close_cycles(rows, late, carries)
        self._rows = [rows[node] for node in self.nodes]
        self._lay_out(groups, list(carries), late)

    def _close_cycles(
        self, rows: dict[Node, Row], late: list[tuple[Node, int]], carries: dict[int, None]
    ) -> list[tuple[int, int, bool]]:
        """Put each cycle's nodes together; the wires that close them are read a sample late.

        Gives the groups of steps: the first, the one after the last, whether they are a loop. late: the words, by their
        place in their node's, that are such wires; carries: the buffers whose last sample goes over to the next frame.
        """
        groups: list[tuple[int, int, bool]] = []
        done: dict[Node, None] = {}
        for part in _grouped(self.nodes, lambda node: rows[node].sources):
            first, wires = len(done), len(late)
            for node in part:
                for place, port in rows[node].reads:
                    if port.node not in done:
                        late.append((node, place))
                        carries[port.address] = None
                done[node] = None
            is_loop = len(late) > wires
            if is_loop:
                self.loops.append(part)
            if groups and not is_loop and not groups[-1][2]:
                first = groups.pop()[0]
            groups.append((first, len(done), is_loop))
        self.nodes = done
        return groups

    def _lay_out(self, groups: list[tuple[int, int, bool]], carries: list[int], late: list[tuple[Node, int]]) -> None:
        """Put everything into one array and turn places into addresses."""
        steps, words, tables, events = [*zip(*(row[:4] for row in self._rows), strict=True)] or [()] * 4
        parts = (np.zeros(HEADER, np.int64), _joined(steps), np.array(groups, np.int64).ravel(),
                 np.array(carries, np.int64), _joined(events), _joined(words))  # fmt: skip
        table = self.table = np.concatenate(parts)
        self.address = table.ctypes.data
        _, *at, words_at, _ = itertools.accumulate((8 * part.size for part in parts), initial=self.address)
        counts = (len(steps), len(groups), len(carries), sum(map(len, events)) // (8 * EVENT))
        table[:HEADER] = (*counts, *at, self.clock.ctypes.data)
        *bases, _ = itertools.accumulate(map(len, words), initial=words_at)  # where each node's words begin
        table[HEADER : HEADER + STEP * len(steps)].reshape(-1, STEP)[:, 2:] += np.array(bases, np.int64)[:, None]
        for base, place in zip(bases, tables, strict=True):
            if place is not None:
                table[(base - self.address) // 8 + place] = base
        places = dict(zip(self.nodes, bases, strict=True)) if late else {}
        for node, place in late:
            table[(places[node] - self.address) // 8 + place] -= 4

    def run(self, frames: int = 1) -> None:
        """Run it here and now: only for a graph that no engine runs."""
        run_frame(self.address, frames)

    def taken_events(self) -> list[tuple[int, int, int]]:
        """Events of a plan that is run by hand: (token, sample in the frame, value); the words are set back."""
        found = []
        for node in self.nodes:
            for k, name in enumerate(node.slots.events):
                word = int(node.state[name])
                if word:
                    node.state[name] = 0
                    found.append((node.id << 4 | k, (word & 0xFFFF) - 1, word >> 16))
        return found


def describe(plan: Plan) -> dict[str, Any]:
    """What a plan is made of, for people and tests: the order by type, the loops, the number of delayed wires."""
    return {
        "order": [node.type for node in plan.nodes],
        "loops": [[node.type for node in loop] for loop in plan.loops],
        "delayed wires": int(plan.table[CARRIES]),
    }
