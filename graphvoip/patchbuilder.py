"""The document of a patch file -> nodes and wires, and what is wrong with it on the way."""

import difflib
import json
import keyword
import math
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from . import expression, jsonplaces
from .delay_lines import DelayLine
from .expression import Name, Operation, Tree
from .jsonplaces import SHOWN
from .node import Arithmetic, File, Node, NodeEvent, Option, Port, Signal, Signals, Sound, Spoken, types
from .nodes import load_all
from .nodes.constant import Constant
from .nodes.expression import Expression
from .nodes.input import Input
from .recipe import LIMIT, Patch, Recipe, checked, done_of, is_name, poly
from .units import number_for

MEMORY = 256 << 20  # bytes of a patch, those of its sub-patches included, as with all of these
LETTERS = 10_000  # characters that a patch speaks
CHANGES = 10_000  # rows of one file's score
ALL_CHANGES = 100_000  # of a patch
WIRES = 1000  # signals of one input that takes many
SECONDS = 600  # of a sound file
HINTED = 50  # problems that have a hint: looking for what was meant takes long
WRONG = 200  # problems after which the rest is not looked at
INPUTS = {  # what files mean that name it without having it
    "keys": '; an input is declared: "inputs": {"keys": "events"}',
    "voice": '; an input is declared: "inputs": {"voice": "audio"}',
}
TOO_MUCH = "too much is wrong; the rest was not looked at"

load_all()  # a file may name any type of node


class TooMany(ValueError):
    """A patch has more of something than a patch may have: building it stops at once."""

    def __init__(self, message: str, place: str = "nodes"):
        super().__init__(message)
        self.place = place


class TooWrong(TooMany):
    """So many problems that the rest is not looked at."""


@dataclass
class Cost:
    """What a patch takes, its sub-patches included. nodes: all, also those that have no name."""

    nodes: int = 0
    memory: int = 0  # bytes, but for sounds
    delays: int = 0  # bytes of these that are the memory of delays
    letters: int = 0
    changes: int = 0
    sounds: dict[Path, int] = field(default_factory=dict)  # bytes of each file; nodes share them


class Sounds:
    """The sound files of a patch and its sub-patches, each loaded once for all nodes."""

    def __init__(self) -> None:
        self._found: dict[Path, tuple[tuple[int, int], np.ndarray]] = {}

    def load(self, path: Path, name: str) -> np.ndarray:
        """Its samples, not to be written to. It is loaded again if it has been written anew. name: for errors."""
        from .io import wav

        key, stamp = path.resolve(), (0, 0)
        if path.is_file():
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if key in self._found and self._found[key][0] == stamp:
                return self._found[key][1]
            seconds = wav.duration(path)
            if seconds > SECONDS:
                raise ValueError(f"{name} is {seconds:.6g} s long; a sound in a patch has at most {SECONDS} s")
        data = np.ascontiguousarray(wav.load(path), np.float32)
        data.flags.writeable = False
        self._found[key] = stamp, data
        return data


