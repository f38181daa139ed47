"""Patches: graphs that people write, share, render, play on a call and change while they sound.

    @patch
    def bell(pitch=Param(880, "Hz", 200, 1700)):
        hit = Decay(time=0.6)
        return 0.4 * Sine(freq=pitch) * hit, hit.done

    await call.play(bell(pitch=700))

A recipe is what makes a patch: a function under `@patch`, or a file (patchfile.py). Calling it makes the nodes.
"""

import difflib
import functools
import hashlib
import inspect
import itertools
import keyword
import math
import numbers
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .graph import walk
from .node import Arithmetic, Node, NodeEvent, Port, Wires, building, settled
from .nodes.constant import Constant
from .nodes.deal import MOST, Deal
from .nodes.input import Input
from .nodes.mix import Mix
from .rings import RATE

LIMIT = 2000  # nodes of a patch, those of its sub-patches and of arithmetic included
# What parameters and inputs cannot be called: keys of a node in a file, and what the handle of a patch has already.
RESERVED = {"seed", "type", "doc", "voices", "patch", "play", "self", "node", "set", "stop", "reload", "cancel", "done",
            "result", "exception", "cancelled", "awaited", "then"}  # fmt: skip


@dataclass(frozen=True)
class Param:
    """A parameter of a patch: what it is at the start, its unit and range. It may be set while the patch sounds."""

    default: float
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf
    doc: str = ""

    def __post_init__(self):
        for name in ("default", "low", "high"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, numbers.Real) or math.isnan(value):
                raise TypeError(f"Param: {name} is {value!r}; it is a number")
        if not self.low <= self.default <= self.high or not abs(self.default) < 1e30:
            raise ValueError(f"Param: the default {self.default:g} is outside {self.low:g}..{self.high:g}")

    def constant(self, name: str, value: float, score: Any = ()) -> Constant:
        """The node that holds its value."""
        made = Constant(value=checked(name, value, self), score=list(score), name=name)
        made.low, made.high, made.unit = self.low, self.high, self.unit
        return made


