import numpy as np

from ..kernel import bipolar, kernel, limited, shuffled, sin_turns, sound
from ..node import Node, Option, Output, Signal, State, bounds_of
from ..rings import RATE

SHAPES = ("sine", "triangle", "saw", "square", "random")
SINE, TRIANGLE, SAW, SQUARE, RANDOM = range(5)
NEAR = 1e-9  # turns: a sum of many steps that is this near to a whole turn is one, so that edges fall on their sample
HALF, QUARTER, ONE, TWO = (np.float32(c) for c in (0.5, 0.25, 1, 2))


class Lfo(Node):
    """Low frequency oscillator: a slow wave between `low` and `high`, to move other nodes' inputs.

    At phase 0 a sine and a triangle are in the middle and rise, a saw is at `low` and rises, a square is at `high` for
    half a turn; random is another level at every turn. The first sample is at `phase`, and so is the one at which
    `sync` rises. Its edges are hard: for pitches that are heard take Saw or Pulse.

    >>> Sine(freq=Lfo(freq=6, low=420, high=460), amp=0.5)
    >>> Sine(freq=Lfo(shape="random", freq=8, low=300, high=1800), amp=0.5)
    """

    group = "control"
    known_as = "low frequency oscillator, vibrato, tremolo, modulation, wobble, modulator, sweep"
    freq = Signal(1.0, "Hz", 0, 100, "turns a second")
    low = Signal(-1.0, "x", doc="the least value")
    high = Signal(1.0, "x", doc="the greatest value")
    sync = Signal(0.0, "trigger", doc="begins the wave anew at `phase`")
    shape = Option("sine", "the form of the wave", SHAPES)
    phase = Option(0.0, "where it begins", unit="turns", low=0, high=1)
    seed = Option(None, "its own noise; without it a patch gives it one")
    out = Output()
    state = State(random="u8", shape_="i8", phase_="f8", turn="f8", level="f8", fresh="i8", was="i8")

    def start(self):
        self.state["shape_"] = SHAPES.index(self.shape)
        self.state["phase_"] = self.state["turn"] = self.phase % 1.0
        self.state["fresh"] = 1

    def bounds(self, deep):
        low, high = bounds_of(self.wires["low"], deep), bounds_of(self.wires["high"], deep)
        return min(low[0], high[0]), max(low[1], high[1])

    @kernel
    def process(state, freq, low, high, sync, out):
        # First the place in the turn: sample by sample, so that an edge does not depend on where a piece begins.
        shape, turn, level, fresh, was, random = (
            state.shape_, state.turn, state.level, state.fresh, state.was, state.random,
        )  # fmt: skip
        for i in range(out.size):
            on = 1 if sync[i] > 0 else 0
            if on > was:
                turn, fresh = state.phase_, 1
            was = on
            if fresh == 1:
                random = shuffled(random)
                level = 0.5 + 0.5 * np.float64(bipolar(random))
                fresh = 0
            if shape == RANDOM:
                out[i] = level
            elif shape == SQUARE:
                out[i] = 1.0 if turn < 0.5 - NEAR else 0.0
            else:
                out[i] = turn
            turn += limited(freq[i], 0.0, 100.0) * (1 / RATE)
            if turn >= 1 - NEAR:
                turn -= 1.0
                fresh = 1
        state.turn, state.level, state.fresh, state.was, state.random = turn, level, fresh, was, random
        if shape == SINE:
            for i in range(out.size):
                out[i] = HALF + HALF * sin_turns(out[i])
        elif shape == TRIANGLE:
            for i in range(out.size):
                x = out[i] + QUARTER
                x -= np.floor(x)
                out[i] = ONE - abs(TWO * x - ONE)
        for i in range(out.size):
            a, b = np.float64(sound(low[i])), np.float64(sound(high[i]))
            out[i] = a + (b - a) * out[i]