class Problems:
    """What is wrong, with its place. strict: raise the first one."""

    def __init__(self, strict: bool = False):
        self.found: list[tuple[str, str, str]] = []  # place, what is wrong, and what in the text to point at
        self.fatal, self.strict = False, strict

    def add(self, place: str, message: str, fatal: bool = False, key: str = "") -> None:
        """key: what is wrong there, if it is not all of it."""
        if self.strict:
            raise ValueError(f"{place}: {message}")
        if len(self.found) >= WRONG:
            raise TooWrong(TOO_MUCH)
        spot = f"{place}.{key[:SHOWN]}" if key else place
        self.found.append((place, message if len(message) < 350 else f"{message[:340]} ...", spot))
        self.fatal = self.fatal or fatal

    def hint(self, name: str, known: Any, shown: int = 12) -> str:
        """What may have been meant, or what there is."""
        if len(self.found) >= HINTED:
            return ""
        known = list(islice((one for one in known if isinstance(one, str) and len(one) <= 60), 200))
        near = difflib.get_close_matches(name[:60], known, 1)
        if near:
            return f"; did you mean '{near[0]}'?"
        return f"; it has {', '.join(known[:shown])}" if known[:shown] else ""

    @contextmanager
    def at(self, place: str, strip: str = "") -> Iterator[None]:
        """Catch what a part of the patch raises; `strip`: the node's type, which its own messages begin with."""
        try:
            yield
        except (TooMany, MemoryError):
            raise
        except Exception as error:
            self.add(place, str(error).removeprefix(f"{strip}: ") or type(error).__name__)

    def in_order(self, document: dict[str, Any], text: str = "") -> tuple[list[str], list[tuple[int, int]]]:
        """As lines, in the order in which the file has their places; and where in its text, if there is one."""
        places = [key if name is None else f"{key}.{name}" for key, value in document.items()
                  for name in (None, *(value if isinstance(value, dict) else ()))]  # fmt: skip
        rank = {place: k for k, place in enumerate(places)}

        def key(one: tuple[str, str, str]) -> int:
            parts = re.split(r"[.\[]", one[0])
            return rank.get(".".join(parts[:2]), rank.get(parts[0], len(rank)))

        found = sorted(self.found, key=key)
        return [f"{place}: {message}" for place, message, _ in found], spots([one[2] for one in found], text)


