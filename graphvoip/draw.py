"""Graphs as pictures: a patch, or what sounds on a call, as SVG. Nodes with their values, from left to right.

Arithmetic is written where it lands, as in a patch file; the wires come from what it names.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from . import expression, layout
from .expression import Name, Number, Operation, Tree
from .graph import Graph
from .node import Node, NodeEvent, Port, Signal, settled
from .nodes.constant import Constant
from .nodes.input import Input
from .plan import order
from .recipe import Patch

FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
SANS = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', 'Liberation Sans', sans-serif"
SIZE, TITLE = 10.5, 11.5  # letters, in px
CHAR = 0.602  # width of a letter of the monospace font, in its size
PAD, ROW, LINE, HEAD = 9.0, 16.5, 13.0, 23.0  # margins, a row, another line of a row, a box's head
MARGIN = 22.0  # around the picture
WRAP, LINES, SHORT = 34, 5, 30  # letters of a line, lines of an expression, letters of another value
INLINE = 26  # letters: a longer sum that is used twice is drawn as a node
LONG = 100  # letters: a longer one is cut into parts

INK, SOFT, PAPER, CARD, EDGE = "#1f2a37", "#8a94a3", "#fafbfc", "#ffffff", "#c9d1da"
WIRED, BACK = "#1d5fae", "#c2410c"
HALO = 'pathLength="100" stroke-dasharray="70 100" stroke-dashoffset="-15"'  # not at the ends, where wires meet
DASHED = 'stroke-dasharray="5 3" marker-end="url(#back)"'
COLOURS = {  # of the groups of the palette: head, wire
    "sources": ("#dbeafe", "#3b7dd8"),
    "control": ("#fdecc8", "#c98a12"),
    "filters": ("#d7f2dc", "#2f9e58"),
    "dynamics": ("#eadffb", "#8458c9"),
    "time": ("#d3f1f3", "#1793a0"),
    "analysis": ("#fbdfec", "#cc4b8b"),
    "arithmetic": ("#e6eaf0", "#64748b"),
    "graph": ("#e6eaf0", "#64748b"),
    "call": ("#e0e4ea", "#4b5868"),
    "param": ("#fff4d6", "#d1a03a"),
    "input": ("#d9f3e4", "#2f9e58"),
    "out": ("#2b3648", "#2b3648"),
}


@dataclass
class Row:
    """A line of a box: an input, an option or an event. style: wired, set, default, option, event."""

    label: str
    value: str
    style: str
    lines: list[str] = field(default_factory=list)
    sources: dict[tuple[Node, str], bool] = field(default_factory=dict)  # the outputs it hears; True: one sample late


@dataclass
class Card:
    """What is drawn as a box. outs: names of outputs; levels: what is beside them."""

    title: str
    kind: str
    group: str
    rows: list[Row] = field(default_factory=list)
    outs: list[str] = field(default_factory=list)
    levels: list[str] = field(default_factory=list)
    about: str = ""
    is_pill: bool = False
    used: set[str] = field(default_factory=set)  # its outputs that are wired
    box: layout.Box = field(default_factory=lambda: layout.Box(0, 0, [], []))


def patch_svg(patch: Patch) -> str:
    """A patch as SVG: nodes with all their inputs and what was given, wires, parameters, outputs, loops."""
    ends = [port.node for port in patch.outputs.values()]
    roots = [*ends, *patch.sinks, *([patch.done.node] if patch.done else []), *patch.nodes.values()]
    names = {node: path for path, node in patch.nodes.items()}
    outer = {*patch.params.values(), *patch.inputs.values()}
    for node in patch.nodes.values():
        if isinstance(node, Input) and node not in outer and isinstance(node.input, Port):
            del names[node]  # it only hands on what a sub-patch is given
    return _Picture(patch.name, patch.recipe.doc, roots, names, outer, patch.outputs, patch.done).svg()


def graph_svg(graph: Graph, levels: bool = False) -> str:
    """What sounds in a graph at this moment, that of a call for instance, as SVG.

    levels: beside every output the peak of its latest frame in dB, or its value if it is a control; and what parameters
    are at this moment. While an audio thread runs the graph, a frame may be half of one and half of the next.
    """
    nodes = [node for part in order(graph.roots) for node in part]
    counts: dict[str, int] = {}
    names = {}
    for node in nodes:
        counts[node.type] = counts.get(node.type, 0) + 1
        number = counts[node.type]
        names[node] = node.name or (node.type if number == 1 else f"{node.type}{number}")
    named = {node: name for node, name in names.items() if not node.anonymous}
    outer = {node for node in nodes if isinstance(node, (Constant, Input))}
    return _Picture(graph.name, "", list(graph.roots), named, outer, {}, None, levels, graph.roots).svg()


class _Picture:
    def __init__(
        self,
        name: str,
        doc: str,
        roots: list[Node],
        names: dict[Node, str],
        outer: set[Any],
        outputs: dict[str, Port],
        done: NodeEvent | None,
        levels: bool = False,
        ends: Iterable[Node] = (),
    ):
        self.name, self.doc, self.outer, self.done, self.levels = name, doc, outer, done, levels
        self.names = dict(names)
        groups = order(roots)
        self.place = {node: k for k, node in enumerate(node for part in groups for node in part)}
        self._name_operators()
        self.cards = {node: self._card(node) for node in self.place if node in self.names}
        self.outs = [self._out(name, port) for name, port in outputs.items()]
        for node in ends:
            if node in self.cards:
                self.cards[node].box.at_end = True
        self.boxes, self.wires = self._measured()
        self.size = layout.layout(self.boxes, [wire for wire, _ in self.wires])

    # --- What is drawn ------------------------------------------------------------------------------------------------

    def _name_operators(self) -> None:
        """Operators are spelled out where they land, but those that are long and used twice, or feed themselves."""
        self.hidden = {node for node in self.place if node not in self.names}
        uses: dict[Node, int] = {}
        for node in self.place:
            for port in node.written():
                uses[port.node] = uses.get(port.node, 0) + 1
        for node in self.place:  # sources first, so what is long is cut from its inside
            if node in self.hidden:
                size = self._size(node, set())
                plain = node.anonymous or isinstance(node, Input)
                if not plain or size > LONG or (size > INLINE and uses.get(node, 0) > 1):
                    self._show(node, node.type)

    def _show(self, node: Node, name: str) -> None:
        self.hidden.discard(node)
        taken, number, found = set(self.names.values()), 2, name
        while found in taken:
            found, number = f"{name}{number}", number + 1
        self.names[node] = found

    def _size(self, node: Node, within: set[Node]) -> float:
        """Letters of an operator when it is spelled out; infinite if it feeds itself through operators alone."""
        if node in within or len(within) > 60:
            return math.inf
        total = 0.0
        for wire in map(settled, node.wires.values()):
            if isinstance(wire, Port) and wire.node in self.hidden:
                total += self._size(wire.node, {*within, node}) + 3
            else:
                total += len(expression.text(self._leaf(wire))) + 3
            if total > LONG:
                return total
        return total

    def _leaf(self, wire: Any) -> Tree:
        if not isinstance(wire, Port):
            return Number(_rounded(wire) if wire is not None else 0.0)
        first = next(iter(wire.node.slots.outputs))
        return Name(self.names.get(wire.node, wire.node.type), None if wire.name == first else wire.name)

    def _tree(self, wire: Any, reader: Node | None, late: bool, found: dict[tuple[Node, str], bool]) -> Tree:
        """A wire as an expression; `found`: the outputs that it names, and whether they are read one sample late."""
        wire = settled(wire)
        if not isinstance(wire, Port):
            return self._leaf(wire)
        node = wire.node
        late = late or (reader is not None and self.place[node] >= self.place[reader])
        if node not in self.hidden:
            found[node, wire.name] = found.get((node, wire.name), False) or late
            return self._leaf(wire)
        if isinstance(node, Input):
            return self._tree(node.wires["input"], node, late, found)
        sign = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}[node.type]
        return Operation(sign, self._tree(node.wires["a"], node, late, found),
                         self._tree(node.wires["b"], node, late, found))  # fmt: skip

    def _card(self, node: Node) -> Card:
        title, doc = self.names[node], (type(node).__doc__ or "").strip().split("\n")[0]
        if node in self.outer:
            return self._pill(node, title)
        kind = "" if title == node.type else node.type
        card = Card(title, kind, node.group, about=doc, outs=list(node.slots.outputs))
        if node.anonymous:
            sources: dict[tuple[Node, str], bool] = {}
            sign = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}[node.type]
            tree = Operation(sign, self._tree(node.wires["a"], node, False, sources),
                             self._tree(node.wires["b"], node, False, sources))  # fmt: skip
            card.rows.append(_row("", expression.text(tree), "wired", sources))
        else:
            card.rows += self._input_rows(node)
        card.rows += _option_rows(node)
        if self.done and self.done.node is node:
            card.rows.append(_row(self.done.name, "ends the patch", "event"))
        if self.levels:
            card.levels = [_level(node, name) for name in card.outs]
        return card

    def _pill(self, node: Node, title: str) -> Card:
        if isinstance(node, Constant):
            value = node.samples()[-1] if self.levels else node.target
            text = f"{_rounded(value):g}{_unit(node)}"
            if math.isfinite(node.low) or math.isfinite(node.high):
                text += f"  {_bound(node.low)}..{_bound(node.high)}"
            rows = [_row("", text, "set")]
            if node.score:
                rows.append(_row("score", f"{len(node.score)} change{'s' if len(node.score) > 1 else ''}", "option"))
            return Card(title, "param", "param", rows, ["out"], about="a parameter", is_pill=True)
        card = Card(title, node.kind, "input", [], ["out"], about="an input", is_pill=True)  # type: ignore[attr-defined]
        if isinstance(settled(node.wires["input"]), Port):
            card.kind = ""
            sources: dict[tuple[Node, str], bool] = {}
            tree = self._tree(node.wires["input"], node, False, sources)
            card.rows.append(_row("", expression.text(tree), "wired", sources))
        return card

    def _input_rows(self, node: Node) -> Iterator[Row]:
        for name, slot in node.slots.inputs.items():
            wire = settled(node.wires[name])
            for k, one in enumerate(wire) if isinstance(wire, list) else [(None, wire)]:
                label = name if k is None else f"{name}[{k}]"
                if isinstance(one, Port):
                    sources: dict[tuple[Node, str], bool] = {}
                    yield _row(label, expression.text(self._tree(one, node, False, sources)), "wired", sources)
                elif one is None:
                    yield _row(label, "not wired", "default")
                else:
                    given = not isinstance(slot, Signal) or one != slot.default
                    yield _row(label, f"{_rounded(one):g}{_unit(slot)}", "set" if given else "default")

    def _out(self, name: str, port: Port) -> Card:
        sources: dict[tuple[Node, str], bool] = {}
        text = expression.text(self._tree(port, None, False, sources))
        card = Card(name, "", "out", [_row("", text, "wired", sources)], about="what is heard")
        card.box.at_end = True
        return card

    # --- Sizes --------------------------------------------------------------------------------------------------------

    def _measured(self) -> tuple[list[layout.Box], list[tuple[layout.Wire, str]]]:
        wires: list[tuple[layout.Wire, str]] = []
        cards = [*self.cards.values(), *self.outs]
        for card in cards:
            _measure(card)
        for card in cards:
            for k, row in enumerate(one for one in card.rows if one.sources):
                for (node, port), late in row.sources.items():
                    source = self.cards[node]
                    source.used.add(port)
                    out = source.outs.index(port)
                    wires.append((layout.Wire(source.box, out, card.box, k, late), COLOURS[_group(source)][1]))
        return [card.box for card in cards], wires

    # --- SVG ----------------------------------------------------------------------------------------------------------

    def svg(self) -> str:
        doc = _wrapped(self.doc.replace("`", ""), max(60, int(self.size[0] / 6.2)))[:3] if self.doc else []
        top = MARGIN + 22 + 15 * len(doc)
        notes = self._notes()
        width = max(self.size[0], len(self.name) * 10, *(6.4 * len(line) for line in [*doc, notes])) + 2 * MARGIN
        height = top + self.size[1] + MARGIN + (18 if notes else 0)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(self.name)}</title>',
            f'<desc id="desc">{escape(self._described())}</desc>',
            f'<defs><marker id="back" viewBox="0 0 6 6" refX="5.5" refY="3" markerWidth="6" markerHeight="6" '
            f'orient="auto"><path d="M0,0L6,3L0,6z" fill="{BACK}"/></marker></defs>',
            f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>',
            f'<text x="{MARGIN}" y="{MARGIN + 9}" font-family="{SANS}" font-size="15" font-weight="600" '
            f'fill="{INK}">{escape(self.name)}</text>',
            *(
                f'<text x="{MARGIN}" y="{MARGIN + 27 + 15 * k}" font-family="{SANS}" font-size="11.5" '
                f'fill="#5b6675">{escape(line)}</text>'
                for k, line in enumerate(doc)
            ),
            f'<g transform="translate({MARGIN},{top})" font-family="{FONT}" font-size="{SIZE}">',
            *self._wire_parts(),
        ]
        for card in [*self.cards.values(), *self.outs]:
            parts += _drawn(card)
        parts.append("</g>")
        if notes:
            parts.append(
                f'<text x="{MARGIN}" y="{height - MARGIN + 6:.0f}" font-family="{SANS}" font-size="10.5" '
                f'fill="{SOFT}">{escape(notes)}</text>'
            )
        return "\n".join([*parts, "</svg>"]) + "\n"

    def _notes(self) -> str:
        late = any(wire.back for wire, _ in self.wires)
        return "dashed: read one sample late, it closes a loop" if late else ""

    def _wire_parts(self) -> Iterator[str]:
        """Those of one output together, on a light edge, so that crossings can be told from branches."""
        by_source: dict[tuple[layout.Box, int, bool], list[tuple[layout.Wire, str]]] = {}
        for wire, colour in self.wires:
            by_source.setdefault((wire.source, wire.output, wire.back), []).append((wire, colour))
        yield '<g fill="none" stroke-linejoin="round">'
        for (_, _, back), group in by_source.items():
            for wire, _ in group:
                yield f'<path d="{wire.path}" stroke="{PAPER}" stroke-width="4.5" {HALO}/>'
            for wire, colour in group:
                kind, stroke = ("back", f'{BACK}" {DASHED}') if back else ("wire", f'{colour}"')
                yield f'<path class="{kind}" d="{wire.path}" stroke="{stroke} stroke-width="1.4"/>'
        yield "</g>"

    def _described(self) -> str:
        """The graph in words, for those who do not see it."""
        lines = []
        for card in [*self.cards.values(), *self.outs]:
            said = ", ".join(f"{row.label} {row.value}".strip() for row in card.rows if row.style != "default")
            lines.append(f"{card.title}{f' ({card.kind})' if card.kind else ''}{f': {said}' if said else ''}")
        return "; ".join(lines)


def _row(label: str, value: str, style: str, sources: dict[tuple[Node, str], bool] | None = None) -> Row:
    lines = _wrapped(value, WRAP) if style == "wired" else [_cut(value, SHORT)]
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], f"{lines[LINES - 1]} …"]
    return Row(label, value, style, lines, sources or {})


def _option_rows(node: Node) -> Iterator[Row]:
    for name, value in node.given.items():
        if value != node.slots.options[name].default if _is_plain(value) else value is not None:
            text = _option_text(value)
            if text:
                yield _row(name, text + _unit(node.slots.options[name]), "option")


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str, list, tuple, dict))


def _option_text(value: Any) -> str:
    """An option as it is written; nothing for what cannot be."""
    if isinstance(value, (bool, int, float, str, Path)):
        return value.name if isinstance(value, Path) else f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, dict):
        return " ".join(f"{key}:{_option_text(one)}" for key, one in value.items())
    if isinstance(value, np.ndarray):
        return f"{value.size} samples"
    if isinstance(value, (list, tuple)):
        return f"[{' '.join('-' if one is None else _option_text(one) for one in value)}]"
    return getattr(value, "__name__", "") if callable(value) else ""


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return [_cut(line, max(width, 60)) for line in lines]


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: size - 1]}…"


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _bound(value: float) -> str:
    return f"{value:g}" if math.isfinite(value) else ""


def _unit(slot: Any) -> str:
    """Behind a number; kinds of signals are no units."""
    unit = getattr(slot, "unit", "")
    return "" if unit in ("", "x", "events", "trigger", "gate") else f" {unit}"


def _level(node: Node, name: str) -> str:
    """What an output makes: the peak of its latest frame, or the last value of it."""
    with np.errstate(invalid="ignore"):
        peak = float(np.abs(node.samples(name)).max())
    if not math.isfinite(peak):
        return "not finite"
    if node.group in ("control", "analysis") or name != "out" or node.type == "keypad":
        return f"{node.samples(name)[-1]:.4g}"  # a value rather than a sound
    return "silent" if peak == 0 else f"{round(20 * math.log10(peak), 1) + 0:.1f} dB"


def _group(card: Card) -> str:
    return card.group if card.group in COLOURS else "graph"


def _measure(card: Card) -> None:
    """How large a card is, and where its ports are."""
    box = card.box
    if card.is_pill:
        text = card.rows[0].lines[0] if card.rows else card.kind
        widest = max(_width(card.title, TITLE), *(_width(_said(row)) for row in card.rows), _width(text), 34)
        box.width = widest + 2 * PAD + 6
        box.height = 21 + 15 * max(1, len(card.rows))
        box.outputs = [box.height / 2]
        box.inputs = [box.height / 2] if card.rows and card.rows[0].sources else []
        box.to_right = not box.inputs
        return
    box.inputs = [y for row, y in zip(card.rows, _tops(card), strict=True) if row.sources]
    label = _label_width(card)
    left = max((label + max(map(_width, row.lines), default=0) for row in card.rows), default=0)
    right = max(map(_width, _beside(card)), default=0)
    head = _width(card.title, TITLE) + (_width(f" {card.kind}") + 4 if card.kind else 0)
    box.width = max(head, left + right + (14 if left and right else 0), 34) + 2 * PAD
    body = sum(ROW + LINE * (len(row.lines) - 1) for row in card.rows)
    box.height = HEAD + max(body, ROW * len([one for one in _beside(card) if one])) + (6 if card.rows or right else 0)
    single = len(card.outs) == 1
    box.outputs = [HEAD / 2] if single else [HEAD + 3 + ROW * (k + 0.5) for k in range(len(card.outs))]


def _label_width(card: Card) -> float:
    return max((_width(f"{row.label} ") for row in card.rows if row.label), default=0.0)


def _said(row: Row) -> str:
    return f"{row.label} {row.lines[0]}".strip()


def _tops(card: Card) -> list[float]:
    """The middle of the first line of every row."""
    tops, y = [], HEAD + 3
    for row in card.rows:
        tops.append(y + ROW / 2)
        y += ROW + LINE * (len(row.lines) - 1)
    return tops


def _beside(card: Card) -> list[str]:
    """What stands at the right of a card: the names of its outputs, if there are several, and levels."""
    names = card.outs if len(card.outs) > 1 else [""] * len(card.outs)
    levels = card.levels or [""] * len(card.outs)
    return [f"{level}  {name}".strip() for name, level in zip(names, levels, strict=True)]


def _width(text: str, size: float = SIZE) -> float:
    return len(text) * size * CHAR * (1.03 if size == TITLE else 1)


def _text(x: float, y: float, text: str, fill: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}"{more} xml:space="preserve">{escape(text)}</text>'


def _drawn(card: Card) -> Iterator[str]:
    box = card.box
    head, _ = COLOURS[_group(card)]
    about = "\n".join([f"{card.title}: {card.about}", *(f"{row.label} {row.value}".strip() for row in card.rows)])
    yield f'<g class="{"node" if not card.is_pill else card.group}" transform="translate({box.x:.1f},{box.y:.1f})">'
    yield f"<title>{escape(about)}</title>"
    if card.is_pill:
        yield from _drawn_pill(card, head)
    else:
        yield from _drawn_card(card, head)
    for y in box.inputs:
        yield f'<circle cx="0" cy="{y:.1f}" r="2.8" fill="{CARD}" stroke="{INK}" stroke-width="1.2"/>'
    for name, y in zip(card.outs, box.outputs, strict=True):
        colour = COLOURS[_group(card)][1] if name in card.used else EDGE
        yield f'<circle cx="{box.width:.1f}" cy="{y:.1f}" r="2.8" fill="{colour}"/>'
    yield "</g>"


def _drawn_pill(card: Card, head: str) -> Iterator[str]:
    box, edge = card.box, COLOURS[card.group][1]
    yield (f'<rect width="{box.width:.1f}" height="{box.height:.1f}" rx="{min(18, box.height / 2):.0f}" fill="{head}" '
           f'stroke="{edge}" stroke-width="1"/>')  # fmt: skip
    middle = ' text-anchor="middle"'
    yield _text(box.width / 2, 15, card.title, INK, f'{middle} font-size="{TITLE}" font-weight="600"')
    lines = [_said(row) for row in card.rows] or [card.kind]
    for k, line in enumerate(lines):
        colour = WIRED if card.rows and card.rows[k].style == "wired" else "#5b6675"
        yield _text(box.width / 2, 29 + 15 * k, line, colour, middle)


def _drawn_card(card: Card, head: str) -> Iterator[str]:
    box, dark = card.box, card.group == "out"
    rows = box.height > HEAD
    yield (f'<rect width="{box.width:.1f}" height="{box.height:.1f}" rx="5" fill="{CARD}" stroke="{EDGE}"/>')
    low = f"V{HEAD}H0V5" if rows else f"V{HEAD - 5}a5,5 0 0 1 -5,5H5a5,5 0 0 1 -5,-5V5"
    yield f'<path d="M0,5a5,5 0 0 1 5,-5H{box.width - 5:.1f}a5,5 0 0 1 5,5{low}z" fill="{head}"/>'
    ink = "#ffffff" if dark else INK
    yield _text(PAD, 15.5, card.title, ink, f' font-size="{TITLE}" font-weight="600"')
    if card.kind:
        yield _text(box.width - PAD, 15.5, card.kind, "#5b6675", ' text-anchor="end"')
    label = _label_width(card)
    for row, y in zip(card.rows, _tops(card), strict=True):
        if row.label:
            yield _text(PAD, y + 3.5, row.label, SOFT if row.style == "default" else INK)
        colour = {"wired": WIRED, "default": "#a3acb9", "option": "#7a4fb0", "event": BACK}.get(row.style, INK)
        for k, line in enumerate(row.lines):
            yield _text(PAD + label, y + 3.5 + LINE * k, line, colour)
    for k, text in enumerate(_beside(card)):
        if text:
            colour = "#5b6675" if card.outs[k] in card.used else "#a3acb9"
            yield _text(box.width - PAD, HEAD + 3 + ROW * (k + 0.5) + 3.5, text, colour, ' text-anchor="end"')
