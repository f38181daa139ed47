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

import itertools
import json
import os
from pathlib import Path
from typing import Any

from .jsonplaces import SHOWN, line_and_column, places, wrong_number
from .node import NodeEvent, Port, types
from .patchbuilder import (
    CHANGES,
    TOO_MUCH,
    WRONG,
    Builder,
    Cost,
    Problems,
    Sounds,
    TooMany,
    TooWrong,
    inside,
    is_number,
    kind_of,
    misnamed,
    spots,
)
from .recipe import RESERVED, Param, Recipe, is_name
from .units import number_for

FORMAT = 1
LARGEST = 1_000_000  # bytes of a file
DEEPEST = 8  # files within files
MOST = 50  # errors that are told
BOM = "\ufeff"  # some editors begin a file with it
SOUNDS = (b"RIFF", b"RIFX", b"FORM", b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b".snd", b"caff")

ROOT = {
    "$schema": "where the JSON Schema of patches is, for editors; it is kept and means nothing",
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
    """All that is wrong with a patch, one line each: the file, the line and column, the place and a suggestion.

    errors: what is wrong alone. spots: the line and column of each; none for a document that was never a text.
    """

    def __init__(self, where: str, errors: list[str], spots: list[tuple[int, int]] | None = None):
        self.errors, self.spots = errors, spots or []
        last = [TOO_MUCH] if errors[-1:] == [TOO_MUCH] else []
        lines = self.lines(where)
        more = len(errors) - len(last) - MOST
        also = [f"{where}: and {more} more" if where else f"and {more} more"]
        super().__init__("\n".join([*lines[:MOST], *also, *lines[len(lines) - len(last) :]] if more > 0 else lines))

    def lines(self, where: str) -> list[str]:
        """One for each error, as compilers write them: editors and terminals go to the place."""
        return [start + says for start, says in zip(starts(where, self.errors, self.spots), self.errors, strict=True)]


def starts(where: str, says: list[str], spots: list[tuple[int, int]]) -> list[str]:
    """What lines begin with: the file, and the line and column as far as there are spots."""
    found = []
    for _, spot in itertools.zip_longest(says, spots):
        start = f"{where}: " if where else ""
        if spot is not None:
            start = f"{where}:{spot[0]}:{spot[1]}: " if where else f"line {spot[0]}, column {spot[1]}: "
        found.append(start)
    return found


def load_patch(path: str | os.PathLike) -> Recipe:
    """The recipe in a patch file; call it to make the patch. PatchError tells all that is wrong with the file."""
    return _load(Path(path), Loaded(), ())


def parse_patch(document: dict[str, Any] | str, folder: str | os.PathLike = ".") -> Recipe:
    """The same from a document, or its text; the files that it names are looked for in the folder."""
    text = document.removeprefix(BOM) if isinstance(document, str) else ""
    if isinstance(document, str):
        document = _decoded(text, "")
    return PatchFile(document, Path(folder), "", Loaded(), (), text=text)


class Loaded:
    """What one loading has read: a file that is used in several places is read once."""

    def __init__(self) -> None:
        self.recipes: dict[Path, PatchFile] = {}
        self.sounds = Sounds()


def _load(path: Path, loaded: Loaded, within: tuple[Path, ...]) -> "PatchFile":
    try:
        if path.exists() and not path.is_file() and not path.is_dir():  # opening a pipe would wait for ever
            raise PatchError(f"{path}", ["a pipe, device or socket, not a regular file"])
        if path.stat().st_size > LARGEST:
            raise PatchError(f"{path}", [f"the file has {path.stat().st_size} bytes; a patch has at most {LARGEST}"])
        data = path.read_bytes()
        text = data.decode("utf-8").removeprefix(BOM)
    except (OSError, UnicodeDecodeError) as error:
        raise PatchError(f"{path}", [_unread(error)]) from None
    try:
        document = _decoded(text, f"{path}")
    except PatchError as error:
        says = [one + other_kind(path) if one.startswith("no JSON") else one for one in error.errors]
        raise PatchError(f"{path}", says, error.spots) from None
    return PatchFile(document, path.parent, f"{path}", loaded, (*within, path.resolve()), path.stem, text)


def other_kind(path: Path) -> str:
    """What to do with a file whose name says that it is no patch; else ""."""
    kind = path.suffix.lower()
    if kind == ".py":
        return f"; it is Python: import its @patch function, or say {path.name}:FUNCTION on the command line"
    if kind in (".yaml", ".yml", ".toml", ".json5", ".jsonc", ".js"):
        return f"; a patch is written in JSON, not in {kind[1:].upper()}"
    return ""


def _unread(error: OSError | UnicodeDecodeError) -> str:
    """Why a file could not be read."""
    if isinstance(error, UnicodeDecodeError):
        start = error.object
        if start.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "this is UTF-16, no UTF-8 text; save it as UTF-8"
        if start.startswith(SOUNDS):
            return 'this is a sound file, no patch; a patch plays it by a node: {"type": "pcm", "data": "NAME"}'
        return "this is no UTF-8 text, so no patch"
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a directory, not a patch"
    return error.strerror or str(error)


def _decoded(text: str, where: str) -> dict[str, Any]:
    doubled = False

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        made = dict(found)
        doubled = doubled or len(made) < len(found)
        return made

    def no_number(name: str) -> None:
        raise ValueError(f"{name} is no number in JSON")

    if not text.strip():
        raise PatchError(where, ["the file is empty" if where else "the text is empty"])
    try:
        document = json.loads(text, object_pairs_hook=pairs, parse_constant=no_number)
    except json.JSONDecodeError as error:
        raise PatchError(where, [f"no JSON: {error.msg}"], [(error.lineno, error.colno)]) from None
    except RecursionError:
        raise PatchError(where, ["no JSON: it is nested too deep"]) from None
    except ValueError as error:  # NaN, Infinity, or more digits than Python converts
        raise PatchError(where, [f"no JSON: {error}"], [line_and_column(text, wrong_number(text))]) from None
    if doubled:
        twice = _doubled(text)[:WRONG]
        says = [f"'{place.rpartition('.')[2]}' is there twice in one place" for place, _ in twice]
        raise PatchError(where, says, [line_and_column(text, at) for _, at in twice])
    if not isinstance(document, dict):
        raise PatchError(where, ['a patch is {"graphvoip": 1, "nodes": {...}, "out": "..."}'])
    return document


def _doubled(text: str) -> list[tuple[str, int]]:
    """The places that come again, and where they do so first."""
    seen: set[str] = set()
    found: dict[str, int] = {}
    for place, at in places(text):
        if place in seen:
            found.setdefault(place, at)
        seen.add(place)
    return [*found.items()]


class PatchFile(Recipe):
    """A recipe from a document. It is built once when it is made, so what is wrong with it is known then."""

    def __init__(self, document: dict[str, Any], folder: Path, where: str, loaded: Loaded, within: tuple[Path, ...],
                 name: str = "patch", text: str = ""):  # fmt: skip
        self.folder, self.where, self.document = folder, where, document
        self.warnings: list[str] = []  # what is odd about it, in the order of the text,
        self.warning_spots: list[tuple[int, int]] = []  # and the line and column of each, if there is a text
        self.recipes: dict[str, PatchFile] = {}
        self.sounds, self.cost = loaded.sounds, Cost()
        self.scores: Any = None  # its score, once it has been looked at
        problems = Problems()
        try:
            self._check(problems, name)
            self.recipes = self._sub_patches(problems, loaded, within)
            if not problems.fatal:
                self._try(problems, text)
        except TooWrong:
            lines, spots = problems.in_order(document, text)
            raise PatchError(where, [*lines, TOO_MUCH], spots) from None
        if problems.found:
            raise PatchError(where, *problems.in_order(document, text))

    @property
    def size(self) -> int:
        """How many nodes it makes, with those of sub-patches and those without a name."""
        return self.cost.nodes

    def _check(self, problems: "Problems", name: str) -> None:
        """The document's own shape; what a part is not is replaced by nothing, so that the rest can be looked at."""
        document = self.document
        if "graphvoip" not in document:
            problems.add("graphvoip", f'write "graphvoip": {FORMAT}, the number of the format', fatal=True)
        elif document["graphvoip"] != FORMAT or isinstance(document["graphvoip"], bool):
            says = f"this reads format {FORMAT}, not {kind_of(document['graphvoip'])}"
            problems.add("graphvoip", says, fatal=True)
        for key in document:
            if key not in ROOT:
                problems.add(key[:SHOWN], f"a patch has no '{key[:SHOWN]}'{problems.hint(key, ROOT)}")
        for key in ("params", "inputs", "patches", "nodes", "outputs"):
            if not isinstance(document.get(key, {}), dict):
                problems.add(key, f"it is {{name: ...}}, not {kind_of(document[key])}", fatal=True)
        for key in ("$schema", "name", "doc", "out", "done"):
            if not isinstance(document.get(key, ""), str) and not (key == "out" and is_number(document[key])):
                problems.add(key, f"it is a text, not {kind_of(document[key])}", fatal=True)
        seed = document.get("seed", 0)
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 1 << 63:
            problems.add("seed", f"it is a whole number from 0 on, not {kind_of(seed)}", fatal=True)
        if not isinstance(document.get("score", []), list):
            problems.add("score", f"it is a list, not {kind_of(document['score'])}", fatal=True)
        elif len(document.get("score", [])) > CHANGES:
            says = f"it has {len(document['score'])} changes; a patch has at most {CHANGES}"
            problems.add("score", says, fatal=True)
        if "nodes" not in document:
            problems.add("nodes", 'a patch has nodes: "nodes": {"ding": {"type": "sine"}}', fatal=True)
        if ("out" in document) == bool(document.get("outputs")):
            says = 'say what is heard, an expression: "out": "0.5 * ding"'
            problems.add("out", says if "out" not in document else "give out or outputs, not both", fatal=True)
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
                if says := misnamed(name):
                    problems.add(place, says)
                elif name in RESERVED and section != "nodes":
                    problems.add(place, f"'{name}' means something else where a patch is used; take another name")
                elif name in seen:
                    problems.add(place, f"{seen[name]} has this name already", fatal=True)
                seen.setdefault(name, section)
        for name in self.document.get("patches", {}):
            taken = name in types or name == "poly"
            if taken or not is_name(name):
                says = f"'{name[:40]}' is a type of node already; take another name" if taken else misnamed(name)
                problems.add(f"patches.{name[:40]}", says)

    def _param(self, name: str, value: Any, problems: "Problems") -> Param:
        place = f"params.{name}"
        if is_number(value):
            value = {"default": value}
        if not isinstance(value, dict):
            meant = number_for(value) if isinstance(value, str) else ""
            problems.add(place, f"it is a number or {{default, unit, min, max, doc}}, not {kind_of(value)}{meant}")
            return Param(0.0)
        for key, one in value.items():
            if key not in PARAM:
                problems.add(place, f"a parameter has no '{key[:40]}'{problems.hint(key, PARAM)}", key=key)
            elif key in ("default", "min", "max") and not is_number(one):
                meant = number_for(one, str(value.get("unit", ""))) if isinstance(one, str) else ""
                problems.add(f"{place}.{key}", f"it is a number, not {kind_of(one)}{meant}")
            elif key in ("unit", "doc") and not isinstance(one, str):
                problems.add(f"{place}.{key}", f"it is a text, not {kind_of(one)}")
        if not all(is_number(value.get(key, 0)) for key in ("default", "min", "max")):
            return Param(0.0)
        try:
            values: dict[str, Any] = {"default": 0.0}
            values |= {PARAM[key]: one for key, one in value.items() if key in PARAM}
            return Param(**values)
        except (TypeError, ValueError, OverflowError) as error:
            problems.add(place, str(error).removeprefix("Param: "))
            return Param(0.0)

    def _input(self, name: str, value: Any, problems: "Problems") -> str:
        if value not in KINDS:
            problems.add(f"inputs.{name}", f'it is "audio" or "events", not {kind_of(value)}')
            return "audio"
        return value

    def _sub_patches(self, problems: "Problems", loaded: Loaded, within: tuple[Path, ...]) -> "dict[str, PatchFile]":
        found: dict[str, PatchFile] = {}
        for name, value in (self.document.get("patches", {}) if not problems.fatal else {}).items():
            place = f"patches.{name}"
            try:
                path = inside(self.folder, value)
                if path.resolve() in within:
                    raise ValueError(f"{value} is this patch, or one that it is a part of")
                if len(within) >= DEEPEST:
                    raise ValueError(f"patches are nested more than {DEEPEST} deep")
                if path.resolve() not in loaded.recipes:
                    loaded.recipes[path.resolve()] = _load(path, loaded, within)
                found[name] = loaded.recipes[path.resolve()]
            except PatchError as error:
                for line in error.lines(value):
                    problems.add(place, line)
            except TooWrong:
                raise
            except (TypeError, ValueError) as error:
                problems.add(place, str(error))
        return found

    def _try(self, problems: "Problems", text: str) -> None:
        """Build it once, to look."""
        self._problems = problems
        try:
            with problems.at("nodes"):
                patch = self()
            unused = patch.unheard() if not problems.found else []
            places = [f"{'nodes' if name in self.document['nodes'] else 'params'}.{name}" for name in unused]
            says = {"nodes": "it feeds nothing", "params": "nothing uses it"}
            self.warnings = [f"{place}: {says[place.split('.')[0]]}" for place in places]
            self.warning_spots = spots(places, text)
        except TooWrong:
            raise
        except TooMany as error:
            problems.add(error.place, str(error))
        finally:
            del self._problems

    def _make(self, given: dict[str, Any]) -> tuple[dict[str, Port], NodeEvent | None]:
        problems = vars(self).get("_problems")
        builder = Builder(self, given, problems or Problems(strict=True))
        made = builder.build()
        if problems:
            self.cost = builder.cost
        return made
