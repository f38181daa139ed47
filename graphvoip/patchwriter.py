"""Patches -> patch files: the document of a patch, and its one canonical text; the JSON Schema of the format."""

import json
import math
import os
import re
from pathlib import Path
from typing import Any

from . import expression
from .expression import Name, Number, Operation, Tree
from .files import write_whole
from .node import File, Node, Port, Signal, Sound, settled, types
from .nodes.constant import Constant
from .patchbuilder import in_files
from .patchfile import FORMAT, KINDS, PARAM, ROOT, Loaded, PatchFile
from .recipe import Patch, Recipe, is_name, seed_of


def save_patch(patch: Patch | Recipe, path: str | os.PathLike) -> None:
    """Write a patch to a file, the twin of load_patch. It is checked before the file is touched.

    patch: a patch as it is now, with what was set in it; or a recipe, as it makes patches: a `@patch` function, a
        `poly`, or one of load_patch, which is written as its file says it, sub-patches and expressions included.

    Raises TypeError for what is no patch, PatchError or ValueError for what a file cannot say: Python functions,
    samples without a file, files outside the folder.
    """
    path = Path(path)
    if isinstance(patch, PatchFile):
        document = patch.document
    elif isinstance(patch, Patch | Recipe):
        document = document_of(patch() if isinstance(patch, Recipe) else patch, path.parent)
    else:
        raise TypeError(f"save_patch: {patch!r:.60} is no patch; write @patch above a function that makes nodes")
    PatchFile(document, path.parent, f"{path}", Loaded(), (path.resolve(),), path.stem)
    write_whole(path, dumps(document).encode())


