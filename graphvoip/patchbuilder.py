"""The document of a patch file -> nodes and wires, and what is wrong with it on the way."""

import difflib
import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import expression
from .expression import Name, Operation, Tree
from .node import Arithmetic, File, Node, NodeEvent, Option, Port, Signal, Signals, Sound, node_type, types
from .nodes.constant import Constant
from .nodes.input import Input
from .recipe import LIMIT, Patch, Recipe, done_of, is_name, poly


class TooMany(ValueError):
    """A patch has more nodes than a patch may have: building it stops at once."""


class Problems:
    """What is wrong, with its place. strict: raise the first one."""

    def __init__(self, strict: bool = False):
        self.found: list[tuple[str, str]] = []
        self.fatal, self.strict = False, strict

    def add(self, place: str, message: str, fatal: bool = False) -> None:
        if self.strict:
            raise ValueError(f"{place}: {message}")
        self.found.append((place, message))
        self.fatal = self.fatal or fatal

    @contextmanager
    def at(self, place: str, strip: str = "") -> Iterator[None]:
        """Catch what a part of the patch raises; `strip`: the node's type, which its own messages begin with."""
        try:
            yield
        except (TooMany, MemoryError):
            raise
        except Exception as error:
            self.add(place, str(error).removeprefix(f"{strip}: ") or type(error).__name__)

    def in_order(self, document: dict[str, Any]) -> list[str]:
        """As lines, in the order in which the file has their places."""
        places = [key if name is None else f"{key}.{name}" for key, value in document.items()
                  for name in (None, *(value if isinstance(value, dict) else ()))]  # fmt: skip
        rank = {place: k for k, place in enumerate(places)}

        def key(one: tuple[str, str]) -> int:
            parts = re.split(r"[.\[]", one[0])
            return rank.get(".".join(parts[:2]), rank.get(parts[0], len(rank)))

        return [f"{place}: {message}" for place, message in sorted(self.found, key=key)]


