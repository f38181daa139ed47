"""What a node is. One class, one declaration: from it come the constructor, the checks, the schema and the docs.

    class Gain(Node):
        '''Multiply a signal.'''

        input = Signal()
        gain = Signal(1.0, "x", 0, 8, "1 leaves the level alone")
        out = Output()

        @kernel
        def process(input, gain, out):
            for i in range(out.size):
                out[i] = input[i] * gain[i]

The kernel's parameters are the state (if it wants one), then the inputs and outputs in the order of their declaration.
"""

import contextvars
import difflib
import functools
import importlib
import itertools
import math
import numbers
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, NoReturn

import numpy as np

from .rings import FRAME

LINE = 64  # bytes of a cache line
MAX_EVENTS = 16  # of a node: 4 bits of an event's token say which of them it is
LEAD = 16  # floats before a buffer's first sample: the last of them is the sample before it, see plan.py

types: dict[str, type["Node"]] = {}  # every node class that is loaded, by its type name; a user's own are in it, too

# While a patch is built (recipe.py): the nodes that it makes, in their order.
building: contextvars.ContextVar[list["Node"] | None] = contextvars.ContextVar("building", default=None)


def aligned(size: int) -> tuple[np.ndarray, int]:
    """Bytes that are zero, and their address. They begin at a cache line, which vector units read and write faster."""
    memory = np.zeros(size + LINE, np.uint8)
    address = memory.ctypes.data
    start = -address % LINE
    return memory[start : start + size], address + start


class Slot:
    """One named part of a node's declaration."""

    name = ""
    doc = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name


class Signal(Slot):
    """An input: a number, a node, or one output of a node. A kernel always sees 160 samples of float32.

    default: used when nothing is wired; None: it must be wired before it sounds. low and high bound a number, in the
    unit given; the kernel holds what a wire brings within them.
    """

    def __init__(self, default: float | None = 0.0, unit: str = "", low: float = -math.inf, high: float = math.inf,
                 doc: str = ""):  # fmt: skip
        self.default, self.unit, self.low, self.high, self.doc = default, unit, low, high, doc

    def __get__(self, node: "Node | None", owner: type) -> Any:
        return self if node is None else settled(node.wires[self.name])

    def __set__(self, node: "Node", value: Any) -> None:
        """Wire it anew, a loop for instance. In a graph that sounds, the new takes over from the old within a frame."""
        node.rewire(self.name, self.check(node, value))

    def check(self, node: "Node", value: Any) -> "float | Port | None":
        if isinstance(value, Arithmetic):
            port = value.port()
            for number in port.node.numbers():
                if wrong := self.wrong(number):
                    raise ValueError(f"{node.type}: {self.name} {wrong}, and {port!r} brings it")
            return port
        if value is None and self.default is None:
            return None
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise TypeError(f"{node.type}: {self.name} is a number, a node or a node's output, not {value!r}") from None
        if wrong := self.wrong(number):
            raise ValueError(f"{node.type}: {self.name} {wrong}")
        return number

    def wrong(self, number: float) -> str:
        """Why it cannot be this number; empty if it can."""
        if self.low <= number <= self.high and math.isfinite(number):
            return ""
        unit = f" {self.unit}" if self.unit else ""
        return f"{number:g}{unit} is outside {self.low:g}..{self.high:g}"

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": ["number", "string"], "description": self.doc}
        found |= {"default": self.default} if self.default is not None else {}
        found |= {"unit": self.unit} if self.unit else {}
        found |= {"minimum": self.low} if math.isfinite(self.low) else {}
        return found | ({"maximum": self.high} if math.isfinite(self.high) else {})


class Signals(Slot):
    """Any number of inputs; the last of a node's inputs. A kernel sees a `Many` (kernel.py) and takes them with nth."""

    def __init__(self, doc: str = ""):
        self.doc = doc

    def __get__(self, node: "Node | None", owner: type) -> Any:
        return self if node is None else tuple(settled(node.wires[self.name]))

    def __set__(self, node: "Node", values: Any) -> None:
        node.rewire(self.name, self.check(node, values))

    def check(self, node: "Node", values: Any) -> list[Any]:
        one = Signal()
        one.name = self.name
        return [one.check(node, value) for value in values]

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": ["number", "string"]}, "description": self.doc}


