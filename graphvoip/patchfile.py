"""Patch files: JSON, format 1. Names are keys, wires are written where they land, arithmetic is in strings.

    {
      "graphvoip": 1,
      "params": {"pitch": {"default": 880, "unit": "Hz", "min": 200, "max": 1700}},
      "nodes": {
        "ding": {"type": "sine", "freq": "pitch"},
        "hit": {"type": "decay", "time": 0.6}
      },
      "out": "0.4 * ding * hit",
      "done": "hit.done"
    }

A file is data: nothing in it is imported or evaluated. All that is wrong with it is told at once, with its place.
"""

import difflib
import json
import math
import os
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
from .recipe import LIMIT, Param, Patch, Recipe, done_of, is_name, poly

FORMAT = 1
LARGEST = 1_000_000  # bytes of a file
DEEPEST = 8  # files within files
MOST = 50  # errors that are told

ROOT = {
    "graphvoip": "the number of the format, 1",
    "name": "what the patch is called; the file's name without it",
    "doc": "what it is, for people",
    "seed": "a whole number; another one makes other noises",
    "params": "numbers that can be set while it sounds: a number, or {default, unit, min, max, doc}",
    "inputs": "what is given from outside: name -> 'audio' or 'events'; 'voice' and 'keys' are the caller's",
    "patches": "sub-patches: name -> file; the name is a type of node then",
    "nodes": "name -> {type, inputs and options of the type}",
    "out": "what is heard, an expression",
    "outputs": "instead of out: name -> expression; the first is heard",
    "done": "the event at which it ends: name.event",
    "score": "changes known before: [[seconds, 'param' or 'node.input', value, {over: seconds}] ...]",
    "view": "for editors; it is kept and means nothing",
}
PARAM = {"default": "default", "unit": "unit", "min": "low", "max": "high", "doc": "doc"}
KINDS = ("audio", "events")


class PatchError(ValueError):
    """All that is wrong with a patch, one line each: the file, the place and a suggestion. errors: the lines alone."""

    def __init__(self, where: str, errors: list[str]):
        self.errors = errors
        shown = errors[:MOST] + ([f"and {len(errors) - MOST} more"] if len(errors) > MOST else [])
        super().__init__("\n".join(f"{where}: {line}" if where else line for line in shown))


def load_patch(path: str | os.PathLike) -> Recipe:
    """The recipe in a patch file; call it to make the patch. PatchError tells all that is wrong with the file."""
    return _load(Path(path), {}, ())


def parse_patch(document: dict[str, Any] | str, folder: str | os.PathLike = ".") -> Recipe:
    """The same from a document, or its text; the files that it names are looked for in the folder."""
    if isinstance(document, str):
        document = _decoded(document, "")
    return PatchFile(document, Path(folder), "", {}, ())


def _load(path: Path, loaded: dict[Path, Recipe], within: tuple[Path, ...]) -> Recipe:
    try:
        if path.stat().st_size > LARGEST:
            raise PatchError(f"{path}", [f"the file has {path.stat().st_size} bytes; a patch has at most {LARGEST}"])
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        says = error.strerror if isinstance(error, OSError) and error.strerror else "this is no UTF-8 text"
        raise PatchError(f"{path}", [says]) from None
    document = _decoded(text, f"{path}")
    return PatchFile(document, path.parent, f"{path}", loaded, (*within, path.resolve()), path.stem)


def _decoded(text: str, where: str) -> dict[str, Any]:
    doubled: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in found]
        doubled.extend(name for name in dict.fromkeys(names) if names.count(name) > 1)
        return dict(found)

    def no_number(name: str) -> None:
        raise ValueError(f"{name} is no number in JSON")

    try:
        document = json.loads(text, object_pairs_hook=pairs, parse_constant=no_number)
    except json.JSONDecodeError as error:
        raise PatchError(where, [f"line {error.lineno}, column {error.colno}: no JSON: {error.msg}"]) from None
    except (ValueError, RecursionError) as error:
        says = "no JSON: it is nested too deep" if isinstance(error, RecursionError) else f"no JSON: {error}"
        raise PatchError(where, [says]) from None
    if doubled:
        raise PatchError(where, [f"'{name}' is there twice in one place" for name in doubled])
    if not isinstance(document, dict):
        raise PatchError(where, ['a patch is {"graphvoip": 1, "nodes": {...}, "out": "..."}'])
    return document