class Builder:
    """One building of a document: nodes first, so that every name is known, then the wires."""

    def __init__(self, recipe: Any, given: dict[str, Any], problems: Problems):
        self.recipe, self.document, self.problems = recipe, recipe.document, problems
        self.size = 0
        self.things: dict[str, Any] = {}  # what a name stands for: a node, a port or a patch
        self.waiting: list[tuple[str, Node, str, Any]] = []  # place, node, input, what is written there
        self.scores = self._scores()
        self.things |= recipe._nodes_of(given, self.scores.pop("", {}))

    def build(self) -> tuple[dict[str, Port], NodeEvent | None]:
        for name, spec in self.document["nodes"].items():
            place = f"nodes.{name[:40]}"
            if not isinstance(spec, dict):
                self.problems.add(place, f"a node is {{type: ...}}, not {kind_of(spec)}")
                continue
            with self.problems.at(place, strip=str(spec.get("type"))):
                self.things[name] = self._node(place, name, spec)
        outputs = self._outputs()
        if outputs:
            self.things["out"] = next(iter(outputs.values()))
        for place, node, name, value in self.waiting:
            self._wire(place, node, name, value)
        return outputs, self._done(outputs)

    # --- Nodes --------------------------------------------------------------------------------------------------------

    def _node(self, place: str, name: str, spec: dict[str, Any]) -> Any:
        kind = spec.get("type")
        values = {key: value for key, value in spec.items() if key not in ("type", "doc")}
        known = [one for one, cls in types.items() if in_files(cls)]
        if not isinstance(kind, str):
            self.problems.add(f"{place}.type", f"say what it is: one of {', '.join(sorted(known)[:8])} ...")
            return _Unknown()
        if kind == "poly":
            return self._poly(place, name, values)
        if kind in self.recipe.recipes:
            return self._patch(place, name, kind, values)
        if kind not in known:
            says = f"no node type '{kind[:40]}'{hint(kind, [*known, *self.document.get('patches', {}), 'poly'], 0)}"
            if kind in types:
                says = f"'{kind}' is for Python only"
            if kind not in self.document.get("patches", {}):  # a sub-patch that could not be read has been told of
                self.problems.add(f"{place}.type", says)
            return _Unknown()
        self._room(1)
        return self._plain(place, name, node_type(kind), values)

    def _room(self, count: int) -> None:
        self.size += count
        if self.size > LIMIT:
            raise TooMany(f"there are more than {LIMIT} nodes, with those of sub-patches")

    def _plain(self, place: str, name: str, cls: type[Node], values: dict[str, Any]) -> Any:
        slots, options = cls.slots, {}
        before = len(self.problems.found)
        for key, value in values.items():
            if key in slots.options:
                option = slots.options[key]
                with self.problems.at(f"{place}.{key}", strip=cls.type):
                    options[key] = self._option(cls, option, value)
            elif key not in slots.inputs:
                known = [*slots.inputs, *slots.options]
                self.problems.add(place, f"{cls.type} has no '{key[:40]}'{hint(key, known)}")
        if len(self.problems.found) > before:
            return _Unknown()
        node = cls(name=name, **options)
        for key in slots.inputs:
            if key in values or (name, key) in self.scores:
                value = values.get(key, getattr(slots.inputs[key], "default", None))
                self.waiting.append((f"{place}.{key}", node, key, value))
            elif getattr(slots.inputs[key], "default", 0) is None:
                self.problems.add(place, f"'{key}' must be given: a number, or an expression over names")
        return node

    def _option(self, cls: type[Node], option: Option, value: Any) -> Any:
        wanted = option.schema().get("type")
        if isinstance(option, (File, Sound)) and isinstance(value, str):
            return inside(self.recipe.folder, value)
        if wanted and not isinstance(wanted, list) and not fits(value, wanted):
            raise ValueError(f"it is {A[wanted]}, not {kind_of(value)}")
        with_type = _Unknown()
        with_type.type = cls.type
        try:
            if not isinstance(option, (File, Sound)):
                option.check(with_type, value)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise ValueError(str(error).removeprefix(f"{cls.type}: {option.name} ")) from None
        return value

    def _patch(self, place: str, name: str, kind: str, values: dict[str, Any]) -> Patch:
        recipe: Any = self.recipe.recipes[kind]
        self._room(recipe.size)
        made = recipe(**self._given(place, name, recipe, kind, values))
        made.name = name
        return made

    def _poly(self, place: str, name: str, values: dict[str, Any]) -> Any:
        kind, voices, play = values.pop("patch", None), values.pop("voices", 4), values.pop("play", None)
        recipe: Any = self.recipe.recipes.get(kind) if isinstance(kind, str) else None
        if recipe is None:
            patches = self.document.get("patches", {})
            self.problems.add(f"{place}.patch", f"it is a name of 'patches'{hint(str(kind), patches)}")
            return _Unknown()
        if not isinstance(voices, int) or isinstance(voices, bool) or not 1 <= voices <= 64:
            self.problems.add(f"{place}.voices", f"it is a whole number from 1 to 64, not {voices!r:.40}")
            return _Unknown()
        if not isinstance(play, str):
            self.problems.add(f"{place}.play", "say which events it is played by: an expression, 'keys'")
            return _Unknown()
        self._room((recipe.size + 1) * voices)
        keys = Input(0.0, kind="events", name=f"{name}_play")
        self.waiting.append((f"{place}.play", keys, "input", play))
        made = poly(recipe, keys, voices, **self._given(place, name, recipe, kind, values))
        made.name = name
        return made

    def _given(self, place: str, name: str, recipe: Recipe, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        """Numbers as they are; an expression, which may speak of nodes that come later, through a node of its own."""
        given: dict[str, Any] = {}
        for key, value in values.items():
            if key not in recipe.params and key not in recipe.inputs:
                self.problems.add(place, f"{kind} has no '{key[:40]}'{hint(key, [*recipe.params, *recipe.inputs])}")
            elif isinstance(value, str):
                given[key] = Input(name=f"{name}_{key}")
                self.waiting.append((f"{place}.{key}", given[key], "input", value))
            elif not is_number(value):
                self.problems.add(f"{place}.{key}", f"it is a number or an expression, not {kind_of(value)}")
            elif key in recipe.params:
                with self.problems.at(f"{place}.{key}", strip=key):
                    given[key] = recipe.params[key].checked(key, value)
            else:
                given[key] = value
        return given

    # --- Wires --------------------------------------------------------------------------------------------------------

    def _wire(self, place: str, node: Node, name: str, value: Any) -> None:
        slot = node.slots.inputs[name]
        if isinstance(slot, Signals):
            if not isinstance(value, list):
                value = [value]
            wires = [self._signal(f"{place}[{k}]", one, Signal()) for k, one in enumerate(value)]
            node.wires[name] = [wire for wire in wires if wire is not None]
            return
        wire = self._signal(place, value, slot)
        if wire is None:
            return
        changes = self.scores.get((node.name, name))
        if changes and isinstance(wire, float):
            with self.problems.at("score"):
                wire = Constant(value=wire, score=changes, name=f"{node.name}_{name}").port()
        node.wires[name] = wire

    def _signal(self, place: str, value: Any, slot: Any) -> Any:
        """A number or a port, from a number or an expression; None, and told, if it is neither."""
        if isinstance(value, str):
            value = self._expression(place, value)
        elif not is_number(value):
            self.problems.add(place, f"it is a number or an expression, not {kind_of(value)}")
            return None
        if isinstance(value, Arithmetic):
            return value.port()
        if value is None:
            return None
        unit = f" {slot.unit}" if slot.unit else ""
        if not slot.low <= value <= slot.high or not abs(value) < 1e30:
            self.problems.add(place, f"{value:g}{unit} is outside {slot.low:g}..{slot.high:g}")
            return None
        return float(value)

    def _expression(self, place: str, text: str) -> Any:
        try:
            tree = expression.parse(text)
        except ValueError as error:
            self.problems.add(place, str(error))
            return None
        before = len(self.problems.found)
        value = self._value(place, text, tree)
        return value if len(self.problems.found) == before and not isinstance(value, _Unknown) else None

    def _value(self, place: str, text: str, tree: Tree) -> Any:
        """What a tree comes to: a number, or a node that computes it."""
        number = expression.value_of(tree)
        if number is not None:
            return number
        if isinstance(tree, Name):
            return self._named(place, text, tree)
        assert isinstance(tree, Operation)
        a, b = self._value(place, text, tree.left), self._value(place, text, tree.right)
        if not all(isinstance(one, (float, Arithmetic)) for one in (a, b)):
            return _Unknown()
        self._room(1)
        return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b}[tree.sign]()

    def _named(self, place: str, text: str, name: Name) -> Any:
        thing = self.things.get(name.name)
        if thing is None:
            if name.name in self.document["nodes"]:
                return _Unknown()  # what is wrong with it has been told
            known = [*self.things, *self.document["nodes"]]
            self.problems.add(place, f"'{text[:60]}': nothing is named '{name.name}'{hint(name.name, known, 0)}")
            return None
        if isinstance(thing, _Unknown):
            return thing
        if isinstance(thing, Node) and not thing.slots.outputs:
            self.problems.add(place, f"{thing.type} '{name.name}' has no output, it only listens")
            return None
        try:
            return thing.port(name.port)
        except ValueError:
            outputs = thing.outputs if isinstance(thing, Patch) else thing.port().node.slots.outputs
            kind = f"{thing.type} '{name.name}'" if isinstance(thing, Node) else f"'{name.name}'"
            self.problems.add(place, f"{kind} has no output '{name.port}' (it has {', '.join(outputs)})")
            return None

    # --- The rest -----------------------------------------------------------------------------------------------------

    def _outputs(self) -> dict[str, Port]:
        written = self.document.get("outputs") or {"out": self.document.get("out")}
        found = {}
        for name, value in written.items():
            place = "out" if "outputs" not in self.document else f"outputs.{name[:40]}"
            if not is_name(name):
                self.problems.add(place, "a name is made of letters, digits and _")
            wire = self._signal(place, value, Signal())
            if isinstance(wire, float):
                wire = Constant(value=wire, name=name if name != "out" else "").port()
            if wire is not None:
                found[name] = wire
        return found

    def _done(self, outputs: dict[str, Port]) -> NodeEvent | None:
        text = self.document.get("done")
        if text is None:
            heard = self.things.get(str(self.document.get("out", "")).strip())
            return done_of(heard) if outputs and isinstance(heard, (Node, Patch)) else None
        name, _, event = text.strip().partition(".")
        thing = self.things.get(name)
        if isinstance(thing, Patch) and event in ("", "done") and thing.done:
            return thing.done
        if isinstance(thing, Node) and (event or "done") in thing.slots.events:
            return NodeEvent(thing, event or "done")
        if isinstance(thing, _Unknown):
            return None
        if thing is None:
            known = list(self.document["nodes"])
            if name not in known:
                self.problems.add("done", f"'{text[:60]}': nothing is named '{name[:40]}'{hint(name, known)}")
            return None
        events = ", ".join(thing.slots.events) if isinstance(thing, Node) else ""
        self.problems.add("done", f"'{text[:60]}': {name} has no event '{event}' (it has {events or 'none'})")
        return None

    def _scores(self) -> dict[Any, Any]:
        """The score by what it changes: a parameter's name in scores[""], or (node, input)."""
        params: dict[str, list[Any]] = {}
        found: dict[Any, Any] = {"": params}
        for k, row in enumerate(self.document.get("score", [])):
            place, change = f"score[{k}]", change_of(row)
            if change is None:
                says = "it is [seconds, 'param' or 'node.input', value, {over: seconds}]"
                self.problems.add(place, f"{row!r:.60}: {says}")
            else:
                self._score(place, row[1], change, params, found)
        for rows in [*params.values(), *(rows for key, rows in found.items() if key)]:
            rows.sort(key=lambda one: one[0])
        return found

    def _score(self, place: str, target: str, change: list[float], params: Any, found: Any) -> None:
        value = change[1]
        name, _, key = target.partition(".")
        spec = self.document["nodes"].get(name)
        if target in self.recipe.params:
            with self.problems.at(place):
                self.recipe.params[target].checked(target, value)
                params.setdefault(target, []).append(change)
            return
        if not isinstance(spec, dict) or not key:
            known = [*self.recipe.params, *(f"{one}." for one in self.document["nodes"])]
            self.problems.add(place, f"there is no '{target[:60]}' to change{hint(target, known, 0)}")
            return
        cls = types.get(f"{spec.get('type')}")
        slot = cls.slots.inputs.get(key) if cls else None
        if cls is None or not isinstance(slot, Signal):
            says = f"only inputs of nodes can be changed, and {name} has no '{key}'"
            self.problems.add(place, f"'{target[:60]}': {says}{hint(key, cls.slots.inputs if cls else ())}")
        elif isinstance(spec.get(key), str) and expression_value(spec[key]) is None:
            self.problems.add(place, f"{target} is wired to '{spec[key][:40]}'; only a number can be changed")
        elif not slot.low <= value <= slot.high:
            self.problems.add(place, f"{target}: {value:g} is outside {slot.low:g}..{slot.high:g}")
        else:
            found.setdefault((name, key), []).append(change)