class Option(Slot):
    """A literal fixed when the node is built: a mode, a text, a length.

    choices: the words it may be. low, high: the range of a number, in the unit given. A default says of what kind it is
    (a number, a text, true or false, a list); one whose default is None takes anything, and its node looks at it.
    """

    def __init__(self, default: Any = None, doc: str = "", choices: tuple[str, ...] = (), *, unit: str = "",
                 low: float = -math.inf, high: float = math.inf):  # fmt: skip
        self.default, self.doc, self.choices, self.unit, self.low, self.high = default, doc, choices, unit, low, high

    def __get__(self, node: "Node | None", owner: type) -> Any:
        return self if node is None else vars(node)[self.name]

    def __set__(self, node: "Node", value: Any) -> None:
        if node.built:
            raise AttributeError(f"{node.type}: {self.name} is fixed when it is built; build another one")
        vars(node)[self.name] = self.check(node, value)

    def check(self, node: "Node", value: Any) -> Any:
        if self.choices and value not in self.choices:
            near = difflib.get_close_matches(str(value), self.choices, 1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise ValueError(f"{node.type}: {self.name} {value!r} is none of {', '.join(self.choices)}{hint}")
        bounded = math.isfinite(self.low) or math.isfinite(self.high)
        if bounded and not (value is None and self.default is None):
            if (
                isinstance(value, bool)
                or not isinstance(value, numbers.Real)
                or not self.low <= float(value) <= self.high
            ):
                unit = f" {self.unit}" if self.unit else ""
                shown = f"{value:g}{unit}" if isinstance(value, numbers.Real) else repr(value)
                raise ValueError(f"{node.type}: {self.name} {shown} is outside {self.low:g}..{self.high:g}")
            if isinstance(self.default, int) and not isinstance(value, numbers.Integral):
                raise ValueError(f"{node.type}: {self.name} {value:g} is not a whole number")
        return value

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {"description": self.doc}
        kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
        found |= {"type": kinds[type(self.default)]} if type(self.default) in kinds else {}
        found |= {"enum": list(self.choices)} if self.choices else {}
        found |= {"unit": self.unit} if self.unit else {}
        found |= {"minimum": self.low} if math.isfinite(self.low) else {}
        found |= {"maximum": self.high} if math.isfinite(self.high) else {}
        return found | ({"default": self.default} if isinstance(self.default, (str, int, float, bool)) else {})


class Sound(Option):
    """Samples at 8000 Hz, 1.0 is full scale: a row of floats, or the name of a sound file, whatever its rate.

    The node has them as a contiguous array of float32. In a patch the file's place is relative to the patch.
    """

    def check(self, node: "Node", value: Any) -> np.ndarray:
        if isinstance(value, (str, os.PathLike)):
            from .io.wav import load

            value = load(Path(value))
        data = np.ascontiguousarray(() if value is None else value, np.float32)
        if data.ndim != 1:
            raise ValueError(f"{node.type}: {self.name} has {data.ndim} dimensions; it is one row of samples")
        return data

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "array"], "items": {"type": "number"}, "description": self.doc}


class Spoken(Option):
    """A text that is spoken. The other options of its node, voice, engine and speed, say how."""

    def check(self, node: "Node", value: Any) -> str:
        from .tts import LONGEST

        if not isinstance(value, str):
            raise ValueError(f"{node.type}: {self.name} is {value!r}; it is a text")
        if len(value) > LONGEST:
            raise ValueError(f"{node.type}: {self.name} has {len(value)} characters; it may have {LONGEST}")
        return value

    def samples(self, node: "Node") -> np.ndarray:
        """The text as the node wants it spoken."""
        from .tts import safe_voice, spoken

        how = vars(node)
        voice = safe_voice(node.type, how["voice"]) if how["voice"] else None
        return spoken(node.type, how[self.name], (), how["engine"], voice, how["speed"])


class File(Option):
    """The name of a file. In a patch its place is relative to the patch, and inside the patch's folder."""

    def check(self, node: "Node", value: Any) -> Path | None:
        if value is not None and not isinstance(value, (str, os.PathLike)):
            raise TypeError(f"{node.type}: {self.name} is the name of a file, not {value!r}")
        return None if value is None else Path(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "description": self.doc}