class Builder:
    """One building of a document: nodes first, so that every name is known, then the wires."""

    def __init__(self, recipe: Any, given: dict[str, Any], problems: Problems):
        self.recipe, self.document, self.problems = recipe, recipe.document, problems
        self.cost = Cost()
        self.delays: dict[str, int] = {}  # what the delays in a sub-patch take, as far as it has been counted
        self.things: dict[str, Any] = {}  # what a name stands for: a node, a port or a patch
        # Place, input, what is written there, and the node; None where that could not be made: its wires are looked at.
        self.waiting: list[tuple[str, Signal | Signals, Any, Node | None]] = []
        if recipe.scores is None:
            recipe.scores = self._scores()
        params, self.scores = recipe.scores
        self._spend("score", changes=sum(map(len, (*params.values(), *self.scores.values()))))
        held = [name for name in (*recipe.inputs, *recipe.params) if not isinstance(given.get(name), Arithmetic)]
        self._spend("nodes", nodes=len(held))
        self.things |= recipe._nodes_of(given, params)

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
        for place, slot, value, node in self.waiting:
            self._wire(place, slot, value, node)
        self._spend_delays()
        return outputs, self._done(outputs)

    # --- Nodes --------------------------------------------------------------------------------------------------------

    def _node(self, place: str, name: str, spec: dict[str, Any]) -> Any:
        kind = spec.get("type")
        values = {key: value for key, value in spec.items() if key not in ("type", "doc")}
        known = [one for one, cls in types.items() if in_files(cls)]
        if not isinstance(kind, str):
            says = 'say what it is: "type": "sine", or another that "graphvoip nodes" lists'
            self.problems.add(f"{place}.type", SUB_PATCH if "patch" in values else says)
            return _Unknown()
        if kind == "poly":
            return self._poly(place, name, values)
        if kind in self.recipe.recipes:
            return self._patch(place, name, kind, values)
        if kind not in known:
            known += [*self.document.get("patches", {}), "poly"]
            hint = self.problems.hint(kind, known, 0) or '; "graphvoip nodes" lists them'
            says = SUB_PATCH if kind.endswith(".json") else f"no node type '{kind[:40]}'{hint}"
            if kind in types:
                says = f"'{kind}' is for Python only"
            if kind not in self.document.get("patches", {}):  # a sub-patch that could not be read has been told of
                self.problems.add(f"{place}.type", says)
            return _Unknown()
        self._spend(place, nodes=1)
        return self._plain(place, name, types[kind], values)

    def _spend(self, place: str, nodes: int = 0, memory: int = 0, letters: int = 0, changes: int = 0) -> None:
        """Count what a part takes. TooMany when that is more than a patch may take."""
        cost = self.cost
        cost.nodes, cost.memory = cost.nodes + nodes, cost.memory + memory
        cost.letters, cost.changes = cost.letters + letters, cost.changes + changes
        if cost.nodes > LIMIT:
            raise TooMany(f"there are more than {LIMIT} nodes, with those of sub-patches")
        if cost.memory + sum(cost.sounds.values()) > MEMORY:
            raise TooMany(f"with it the patch takes more than {MEMORY >> 20} MB of memory", place)
        if cost.letters > LETTERS:
            raise TooMany(f"with it the patch speaks more than {LETTERS} characters", place)
        if cost.changes > ALL_CHANGES:
            raise TooMany(f"with it the patch's scores have more than {ALL_CHANGES} changes", place)

    def _spend_patch(self, place: str, cost: Cost, nodes: int, times: int = 1) -> None:
        self.cost.sounds |= cost.sounds
        self._spend(place, nodes, cost.memory * times, cost.letters * times, cost.changes * times)

    def _spend_delays(self) -> None:
        """Count the memory of delays, now that it is known how long their times will be."""
        for name, thing in self.things.items():
            nodes = thing.nodes.values() if isinstance(thing, Patch) else [thing] if isinstance(thing, Node) else []
            lines = [one for node in nodes for one in vars(node).values() if isinstance(one, DelayLine)]
            for line in lines:
                line.make_room()
            size = sum(line.nbytes for line in lines)
            self.cost.delays += size
            self._spend(f"nodes.{name[:40]}", memory=max(0, size - self.delays.get(name, 0)))

    def _plain(self, place: str, name: str, cls: type[Node], values: dict[str, Any]) -> Any:
        slots, given, files = cls.slots, {}, {}
        before = len(self.problems.found)
        for key, value in values.items():
            if key in slots.options:
                option = slots.options[key]
                with self.problems.at(f"{place}.{key}", strip=cls.type):
                    given[key] = self._option(cls, option, value)
                    if isinstance(option, Sound) and isinstance(given[key], Path):
                        files[key] = given[key]
                        given[key] = self._sound(place, files[key], value)
                    if isinstance(option, Spoken):
                        self._spend(place, letters=len(given[key]))
            elif key in slots.inputs:
                self._number(f"{place}.{key}", slots.inputs[key], value, given)
            else:
                known = [*slots.inputs, *slots.options]
                self.problems.add(place, f"{cls.type} has no '{key[:40]}'{self.problems.hint(key, known)}", key=key)
        node = None
        if len(self.problems.found) == before:
            with self.problems.at(place, strip=cls.type):
                node = self._new(place, name, cls, given, files)
        for key, slot in slots.inputs.items():
            scored = node is not None and (name, key) in self.scores
            if (key in values and key not in given) or scored:
                self.waiting.append((f"{place}.{key}", slot, values.get(key, getattr(slot, "default", None)), node))
            elif key not in values and getattr(slot, "default", 0) is None:
                self.problems.add(place, f"'{key}' {MISSING}")
        return _Unknown() if node is None else node

    def _new(self, place: str, name: str, cls: type[Node], given: dict[str, Any], files: dict[str, Path]) -> Node:
        node = cls(name=name, **given)
        node.given |= files  # a file is written, and compared, by its name
        shared = [id(given[key]) for key in files]
        arrays = (one for one in vars(node).values() if isinstance(one, np.ndarray) and id(one) not in shared)
        self._spend(place, memory=sum(one.nbytes for one in arrays))
        return node

    def _number(self, place: str, slot: Signal | Signals, value: Any, given: dict[str, Any]) -> None:
        """A number goes to the constructor, which may look at it: the memory of a delay depends on its time."""
        number = expression.number_of(value) if isinstance(value, str) else value if is_number(value) else None
        if isinstance(slot, Signal) and number is not None:
            given[slot.name] = self._signal(place, number, slot)

    def _sound(self, place: str, path: Path, name: str) -> np.ndarray:
        data = self.recipe.sounds.load(path, name)
        self.cost.sounds[path.resolve()] = data.nbytes
        self._spend(place)
        return data

    def _option(self, cls: type[Node], option: Option, value: Any) -> Any:
        wanted = option.schema().get("type")
        if isinstance(option, (File, Sound)) and isinstance(value, str):
            return inside(self.recipe.folder, value)
        if wanted and not isinstance(wanted, list) and not fits(value, wanted):
            unit = number_for(value, getattr(option, "unit", "")) if isinstance(value, str) else ""
            raise ValueError(f"it is {A[wanted]}, not {kind_of(value)}{unit}")
        with_type = _Unknown()
        with_type.type = cls.type
        try:
            if not isinstance(option, (File, Sound)):
                option.check(with_type, value)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise ValueError(str(error).removeprefix(f"{cls.type}: {option.name} ")) from None
        return value

    def _patch(self, place: str, name: str, kind: str, values: dict[str, Any]) -> Any:
        recipe: Any = self.recipe.recipes[kind]
        given = self._given(place, name, recipe, kind, values, recipe.inputs)
        if given is None:
            return _Unknown()
        # An input of its own that it is given through counts for the node inside that it takes the place of.
        self._spend_patch(place, recipe.cost, recipe.size)
        self.delays[name] = recipe.cost.delays
        made = recipe(**given)
        made.name = name
        return made

    def _poly(self, place: str, name: str, values: dict[str, Any]) -> Any:
        kind, voices, play = values.pop("patch", None), values.pop("voices", 4), values.pop("play", None)
        recipe: Any = self.recipe.recipes.get(kind) if isinstance(kind, str) else None
        patches = self.document.get("patches", {})
        before = len(self.problems.found)
        if recipe is None and kind not in [*patches]:  # a sub-patch that could not be read has been told of
            hint = self.problems.hint(str(kind), patches) if patches else "; the file has none"
            self.problems.add(f"{place}.patch", f"it is a name of 'patches'{hint}")
        if not isinstance(voices, int) or isinstance(voices, bool) or not 1 <= voices <= 64:
            self.problems.add(f"{place}.voices", f"it is a whole number from 1 to 64, not {kind_of(voices)}")
        keys = Input(0.0, kind="events", name=f"{name}_play")
        if isinstance(play, str):
            self._later(f"{place}.play", keys, play)
        else:
            self.problems.add(f"{place}.play", 'say which events it is played by, an expression: "play": "keys"')
        if recipe is None:
            return _Unknown()
        events = [one for one, kind in recipe.inputs.items() if kind == "events"]
        needed = [one for one in recipe.inputs if one not in events[:1]]
        given = self._given(place, name, recipe, f"{kind}", values, needed)
        if given is None or len(self.problems.found) > before:
            return _Unknown()
        inner = len(recipe.params) + len(recipe.inputs)  # nodes of a voice that all voices share, but the one it plays
        self._spend_patch(place, recipe.cost, voices * (recipe.size - inner + 1) + inner + 1, voices)
        self.delays[name] = voices * recipe.cost.delays
        made = poly(recipe, keys, voices, **given)
        made.name = name
        return made

    def _given(self, place: str, name: str, recipe: Recipe, kind: str, values: dict[str, Any],
               needed: Iterable[str]) -> dict[str, Any] | None:  # fmt: skip
        """Numbers as they are; an expression, which may speak of nodes that come later, through a node of its own.

        None, and told, if one of those that are needed is not given: it would be silent without a word.
        """
        given: dict[str, Any] = {}
        for key, value in values.items():
            if key not in recipe.params and key not in recipe.inputs:
                known = [*recipe.params, *recipe.inputs]
                self.problems.add(place, f"{kind} has no '{key[:40]}'{self.problems.hint(key, known)}", key=key)
            elif isinstance(value, str):
                given[key] = Input(name=f"{name}.{key}")
                self._later(f"{place}.{key}", given[key], value)
            elif not is_number(value):
                self.problems.add(f"{place}.{key}", f"it is a number or an expression, not {kind_of(value)}")
            elif key in recipe.params:
                with self.problems.at(f"{place}.{key}", strip=key):
                    given[key] = checked(key, value, recipe.params[key])
            else:
                given[key] = value
        for key in needed:
            if key not in values:
                self.problems.add(place, f"'{key}' {MISSING}")
        return given if all(key in given for key in needed) else None

    def _later(self, place: str, node: Input, text: str) -> None:
        self.waiting.append((place, node.slots.inputs["input"], text, node))

    # --- Wires --------------------------------------------------------------------------------------------------------

    def _wire(self, place: str, slot: Signal | Signals, value: Any, node: Node | None) -> None:
        if isinstance(slot, Signals):
            if not isinstance(value, list):
                value = [value]
            if len(value) > WIRES:
                self.problems.add(place, f"it has {len(value)} signals; it may have {WIRES}")
                return
            wires = [self._signal(f"{place}[{k}]", one, Signal()) for k, one in enumerate(value)]
            if node is not None:
                node.wires[slot.name] = [wire for wire in wires if wire is not None]
            return
        wire = self._signal(place, value, slot)
        if wire is None or node is None:
            return
        changes = self.scores.get((node.name, slot.name))
        if changes and isinstance(wire, float):
            with self.problems.at("score"):
                self._spend(place, nodes=1)
                wire = Constant(value=wire, score=changes, name=f"{node.name}_{slot.name}").port()
        node.wires[slot.name] = wire

    def _signal(self, place: str, value: Any, slot: Any) -> Any:
        """A number or a port, from a number or an expression; None, and told, if it is neither."""
        if isinstance(value, str):
            value = self._expression(place, value, getattr(slot, "unit", ""))
        elif not is_number(value):
            self.problems.add(place, f"it is a number or an expression, not {kind_of(value)}")
            return None
        if isinstance(value, Arithmetic):
            port = value.port()
            for number in port.node.numbers():
                if wrong := slot.wrong(number):
                    self.problems.add(place, f"{wrong}, and {port!r} brings it")
                    break
            return port
        if value is None:
            return None
        if (wrong := slot.wrong(value)) or not abs(value) < 1e30:
            self.problems.add(place, wrong or f"{value:g} is too great")
            return None
        return float(value)

    def _expression(self, place: str, text: str, unit: str = "") -> Any:
        meant = number_for(text, unit)
        try:
            tree = expression.parse(text)
            if meant and not any(name.name in self.known for name in expression.names(tree)):
                raise ValueError(f"'{text}' is no number")  # a note, or a number of several words
        except ValueError as error:
            self.problems.add(place, f"{error}{meant}")
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
        if not isinstance(tree, Operation) or tree.sign not in ("+", "-", "*", "/"):
            return self._formula(place, text, tree)
        a, b = self._value(place, text, tree.left), self._value(place, text, tree.right)
        if not all(isinstance(one, (float, Arithmetic)) for one in (a, b)):
            return _Unknown()
        self._spend(place, nodes=1)
        return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b}[tree.sign]()

    def _formula(self, place: str, text: str, tree: Tree) -> Any:
        """A function of signals, a power or a comparison: a node that computes it."""
        signals = [name for name in dict.fromkeys(expression.names(tree)) if not self._is_time(name)]
        wires = {name: self._named(place, text, name) for name in signals}
        if len(signals) > len("abcd"):
            says = f"'{expression.text(tree)[:40]}' is of {len(signals)} signals, and 4 are possible"
            self.problems.add(place, f"{says}; give parts of it names of their own")
        if len(signals) > len("abcd") or not all(isinstance(one, Arithmetic) for one in wires.values()):
            return _Unknown()
        self._spend(place, nodes=1)
        formula = expression.text(expression.renamed(tree, dict(zip(signals, map(Name, "abcd"), strict=False))))
        with self.problems.at(place, strip="expression"):
            return Expression(*wires.values(), formula=formula)
        return _Unknown()

    def _is_time(self, name: Name) -> bool:
        """Is this `t`, the seconds since it began? A node may be called so, too."""
        return name == Name("t") and "t" not in self.known

    def _named(self, place: str, text: str, name: Name) -> Any:
        if self._is_time(name):
            return self._formula(place, text, name)
        thing = self.things.get(name.name)
        if thing is None:
            if name.name in self.document["nodes"]:
                return _Unknown()  # what is wrong with it has been told
            hint = self.problems.hint(name.name, self.known, 0)
            hint = hint or INPUTS.get(name.name, "")
            says = expression.misused(name.name) or f"nothing is named '{name.name[:40]}'{hint}"
            self.problems.add(place, f"'{text[:60]}': {says}")
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

    @property
    def known(self) -> list[str]:
        """All names that an expression may have."""
        return [*self.things, *self.document["nodes"]]

    # --- The rest -----------------------------------------------------------------------------------------------------

    def _outputs(self) -> dict[str, Port]:
        written = self.document.get("outputs") or {"out": self.document.get("out")}
        found = {}
        for name, value in written.items():
            place = "out" if "outputs" not in self.document else f"outputs.{name[:40]}"
            if not is_name(name):
                self.problems.add(place, misnamed(name))
            wire = self._signal(place, value, Signal())
            if isinstance(wire, float):
                self._spend(place, nodes=1)
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
                hint = self.problems.hint(name, known)
                self.problems.add("done", f"'{text[:60]}': nothing is named '{name[:40]}'{hint}")
            return None
        events = ", ".join(thing.slots.events) if isinstance(thing, Node) else ""
        says = f"{name} has no event '{event or 'done'}' (it has {events or 'none'})"
        self.problems.add("done", f"'{text[:60]}': {says}")
        return None

    def _scores(self) -> tuple[dict[str, Any], dict[Any, Any]]:
        """The score by what it changes: by a parameter's name, and by (node, input). Looked at once for a recipe."""
        params: dict[str, list[Any]] = {}
        found: dict[Any, Any] = {}
        for k, row in enumerate(self.document.get("score", [])):
            place, change = f"score[{k}]", change_of(row)
            if change is None:
                says = 'it is [seconds, "param" or "node.input", value, {"over": seconds}]'
                self.problems.add(place, f"{json.dumps(row, default=repr)[:60]}: {says}")
            else:
                self._score(place, row[1], change, params, found)
        for rows in [*params.values(), *found.values()]:
            rows.sort(key=lambda one: one[0])
        return params, found

    def _score(self, place: str, target: str, change: list[float], params: Any, found: Any) -> None:
        name = target.partition(".")[0]
        spec = self.document["nodes"].get(name)
        if target in self.recipe.params:
            with self.problems.at(place):
                checked(target, change[1], self.recipe.params[target])
                params.setdefault(target, []).append(change)
            return
        if not isinstance(spec, dict):
            if name not in self.document["nodes"]:
                known = chain(self.recipe.params, self._inputs())
                self.problems.add(place, f"there is no '{target[:60]}' to change{self.problems.hint(target, known)}")
            return
        kind = f"{spec.get('type')}"
        if kind in (*self.recipe.recipes, "poly"):
            says = "a sub-patch is changed by a param of this file that is wired to it"
            self.problems.add(place, f"'{target[:60]}': {says}")
        elif kind in types and in_files(types[kind]):  # what is wrong with its type is told where it is
            self._score_of(place, target, types[kind], spec, change, found)

    def _score_of(self, place: str, target: str, cls: type[Node], spec: Any, change: list[float], found: Any) -> None:
        value = change[1]
        name, _, key = target.partition(".")
        slots = {one: slot for one, slot in cls.slots.inputs.items() if isinstance(slot, Signal)}
        slot = slots.get(key)
        if slot is None:
            says = f"only inputs of nodes can be changed, and {name[:40]} has no '{key[:40]}'"
            says = says if key else "name one of its inputs"
            self.problems.add(place, f"'{target[:60]}': {says}{self.problems.hint(key, slots)}")
        elif isinstance(spec.get(key), str) and has_names(spec[key]):
            self.problems.add(place, f"{target} is wired to '{spec[key][:40]}'; only a number can be changed")
        elif not slot.low <= value <= slot.high:
            self.problems.add(place, f"{target}: {value:g} is outside {slot.low:g}..{slot.high:g}")
        else:
            found.setdefault((name, key), []).append(change)

    def _inputs(self) -> Iterator[str]:
        """node.input of all that a score can change."""
        for name, spec in self.document["nodes"].items():
            cls = types.get(f"{spec.get('type')}") if isinstance(spec, dict) else None
            for key, slot in (cls.slots.inputs if cls else {}).items():
                if isinstance(slot, Signal) and not (isinstance(spec.get(key), str) and has_names(spec[key])):
                    yield f"{name}.{key}"


