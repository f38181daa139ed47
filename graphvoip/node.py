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

import difflib
import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

import numpy as np

from .rings import FRAME

LEAD = 16  # floats before a buffer's first sample: the last of them is the sample before it, see plan.py

types: dict[str, type["Node"]] = {}  # every node class by its type name: nodes/ fills it, a user's own classes join


class Slot:
    """One named part of a node's declaration."""

    name = ""
    doc = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name


class Signal(Slot):
    """An input: a number, a node, or one output of a node. A kernel always sees 160 samples of float32.

    default: used when nothing is wired; None: it must be wired. low and high bound a constant, in the unit given.
    """

    def __init__(self, default: float | None = 0.0, unit: str = "", low: float = -math.inf, high: float = math.inf,
                 doc: str = ""):  # fmt: skip
        self.default, self.unit, self.low, self.high, self.doc = default, unit, low, high, doc

    def __get__(self, node: "Node | None", owner: type) -> Any:
        return self if node is None else node.wires[self.name]

    def __set__(self, node: "Node", value: Any) -> None:
        """Wire it anew, a loop for instance. A graph that already sounds takes it with its next plan."""
        node.wires[self.name] = self.check(node, value)

    def check(self, node: "Node", value: Any) -> "float | Port":
        if isinstance(value, Node):
            return value.port()
        if isinstance(value, Port):
            return value
        if value is None:
            raise ValueError(f"{node.type}: '{self.name}' must be given: a number, a node or a node's output")
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise TypeError(f"{node.type}: {self.name} is a number, a node or a node's output, not {value!r}") from None
        if not self.low <= number <= self.high or not math.isfinite(number):
            unit = f" {self.unit}" if self.unit else ""
            raise ValueError(f"{node.type}: {self.name} {number:g}{unit} is outside {self.low:g}..{self.high:g}")
        return number

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
        return self if node is None else tuple(node.wires[self.name])

    def __set__(self, node: "Node", values: Any) -> None:
        node.wires[self.name] = self.check(node, values)

    def check(self, node: "Node", values: Any) -> "list[float | Port]":
        one = Signal()
        one.name = self.name
        return [one.check(node, value) for value in values]

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": {"type": ["number", "string"]}, "description": self.doc}


class Option(Slot):
    """A literal fixed when the node is built: a mode, a file, samples. choices: the words it may be."""

    def __init__(self, default: Any = None, doc: str = "", choices: tuple[str, ...] = ()):
        self.default, self.doc, self.choices = default, doc, choices

    def __get__(self, node: "Node | None", owner: type) -> Any:
        return self if node is None else vars(node)[self.name]

    def __set__(self, node: "Node", value: Any) -> None:
        if node.built:
            raise AttributeError(f"{node.type}: {self.name} is fixed when it is built; build another one")
        vars(node)[self.name] = self.check(node, value)

    def check(self, node: "Node", value: Any) -> Any:
        if self.choices and value not in self.choices:
            raise ValueError(f"{node.type}: {self.name} {value!r} is none of {', '.join(self.choices)}")
        return value

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {"description": self.doc}
        found |= {"enum": list(self.choices)} if self.choices else {}
        return found | ({"default": self.default} if isinstance(self.default, (str, int, float, bool)) else {})


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


class State:
    """The memory of a node as a record: State(phase="f8", z=("f8", 2))."""

    def __init__(self, **fields: Any):
        self.fields = fields


class Port:
    """One output of one node, as a wire holds it."""

    __slots__ = ("address", "name", "node")

    def __init__(self, node: "Node", name: str, address: int):
        self.node, self.name, self.address = node, name, address

    def __repr__(self) -> str:
        return f"{self.node.type}.{self.name}"


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


_ids = itertools.count(1)


class Node:
    """The base of all nodes. State and buffers belong to the node, so it keeps them from plan to plan."""

    type: ClassVar[str] = "node"
    slots: ClassVar[Slots] = Slots({}, {}, {}, {})
    dtype: ClassVar[np.dtype]
    process: ClassVar[Any]
    built = False  # its options are fixed
    ended = False  # its event `done` has been heard: it is silent from there on
    id: int  # its number, unique in the process: events carry it
    graph: Any  # the graph in which it sounds, or None
    wires: dict[str, Any]  # what each input is wired to: a number, a Port, or a list of them
    memory: np.ndarray  # the state record, an array of one, which kernels see at state_address
    state: Any
    state_address: int
    kernel: int  # the address of its machine code

    def __init_subclass__(cls) -> None:
        names = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
        cls.type = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        cls.slots = Slots.of(names)
        for name in cls.slots.inputs | cls.slots.options | cls.slots.outputs | cls.slots.events:
            if hasattr(Node, name) or name in Node.__annotations__:
                raise TypeError(f"{cls.__name__}: a slot cannot be named '{name}'; every node has that already")
        fields = [field for slot in names.values() if isinstance(slot, State) for field in slot.fields.items()]
        # Event words first: the audio thread and the kernel's wrapper find them by their index.
        words = [(name, "i8") for name in cls.slots.events] + fields
        cls.dtype = np.dtype(words or [("none", "i8")], align=True)
        if not hasattr(getattr(cls, "process", None), "check"):
            raise TypeError(f"{cls.__name__} needs a function `process`, decorated with @kernel of graphvoip.kernel")
        cls.process.check(cls)
        types[cls.type] = cls

    def __init__(self, *args: Any, **values: Any):
        self.id = next(_ids)
        self.graph = None
        self.wires = {}
        given = self._by_name(args, values)
        self._buffers = {name: np.zeros(LEAD + FRAME, np.float32) for name in self.slots.outputs}
        self._ports = {name: Port(self, name, buffer.ctypes.data + 4 * LEAD) for name, buffer in self._buffers.items()}
        for name, slot in self.slots.inputs.items():
            empty = () if isinstance(slot, Signals) else slot.default
            self.wires[name] = slot.check(self, given.get(name, empty))
        for name, option in self.slots.options.items():
            setattr(self, name, given.get(name, option.default))
        self.memory = np.zeros(1, self.dtype)
        self.state = self.memory[0]
        self.state_address = self.memory.ctypes.data
        self.kernel = self.process.compile(type(self))
        self.start()
        self.built = True

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
        known = [*self.slots.inputs, *self.slots.options]
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean '{near[0]}'?" if near else f"; it has {', '.join(known) or 'none'}"
                raise TypeError(f"{self.type} has no '{name}'{hint}")
        return given

    def start(self) -> None:
        """Set up the state from the options. A class with options writes its own."""

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

    def sources(self) -> Iterator[Port]:
        """What is wired to its inputs, in their order."""
        for wire in self.wires.values():
            for one in wire if isinstance(wire, list) else (wire,):
                if isinstance(one, Port):
                    yield one

    def __repr__(self) -> str:
        return f"<{self.type} {self.id}>"

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
