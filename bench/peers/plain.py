"""The five patches in plain numpy, node by node, as one would write them by hand.

Signals are float32, whole frames in arrays that are used again; phases and states are in float64. The filter is
scipy.signal.lfilter with `zi`, which is compiled code.
"""

import time
from collections.abc import Callable

import numpy as np
from scipy.signal import lfilter

from . import patches as p

Source = Callable[[], np.ndarray]


def new() -> np.ndarray:
    return np.zeros(p.FRAME, np.float32)


class Sine:
    def __init__(self, freq: float | Source, amp: float = 1.0):
        self.freq, self.amp, self.phase = freq, np.float32(amp), 0.0
        self.step = freq / p.RATE if isinstance(freq, float) else 0.0
        self.steps = np.arange(p.FRAME) * self.step
        self.turns, self.whole, self.out = np.empty(p.FRAME), np.empty(p.FRAME), new()

    def __call__(self) -> np.ndarray:
        if isinstance(self.freq, float):
            np.add(self.steps, self.phase, out=self.turns)
            self.phase = (self.phase + p.FRAME * self.step) % 1.0
        else:
            steps = np.multiply(self.freq(), 1 / p.RATE, dtype=float)
            np.cumsum(steps, out=self.turns)
            end = self.turns[-1]
            self.turns += self.phase - steps
            self.phase = (self.phase + end) % 1.0
        np.subtract(self.turns, np.floor(self.turns, out=self.whole), out=self.turns)
        np.multiply(self.turns, 2 * np.pi, out=self.out, casting="same_kind")
        np.sin(self.out, out=self.out)
        return np.multiply(self.out, self.amp, out=self.out)


class Mix:
    def __init__(self, *sources: Source):
        self.sources, self.out = sources, new()

    def __call__(self) -> np.ndarray:
        self.out[:] = 0
        for source in self.sources:
            np.add(self.out, source(), out=self.out)
        return self.out


class Binary:
    """An operation on a signal and a number, or on two signals."""

    def __init__(self, operation: np.ufunc, a: Source, b: float | Source):
        self.operation, self.a, self.out = operation, a, new()
        self.b = b if callable(b) else np.float32(b)

    def __call__(self) -> np.ndarray:
        b = self.b() if callable(self.b) else self.b
        return self.operation(self.a(), b, out=self.out)


class Lowpass:
    def __init__(self, source: Source):
        self.source, self.zi = source, np.zeros(2)

    def __call__(self) -> np.ndarray:
        out, self.zi = lfilter(p.P1_B, [1.0, *p.P1_A], self.source(), zi=self.zi)
        return out.astype(np.float32)


class Tanh:
    def __init__(self, source: Source):
        self.source, self.out = source, new()

    def __call__(self) -> np.ndarray:
        return np.tanh(self.source(), out=self.out)


class Gate:
    """It is asked by each envelope, and made once a frame."""

    def __init__(self, freq: float):
        self.turns, self.at, self.out = np.arange(p.FRAME) * (freq / p.RATE), 0, new()
        self.step = p.FRAME * freq / p.RATE

    def __call__(self) -> np.ndarray:
        self.out[:] = (self.turns + self.at * self.step + 1e-9) % 1.0 < 0.5
        self.at += 1
        return self.out


class Adsr:
    """Straight lines, made with np.interp from one edge of the gate to the next."""

    def __init__(self, gate: Gate):
        self.gate, self.out, self.times = gate, new(), np.arange(p.FRAME)
        self.on, self.at, self.level = False, 0, 0.0
        self.ends, self.levels = [0.0, 1.0], [0.0, 0.0]

    def __call__(self) -> np.ndarray:
        on = self.gate.out > 0
        edges = np.flatnonzero(np.diff(on, prepend=self.on))
        first = 0
        for edge in (*edges, p.FRAME):
            count = edge - first
            self.out[first:edge] = np.interp(self.times[:count] + self.at, self.ends, self.levels)
            self.at += count
            if edge < p.FRAME:
                self.level = float(np.interp(self.at, self.ends, self.levels))
                self.begin(bool(on[edge]))
            first = edge
        return self.out

    def begin(self, on: bool) -> None:
        self.on, self.at = on, 0
        if on:
            self.ends = [0.0, p.P2_ATTACK * p.RATE, (p.P2_ATTACK + p.P2_DECAY) * p.RATE]
            self.levels = [self.level, 1.0, p.P2_SUSTAIN]
        else:
            self.ends, self.levels = [0.0, p.P2_RELEASE * p.RATE], [self.level, 0.0]


