"""The palette as data: what a node's class says of itself, and its example to hear.

The list of nodes, the documentation and the tests are made from it.
"""

import ast
import doctest
import inspect
import math
import re
from pathlib import Path
from typing import Any

from .node import Node, Option, Port, Signal
from .rings import RATE

GROUPS = ("sources", "control", "filters", "dynamics", "time", "analysis", "arithmetic", "graph", "call")  # their order
SPEECH = Path(__file__).parent / "assets" / "busy.wav"
KEYS = {0.1: "1", 0.6: "5", 1.1: "9", 1.6: "3"}  # the presses in `keys`, by their second


def palette() -> dict[str, type[Node]]:
    """The classes of nodes/ by type name, in the order of groups and names. A user's own classes are not in it."""
    from . import nodes

    ours = [getattr(nodes, name) for name in nodes.__all__]
    order = {group: k for k, group in enumerate(GROUPS)}
    return {cls.type: cls for cls in sorted(ours, key=lambda cls: (order.get(cls.group, len(order)), cls.type))}


def example_source(cls: type[Node]) -> str:
    """The example in the class's docstring, without prompts; empty if there is none."""
    parts = doctest.DocTestParser().get_examples(inspect.getdoc(cls) or "")
    return "".join(part.source for part in parts).strip()


def example(cls: type[Node]) -> Port:
    """Build the example of the class's docstring: what its last line stands for.

    In scope are all classes of the palette, np, `voice` (2 s of speech, again and again) and `keys` (key presses).
    Where that has no output, it is what the node listens to. Raises ValueError, with the name of the class, if there is
    none or if it does not end in a node.
    """
    return _heard(_run(cls, _scope()))


def example_document(cls: type[Node]) -> dict[str, Any]:
    """The example as the document of a patch file, `voice` and `keys` as its inputs.

    Raises ValueError if a file cannot say it, because there is a Python function in it, for instance.
    """
    from .graph import walk
    from .recipe import patch

    scope = _scope()

    def made(voice, keys):
        return _heard(_run(cls, scope | {"voice": voice, "keys": keys}))

    recipe = patch(made)
    recipe.name = cls.type
    built = recipe()
    heard = set(walk(node for node in built.nodes.values() if node not in built.inputs.values()))
    heard |= {port.node for port in built.outputs.values()}
    document = built.to_json()
    document["inputs"] = {name: document["inputs"][name] for name, node in built.inputs.items() if node in heard}
    return {key: value for key, value in document.items() if value or key == "nodes"}


def _run(cls: type[Node], scope: dict[str, Any]) -> Node | Port:
    source = example_source(cls)
    lines = ast.parse(source).body
    if not lines:
        raise ValueError(f"{cls.__name__}: its docstring has no example")
    *first, last = lines
    if not isinstance(last, ast.Expr):
        raise ValueError(f"{cls.__name__}: its example does not end in an expression")
    name = f"<example of {cls.__name__}>"
    exec(compile(ast.Module(first, []), name, "exec"), scope)
    found = eval(compile(ast.Expression(last.value), name, "eval"), scope)
    if not isinstance(found, (Node, Port)):
        raise ValueError(f"{cls.__name__}: its example ends in {found!r}; its last line is the node to hear")
    return found


def _heard(found: Node | Port) -> Port:
    return found.sources()[0] if isinstance(found, Node) and not found.slots.outputs else found.port()


def _scope() -> dict[str, Any]:
    import numpy as np

    from .io.wav import load
    from .nodes import Pcm

    keys = np.zeros(2 * RATE, np.float32)
    for second, key in KEYS.items():
        keys[round(second * RATE)] = ord(key)
    classes = {cls.__name__: cls for cls in palette().values()}
    speech = load(SPEECH)[RATE : 3 * RATE]  # after its tones
    return classes | {"np": np, "voice": Pcm(data=speech, loop=True), "keys": Pcm(data=keys)}


def words_of(cls: type[Node]) -> list[str]:
    """What else people call it."""
    return [word.strip() for word in cls.known_as.split(",") if word.strip()]


def look_up(text: str) -> list[type[Node]]:
    """The nodes that a word may mean: the one of that name, or else those that are known as that, wholly or in part."""
    kinds = palette().values()
    wanted = _plain(text)
    for names in (
        lambda cls: [cls.type, cls.__name__],
        words_of,
        lambda cls: [*cls.type.split("_"), *" ".join(words_of(cls)).split()],
    ):
        found = [cls for cls in kinds if wanted and wanted in map(_plain, names(cls))]
        if found:
            return found
    return []


def _plain(word: str) -> str:
    """Letters and digits of a word, and no plural: S&H, s-h and sh are one."""
    return re.sub(r"[^a-z0-9]", "", word.lower()).removesuffix("s")


def entry(cls: type[Node]) -> dict[str, Any]:
    """A class's page of the palette: plain data, ready for JSON."""
    doc = inspect.getdoc(cls) or ""
    return {
        "type": cls.type,
        "class": cls.__name__,
        "group": cls.group,
        "known_as": words_of(cls),
        "summary": doc.split("\n")[0],
        "doc": doc.split(">>>")[0].strip(),
        "inputs": [_input(slot) for slot in cls.slots.inputs.values()],
        "options": [_option(slot) for slot in cls.slots.options.values()],
        "outputs": [{"name": slot.name, "doc": slot.doc} for slot in cls.slots.outputs.values()],
        "events": [{"name": slot.name, "doc": slot.doc} for slot in cls.slots.events.values()],
        "example": example_source(cls),
    }


def _input(slot: Any) -> dict[str, Any]:
    if not isinstance(slot, Signal):
        return {"name": slot.name, "doc": slot.doc, "many": True}
    return {"name": slot.name, "doc": slot.doc, "many": False, "default": slot.default} | _measure(slot)


def _option(slot: Option) -> dict[str, Any]:
    plain = isinstance(slot.default, (str, int, float, bool))
    found = {"name": slot.name, "doc": slot.doc, "kind": type(slot).__name__.lower()}
    return found | {"default": slot.default if plain else None, "choices": list(slot.choices)} | _measure(slot)


def _measure(slot: Any) -> dict[str, Any]:
    """Unit and range; an open end is None, for JSON has no infinity."""
    low, high = (value if math.isfinite(value) else None for value in (slot.low, slot.high))
    return {"unit": slot.unit, "low": low, "high": high}
