"""The five patches for SuperCollider's server, as synth definitions in its own format; its language is not needed.

`scsynth -N` takes OSC messages from a file. Both formats are in SuperCollider's help: "Synth Definition File Format"
and "Non-Realtime Synthesis".
"""

import shutil
import struct
from pathlib import Path

from . import patches as p

INSTALL = "apt-get install supercollider-server"
CONTROL, AUDIO = 1, 2  # rates of a unit generator
ADD, MULTIPLY, TANH = 0, 2, 36  # of BinaryOpUGen and UnaryOpUGen


class Definition:
    """One synth definition, written unit by unit. A unit is known by its number; a float is a constant."""

    def __init__(self):
        self.units: list[bytes] = []
        self.constants: list[float] = []

    def unit(self, kind: str, *inputs: int | float, rate: int = AUDIO, special: int = 0) -> int:
        words = b""
        for one in inputs:
            if isinstance(one, float):
                self.constants += [one] if one not in self.constants else []
                words += struct.pack(">ii", -1, self.constants.index(one))
            else:
                words += struct.pack(">ii", one, 0)
        outputs = b"" if kind == "Out" else struct.pack(">b", rate)
        head = string(kind) + struct.pack(">biih", rate, len(inputs), len(outputs), special)
        self.units.append(head + words + outputs)
        return len(self.units) - 1

    def sine(self, freq: int | float) -> int:
        return self.unit("SinOsc", freq, 0.0)

    def times(self, a: int, b: int | float) -> int:
        return self.unit("BinaryOpUGen", a, b, special=MULTIPLY)

    def sum(self, signals: list[int]) -> int:
        """As SuperCollider's language adds a list: by fours."""
        while len(signals) > 1:
            four, signals = signals[:4], signals[4:]
            if len(four) == 2:
                signals = [*signals, self.unit("BinaryOpUGen", *four, special=ADD)]
            else:
                signals = [*signals, self.unit(f"Sum{len(four)}", *four)]
        return signals[0]

    def binary(self, name: str) -> bytes:
        found = b"SCgf" + struct.pack(">ih", 2, 1) + string(name)
        found += struct.pack(f">i{len(self.constants)}fii", len(self.constants), *self.constants, 0, 0)
        return found + struct.pack(">i", len(self.units)) + b"".join(self.units) + struct.pack(">h", 0)


def string(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def p1(d: Definition) -> int:
    sound = d.sum([d.sine(freq) for freq in p.P1_FREQS])
    return d.times(d.unit("BLowPass", sound, p.P1_CORNER, 1 / p.P1_Q), p.P1_GAIN)


def p2(d: Definition) -> int:
    gate = d.unit("LFPulse", p.P2_GATE, 0.0, 0.5, rate=CONTROL)
    # Env.adsr with straight lines: the first level, 3 stages, released from the third, and level, time, shape, curve.
    stages = (1.0, p.P2_ATTACK, 1.0, 0.0, p.P2_SUSTAIN, p.P2_DECAY, 1.0, 0.0, 0.0, p.P2_RELEASE, 1.0, 0.0)
    voices = []
    for freq in p.P2_FREQS:
        swept = d.sine(d.unit("MulAdd", d.sine(2 * freq), 2 * freq, freq))
        envelope = d.unit("EnvGen", gate, 1.0, 0.0, 1.0, 0.0, 0.0, 3.0, 2.0, -99.0, *stages)
        voices.append(d.times(swept, envelope))
    return d.unit("UnaryOpUGen", d.times(d.sum(voices), p.P2_GAIN), special=TANH)


def p3(d: Definition) -> int:
    (low, high), (a, b) = p.P3_TONES, p.P3_LEVELS
    tones = d.unit("MulAdd", d.sine(high), b, d.times(d.sine(low), a))
    keyed = d.times(tones, d.unit("LFPulse", 1 / (p.P3_ON + p.P3_OFF), 0.0, p.P3_ON / (p.P3_ON + p.P3_OFF)))
    return d.unit("MulAdd", d.unit("WhiteNoise"), p.P3_NOISE, keyed)


def p4(d: Definition) -> int:
    sound = d.sine(p.P4_FREQ)
    for gain in p.P4_GAINS:
        sound = d.times(sound, gain)
    return sound


def p5(d: Definition) -> int:
    return d.times(d.sum([d.times(d.sine(freq), p.P5_EACH) for freq in p.P5_FREQS]), p.P5_GAIN)


def find() -> str | None:
    return shutil.which("scsynth")


def command(name: str, seconds: float, folder: Path, sound: Path | None) -> list[str]:
    """Write what renders a patch, and give the command for it. Its sound: raw float32."""
    definition = Definition()
    definition.unit("Out", 0.0, globals()[name.lower()](definition))
    score = folder / f"{name}-{seconds:g}.osc"
    received = message("/d_recv", "b", definition.binary(name))
    score.write_bytes(bundle(0, received, message("/s_new", "siii", name, 1000, 0, 0)) + bundle(seconds))
    # Wires and memory for P5; blocks of a frame; one channel.
    options = f"-w 2048 -m 65536 -z {p.FRAME} -o 1 -i 0 -D 0".split()
    return ["scsynth", "-N", str(score), "_", str(sound or "/dev/null"), str(p.RATE), "RAW", "float", *options]


def bundle(seconds: float, *messages: bytes) -> bytes:
    messages = messages or (message("/c_set", "if", 0, 0.0),)
    content = b"#bundle\0" + struct.pack(">Q", round(seconds * 2**32))
    content += b"".join(struct.pack(">i", len(one)) + one for one in messages)
    return struct.pack(">i", len(content)) + content


def message(address: str, kinds: str, *values) -> bytes:
    content = padded(address.encode() + b"\0") + padded(f",{kinds}".encode() + b"\0")
    for kind, value in zip(kinds, values, strict=True):
        if kind == "s":
            content += padded(value.encode() + b"\0")
        elif kind == "b":
            content += struct.pack(">i", len(value)) + padded(value)
        else:
            content += struct.pack(f">{kind}", value)
    return content


def padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