def change_of(row: Any) -> list[float] | None:
    """[seconds, value, over seconds] of a row of a score, or None if it is none."""
    if not isinstance(row, list) or not 3 <= len(row) <= 4 or not isinstance(row[1], str):
        return None
    more = row[3] if len(row) == 4 else {}
    if not isinstance(more, dict) or set(more) - {"over"}:
        return None
    found = [row[0], row[2], more.get("over", 0.02)]
    fine = all(map(is_number, found)) and 0 <= found[0] < 1e6 and 0 <= found[2] < 1e6
    return found if fine else None


class _Unknown:
    """Stands for a node that could not be made, so that what speaks of it is not told as another error."""

    type = ""
    built = False


def expression_value(text: str) -> float | None:
    """The number that an expression comes to, or None."""
    try:
        return expression.value_of(expression.parse(text))
    except ValueError:
        return None


def in_files(cls: type[Node]) -> bool:
    """May a patch file have nodes of this class?"""
    return cls.group != "call" and not cls.in_python and not cls.stands_in


def inside(folder: Path, name: Any) -> Path:
    """A file that a patch names: in the patch's folder, or below it. ValueError for any other place."""
    if not isinstance(name, str):
        raise ValueError(f"it is the name of a file, not {kind_of(name)}")
    if not name or "\0" in name or len(name) > 1000:
        raise ValueError(f"{name[:40]!r} is no name of a file")
    path, root = folder / name, folder.resolve()
    if Path(name).is_absolute() or not path.resolve().is_relative_to(root):
        raise ValueError(f"{name} is outside the patch's folder; put it there and name it from there")
    return path


A = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "{...}",
}


def is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def fits(value: Any, wanted: str) -> bool:
    """Is a value of JSON of this kind?"""
    if wanted == "number":
        return is_number(value)
    if wanted == "integer":
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 62
    return isinstance(value, {"string": str, "boolean": bool, "array": list, "object": dict}[wanted])


def kind_of(value: Any) -> str:
    """What something is, for a message: shown if it is short."""
    if isinstance(value, dict):
        return "{...}"
    if isinstance(value, list):
        return "a list"
    return f"{json.dumps(value)[:40]}"


def hint(name: str, known: Any, shown: int = 12) -> str:
    """What may have been meant, or what there is."""
    known = [one for one in known if isinstance(one, str)]
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; it has {', '.join(known[:shown]) or 'none'}" if shown else ""