def checked(name: str, value: Any, within: Any) -> float:
    """A value as a number that is allowed. within: what has low, high and unit, a Param or a Constant or a Signal."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} is a number, a node or a node's output, not {value!r}")
    number = float(value)
    if not within.low <= number <= within.high or not abs(number) < 1e30:
        unit = f" {within.unit}" if within.unit else ""
        raise ValueError(f"{name}: {number:g}{unit} is outside {within.low:g}..{within.high:g}")
    return number


class Patch(Arithmetic):
    """A graph that is ready to sound. It can be wired like a node, played, rendered and written to a file.

    nodes: by their names, in the order in which they were made; those of a sub-patch are "bell/hit".
    params: the nodes that hold its parameters. inputs: those that were not given, to be wired when it is played.
    outputs: by name, the first is what is heard. done: the event at which it ends, or None.
    """

    def __init__(self, recipe: "Recipe", outputs: dict[str, Port], done: NodeEvent | None, made: list[Any], seed: int):
        self.recipe, self.name, self.seed = recipe, recipe.name, seed
        self.outputs, self.done = outputs, done
        self._bound: set[str] = set()  # inputs that the caller's line or keypad was given to
        self.nodes: dict[str, Node] = {}
        for path, node in _named(made):
            self.nodes[path] = node
        own = [node for path, node in self.nodes.items() if "/" not in path]
        self.params = {node.name: node for node in own if isinstance(node, Constant) and node.name in recipe.params}
        self.inputs = {node.name: node for node in own if isinstance(node, Input) and node.name in recipe.inputs}
        for path, node in self.nodes.items():
            node.name = path
            if "random" in (node.dtype.names or ()) and node.given.get("seed") is None:
                node.sow(seed_of(seed, path))

    @property
    def sinks(self) -> list[Node]:
        """What is pulled though nothing may listen to it: recorders, senders to buses, and what tells the end."""
        found = [node for node in self.nodes.values() if node.is_sink]
        return [*found, self.done.node] if self.done and self.done.node not in found else found

    def port(self, name: str | None = None) -> Port:
        if name is None:
            return next(iter(self.outputs.values()))
        if name not in self.outputs:
            raise ValueError(f"{self.name} has no output {name!r} (it has {', '.join(self.outputs)})")
        return self.outputs[name]

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def __getattr__(self, name: str) -> Port:
        outputs = vars(self).get("outputs", {})
        if name not in outputs:
            raise AttributeError(f"this patch has no output or attribute '{name}'")
        return outputs[name]

    def bind(self, **given: Any) -> None:
        """Wire the inputs that are still open, by name. ValueError, and nothing is wired, for one that is not given."""
        still = {name: node for name, node in self.inputs.items() if name in self._bound or _is_open(node)}
        for name in still:
            if name not in given:
                raise ValueError(
                    f"{self.name}: its input '{name}' is not wired, and a call has {' and '.join(given)} to give; "
                    f"write {self.name}({name}=...)"
                )
        self._bound = set(still)  # another call binds them anew: they are that caller's
        for name, node in still.items():
            node.wires["input"] = given[name].port()

    def reader(self, name: str) -> str:
        """The node with a name that an input of the patch comes to first; empty if it comes to none."""
        reached, paths = [self.inputs[name]], {node: path for path, node in self.nodes.items()}
        nodes = list(walk([port.node for port in self.outputs.values()] + self.sinks))
        for source in reached:
            if source in paths and source not in self.inputs.values():
                return f"{source.type} '{paths[source]}'"
            reached += [one for one in nodes if one not in reached and source in [port.node for port in one.written()]]
        return ""

    def unheard(self) -> list[str]:
        """The names of nodes that feed nothing: mistakes, most of the time."""
        heard = set(walk([port.node for port in self.outputs.values()] + self.sinks))
        return [path for path, node in self.nodes.items() if node not in heard and not isinstance(node, Input)]

    def set(self, name: str, value: float, over: float = 0.02) -> None:
        """Set a parameter ("index"), or a number of any node ("ding.freq"), within so many seconds.

        Raises ValueError for a name that there is not, for a value out of range, and for an input that is wired.
        """
        self.check(name, value, over)
        target, slot = self._target(name)
        if slot is None:
            target.set(value, over)  # type: ignore[attr-defined]
        elif target.graph is None:
            target.wires[slot] = float(value)
        else:
            target.graph.rewire(target, slot, float(value), max(1, round(over * RATE)))

    def check(self, name: str, value: Any, over: float = 0.02) -> None:
        """What `set` would refuse, without setting anything."""
        if isinstance(over, bool) or not isinstance(over, numbers.Real) or not 0 <= over < 1e6:
            raise ValueError(f"{name}: over is {over!r}; it is seconds, 0 or more")
        target, slot = self._target(name)
        checked(name, value, target if slot is None else target.slots.inputs[slot])

    def _target(self, name: str) -> tuple[Node, str | None]:
        """What a name for `set` means: a Constant and None, or a node and one of its inputs."""
        path, _, slot = name.rpartition(".")
        for found in (self.nodes.get(name), self.nodes.get(f"{path}/{slot}"), self.nodes.get(f"{path}_{slot}")):
            if isinstance(found, Constant):
                return found, None
        node = self.nodes.get(path)
        if node is None:
            raise ValueError(f"{self.name} has no '{name}' to set{_hint(name, [*self.params, *self._numbers()])}")
        if slot not in node.slots.inputs:
            raise ValueError(f"{path}: {node.type} has no input '{slot}'{_hint(slot, node.slots.inputs)}")
        wire = getattr(node, slot)
        if not isinstance(wire, float):
            raise ValueError(f"{name} is wired to {wire!r}; only a number can be set")
        return node, slot

    def _numbers(self) -> Iterator[str]:
        """node.input of all inputs that are not wired."""
        for path, node in self.nodes.items():
            yield from (f"{path}.{slot}" for slot in node.wires if isinstance(getattr(node, slot), float))

    def to_json(self) -> dict[str, Any]:
        """It as the document of a patch file. ValueError for what a file cannot say: Python functions, arrays."""
        from .patchwriter import document_of

        return document_of(self)

    def save(self, path: Any) -> None:
        """Write it to a patch file."""
        from .patchwriter import save_patch

        save_patch(self, path)

    def __repr__(self) -> str:
        return f"<patch {self.name}: {len(self.nodes)} nodes>"


def adopt(new: Patch, old: Patch, graph: Any) -> None:
    """Put the nodes of a patch that sounds in the place of those of a new one that have their name, type and options.

    So they keep their state. Their wires become those of the new ones, each handed over within a frame. ValueError, and
    nothing has changed, if the new patch cannot sound in this graph.
    """
    kept = {}
    for path, node in new.nodes.items():
        before = old.nodes.get(path)
        if before is not None and type(before) is type(node) and _options(before) == _options(node):
            kept[node] = before

    def place(wire: Any) -> Any:
        """The wire, from the node that is kept."""
        if isinstance(wire, list):
            return [place(one) for one in wire]
        return kept[wire.node].port(wire.name) if isinstance(wire, Port) and wire.node in kept else wire

    ends = [port.node for port in new.outputs.values()] + new.sinks
    planned = {
        kept.get(node, node): Wires({name: place(wire) for name, wire in node.wires.items()})
        for node in walk([*ends, *new.nodes.values()])
        if node.graph is None
    }
    _try_out([kept.get(node, node) for node in ends], planned, graph)
    new.outputs = {name: place(port) for name, port in new.outputs.items()}
    new.nodes = {path: kept.get(node, node) for path, node in new.nodes.items()}
    new.params = {name: kept.get(node, node) for name, node in new.params.items()}  # type: ignore[misc]
    new.inputs = {name: kept.get(node, node) for name, node in new.inputs.items()}  # type: ignore[misc]
    if new.done:
        new.done = NodeEvent(kept.get(new.done.node, new.done.node), new.done.name)
    for node, before in kept.items():
        if isinstance(node, Constant) and isinstance(before, Constant):
            before.low, before.high, before.unit = node.low, node.high, node.unit
            changed = node.given.get("value") != before.given.get("value")
            if changed or not before.low <= before.target <= before.high:
                before.given = node.given
                before.set(node.target)
    places = set(kept.values())
    for node, wires in planned.items():
        if node not in places:
            node.wires = wires
            continue
        for name, wire in wires.items():
            if not _alike(node.wires[name], wire):
                graph.replace(node, name, wire)


def _try_out(ends: list[Node], planned: dict[Node, Wires], graph: Any) -> None:
    """Can this be played? The wires are as they are to become for that moment; no plan is made of them."""
    were = {node: node.wires for node in planned}
    try:
        for node, wires in planned.items():
            node.wires = wires
        graph.claim(*ends)
    finally:
        for node, wires in were.items():
            node.wires = wires


def _options(node: Node) -> Any:
    """A node's options, to compare; sounds by their samples. A constant's value may differ: it can be set."""
    names = [name for name in node.given if (node.type, name) != ("constant", "value")]
    return [(name, _comparable(getattr(node, name))) for name in sorted(names)]


def _comparable(value: Any) -> Any:
    return (value.shape, value.tobytes()) if hasattr(value, "tobytes") else repr(value)


def _alike(one: Any, other: Any) -> bool:
    """Do two wires carry the same? Operators, which have no state, are compared by what they are made of."""
    waiting, seen = [(one, other)], set()
    while waiting:
        a, b = waiting.pop()
        if isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return False
            waiting += zip(a, b, strict=True)
            continue
        a, b = settled(a), settled(b)
        if a is b or (a, b) in seen or (not isinstance(a, Port) and not isinstance(b, Port) and a == b):
            continue
        if not isinstance(a, Port) or not isinstance(b, Port):
            return False
        if not (a.node.anonymous and b.node.anonymous and a.node.type == b.node.type and a.name == b.name):
            return False
        seen.add((a, b))
        waiting += [(a.node.wires[name], b.node.wires[name]) for name in a.node.wires]
    return True


def seed_of(seed: int, path: str) -> int:
    """The seed of one node's noise: of the patch's seed and the node's name, so that no edit elsewhere changes it."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{path}".encode(), digest_size=7).digest(), "big")


