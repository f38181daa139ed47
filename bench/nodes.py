"""Microseconds a frame (160 samples, 20 ms) of three graphs, with plain numpy beside them in the same run.

    python bench/nodes.py [--json] [--repeats 15]

numpy computes the same things node by node, as one would write it by hand: float32 signals, whole frames, arrays used
again, phases and states in float64. Its filter is scipy.signal.lfilter with `zi`, which is compiled code. `differs` is
the greatest difference of a second of both, in dB of full scale.
"""

from collections.abc import Callable

import measure
import numpy as np
from scipy.signal import lfilter

from graphvoip.graph import Graph
from graphvoip.node import Node
from graphvoip.nodes import Biquad, Fade, Gain, LineIn, LineOut, Mix, Pcm, Sine, Tone
from graphvoip.plan import Plan
from graphvoip.rings import FRAME, RATE, LineRing

CHECKED = 50  # frames that both must agree on
CORNER, Q = 1200.0, 0.7071


# --- Plain numpy ------------------------------------------------------------------------------------------------------


class NumpySine:
    def __init__(self, freq: float, amp: float = 1.0):
        self.step, self.amp, self.phase = float(np.float32(freq)) / RATE, np.float32(amp), 0.0
        self.steps = np.arange(FRAME) * self.step
        self.turns, self.whole, self.out = np.empty(FRAME), np.empty(FRAME), np.empty(FRAME, np.float32)

    def __call__(self) -> np.ndarray:
        np.add(self.steps, self.phase, out=self.turns)
        self.phase = (self.phase + FRAME * self.step) % 1.0
        np.subtract(self.turns, np.floor(self.turns, out=self.whole), out=self.turns)
        np.multiply(self.turns, 2 * np.pi, out=self.out, casting="same_kind")
        np.sin(self.out, out=self.out)
        return np.multiply(self.out, self.amp, out=self.out)


class NumpyMix:
    def __init__(self, *sources: Callable[[], np.ndarray]):
        self.sources, self.out = sources, np.empty(FRAME, np.float32)

    def __call__(self) -> np.ndarray:
        self.out[:] = 0
        for source in self.sources:
            np.add(self.out, source(), out=self.out)
        return self.out


class NumpyGain:
    def __init__(self, source: Callable[[], np.ndarray], gain: float):
        self.source, self.gain, self.out = source, np.float32(gain), np.empty(FRAME, np.float32)

    def __call__(self) -> np.ndarray:
        return np.multiply(self.source(), self.gain, out=self.out)


class NumpyLowpass:
    def __init__(self, source: Callable[[], np.ndarray]):
        w = 2 * np.pi * CORNER / RATE
        c, alpha = np.cos(w), np.sin(w) / (2 * Q)
        self.b = np.array([(1 - c) / 2, 1 - c, (1 - c) / 2]) / (1 + alpha)
        self.a = np.array([1 + alpha, -2 * c, 1 - alpha]) / (1 + alpha)
        self.source, self.zi = source, np.zeros(2)

    def __call__(self) -> np.ndarray:
        out, self.zi = lfilter(self.b, self.a, self.source(), zi=self.zi)
        return out.astype(np.float32)


# --- The graphs: one builder makes both -------------------------------------------------------------------------------


def p1(sine, mix, lowpass, gain):
    return gain(lowpass(mix(*[sine(200.0 + 100 * k, 1 / 16) for k in range(16)])), 0.8)


def p4(sine, mix, lowpass, gain):
    x = sine(440.0)
    for _ in range(64):
        x = gain(x, 0.99)
    return x


def p5(sine, mix, lowpass, gain):
    return gain(mix(*[gain(sine(100.0 + 10 * k), 1 / 249) for k in range(249)]), 0.8)


GRAPHS = {
    "P1": (p1, "16 sines, mix, lowpass, gain", 6.0),
    "P4": (p4, "sine, 64 gains", 4.5),
    "P5": (p5, "249 sines, 249 gains, mix, gain", 55.0),
}


def lowpass(source):
    return Biquad(source, freq=CORNER, q=Q)


def compare(name: str, repeats: int) -> dict:
    graph, what, bar = GRAPHS[name]
    node, plain = graph(Sine, Mix, lowpass, Gain), graph(NumpySine, NumpyMix, NumpyLowpass, NumpyGain)
    plan = Plan([node])
    apart = 0.0
    for _ in range(CHECKED):
        plan.run()
        apart = max(apart, float(np.abs(node.samples() - plain()).max()))

    frames = round(20_000 / bar)
    ours, numpy = measure.alternate(
        repeats, (lambda: plan.run(frames), frames), (lambda: [plain() for _ in range(frames // 20)], frames // 20)
    )
    return {
        "graph": f"{name} {what}",
        "us": ours[1],
        "fastest": ours[0],
        "bar": bar,
        "numpy us": numpy[1],
        "times": numpy[1] / ours[1],
        "differs dB": round(20 * np.log10(apart + 1e-12)),
    }


def single() -> dict[str, Node]:
    """Nodes one by one, at work: their inputs are numbers, so nothing else is measured."""
    in_a_cycle = Gain(0.0, 0.5)
    in_a_cycle.input = in_a_cycle
    fading = Fade(0.5)
    fading.state["level"], fading.state["step"] = 0.5, 1e-12
    return {
        "gain": Gain(0.5, 0.9),
        "gain that feeds itself, sample by sample": in_a_cycle,
        "mix of 4": Mix(0.1, 0.2, 0.3, 0.4),
        "sine": Sine(),
        "sine, swept by another sine": Sine(freq=Sine(freq=1.0, amp=4000.0)),
        "tone": Tone(seconds=1e6),
        "biquad": Biquad(0.5),
        "biquad, swept by a sine": Biquad(0.5, freq=Sine(freq=1.0, amp=3000.0)),
        "pcm": Pcm(data=np.zeros(RATE), loop=True),
        "fade, while it fades": fading,
        "line_in": LineIn(ring=LineRing()),
        "line_out": LineOut(0.5, ring=LineRing()),
        "line_out, limiting": LineOut(2.0, ring=LineRing()),
    }


def one(name: str, node: Node, repeats: int) -> dict:
    plan = Plan([node])
    ((fastest, median),) = measure.alternate(repeats, (lambda: plan.run(2000), 2000))
    return {"node": name, "us": median, "fastest": fastest}


def edit(repeats: int) -> dict:
    """An edit of a graph of 100 nodes: a new node between two others, and the new plan."""
    graph, source = Graph(), Sine()
    for _ in range(97):
        source = Gain(source, 0.99)
    last = Gain(Gain(source, 0.5), 0.99)
    graph.add(last)
    graph.compile()

    def run():
        last.input = Gain(source, 0.5)
        graph.compile()

    ((fastest, median),) = measure.alternate(20 * repeats, (run, 1))
    return {"edit": "a new node in a graph of 100", "us": median, "fastest": fastest, "bar": 500.0}


if __name__ == "__main__":
    options = measure.arguments(__doc__, repeats=15)
    rows = [compare(name, options.repeats) for name in GRAPHS]
    tables = {
        "microseconds a frame": rows,
        "microseconds a frame, one node": [one(name, node, options.repeats) for name, node in single().items()],
        "microseconds an edit": [edit(options.repeats)],
    }
    measure.show(tables, options.json)