class SoundFile(File):
    """The name of a sound file that is read while it is heard."""

    def blocks(self, node: "Node") -> Iterator[np.ndarray]:
        """Its samples as float32 at 8000 Hz, read as they are asked for."""
        from .io.wav import blocks

        return blocks(vars(node)[self.name])


class Output(Slot):
    """A signal that the node makes. The first is what the node itself stands for when it is wired."""

    def __init__(self, doc: str = ""):
        self.doc = doc

    def __get__(self, node: "Node | None", owner: type) -> Any:
        return self if node is None else node.port(self.name)


class Event(Slot):
    """Something that happens at a sample: a kernel writes `state.name = event(at, value)` (kernel.py) where it is 0.

    After the frame the audio thread takes the word, stamps it, and sets it back to 0.
    """

    def __init__(self, doc: str = ""):
        self.doc = doc

    def __get__(self, node: "Node | None", owner: type) -> Any:
        return self if node is None else NodeEvent(node, self.name)


class NodeEvent(NamedTuple):
    """The event of one node: what a patch gives as its end."""

    node: "Node"
    name: str


class State:
    """The memory of a node as a record: State(phase="f8", z=("f8", 2))."""

    def __init__(self, **fields: Any):
        self.fields = fields


class Arithmetic:
    """What nodes and their outputs have in common: + - * / make nodes, and >> feeds the main input of the next one."""

    __slots__ = ()
    __array_ufunc__ = None  # numpy leaves `array * node` to us, and we refuse it

    def port(self, name: str | None = None) -> "Port":
        """One of its outputs, the first without a name."""
        raise NotImplementedError

    def __add__(self, other: Any) -> "Node":
        return _combined("add", self, other)

    def __radd__(self, other: Any) -> "Node":
        return _combined("add", other, self)

    def __sub__(self, other: Any) -> "Node":
        return _combined("subtract", self, other)

    def __rsub__(self, other: Any) -> "Node":
        return _combined("subtract", other, self)

    def __mul__(self, other: Any) -> "Node":
        return _combined("multiply", self, other)

    def __rmul__(self, other: Any) -> "Node":
        return _combined("multiply", other, self)

    def __truediv__(self, other: Any) -> "Node":
        return _combined("divide", self, other)

    def __rtruediv__(self, other: Any) -> "Node":
        return _combined("divide", other, self)

    def __neg__(self) -> "Node":
        return _combined("multiply", self, -1.0)

    def __rshift__(self, other: Any) -> "Node":
        """`a >> Biquad(freq=900) >> Gain(gain=0.5)`: each feeds the first input of the next, which must be free."""
        if not isinstance(other, Node):
            return NotImplemented
        slots = other.slots.inputs
        name = next(iter(slots), "")
        if not name:
            raise TypeError(f"{other.type} has no input for >> to feed")
        if isinstance(slots[name], Signals):
            other.rewire(name, [*settled(other.wires[name]), self.port()])
            return other
        if name in other.wired:
            raise ValueError(
                f"{other.type}: >> feeds '{name}', and that is {_wire_text(other.wires[name])} already; "
                "give the other inputs by name"
            )
        setattr(other, name, self)
        other.wired.add(name)
        return other


GONE = float("-0")  # an input that a list of them has no more, until its sound has faded; known by its identity


def settled(wire: Any) -> Any:
    """What a wire, or a list of them, is to become, while one signal takes over from another."""
    if isinstance(wire, list):
        return without_gone([settled(one) for one in wire])
    while isinstance(wire, Port) and wire.node.stands_in:
        wire = wire.node.becomes
    return wire


UNKNOWN = (-math.inf, math.inf)


def bounds_of(wire: Any, deep: int = 8) -> tuple[float, float]:
    """The least and the greatest value that will come by a wire, as far as numbers and arithmetic tell.

    deep: so many nodes back it is looked for; wires may go in circles.
    """
    wire = settled(wire)
    if isinstance(wire, Port):
        return wire.node.bounds(deep - 1) if deep > 0 else UNKNOWN
    return (wire, wire) if isinstance(wire, float) else UNKNOWN