def _named(made: list[Any]) -> Iterator[tuple[str, Node]]:
    """The nodes that a recipe made, with a name each: its own, or its type, numbered from the second on."""
    taken = {one.name for one in made if isinstance(one, Node) and one.name}
    used: set[str] = set()

    def fresh(name: str) -> str:
        numbered = (f"{name}{k}" for k in itertools.count(2))
        found = next(one for one in itertools.chain([name], numbered) if one not in used and one not in taken)
        used.add(found)
        return found

    for one in made:
        if isinstance(one, Patch):
            prefix = fresh(one.name)
            yield from ((f"{prefix}/{path}", node) for path, node in one.nodes.items())
        elif one.name:
            if one.name in used:
                raise ValueError(f"two nodes are named '{one.name}'")
            used.add(one.name)
            yield one.name, one
        elif not one.anonymous:
            yield fresh(one.type), one


class Recipe:
    """What makes a patch: call it with numbers for its parameters, and signals for its inputs.

    params: by name. inputs: by name, "audio" or "events". An input that is not given is wired when the patch is played:
    `voice` to the caller's voice, `keys` to the keypad.
    """

    name: str
    doc: str = ""
    seed: int = 0
    params: dict[str, Param]
    inputs: dict[str, str]

    def __call__(self, /, *args: Any, seed: int | None = None, **values: Any) -> Patch:
        """Make a patch. seed: another one makes other noises."""
        given = self._by_name(args, values)
        made: list[Any] = []
        outer = building.set(made)  # type: ignore[arg-type]
        try:
            outputs, done = self._make(given)
        finally:
            building.reset(outer)
        patch = Patch(self, outputs, done, made, self.seed if seed is None else seed)
        size = sum(1 for _ in walk([*(port.node for port in outputs.values()), *patch.nodes.values()]))
        if size > LIMIT:
            raise ValueError(f"{self.name} has {size} nodes, with those of arithmetic; a patch has at most {LIMIT}")
        around = building.get()
        if around is not None:
            for name, node in patch.inputs.items():
                if _is_open(node):
                    raise TypeError(f"{self.name}: '{name}' must be given where it is a part of another patch")
            around.append(patch)  # type: ignore[arg-type]
        return patch

    def save(self, path: Any) -> None:
        """Write it to a patch file, which load_patch reads."""
        from .patchwriter import save_patch

        save_patch(self, path)

    def _by_name(self, args: tuple[Any, ...], values: dict[str, Any]) -> dict[str, Any]:
        names = [*self.inputs, *self.params]
        if len(args) > len(names):
            raise TypeError(f"{self.name} takes {len(names)} values, not {len(args)}")
        given = dict(zip(names, args, strict=False))
        for name, value in values.items():
            if name in given:
                raise TypeError(f"{self.name}: '{name}' is given twice")
            if name not in names:
                raise TypeError(f"{self.name} has no '{name}'{_hint(name, names)}")
            given[name] = value
        return given

    def _nodes_of(self, given: dict[str, Any], scores: dict[str, Any]) -> dict[str, Any]:
        """The signals of its inputs and parameters: what is given, or a node that holds its place."""
        found: dict[str, Any] = {}
        for name, kind in self.inputs.items():
            value = given.get(name)
            number = () if value is None else (value,)
            found[name] = value if isinstance(value, Arithmetic) else Input(*number, kind=kind, name=name)
        for name, param in self.params.items():
            value = given.get(name, param.default)
            wired = isinstance(value, Arithmetic)
            found[name] = value if wired else param.constant(name, value, scores.get(name, ()))
        return found

    def _make(self, given: dict[str, Any]) -> tuple[dict[str, Port], NodeEvent | None]:
        raise NotImplementedError