def dumps(document: dict[str, Any]) -> str:
    """The canonical text of a document: the root's keys in their order, a line a node, expressions spelled one way."""
    lines = []
    for key in [one for one in ROOT if one in document]:
        value = document[key]
        if key in ("params", "inputs", "patches", "nodes", "outputs") and value:
            rows = [f"    {json.dumps(name)}: {_compact(_ordered(key, one))}" for name, one in value.items()]
            lines.append(f'  "{key}": {{\n' + ",\n".join(rows) + "\n  }")
        elif key == "score" and value:
            lines.append('  "score": [\n' + ",\n".join(f"    {_compact(row)}" for row in value) + "\n  ]")
        elif key == "out":
            lines.append(f'  "out": {_compact(_canonical(value))}')
        else:
            lines.append(f'  "{key}": {_compact(value)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _canonical(value: Any) -> Any:
    """An expression in its one spelling."""
    try:
        return expression.text(expression.parse(value)) if isinstance(value, str) else value
    except ValueError:
        return value


def _ordered(section: str, value: Any) -> Any:
    """A node with its type first and the rest as declared; a parameter with its keys in order."""
    if section == "outputs":
        return _canonical(value)
    if section == "params" and isinstance(value, dict):
        return {key: value[key] for key in PARAM if key in value}
    if section != "nodes" or not isinstance(value, dict):
        return value
    cls = types.get(value.get("type", ""))
    known = [*cls.slots.inputs, *cls.slots.options] if cls else []
    order = ["type", "doc", *(key for key in known if key in value), *(key for key in value if key not in known)]
    made = {}
    for key in dict.fromkeys(key for key in order if key in value):
        one = value[key]
        if cls is None or key in cls.slots.inputs:
            one = [_canonical(part) for part in one] if isinstance(one, list) else one
            one = _canonical(one) if isinstance(one, str) and key not in ("type", "doc", "patch") else one
        made[key] = one
    return made


def document_of(patch: Patch, folder: Path | None = None) -> dict[str, Any]:
    """A patch as the document of a file, flat: the nodes of sub-patches have names of their own in it.

    folder: from where its files are named; else from the folder of the file that it was loaded from.
    """
    return _Writer(patch, folder or getattr(patch.recipe, "folder", None)).document()


class _Writer:
    def __init__(self, patch: Patch, folder: Path | None):
        self.patch, self.folder = patch, folder
        self.given = {*patch.inputs.values()}  # what is wired to them is the call's
        self.names: dict[Node, str] = {}
        for path, node in patch.nodes.items():
            self.names[node] = self._free(path.replace("/", "_"))
        self.uses: dict[Node, int] = {}
        self.extra: dict[str, Node] = {}  # operators that need a name: used twice, in a cycle, or deep
        self._count()

    def _free(self, name: str) -> str:
        name = re.sub(r"[^0-9A-Za-z_]", "_", name)
        name = name if is_name(name) and name not in ("out", *expression.RESERVED) else f"n_{name}"
        taken, number, found = set(self.names.values()), 2, name
        while found in taken:
            found, number = f"{name}_{number}", number + 1
        return found

    def _count(self) -> None:
        """Give a name to every operator that cannot be spelled out where it is used."""
        ends = [port.node for port in self.patch.outputs.values()]
        seen, depth = set(), {}
        waiting = [*ends, *self.patch.nodes.values()]
        nodes: list[Node] = []
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                nodes.append(node)
                for port in self._sources(node):
                    self.uses[port.node] = self.uses.get(port.node, 0) + 1
                    waiting.append(port.node)
        for node in sorted(nodes, key=lambda one: one.id):  # made before what uses it, but for cycles
            if node in self.names:
                continue
            below = [depth.get(port.node, 0) for port in self._sources(node) if port.node not in self.names]
            late = any(port.node.id >= node.id and port.node not in self.names for port in self._sources(node))
            depth[node] = 1 + max(below, default=0)
            if not node.anonymous or self.uses.get(node, 0) > 1 or depth[node] > 30 or late:
                self.names[node] = self._free(node.type)
                self.extra[self.names[node]] = node

    def _sources(self, node: Node) -> list[Port]:
        """What is wired to it, or is to be in a moment."""
        return [] if node in self.given else node.written()

    def document(self) -> dict[str, Any]:
        patch, recipe = self.patch, self.patch.recipe
        found: dict[str, Any] = {"graphvoip": FORMAT, "name": patch.name}
        found |= {"doc": recipe.doc} if recipe.doc else {}
        found |= {"seed": patch.seed} if patch.seed else {}
        if patch.params:
            found["params"] = {name: self._param(name, node) for name, node in patch.params.items()}
        if patch.inputs:
            found["inputs"] = {name: node.kind for name, node in patch.inputs.items()}
        special = {*patch.params.values(), *patch.inputs.values()}
        found["nodes"] = {self.names[node]: self._node(path, node) for path, node in patch.nodes.items()
                          if node not in special}  # fmt: skip
        found["nodes"] |= {name: self._node(name, node) for name, node in self.extra.items()}
        outputs = {name: self._wire(port) for name, port in patch.outputs.items()}
        found |= {"out": outputs["out"]} if list(outputs) == ["out"] else {"outputs": outputs}
        if patch.done:
            found["done"] = f"{self.names[patch.done.node]}.{patch.done.name}"
        score = [
            [row[0], name, row[1], {"over": (*row, 0.02)[2]}]
            for name, node in patch.params.items()
            for row in node.score
        ]
        return found | ({"score": sorted(score, key=lambda row: row[0])} if score else {})

    def _param(self, name: str, node: Constant) -> Any:
        param = self.patch.recipe.params[name]
        long = {
            "default": _plain(node.target),
            "unit": param.unit,
            "min": param.low,
            "max": param.high,
            "doc": param.doc,
        }
        short = {key: _plain(value) for key, value in long.items() if value not in ("", -math.inf, math.inf)}
        return short["default"] if len(short) == 1 else short

    def _node(self, path: str, node: Node) -> dict[str, Any]:
        if not in_files(type(node)):
            raise ValueError(f"{path}: a file has no '{node.type}', it is for Python only")
        made: dict[str, Any] = {"type": node.type}
        for name, slot in node.slots.inputs.items():
            wire = settled(node.wires[name])
            if isinstance(wire, list):
                made |= {name: [self._wire(one) for one in wire]} if wire else {}
            elif not isinstance(slot, Signal) or wire != slot.default:
                made[name] = self._wire(wire)
        for name, value in node.given.items():
            made[name] = self._option(path, node, name, value)
        if isinstance(node, Constant) and ("value" in made or node.target):
            made["value"] = _plain(node.target)  # it may have been set
        if "random" in (node.dtype.names or ()) and node.given.get("seed") is None and "/" in path:
            made["seed"] = seed_of(self.patch.seed, path)  # its name is another one in the file
        return made

    def _option(self, path: str, node: Node, name: str, value: Any) -> Any:
        if isinstance(value, os.PathLike) or (
            isinstance(node.slots.options[name], (File, Sound)) and isinstance(value, str)
        ):
            if self.folder is None:
                return str(value)
            found = os.path.relpath(Path(value).resolve(), self.folder.resolve())
            if found.startswith(".."):
                raise ValueError(f"{path}: {value} is outside the patch's folder {self.folder}; put it there")
            return Path(found).as_posix()
        if hasattr(value, "tolist"):
            value = value.tolist()
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError):
            raise ValueError(f"{path}: {name} is {value!r:.60}, which a file cannot say") from None
        return value

    def _wire(self, wire: Any) -> Any:
        wire = settled(wire)
        if not isinstance(wire, Port):
            return _plain(wire)
        return expression.text(self._tree(wire))

    def _tree(self, wire: Any) -> Tree:
        wire = settled(wire)
        if not isinstance(wire, Port):
            return Number(wire)
        node = wire.node
        if node in self.names:
            first = next(iter(node.slots.outputs))
            return Name(self.names[node], None if wire.name == first else wire.name)
        sign = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}[node.type]
        return Operation(sign, self._tree(node.wires["a"]), self._tree(node.wires["b"]))