class PatchFile(Recipe):
    """A recipe from a document. It is built once when it is made, so what is wrong with it is known then."""

    def __init__(self, document, folder: Path, where: str, loaded, within: tuple[Path, ...], name: str = "patch"):
        self.folder, self.where, self.document = folder, where, document
        self.warnings: list[str] = []
        problems = Problems()
        self._check(problems, name)
        self.recipes = self._sub_patches(problems, loaded, within)
        self.size = 0
        if not problems.fatal:
            self._try(problems)
        if problems.found:
            raise PatchError(where, problems.in_order(document))

    def _check(self, problems: "Problems", name: str) -> None:
        """The document's own shape; what a part is not is replaced by nothing, so that the rest can be looked at."""
        document = self.document
        if document.get("graphvoip") != FORMAT or isinstance(document["graphvoip"], bool):
            found = document.get("graphvoip", "none")
            problems.add("graphvoip", f"this reads format {FORMAT}, not {found!r:.40}", fatal=True)
        for key in document:
            if key not in ROOT:
                problems.add(key[:40], f"a patch has no '{key[:40]}'{hint(key, ROOT)}")
        for key in ("params", "inputs", "patches", "nodes", "outputs"):
            if not isinstance(document.get(key, {}), dict):
                problems.add(key, f"it is {{name: ...}}, not {kind_of(document[key])}", fatal=True)
        for key in ("name", "doc", "out", "done"):
            if not isinstance(document.get(key, ""), str) and not (key == "out" and is_number(document[key])):
                problems.add(key, f"it is a text, not {kind_of(document[key])}", fatal=True)
        seed = document.get("seed", 0)
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 1 << 63:
            problems.add("seed", f"it is a whole number from 0 on, not {seed!r:.40}", fatal=True)
        if not isinstance(document.get("score", []), list):
            problems.add("score", f"it is a list, not {kind_of(document['score'])}", fatal=True)
        if "nodes" not in document:
            problems.add("nodes", "a patch has nodes", fatal=True)
        if ("out" in document) == bool(document.get("outputs")):
            says = "say what is heard: an expression" if "out" not in document else "give out or outputs, not both"
            problems.add("out", says, fatal=True)
        if problems.fatal:
            return
        self.name, self.doc, self.seed = document.get("name", name), document.get("doc", ""), seed
        self._check_names(problems)
        self.params = {key: self._param(key, value, problems) for key, value in document.get("params", {}).items()}
        self.inputs = {key: self._input(key, value, problems) for key, value in document.get("inputs", {}).items()}

    def _check_names(self, problems: "Problems") -> None:
        seen: dict[str, str] = {}
        for section in ("params", "inputs", "nodes"):
            for name in self.document.get(section, {}):
                place = f"{section}.{name[:40]}"
                if not is_name(name) or name in ("out", *expression.CONSTANTS):
                    problems.add(place, "a name is made of letters, digits and _, and no word of Python or of ours")
                elif name in seen:
                    problems.add(place, f"{seen[name]} has this name already", fatal=True)
                seen.setdefault(name, section)
        for name in self.document.get("patches", {}):
            if not is_name(name) or name in types or name == "poly":
                problems.add(f"patches.{name[:40]}", "this is no free name for a type of node")

    def _param(self, name: str, value: Any, problems: "Problems") -> Param:
        place = f"params.{name}"
        if is_number(value):
            value = {"default": value}
        if not isinstance(value, dict):
            problems.add(place, f"it is a number or {{default, unit, min, max, doc}}, not {kind_of(value)}")
            return Param(0.0)
        for key, one in value.items():
            if key not in PARAM:
                problems.add(place, f"a parameter has no '{key[:40]}'{hint(key, PARAM)}")
            elif key in ("default", "min", "max") and not is_number(one):
                problems.add(f"{place}.{key}", f"it is a number, not {kind_of(one)}")
            elif key in ("unit", "doc") and not isinstance(one, str):
                problems.add(f"{place}.{key}", f"it is a text, not {kind_of(one)}")
        try:
            return Param(**{"default": 0.0} | {PARAM[key]: one for key, one in value.items() if key in PARAM})
        except (TypeError, ValueError, OverflowError) as error:
            problems.add(place, str(error).removeprefix("Param: "))
            return Param(0.0)

    def _input(self, name: str, value: Any, problems: "Problems") -> str:
        if value not in KINDS:
            problems.add(f"inputs.{name}", f"it is 'audio' or 'events', not {value!r:.40}")
            return "audio"
        return value

    def _sub_patches(self, problems: "Problems", loaded, within: tuple[Path, ...]) -> dict[str, Recipe]:
        found: dict[str, Recipe] = {}
        for name, value in (self.document.get("patches", {}) if not problems.fatal else {}).items():
            place = f"patches.{name}"
            try:
                path = inside(self.folder, value)
                if path.resolve() in within:
                    raise ValueError(f"{value} is this patch, or one that it is a part of")
                if len(within) >= DEEPEST:
                    raise ValueError(f"patches are nested more than {DEEPEST} deep")
                if path.resolve() not in loaded:
                    loaded[path.resolve()] = _load(path, loaded, within)
                found[name] = loaded[path.resolve()]
            except PatchError as error:
                for line in error.errors:
                    problems.add(place, f"{value}: {line}")
            except (TypeError, ValueError) as error:
                problems.add(place, str(error))
        return found

    def _try(self, problems: "Problems") -> None:
        """Build it once, to look."""
        self._problems = problems
        try:
            with problems.at("nodes"):
                patch = self()
                self.size = len(patch.nodes)
            for name in patch.unheard() if not problems.found else ():
                self.warnings.append(f"nodes.{name}: it feeds nothing" if name in self.document["nodes"] else
                                     f"params.{name}: nothing uses it")  # fmt: skip
        except _TooMany as error:
            problems.add("nodes", str(error))
        finally:
            del self._problems

    def _make(self, given: dict[str, Any]) -> tuple[dict[str, Port], NodeEvent | None]:
        problems = vars(self).get("_problems") or Problems(strict=True)
        return _Builder(self, given, problems).build()