class _Function(Recipe):
    """A function under @patch."""

    def __init__(self, function: Callable, seed: int):
        functools.update_wrapper(self, function)
        self.function, self.name, self.seed = function, function.__name__, seed
        self.doc = inspect.cleandoc(function.__doc__ or "")
        self.params, self.inputs = {}, {}
        for name, one in inspect.signature(function).parameters.items():
            if name in RESERVED:
                raise TypeError(f"@patch {self.name}: a parameter cannot be named '{name}'; that means something else")
            if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD, one.POSITIONAL_ONLY):
                raise TypeError(f"@patch {self.name}: its parameters are plain names, not {one}")
            if one.default is one.empty:
                self.inputs[name] = "events" if name == "keys" else "audio"
            elif isinstance(one.default, Param):
                self.params[name] = one.default
            elif isinstance(one.default, numbers.Real) and not isinstance(one.default, bool):
                self.params[name] = Param(float(one.default))
            else:
                raise TypeError(
                    f"@patch {self.name}: the default of {name} is a number or a Param, not {one.default!r}"
                )

    def _make(self, given: dict[str, Any]) -> tuple[dict[str, Port], NodeEvent | None]:
        result: Any = self.function(**self._nodes_of(given, {}))
        done: Any = None
        if isinstance(result, tuple) and not isinstance(result, NodeEvent) and len(result) == 2:
            result, done = result
        outputs: dict[str, Any] = result if isinstance(result, dict) else {"out": result}
        if not outputs or not all(isinstance(one, Arithmetic) for one in outputs.values()):
            raise TypeError(
                f"@patch {self.name} gave {result!r}; it gives a node, or a node and the event that ends it, "
                "or a dict of nodes by the names of outputs"
            )
        if done is not None and not isinstance(done, NodeEvent):
            raise TypeError(f"@patch {self.name}: {done!r} is no event of a node; write node.done")
        return {name: one.port() for name, one in outputs.items()}, done or done_of(next(iter(outputs.values())))