class Keys:
    """A key of the keypad, again and again: all of it is made once, and then cut into frames."""

    def __init__(self):
        on, off = round(p.P3_ON * p.RATE), round(p.P3_OFF * p.RATE)
        t = np.arange(on)
        tone = sum(a * np.sin(2 * np.pi * freq / p.RATE * t) for freq, a in zip(p.P3_TONES, p.P3_LEVELS, strict=True))
        edge = 0.5 - 0.5 * np.cos(np.pi / 16 * (np.arange(16) + 0.5))
        tone[:16] *= edge
        tone[-16:] *= edge[::-1]
        whole = np.concatenate([tone, np.zeros(off)]).astype(np.float32)
        self.size, self.at = len(whole), 0
        self.data = np.resize(whole, self.size + p.FRAME)

    def __call__(self) -> np.ndarray:
        at, self.at = self.at, (self.at + p.FRAME) % self.size
        return self.data[at : at + p.FRAME]


class Noise:
    def __init__(self, amp: float):
        self.random, self.amp, self.out = np.random.default_rng(1), np.float32(2 * amp), new()

    def __call__(self) -> np.ndarray:
        self.random.random(out=self.out, dtype=np.float32)
        self.out -= np.float32(0.5)
        return np.multiply(self.out, self.amp, out=self.out)


class Goertzel:
    """Blocks of 205 samples times the sines and cosines that are looked for."""

    def __init__(self, source: Source):
        angles = 2 * np.pi / p.RATE * np.outer(np.arange(p.P3_BLOCK), p.P3_DETECTED)
        self.waves = np.concatenate([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
        self.source, self.waiting, self.found, self.out = source, np.zeros(0, np.float32), False, new()

    def __call__(self) -> np.ndarray:
        self.out[:] = self.found
        heard = self.source()
        self.waiting = np.concatenate([self.waiting, heard])
        if len(self.waiting) >= p.P3_BLOCK:
            parts = self.waiting[: p.P3_BLOCK] @ self.waves
            self.found = np.count_nonzero(parts[:8] ** 2 + parts[8:] ** 2 > p.P3_LEAST) == 2
            self.waiting = self.waiting[p.P3_BLOCK :]
            self.out[p.FRAME - len(self.waiting) :] = self.found
        return heard


def p1() -> Source:
    return Binary(np.multiply, Lowpass(Mix(*map(Sine, p.P1_FREQS))), p.P1_GAIN)


def p2() -> Source:
    gate = Gate(p.P2_GATE)
    voices = []
    for freq in p.P2_FREQS:
        swept = Sine(Binary(np.add, Sine(2 * freq, 2 * freq), freq))
        voices.append(Binary(np.multiply, swept, Adsr(gate)))
    sound = Tanh(Binary(np.multiply, Mix(*voices), p.P2_GAIN))

    def run() -> np.ndarray:
        gate()
        return sound()

    return run


def p3() -> Source:
    return Mix(Keys(), Noise(p.P3_NOISE))


def p4() -> Source:
    sound = Sine(p.P4_FREQ)
    for gain in p.P4_GAINS:
        sound = Binary(np.multiply, sound, gain)
    return sound


def p5() -> Source:
    return Binary(np.multiply, Mix(*(Binary(np.multiply, Sine(freq), p.P5_EACH) for freq in p.P5_FREQS)), p.P5_GAIN)


class Peer:
    budget = 0.05  # s of a run that is timed

    def __init__(self):
        self.patches: dict[str, Source] = {}

    def build(self, name: str) -> Source:
        patch = globals()[name.removesuffix("+").lower()]()
        return Goertzel(patch) if name.endswith("+") else patch

    def sound(self, name: str, seconds: float) -> np.ndarray:
        patch = self.build(name)
        return np.concatenate([patch().copy() for _ in range(round(seconds * p.RATE / p.FRAME))])

    def time(self, name: str, frames: int) -> float:
        if name not in self.patches:
            self.patches[name] = self.build(name)
        patch = self.patches[name]
        begin = time.process_time()
        for _ in range(frames):
            patch()
        return time.process_time() - begin
