import numpy as np
from numba import njit

from ..kernel import HUGE, OPTIONS, floats_at, kernel, limited, sin_turns, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import FRAME, RATE

CENTRE = 0.012 * RATE  # samples: the delay about which the voices swing
DEEPEST = 0.01
FASTEST = 20.0
LENGTH = 512  # samples of the line: the longest delay and a frame
MASK = LENGTH - 1


@njit(**OPTIONS)
def between(line, mask, at, back):
    """The sample `back` before index `at` of a ring: the cubic through the four samples about it (Lagrange)."""
    whole = np.int64(back)
    f = np.float32(back - whole)
    g, h, e = f - np.float32(1), f - np.float32(2), f + np.float32(1)
    i = at - whole
    fg, eh = f * g, e * h
    return (
        (e * fg * line[(i - 2) & mask] - fg * h * line[(i + 1) & mask]) * np.float32(1 / 6)
        + (g * eh * line[i & mask] - f * eh * line[(i - 1) & mask]) * np.float32(0.5)
    )  # fmt: skip


class Chorus(Node):
    """Several copies of a sound, each a little late and out of tune, as if many were playing.

    The copies are 12 ms late; built-in sines, evenly apart, move that by `depth` to both sides, so the pitch swings by
    2 pi rate depth: 26 cents for the defaults. All copies together are as loud as the input. A fault in the input
    passes by, so that it is named further on, and is not remembered.

    >>> Chorus(Saw(freq=220), rate=0.7, depth=0.003) * 0.5
    """

    group = "time"
    input = Signal(None, doc="what is multiplied")
    rate = Signal(0.8, "Hz", 0, FASTEST, "how often the copies swing")
    depth = Signal(0.003, "s", 0, DEEPEST, "how far their delay swings to either side")
    mix = Signal(0.5, "x", 0, 1, "0 is the input alone, 1 the copies alone")
    voices = Option(3, "how many copies", low=1, high=8)
    out = Output()
    state = State(line_="i8", at="i8", phase="f8", voices_="i8")

    def start(self):
        self.line = np.zeros(LENGTH + 3 * FRAME, np.float32)  # the ring, and a piece's phases, depths and delays
        self.state["line_"] = self.line.ctypes.data
        self.state["voices_"] = self.voices

    @kernel
    def process(state, input, rate, depth, mix, out):
        line = floats_at(state.line_, LENGTH)
        turns, swing, back = (
            floats_at(state.line_ + 4 * LENGTH, FRAME),
            floats_at(state.line_ + 4 * (LENGTH + FRAME), FRAME),
            floats_at(state.line_ + 4 * (LENGTH + 2 * FRAME), FRAME),
        )
        at, phase, voices = state.at, state.phase, state.voices_
        for i in range(out.size):
            line[(at + i) & MASK] = sound(input[i])
            out[i] = 0
        for i in range(out.size):
            turns[i] = phase
            phase += limited(rate[i], 0, FASTEST) * (1 / RATE)
            phase = phase if phase < 1 else phase - 1
        for i in range(out.size):
            swing[i] = RATE * limited(depth[i], 0, DEEPEST)
        for voice in range(voices):
            apart = np.float32(voice / voices)
            for i in range(out.size):
                back[i] = np.float32(CENTRE) + swing[i] * sin_turns(turns[i] + apart)
            for i in range(out.size):
                out[i] += between(line, MASK, at + i, back[i])
        level = np.float32(1 / np.sqrt(voices))
        for i in range(out.size):
            m = np.float32(limited(mix[i], 0, 1))
            x = input[i]
            out[i] = x + m * (level * out[i] - x) if abs(x) < HUGE else x
        state.at, state.phase = (at + out.size) & MASK, phase