def spots(wanted: list[str], text: str) -> list[tuple[int, int]]:
    """Line and column of each place in a text, or of what it is in, if it is not there. []: there is no text."""
    if not text:
        return []
    known = dict(jsonplaces.places(text))
    found = []
    for place in wanted:
        while place not in known:
            place = re.sub(r"(^|\.)[^.\[]*$|\[[^\[]*$", "", place)
        found.append(jsonplaces.line_and_column(text, known[place]))
    return found


def has_names(text: str) -> bool:
    """Is this an expression that speaks of nodes? What is none is not: that is told where it is."""
    try:
        return expression.value_of(expression.parse(text)) is None
    except ValueError:
        return False


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


def in_files(cls: type[Node]) -> bool:
    """May a patch file have nodes of this class?"""
    return cls.group != "call" and not cls.in_python and cls.type != "handover"


def inside(folder: Path, name: Any) -> Path:
    """A file that a patch names: in the patch's folder, or below it. ValueError for any other place."""
    if not isinstance(name, str):
        raise ValueError(f"it is the name of a file, not {kind_of(name)}")
    if not name or "\0" in name or len(name) > 1000:
        raise ValueError(f"{name[:40]!r} is no name of a file")
    path, root = folder / name, folder.resolve()
    if Path(name).is_absolute() or not path.resolve().is_relative_to(root):
        raise ValueError(f"{name} is outside the patch's folder; put it there and name it from there")
    if path.exists() and not path.is_file() and not path.is_dir():  # opening a pipe would wait for ever
        raise ValueError(f"{name} is a pipe, device or socket, not a regular file")
    return path


def misnamed(name: str) -> str:
    """Why nothing can be called so; "" if it can."""
    if name == "out":
        return "'out' is what is heard; take another name"
    if name in expression.RESERVED:
        kind = "a number" if name in expression.CONSTANTS else f"a function in expressions, {name}(...)"
        return f"'{name}' is {kind}; take another name"
    if keyword.iskeyword(name):
        return f"'{name}' is a word of Python, by whose rules expressions are read; take another name"
    return "" if is_name(name) else "a name is made of letters (a to z, A to Z), digits and _, and begins with no digit"


MISSING = "must be given: a number, or an expression over names"
SUB_PATCH = 'a sub-patch is named in "patches": {"bell": "bell.json"}, beside "nodes"; its "type" is "bell" then'
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
    return json.dumps(value, default=repr)[:40]
