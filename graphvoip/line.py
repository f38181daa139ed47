"""A telephone line as one writes it: `--line "pcmu, loss=3%, burst=2, noise=-45 dB, delay=80 ms"`.

It is on both ways of a call: a PhoneLine for what the caller says, and another one for what the caller hears.
"""

import difflib
import re
from typing import Any

import numpy as np

from .node import Option
from .nodes.pcm import Pcm
from .nodes.phone_line import PhoneLine
from .pcm import samples as as_samples
from .plan import Plan
from .rings import FRAME

SLOTS = {
    name: slot for name, slot in (PhoneLine.slots.inputs | PhoneLine.slots.options).items() if name not in ("input",)
}
UNITS = {"%": 0.01, "ms": 0.001, "s": 1.0, "hz": 1.0, "": 1.0}
SWITCHES = {"on": True, "yes": True, "off": False, "no": False}
EXAMPLE = "pcmu, loss=3%, noise=-45dB"
NAMES = {"ulaw": "pcmu", "mulaw": "pcmu", "alaw": "pcma"}


def parse(text: str) -> dict[str, Any]:
    """The values of a PhoneLine. ValueError names the part that is wrong, and says what could be there."""
    found: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (word.strip().lower() for word in part.partition("="))
        if not equals and name in SLOTS:
            raise ValueError(f"line: '{name}' has no value; write {name}=..., as in '{EXAMPLE}'")
        if not equals:
            name, value = "codec", name
        slot = SLOTS.get(name)
        if slot is None:
            near = difflib.get_close_matches(name, SLOTS, 1)
            raise ValueError(f"line: there is no '{name}'; " + (f"did you mean '{near[0]}'?" if near else _values()))
        if name in found:
            raise ValueError(f"line: {name} is given twice")
        found[name] = _value(part, name, slot, value)
    PhoneLine(0.0, **found)  # its checks of ranges are the line's
    return found


def _values() -> str:
    names = [name for name in SLOTS if name != "codec"]
    return f"it has {', '.join(names[:-1])} and {names[-1]}, as in '{EXAMPLE}'"


def _value(part: str, name: str, slot: Any, value: str) -> Any:
    if isinstance(slot, Option) and slot.choices:
        value = NAMES.get(value, value)
        if value not in slot.choices and name == "codec":
            codecs = ", ".join(one for one in slot.choices if one != "none")
            raise ValueError(f"line: '{value}' is no codec; write {codecs}, or none for no codec, as in '{EXAMPLE}'")
        if value not in slot.choices:
            raise ValueError(f"line: {name} '{value}' is none of {', '.join(slot.choices)}")
        return value
    if isinstance(slot.default, bool):
        if value not in SWITCHES:
            raise ValueError(f"line: '{part}': {name} is on or off")
        return SWITCHES[value]
    number = re.fullmatch(r"([-+]?[\d.]+(?:e[-+]?\d+)?)\s*(%|ms|s|hz|db|)", value)
    try:
        if number is None:
            raise ValueError
        size = float(number[1])
    except ValueError:
        raise ValueError(f"line: '{part}': write a number, with %, dB, ms, s or Hz if it has a unit") from None
    if name == "seed":
        return int(size)
    return 10 ** (size / 20) if number[2] == "db" else size * UNITS[number[2]]


class Line:
    """Both ways of a line. Its noises and losses differ, and are the same in every run."""

    def __init__(self, text: str):
        values = parse(text)
        seed = values.pop("seed", 0)
        self.values = values
        self.seeds = (2 * seed + 1, 2 * seed + 2)  # of what the caller says, and of what the caller hears
        self._ways = [_Way(self.node(0.0, k)) for k in (0, 1)]

    def node(self, signal: Any, way: int) -> PhoneLine:
        """A node for a way: 0 is what the caller says, 1 what the caller hears."""
        return PhoneLine(signal, **self.values, seed=self.seeds[way])

    def said(self, frame: bytes) -> bytes:
        """160 samples of 16 bits as they come from the caller; one after the other."""
        return self._ways[0].through(frame)

    def heard(self, frame: bytes) -> bytes:
        """160 samples of 16 bits as they come to the caller."""
        return self._ways[1].through(frame)


class _Way:
    """A PhoneLine that is run frame by frame, beside all graphs."""

    def __init__(self, node: PhoneLine):
        self.source = Pcm(data=np.zeros(FRAME, np.float32), loop=True)
        self.node = node
        node.input = self.source
        self.plan = Plan([node])

    def through(self, frame: bytes) -> bytes:
        self.source.data[:] = np.frombuffer(frame, "<i2") * np.float32(1 / 32768)
        self.plan.run()
        return np.clip(np.rint(self.node.samples() * 32768), -32768, 32767).astype("<i2").tobytes()


def on_line(samples: Any, text: str) -> np.ndarray:
    """Samples as they come out of a line, as many as there were: on_line(x, "gsm, loss=5%")."""
    data = as_samples(samples, "on_line")
    way = _Way(Line(text).node(0.0, 0))
    found = []
    for at in range(0, len(data), FRAME):
        block = data[at : at + FRAME]
        way.source.data[:] = 0
        way.source.data[: len(block)] = block
        way.plan.run()
        found.append(way.node.samples().copy())
    return np.concatenate(found)[: len(data)] if found else data