def done_of(heard: Any) -> NodeEvent | None:
    """The end of what is heard, where that is a node or a patch that ends by itself."""
    if isinstance(heard, Patch):
        return heard.done
    node = heard.node if isinstance(heard, Port) else heard
    return NodeEvent(node, "done") if "done" in node.slots.events else None


def patch(function: Any = None, *, seed: int = 0) -> Any:
    """Decorates a function that makes nodes and gives the one to hear: it becomes a recipe of patches.

    Its parameters without a default are inputs, those with one are parameters (a number, or a Param with unit and
    range). It gives a node; or a node and an event, at which the patch ends; or a dict of nodes, by names of outputs.
    """
    if function is None:
        return lambda one: _Function(one, seed)
    return _Function(function, seed)


def poly(recipe: Recipe, keys: Any, voices: int = 4, **values: Any) -> Patch:
    """Several voices of a patch: each event of `keys` goes to one of them, in turn, and the oldest is stolen.

    recipe: a patch with an input for events. values: its parameters, shared by all voices.
    """
    return _Voices(recipe, voices)(keys, **values)


class _Voices(Recipe):
    def __init__(self, recipe: Recipe, voices: int):
        if isinstance(voices, bool) or not isinstance(voices, numbers.Integral) or not 1 <= voices <= MOST:
            raise ValueError(f"poly: voices is {voices!r}; it is a whole number from 1 to {MOST}")
        events = [name for name, kind in recipe.inputs.items() if kind == "events"]
        if len(events) != 1:
            has = ", ".join(events) or "none"
            raise ValueError(f"poly: {recipe.name} must have one input for events, to be played by; it has {has}")
        self.recipe, self.voices, self.events = recipe, voices, events[0]
        self.name, self.doc = recipe.name, recipe.doc
        others = {name: kind for name, kind in recipe.inputs.items() if name != self.events}
        self.params, self.inputs = recipe.params, {self.events: "events", **others}

    def _make(self, given: dict[str, Any]) -> tuple[dict[str, Port], NodeEvent | None]:
        values = self._nodes_of(given, {})
        keys = values.pop(self.events)
        heard = []
        for k in range(self.voices):
            voice = Deal(keys, index=k, voices=self.voices, name=f"voice{k}")
            one = self.recipe(**{self.events: voice, **values})
            one.name = f"{k}"
            heard.append(one)
        return {"out": Mix(*heard, name="mix").port()}, None


def _is_open(node: Node) -> bool:
    """Has nobody given this input anything?"""
    return isinstance(node.wires["input"], float) and "input" not in node.wired


def is_name(name: Any) -> bool:
    """May a node, a parameter, an input be called so? It must be able to stand in an expression."""
    return isinstance(name, str) and name.isidentifier() and name.isascii() and not keyword.iskeyword(name)


def _hint(name: str, known: Any) -> str:
    """What may have been meant, or what there is."""
    near = difflib.get_close_matches(name, list(known), 1)
    has = ", ".join(list(known)[:12])
    return f"; did you mean '{near[0]}'?" if near else f"; it has {has}" if has else ""
