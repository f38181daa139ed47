"""A graph -> a plan: the order, the loops and the addresses. Running one frame of it is one native call.

A plan is one array of integers. Building it is all that Python does; running it never touches Python, takes no lock,
allocates nothing and compiles nothing.

A cycle runs sample by sample, and the wire that closes it is read one sample late. That wire's address is just 4 bytes
lower: every buffer has a float before its first sample, where the last sample of the frame before is carried to.
"""

import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np
from numba import njit

from .kernel import FLUSH, OPTIONS, call_kernel, float_mode, floats_at, native, set_float_mode, words_at
from .node import LEAD, Node, Port, frame_buffer
from .rings import FRAME

# A plan's header: how many steps, groups, carries and events, where each table begins, and the graph's frame counter.
STEPS, GROUPS, CARRIES, EVENTS, STEPS_AT, GROUPS_AT, CARRIES_AT, EVENTS_AT, CLOCK_AT = range(9)
HEADER = 9
STEP, GROUP, EVENT = 4, 3, 2  # words a row


@njit(nogil=True, **OPTIONS)
def run_plan(address, start, stop):
    """Run samples start..stop of a frame of the plan at an address."""
    header = words_at(address, HEADER)
    steps = words_at(header[STEPS_AT], header[STEPS] * STEP).reshape(-1, STEP)
    groups = words_at(header[GROUPS_AT], header[GROUPS] * GROUP).reshape(-1, GROUP)
    for g in range(groups.shape[0]):
        first, last, is_loop = groups[g]
        if is_loop:
            for t in range(start, stop):
                for k in range(first, last):
                    call_kernel(steps[k, 0], steps[k, 1], steps[k, 2], steps[k, 3], t, t + 1)
        else:
            for k in range(first, last):
                call_kernel(steps[k, 0], steps[k, 1], steps[k, 2], steps[k, 3], start, stop)
    if stop == FRAME:
        carries = words_at(header[CARRIES_AT], header[CARRIES])
        for k in range(carries.size):
            buffer = floats_at(carries[k] - 4, FRAME + 1)
            buffer[0] = buffer[FRAME]


@native("void(int64, int64)")
def run_frame(address, frames):
    """Run whole frames, for a graph that has no far end: rendering and measuring."""
    mode = float_mode()
    set_float_mode(mode | FLUSH)
    for _ in range(frames):
        run_plan(address, 0, FRAME)
        words_at(words_at(address, HEADER)[CLOCK_AT], 1)[0] += 1
    set_float_mode(mode)


@native("int64(int64, int64)")
def run_to_event(address, frames):
    """Run whole frames, up to the one in which the first event happens: how many have been run."""
    header = words_at(address, HEADER)
    events = words_at(header[EVENTS_AT], header[EVENTS] * EVENT).reshape(-1, EVENT)
    mode = float_mode()
    set_float_mode(mode | FLUSH)
    done, found = 0, False
    while done < frames and not found:
        run_plan(address, 0, FRAME)
        words_at(header[CLOCK_AT], 1)[0] += 1
        done += 1
        for k in range(events.shape[0]):
            found = found or words_at(events[k, 0], 1)[0] != 0
    set_float_mode(mode)
    return done


class Flat:
    """A number as a signal: a buffer filled once."""

    __slots__ = ("__weakref__", "address", "buffer")

    def __init__(self, value: float):
        self.buffer = frame_buffer()
        self.buffer[:] = value
        self.address = self.buffer.ctypes.data + 4 * LEAD


_flats: weakref.WeakValueDictionary[float, Flat] = weakref.WeakValueDictionary()


def flat(value: float) -> Flat:
    """One for all the inputs of that value."""
    found = _flats.get(value)
    if found is None:
        found = _flats[value] = Flat(value)
    return found