def without_gone(wires: list[Any]) -> list[Any]:
    """A list of inputs up to the last one that is still there."""
    while wires and wires[-1] is GONE:
        wires.pop()
    return wires


def _combined(kind: str, a: Any, b: Any) -> "Node":
    for one in (a, b):
        if not isinstance(one, (Arithmetic, numbers.Real)):
            return NotImplemented  # type: ignore[return-value]
    node = node_type(kind)(a=a, b=b)
    node.anonymous = True
    return node


def _ports_among(wires: Iterable[Any]) -> list["Port"]:
    found: list[Port] = []
    for wire in wires:
        if isinstance(wire, Port):
            found.append(wire)
        elif isinstance(wire, list):
            found += [one for one in wire if isinstance(one, Port)]
    return found


def _wire_text(wire: Any) -> str:
    return f"{wire:g}" if isinstance(wire, float) else repr(wire)


@functools.cache
def node_type(name: str) -> type["Node"]:
    """One of our own classes by the name of its type, whatever a user's are called."""
    return getattr(
        importlib.import_module(f".nodes.{name}", __package__), "".join(map(str.capitalize, name.split("_")))
    )


class Port(Arithmetic):
    """One output of one node, as a wire holds it."""

    __slots__ = ("address", "name", "node")

    def __init__(self, node: "Node", name: str, address: int):
        self.node, self.name, self.address = node, name, address

    def port(self, name: str | None = None) -> "Port":
        return self if name is None else self.node.port(name)

    def __repr__(self) -> str:
        return f"{self.node.name or self.node.type}.{self.name}"


@dataclass(frozen=True)
class Slots:
    """A node class's declaration, by name and in its order."""

    inputs: dict[str, Signal | Signals]
    options: dict[str, Option]
    outputs: dict[str, Output]
    events: dict[str, Event]

    @classmethod
    def of(cls, names: dict[str, Any]) -> "Slots":
        def all_of(*kinds: type) -> dict[str, Any]:
            return {name: slot for name, slot in names.items() if isinstance(slot, kinds)}

        return cls(all_of(Signal, Signals), all_of(Option), all_of(Output), all_of(Event))


class Wires(dict[str, Any]):
    """What a node's inputs are wired to, by name; lists in it are replaced, not changed.

    row: what plans have made of it (plan.py), None after a change. version: counts the changes.
    """

    __slots__ = ("row", "version")

    def __init__(self, wires: Any = ()):
        super().__init__(wires)
        self.row: Any = None
        self.version = 0

    def __setitem__(self, name: str, wire: Any) -> None:
        super().__setitem__(name, wire)
        self.version += 1
        self.row = None


_ids = itertools.count(1)


