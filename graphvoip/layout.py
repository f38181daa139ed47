"""A layered layout: boxes in columns from left to right, wires that go around them. Geometry only.

Columns come from the longest way to the right; within them boxes and the bends of long wires are ordered so that few
wires cross, and then moved so that wires are straight. A wire that goes back runs below the boxes at its ends.
"""

import bisect
import itertools
import math
from dataclasses import dataclass, field

BETWEEN = {(True, True): 24.0, (True, False): 14.0, (False, True): 14.0, (False, False): 9.0}  # boxes or bends
WEIGHTS = {(True, True): 1.0, (True, False): 2.0, (False, True): 2.0, (False, False): 8.0}  # how straight a wire is
NARROW, WIDE = 46.0, 130.0  # gaps between columns
SWEEPS = 24  # over all columns
MANY = 600  # boxes and bends from which on less trouble is taken
TURN = 22.0  # how far a wire that goes back swings out


@dataclass(eq=False)
class Box:
    """width and height are given, and where its ports are, from its top. The layout says where it is.

    at_end: it belongs to the right side; to_right: it stands at the right edge of its column.
    """

    width: float
    height: float
    inputs: list[float]
    outputs: list[float]
    at_end: bool = False
    to_right: bool = False
    column: int = 0
    x: float = 0.0
    y: float = 0.0


@dataclass(eq=False)
class Wire:
    """From an output of a box to an input of one. back: it closes a loop. The layout gives its path, as in SVG.

    turns: it leads to the left, or to the same column.
    """

    source: Box
    output: int
    target: Box
    input: int
    back: bool = False
    path: str = ""

    @property
    def turns(self) -> bool:
        return self.back and self.source.column >= self.target.column


@dataclass(eq=False)
class _Place:
    """A box, or a bend: where a long wire passes a column."""

    column: int
    height: float
    box: Box | None = None
    anchor: "_Place | None" = None  # the box that a wire goes back from, or to: the bend is below it
    index: int = 0
    y: float = 0.0
    left: "list[_Edge]" = field(default_factory=list)
    right: "list[_Edge]" = field(default_factory=list)


@dataclass(eq=False)
class _Edge:
    """Between places of neighbouring columns; the ends are offsets from the tops."""

    source: _Place
    out: float
    target: _Place
    into: float

    @property
    def weight(self) -> float:
        return WEIGHTS[self.source.box is not None, self.target.box is not None]

    def at_source(self) -> float:
        return self.source.index + self.out / (self.source.height + 1)

    def at_target(self) -> float:
        return self.target.index + self.into / (self.target.height + 1)


def layout(boxes: list[Box], wires: list[Wire]) -> tuple[float, float]:
    """Place the boxes and lay the wires; the size of it all. The wires that are not `back` must not make a cycle."""
    if not boxes:
        return 0.0, 0.0
    _columns(boxes, [wire for wire in wires if not wire.back])
    made = _Layout(boxes, wires)
    made.order()
    made.straighten()
    return made.draw()


def _columns(boxes: list[Box], wires: list[Wire]) -> None:
    """What leads to the end is as far right as it can be; what leads to nothing stays near where it comes from."""
    after: dict[Box, list[Box]] = {box: [] for box in boxes}
    before: dict[Box, list[Box]] = {box: [] for box in boxes}
    for wire in wires:
        after[wire.source].append(wire.target)
        before[wire.target].append(wire.source)
    waiting = {box: len(before[box]) for box in boxes}
    ready, sorted_ = [box for box in boxes if not waiting[box]], []
    while ready:
        box = ready.pop(0)
        sorted_.append(box)
        for other in after[box]:
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    ends = [box for box in boxes if box.at_end] or [box for box in boxes if not after[box]]
    from_end: dict[Box, int] = dict.fromkeys(ends, 0)
    for box in reversed(sorted_):
        found = [from_end[other] + 1 for other in after[box] if other in from_end]
        if found:
            from_end[box] = max(found)
    last = max(from_end.values(), default=0)
    for box in sorted_:
        if box in from_end:
            box.column = last - from_end[box]
        else:
            box.column = max((other.column + 1 for other in before[box]), default=0)
    for box in reversed(sorted_):
        if box not in from_end and after[box]:
            box.column = min(other.column for other in after[box]) - 1