def _plain(value: Any) -> Any:
    """A number as a person writes it: 440 and not 440.0."""
    return int(value) if isinstance(value, float) and value == int(value) and abs(value) < 1e15 else value


# --- The schema -------------------------------------------------------------------------------------------------------


def schema() -> dict[str, Any]:
    """The JSON Schema of patch files, made of the node classes: for editors that complete and check."""
    kinds = {
        name: cls for name, cls in sorted(types.items()) if in_files(cls) and cls.__module__.startswith("graphvoip.")
    }
    signal = {"type": ["number", "string"]}
    expressions = {"type": "object", "additionalProperties": {"type": ["number", "string"]}}
    param = {
        "type": "object",
        "properties": {key: {"type": "string" if key in ("unit", "doc") else "number"} for key in PARAM},
        "required": ["default"],
        "additionalProperties": False,
    }
    other = {"title": "a sub-patch, or poly", "type": "object", "required": ["type"],
             "properties": {"type": {"type": "string", "not": {"enum": list(kinds)}}}}  # fmt: skip
    shapes: dict[str, Any] = {
        "$schema": {"type": "string"},
        "graphvoip": {"const": FORMAT},
        "name": {"type": "string"},
        "doc": {"type": "string"},
        "seed": {"type": "integer", "minimum": 0},
        "params": {"type": "object", "additionalProperties": {"anyOf": [{"type": "number"}, param]}},
        "inputs": {"type": "object", "additionalProperties": {"enum": list(KINDS)}},
        "patches": {"type": "object", "additionalProperties": {"type": "string"}},
        "nodes": {
            "type": "object",
            "additionalProperties": {"anyOf": [*({"$ref": f"#/$defs/{name}"} for name in kinds), other]},
        },
        "out": signal,
        "outputs": expressions,
        "done": {"type": "string"},
        "score": {"type": "array", "items": {"type": "array", "minItems": 3, "maxItems": 4}},
        "view": {},
    }
    defs = {}
    for name, cls in kinds.items():
        defs[name] = cls.schema()
        defs[name]["properties"]["doc"] = {"type": "string", "description": "for people"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "graphvoip patch",
        "type": "object",
        "properties": {key: {"description": ROOT[key]} | shape for key, shape in shapes.items()},
        "required": ["graphvoip", "nodes"],
        "additionalProperties": False,
        "$defs": defs,
    }
