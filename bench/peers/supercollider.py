"""The five patches for SuperCollider's server, which renders without its language: synth definitions in its own format.

`scsynth -N` reads OSC messages from a file. The format: doc.sccode.org/Reference/Synth-Definition-File-Format.html
"""

import math
import struct
from pathlib import Path

CONTROL, AUDIO = 1, 2  # rates of a unit generator
ADD, MULTIPLY, TANH = 0, 2, 36  # of BinaryOpUGen and UnaryOpUGen
INSTALL = "apt-get install supercollider-server"


class Definition:
    """One synth definition. A signal is the number of the unit that makes it, and a float is a constant."""

    def __init__(self, name: str):
        self.name, self.units, self.constants = name, [], []

    def unit(self, kind: str, *inputs: "float | Unit", rate: int = AUDIO, special: int = 0, outputs: int = 1) -> "Unit":
        words = b""
        for one in inputs:
            if isinstance(one, Unit):
                words += struct.pack(">ii", one.number, 0)
            else:
                if one not in self.constants:
                    self.constants.append(one)
                words += struct.pack(">ii", -1, self.constants.index(one))
        head = _string(kind) + struct.pack(">biih", rate, len(inputs), outputs, special)
        self.units.append(head + words + struct.pack(">b", rate) * outputs)
        return Unit(len(self.units) - 1)

    def times(self, a: "Unit", b: "float | Unit") -> "Unit":
        return self.unit("BinaryOpUGen", a, b, special=MULTIPLY)

    def sum(self, *signals: "Unit") -> "Unit":
        """As its language adds a list: by fours."""
        while len(signals) > 1:
            first, signals = signals[:4], signals[4:]
            if len(first) > 2:
                signals = (*signals, self.unit(f"Sum{len(first)}", *first))
            else:
                signals = (*signals, self.unit("BinaryOpUGen", *first, special=ADD))
        return signals[0]

    def binary(self) -> bytes:
        constants = struct.pack(f">{len(self.constants)}f", *self.constants)
        found = b"SCgf" + struct.pack(">ih", 2, 1) + _string(self.name)
        found += struct.pack(">i", len(self.constants)) + constants + struct.pack(">ii", 0, 0)
        return found + struct.pack(">i", len(self.units)) + b"".join(self.units) + struct.pack(">h", 0)


class Unit(int):
    @property
    def number(self) -> int:
        return int(self)


def _string(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()