class _Layout:
    def __init__(self, boxes: list[Box], wires: list[Wire]):
        self.boxes, self.wires = boxes, wires
        self.columns: list[list[_Place]] = [[] for _ in range(1 + max(box.column for box in boxes))]
        self.places = {box: _Place(box.column, box.height, box) for box in boxes}
        self.edges: list[_Edge] = []
        self.ways: dict[Wire, list[_Place]] = {}  # the bends of each wire, from left to right
        self._forward()
        self._backward()
        self.all = [*self.places.values(), *dict.fromkeys(itertools.chain(*self.ways.values()))]
        self.loose: dict[int, list[_Place]] = {}  # by column
        for one in self.all:
            if one.anchor:
                self.loose.setdefault(one.column, []).append(one)

    def _edge(self, source: _Place, out: float, target: _Place, into: float) -> None:
        edge = _Edge(source, out, target, into)
        self.edges.append(edge)
        source.right.append(edge)
        target.left.append(edge)

    def _forward(self) -> None:
        """All wires of one output share one line, as far as they go."""
        trunks: dict[tuple[Box, int], list[_Place]] = {}
        for wire in self.wires:
            if wire.turns:
                continue
            source, target = self.places[wire.source], self.places[wire.target]
            trunk = trunks.setdefault((wire.source, wire.output), [])
            while len(trunk) < target.column - source.column - 1:
                bend = _Place(source.column + 1 + len(trunk), 0.0)
                before = trunk[-1] if trunk else source
                self._edge(before, 0.0 if trunk else wire.source.outputs[wire.output], bend, 0.0)
                trunk.append(bend)
            way = self.ways[wire] = trunk[: target.column - source.column - 1]
            last = way[-1] if way else source
            out = 0.0 if way else wire.source.outputs[wire.output]
            self._edge(last, out, target, wire.target.inputs[wire.input])

    def _backward(self) -> None:
        """Bends in all columns from the target to the source, the first and the last below their boxes."""
        for wire in self.wires:
            if not wire.turns:
                continue
            first, last = self.places[wire.target], self.places[wire.source]
            way = [_Place(column, 0.0) for column in range(first.column, last.column + 1)]
            way[0].anchor, way[-1].anchor = first, last
            for one, other in itertools.pairwise(way):
                self._edge(one, 0.0, other, 0.0)
            self.ways[wire] = way

    # --- The order within columns -------------------------------------------------------------------------------------

    def order(self) -> None:
        self._first_order()
        best, kept = self._crossings(), [list(column) for column in self.columns]
        for sweep in range(SWEEPS if len(self.all) < MANY else 6):
            self._sweep(to_right=sweep % 2 == 0)
            if len(self.all) < MANY:
                self._swap()
            found = self._crossings()
            if found < best:
                best, kept = found, [list(column) for column in self.columns]
        self.columns = kept
        self._number()

    def _first_order(self) -> None:
        """From the end to the left, along the inputs from top to bottom."""
        seen: set[_Place] = set()

        def visit(place: _Place) -> None:
            waiting = [place]
            while waiting:
                one = waiting.pop()
                if one not in seen:
                    seen.add(one)
                    if one.anchor is None:
                        self.columns[one.column].append(one)
                    waiting += [edge.source for edge in sorted(one.left, key=lambda edge: edge.into)][::-1]

        for place in sorted(self.places.values(), key=lambda one: (one.box is None or not one.box.at_end, -one.column)):
            visit(place)
        for place in self.all:
            visit(place)
        for column in self.columns:
            self._anchor(column)
        self._number()

    def _anchor(self, column: list[_Place]) -> None:
        """Put the bends of wires that go back below their boxes."""
        loose = self.loose.get(column[0].column, ()) if column else ()
        column[:] = [one for one in column if one.anchor is None]
        for one in loose:
            assert one.anchor
            column.insert(column.index(one.anchor) + 1, one)

    def _number(self) -> None:
        for column in self.columns:
            for k, place in enumerate(column):
                place.index = k

    def _sweep(self, to_right: bool) -> None:
        columns = self.columns[1:] if to_right else self.columns[-2::-1]
        for column in columns:

            def middle(place: _Place) -> float:
                found = [edge.at_source() for edge in place.left] if to_right else [
                    edge.at_target() for edge in place.right]  # fmt: skip
                return sum(found) / len(found) if found else place.index + 0.5

            middles = {place: middle(place) for place in column}
            column.sort(key=middles.__getitem__)
            self._anchor(column)
            for k, place in enumerate(column):
                place.index = k

    def _swap(self) -> None:
        """Let neighbours change places as long as fewer wires cross."""
        for column in self.columns:
            for _ in range(len(column)):
                better = False
                for k in range(len(column) - 1):
                    a, b = column[k], column[k + 1]
                    if a.anchor or b.anchor or _between(a, b) <= _between(b, a):
                        continue
                    if k + 2 < len(column) and column[k + 2].anchor is b:
                        continue
                    column[k], column[k + 1] = b, a
                    b.index, a.index = k, k + 1
                    better = True
                if not better:
                    break

    def _crossings(self) -> int:
        self._number()
        count = 0
        for column in self.columns:
            ends: list[float] = []
            edges = sorted(
                (edge for place in column for edge in place.right), key=lambda e: (e.at_source(), e.at_target())
            )
            for edge in edges:
                count += len(ends) - bisect.bisect_right(ends, edge.at_target())
                bisect.insort(ends, edge.at_target())
        return count

    # --- Coordinates --------------------------------------------------------------------------------------------------

    def straighten(self) -> None:
        for column in self.columns:
            y = 0.0
            for k, place in enumerate(column):
                place.y = y
                y += place.height + (_gap(place, column[k + 1]) if k + 1 < len(column) else 0.0)
        rounds = 40 if len(self.all) < MANY else 8
        for k in range(rounds):
            both = k >= rounds // 2
            for column in self.columns[:: 1 if k % 2 else -1]:
                self._settle(column, left=both or k % 2 == 1, right=both or k % 2 == 0)
        top = min(place.y for place in self.all)
        for place in self.all:
            place.y -= top

    def _settle(self, column: list[_Place], left: bool, right: bool) -> None:
        """Move the places of a column to where their wires want them, as near as the others let them.

        That is a sum of squares to be made least while an order is kept: neighbours that push each other are pooled.
        """
        shift, pools = 0.0, []  # a pool: weight, where it wants to be, how many places
        shifts = []
        for k, place in enumerate(column):
            wanted, weight = self._wanted(place, left, right)
            pools.append([weight, wanted - shift, 1])
            shifts.append(shift)
            while len(pools) > 1 and pools[-2][1] > pools[-1][1]:
                w, at, count = pools.pop()
                last = pools[-1]
                last[1] = (last[0] * last[1] + w * at) / (last[0] + w)
                last[0], last[2] = last[0] + w, last[2] + count
            shift += place.height + (_gap(place, column[k + 1]) if k + 1 < len(column) else 0.0)
        where = [at for _, at, count in pools for _ in range(int(count))]
        for place, at, shift in zip(column, where, shifts, strict=True):
            place.y = at + shift

    def _wanted(self, place: _Place, left: bool, right: bool) -> tuple[float, float]:
        found = [(edge.source.y + edge.out - edge.into, edge.weight) for edge in place.left] if left else []
        found += [(edge.target.y + edge.into - edge.out, edge.weight) for edge in place.right] if right else []
        if place.anchor:
            found.append((place.anchor.y + place.anchor.height + 12, 4.0))
        if not found:
            return place.y, 0.1
        weight = sum(w for _, w in found)
        return sum(y * w for y, w in found) / weight, weight

    def draw(self) -> tuple[float, float]:
        """x for the columns, and paths for the wires."""
        widths = [max((one.box.width for one in column if one.box), default=0.0) for column in self.columns]
        gaps = []
        for column in self.columns[:-1]:
            edges = [edge for place in column for edge in place.right]
            steep = max((abs(e.source.y + e.out - e.target.y - e.into) for e in edges), default=0.0)
            gaps.append(min(WIDE, max(NARROW, 34 + 0.14 * steep + 2.0 * len(edges))))
        lefts = [0.0]
        for width, gap in zip(widths, gaps, strict=False):
            lefts.append(lefts[-1] + width + gap)
        self.lefts, self.rights = lefts, [x + width for x, width in zip(lefts, widths, strict=True)]
        for box, place in self.places.items():
            box.x = self.rights[box.column] - box.width if box.to_right else lefts[box.column]
            box.y = place.y
        swung = 0.0
        for wire in self.wires:
            wire.path = self._back_path(wire) if wire.turns else self._path(wire)
            swung = TURN if wire.turns else swung
        bottom = max(max(place.y + place.height for place in self.all), max(box.y + box.height for box in self.boxes))
        return self.rights[-1] + swung, bottom

    def _path(self, wire: Wire) -> str:
        x, y = wire.source.x + wire.source.width, wire.source.y + wire.source.outputs[wire.output]
        path = f"M{x:.1f},{y:.1f}"
        right = self.rights[wire.source.column]
        for place in self.ways[wire]:
            path += _line(right, y) + _curve(right, y, self.lefts[place.column], place.y)
            right, y = self.rights[place.column], place.y
        end = wire.target.y + wire.target.inputs[wire.input]
        left = self.lefts[wire.target.column]
        return path + _line(right, y) + _curve(right, y, left, end) + _line(wire.target.x, end)

    def _back_path(self, wire: Wire) -> str:
        way = self.ways[wire]
        y = wire.source.y + wire.source.outputs[wire.output]
        x, below = self.rights[wire.source.column], way[-1].y
        path = f"M{wire.source.x + wire.source.width:.1f},{y:.1f}" + _line(x, y)
        path += f"C{x + TURN:.1f},{y:.1f} {x + TURN:.1f},{below:.1f} {x:.1f},{below:.1f}"
        for place in reversed(way):
            right = self.rights[place.column]
            if place is not way[-1]:
                path += _curve(x, below, right, place.y)
            x, below = self.lefts[place.column], place.y
            path += _line(x, below)
        end = wire.target.y + wire.target.inputs[wire.input]
        path += f"C{x - TURN:.1f},{below:.1f} {x - TURN:.1f},{end:.1f} {x:.1f},{end:.1f}"
        return path + _line(wire.target.x, end)


def _between(a: _Place, b: _Place) -> int:
    """How often wires of a cross those of b, when a is above."""
    count = 0
    for edges_a, edges_b, end in ((a.left, b.left, _Edge.at_source), (a.right, b.right, _Edge.at_target)):
        ends = sorted(map(end, edges_b))
        count += sum(bisect.bisect_left(ends, end(edge)) for edge in edges_a)
    return count


def _gap(one: _Place, other: _Place) -> float:
    return BETWEEN[one.box is not None, other.box is not None]


def _line(x: float, y: float) -> str:
    return f"L{x:.1f},{y:.1f}"


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    """From side to side, level at both ends."""
    if math.isclose(y, to_y, abs_tol=0.05):
        return _line(to_x, to_y)
    reach = (to_x - x) * 0.55
    return f"C{x + reach:.1f},{y:.1f} {to_x - reach:.1f},{to_y:.1f} {to_x:.1f},{to_y:.1f}"