def order(roots: Iterable[Node]) -> list[list[Node]]:
    """The nodes that the roots need, in groups: sources first, a group of several (or a self-loop) is a cycle.

    The finishing order of a depth-first walk along the wires puts sources before what they feed. Where there are
    cycles, their strongly connected parts are kept together at the place where the last of each is finished. The order
    depends on the wires only, so two runs make the same sound.
    """
    finished: dict[Node, int] = {}  # a node's place in that order
    begun: set[Node] = set()
    cyclic = False
    for root in roots:
        path = [(root, root.sources())] if root not in begun else []
        begun.add(root)
        while path:
            node, sources = path[-1]
            for port in sources:
                source = port.node
                if source not in begun:
                    begun.add(source)
                    path.append((source, source.sources()))
                    break
                cyclic = cyclic or source not in finished  # we are on a way that began there
            else:
                finished[node] = len(finished)
                path.pop()
    if not cyclic:
        return [[node] for node in finished]
    import networkx as nx  # here, because it takes longer to import than all the rest of this package

    needs = nx.DiGraph((node, port.node) for node in finished for port in node.sources())
    needs.add_nodes_from(finished)
    groups = [sorted(part, key=finished.__getitem__) for part in nx.strongly_connected_components(needs)]
    return sorted(groups, key=lambda part: finished[part[-1]])


class Plan:
    """A compiled graph. It keeps its nodes, so their memory lives as long as the plan may run."""

    def __init__(self, roots: Iterable[Node], clock: np.ndarray | None = None):
        self.clock = np.zeros(1, np.int64) if clock is None else clock  # frames that the graph has run
        self.groups = order(roots)
        self.nodes = [node for group in self.groups for node in group]
        self._flats: dict[float, Flat] = {}
        self._build()

    def _build(self) -> None:
        steps: list[int] = []
        groups: list[list[int]] = []
        carries: dict[int, None] = {}
        events: list[int] = []
        wires: list[int] = []  # the kernels' tables of inputs and outputs; offsets in it become addresses below
        done: set[Node] = set()
        flats = self._flats

        def address(wire: "float | Port") -> int:
            """Where a kernel reads this wire."""
            if isinstance(wire, Port):
                if wire.node in done:
                    return wire.address
                carries[wire.address] = None
                return wire.address - 4  # not run yet: it closes a cycle
            if wire not in flats:
                flats[wire] = flat(wire)
            return flats[wire].address

        for part in self.groups:
            first, carried = len(steps) // STEP, len(carries)
            for node in part:
                inputs: list[int] = []
                for name, wire in node.wires.items():
                    if wire is None:
                        raise ValueError(f"{node.name or node.type}: '{name}' must be given")
                    if isinstance(wire, list):  # a slot of Signals: the kernel reads a table [count, address ...]
                        inputs.append(-8 - 8 * len(wires))  # an offset for now; negative, and so not an address
                        wires += [len(wire), *map(address, wire)]
                    else:
                        inputs.append(address(wire))
                steps += (node.kernel, node.state_address, 8 * len(wires), 8 * (len(wires) + len(inputs)))
                wires += inputs
                wires += [port.address for port in node._ports.values()]
                done.add(node)
                for k in range(len(node.slots.events)):
                    events += (node.state_address + 8 * k, node.id << 4 | k)
            is_loop = len(carries) > carried
            if groups and not is_loop and not groups[-1][2]:
                groups[-1][1] = len(steps) // STEP
            else:
                groups.append([first, len(steps) // STEP, is_loop])
        self._lay_out(steps, groups, list(carries), events, wires)

    def _lay_out(self, steps, groups, carries, events, wires) -> None:
        """Put everything into one array and turn offsets into addresses."""
        lengths = [HEADER, len(steps), GROUP * len(groups), len(carries), len(events), len(wires)]
        ends = np.cumsum(lengths)
        table = self.table = np.empty(ends[-1], np.int64)
        self.address = table.ctypes.data
        at = [self.address + 8 * int(end) for end in ends[:-1]]
        counts = (len(steps) // STEP, len(groups), len(carries), len(events) // EVENT)
        table[:HEADER] = (*counts, *at[:4], self.clock.ctypes.data)
        for part, first, end in zip((steps, groups, carries, events, wires), ends[:-1], ends[1:], strict=True):
            if part:
                table[first:end] = np.asarray(part, np.int64).ravel()
        rows = table[ends[0] : ends[1]].reshape(-1, STEP)
        rows[:, 2:4] += at[4]
        words = table[ends[4] : ends[5]]
        words[words < 0] = at[4] - 8 - words[words < 0]

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
        "loops": [[node.type for node in group] for group in plan.groups if len(group) > 1],
        "delayed wires": int(plan.table[CARRIES]),
    }