class _TooMany(ValueError):
    pass


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
        except (_TooMany, MemoryError):
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


class _Builder:
    """One building of a document: nodes first, so that every name is known, then the wires."""

    def __init__(self, recipe: PatchFile, given: dict[str, Any], problems: Problems):
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
            raise _TooMany(f"there are more than {LIMIT} nodes, with those of sub-patches")

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
            elif isinstance(slots.inputs[key], Signal) and slots.inputs[key].default is None:
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
                with self.problems.at(f"{place}.{key}"):
                    given[key] = self._param_value(recipe.params[key], key, value, f"{name}.{key}")
            else:
                given[key] = value
        return given

    def _param_value(self, param: Param, key: str, value: float, target: str) -> Any:
        try:
            return param.checked(key, value)
        except ValueError as error:
            raise ValueError(str(error).removeprefix(f"{key}: ")) from None

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
            outputs = thing.outputs if isinstance(thing, Patch) else thing.node.slots.outputs if isinstance(
                thing, Port) else thing.slots.outputs  # fmt: skip
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
            first = next(iter(outputs.values()), None)
            heard = self.things.get(
                (self.document.get("out") if isinstance(self.document.get("out"), str) else "") or ""
            )
            return done_of(heard) if first and isinstance(heard, (Node, Patch)) else None
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
        events = (
            ", ".join(thing.slots.events) if isinstance(thing, Node) else "done" if getattr(thing, "done", 0) else ""
        )
        self.problems.add("done", f"'{text[:60]}': {name} has no event '{event}' (it has {events or 'none'})")
        return None

    def _scores(self) -> dict[Any, Any]:
        """The score by what it changes: a parameter's name in scores[""], or (node, input)."""
        params: dict[str, list[Any]] = {}
        found: dict[Any, Any] = {"": params}
        for k, row in enumerate(self.document.get("score", [])):
            place = f"score[{k}]"
            fine = isinstance(row, list) and 3 <= len(row) <= 4 and is_number(row[0]) and isinstance(row[1], str)
            more = row[3] if fine and len(row) == 4 else {}
            over = more.get("over", 0.02) if isinstance(more, dict) and not set(more) - {"over"} else None
            if not fine or not is_number(row[2]) or not is_number(over) or not 0 <= over < 1e6 or not 0 <= row[0] < 1e6:
                self.problems.add(
                    place, f"{row!r:.60}: it is [seconds, 'param' or 'node.input', value, {{over: seconds}}]"
                )
                continue
            self._score(place, row, [row[0], row[2], over], params, found)
        for rows in [*params.values(), *(rows for key, rows in found.items() if key)]:
            rows.sort(key=lambda one: one[0])
        return found

    def _score(self, place: str, row: Any, change: list[float], params: Any, found: Any) -> None:
        target, value = row[1], row[2]
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
        cls = types.get(spec.get("type")) if isinstance(spec.get("type"), str) else None
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