class Node(Arithmetic):
    """The base of all nodes. State and buffers belong to the node, so it keeps them from plan to plan.

    name: what a patch calls it, and errors do; it may be given to every node.
    """

    type: ClassVar[str] = "node"
    group: ClassVar[str] = ""  # its place in the palette
    known_as: ClassVar[str] = ""  # by what other words people look for it, with commas between
    in_python: ClassVar[bool] = (
        False  # Python makes its samples, frames behind: it has a step() to run after each frame
    )
    is_sink: ClassVar[bool]  # a patch pulls it though nothing listens to it: it has no outputs, or does more than them
    slots: ClassVar[Slots] = Slots({}, {}, {}, {})
    dtype: ClassVar[np.dtype]
    process: ClassVar[Any]
    built = False  # its options are fixed
    ended = False  # its event `done` has been heard: it is silent from there on
    stands_in = False  # it is on a wire while that changes: what counts is what it `becomes`, and what it `was` before
    was: Any = None
    becomes: Any = None
    holder: Any = None  # while it stands in: (node, input)
    anonymous = False  # made by an operator: nobody has given it a name
    id: int  # its number, unique in the process: events carry it
    name: str
    given: dict[str, Any]  # its options as they were given: a file's name, not its samples
    wired: set[str]  # the inputs that were given: >> does not feed those
    graph: Any  # the graph in which it sounds, or None
    claimed: Any = None  # the graph in which it will sound with the next plan
    home: Any = None  # the only graph in which it may sound: a call's own line, its keypad
    wires: Wires  # what each input is wired to: a number, a Port, or a list of them
    memory: np.ndarray  # the state record, an array of one, which kernels see at state_address
    state: Any
    state_address: int
    kernel: int  # the address of its machine code

    def __init_subclass__(cls) -> None:
        names = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
        cls.type = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        cls.slots = Slots.of(names)
        cls.is_sink = vars(cls).get("is_sink", not cls.slots.outputs)
        for name in cls.slots.inputs | cls.slots.options | cls.slots.outputs | cls.slots.events:
            if hasattr(Node, name) or name in Node.__annotations__:
                raise TypeError(f"{cls.__name__}: a slot cannot be named '{name}'; every node has that already")
        if len(cls.slots.events) > MAX_EVENTS:
            raise TypeError(
                f"{cls.__name__} has {len(cls.slots.events)} events, a node at most {MAX_EVENTS}; "
                "tell the others apart by the value of one: event(at, value)"
            )
        fields = [field for slot in names.values() if isinstance(slot, State) for field in slot.fields.items()]
        # Event words first: the audio thread and the kernel's wrapper find them by their index.
        words = [(name, "i8") for name in cls.slots.events] + fields
        cls.dtype = np.dtype(words or [("none", "i8")], align=True)
        if not hasattr(getattr(cls, "process", None), "check"):
            raise TypeError(f"{cls.__name__} needs a function `process`, decorated with @kernel of graphvoip.kernel")
        cls.process.check(cls)
        if cls.__module__.startswith(f"{__package__}.nodes."):
            types.setdefault(cls.type, cls)  # a user's class of that name may be there already
        else:
            types[cls.type] = cls

    def __init__(self, *args: Any, name: str = "", **values: Any):
        self.id = next(_ids)
        self.name = name
        self.graph = None
        self.wires = Wires()
        given = self._by_name(args, values)
        self._lay_out()
        for slot_name, slot in self.slots.inputs.items():
            empty = () if isinstance(slot, Signals) else slot.default
            self.wires[slot_name] = slot.check(self, given.get(slot_name, empty))
        self.wired = {key for key in self.slots.inputs if key in given}
        self.given = {key: given[key] for key in self.slots.options if key in given}
        for key, option in self.slots.options.items():
            setattr(self, key, given.get(key, option.default))
        self.kernel = self.process.compile(type(self))
        if "random" in (self.dtype.names or ()):
            self.sow(vars(self).get("seed") or 0)
        self.start()
        self.built = True
        made = building.get()
        if made is not None:
            made.append(self)

    def __setattr__(self, name: str, value: Any) -> None:
        """A name that is like one of its own, but is none, would change nothing."""
        if self.built and not name.startswith("_") and not hasattr(self, name):
            known = [*self.slots.inputs, *self.slots.options]
            near = difflib.get_close_matches(name, known, 1)
            if near or self.anonymous:
                hint = f"did you mean '{near[0]}'?" if near else "change the nodes that it is made of"
                raise AttributeError(f"{self.type} has no '{name}'; {hint}")
        super().__setattr__(name, value)

    def _lay_out(self) -> None:
        """Its state and the frames of its outputs, in one piece of memory."""
        state, frame = -(-self.dtype.itemsize // LINE) * LINE, -(-4 * (LEAD + FRAME) // LINE) * LINE
        block, address = aligned(state + frame * len(self.slots.outputs))
        self.memory = np.ndarray(1, self.dtype, block)
        self.state = self.memory[0]
        self.state_address = address
        self._buffers, self._ports = {}, {}
        for at, name in zip(itertools.count(state, frame), self.slots.outputs, strict=False):
            self._buffers[name] = np.ndarray(LEAD + FRAME, np.float32, block, at)
            self._ports[name] = Port(self, name, address + at + 4 * LEAD)

    def _by_name(self, args: tuple[Any, ...], values: dict[str, Any]) -> dict[str, Any]:
        """Positional arguments are the inputs in their order; a last slot of Signals takes all the rest."""
        given = dict(values)
        names = list(self.slots.inputs)
        if names and isinstance(self.slots.inputs[names[-1]], Signals) and len(args) >= len(names):
            args = (*args[: len(names) - 1], args[len(names) - 1 :])
        if len(args) > len(names):
            raise TypeError(f"{self.type} takes {len(names)} inputs by position, not {len(args)}")
        for name, value in zip(names, args, strict=False):
            if name in given:
                raise TypeError(f"{self.type}: '{name}' is given twice")
            given[name] = value
        for name in given:
            if name not in self.slots.inputs and name not in self.slots.options:
                known = [*self.slots.inputs, *self.slots.options]
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean '{near[0]}'?" if near else f"; it has {', '.join(known) or 'none'}"
                raise TypeError(f"{self.type} has no '{name}'{hint}")
        return given

    def start(self) -> None:
        """Set up the state from the options. A class with options writes its own."""

    def sow(self, seed: int) -> None:
        """Begin the noise of a node whose state has a word `random`: the same seed is the same noise."""
        if isinstance(seed, bool) or not isinstance(seed, numbers.Integral):
            raise TypeError(f"{self.type}: seed is {seed!r}; it is a whole number")
        seed = int(seed)
        mixed = (seed + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF  # splitmix64: near seeds are far apart
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        self.state["random"] = (mixed ^ mixed >> 31) or 1

    def prepare(self) -> None:
        """Get ready for what its inputs are wired to: before a plan with new wires, and before a number changes."""

    def numbers(self) -> Iterable[float]:
        """The numbers that people gave it and that it will bring: an input refuses those that are outside its range."""
        return ()

    def bounds(self, deep: int) -> tuple[float, float]:
        """The least and the greatest value of its output, if they are known; deep: see bounds_of."""
        return UNKNOWN

    def join(self, graph: Any) -> None:
        """It begins to sound in this graph; on the event loop, before its first frame."""

    def leave(self) -> None:
        """It does not sound any more; the audio thread may still be in its last frame."""

    def rewire(self, name: str, wire: Any) -> None:
        """Give an input another wire, one that the slot has checked."""
        graph = self.graph or self.claimed
        if graph is None:
            self.wires[name] = wire
        elif wire is None:
            raise ValueError(f"{self.name or self.type}: '{name}' must be given: a number, a node or a node's output")
        else:
            graph.rewire(self, name, wire)

    def port(self, name: str | None = None) -> Port:
        """One of its outputs, the first without a name."""
        if name is None:
            name = next(iter(self._ports), "")
        if name not in self._ports:
            has = ", ".join(self._ports) or "none: it is a sink"
            raise ValueError(f"{self.type} has no output {name!r} (it has {has})")
        return self._ports[name]

    def samples(self, name: str | None = None) -> np.ndarray:
        """The latest frame of an output: 160 samples of float32, a view. Only while no audio thread runs it."""
        return self._buffers[self.port(name).name][LEAD:]

    def is_finite(self) -> bool:
        """Has the latest frame of every output been sound, neither infinite nor not a number?"""
        return all(np.isfinite(buffer[LEAD:]).all() for buffer in self._buffers.values())

    def sources(self) -> list[Port]:
        """What is wired to its inputs at this moment, in their order."""
        return _ports_among(self.wires.values())

    def written(self) -> list[Port]:
        """What is wired to its inputs when all that is on its way has arrived."""
        return _ports_among(map(settled, self.wires.values()))

    def __repr__(self) -> str:
        return f"<{self.type} {self.name or self.id}>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """For copy, deepcopy and pickle: the copy would write into the memory of this one."""
        raise TypeError(f"{self.type}: a node cannot be copied; build another one")

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """The declaration as a JSON Schema of this node in a patch file."""
        slots = {name: slot.schema() for name, slot in (cls.slots.inputs | cls.slots.options).items()}
        required = [
            name for name, slot in cls.slots.inputs.items() if isinstance(slot, Signal) and slot.default is None
        ]
        return {
            "title": cls.type,
            "description": (cls.__doc__ or "").strip().split("\n")[0],
            "type": "object",
            "properties": {"type": {"const": cls.type}} | slots,
            "required": ["type", *required],
            "additionalProperties": False,
        }
