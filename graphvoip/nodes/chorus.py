import numpy as np

from ..dsp import between, turned
from ..kernel import HUGE, floats_at, kernel, limited, sin_turns, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import FRAME, RATE

CENTRE = 0.012 * RATE  # samples: the delay about which the voices swing
DEEPEST = 0.01
FASTEST = 20.0
LENGTH = 512  # samples of the line: the longest delay and a frame
MASK = LENGTH - 1


class Chorus(Node):
    """Several copies of a sound, each a little late and out of tune, as if many were playing.

    The copies are 12 ms late; built-in sines, evenly apart, move that by `depth` to both sides, so the pitch swings by
    2 pi rate depth: 26 cents for the defaults. All copies together are as loud as the input. A fault in the input
    passes by, so that it is named further on, and is not remembered.

    >>> Chorus(Saw(freq=220), rate=0.7, depth=0.003) * 0.5
    """

    group = "time"
    known_as = "ensemble, vibrato, leslie, rotary speaker, doubler, detune, string ensemble, juno"
    input = Signal(None, doc="what becomes many")
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
        at, voices = state.at, state.voices_
        state.phase = turned(state.phase, rate, 0, FASTEST, turns[: out.size])
        for i in range(out.size):
            line[(at + i) & MASK] = sound(input[i])
            out[i] = 0
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
        state.at = (at + out.size) & MASK
