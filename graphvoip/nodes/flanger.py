import numpy as np

from ..dsp import between, turned
from ..kernel import HUGE, floats_at, kernel, limited, sin_turns, sound
from ..node import Node, Output, Signal, State
from ..rings import RATE

SHORTEST, LONGEST = 0.00025, 0.01  # seconds; the cubic wants two samples
LENGTH = 256  # samples of the line
MASK = LENGTH - 1
LIMIT = 32.0  # the most that the line holds: above what the greatest feedback makes of full scale


class Flanger(Node):
    """A copy so little late that it makes notches, which a slow built-in LFO sweeps: the sound of two tape machines.

    The copy is between `delay` and `delay + depth` late and goes round with `feedback`. At mix 0.5 the notches are
    complete whatever the feedback, and the peaks between them are 1 / (1 - feedback) high. With rate 0 it stays at
    `delay`, to be moved by a wire. A fault in the input passes by, so that it is named further on, and is not
    remembered.

    >>> Flanger(Noise(), rate=0.5, feedback=0.7) * 0.3
    """

    group = "time"
    known_as = "flange, jet, through-zero, tape flanging, swoosh"
    input = Signal(None, doc="what is flanged")
    rate = Signal(0.25, "Hz", 0, 20, "how often the notches sweep")
    depth = Signal(0.003, "s", 0, LONGEST, "how far the delay sweeps")
    feedback = Signal(0.5, "x", -0.95, 0.95, "how much of the copy goes round; below 0 upside down")
    mix = Signal(0.5, "x", 0, 1, "0 is the input alone, 1 the copy alone")
    delay = Signal(0.0005, "s", SHORTEST, LONGEST, "the shortest delay")
    out = Output()
    state = State(line_="i8", at="i8", phase="f8")

    def start(self):
        self.line = np.zeros(LENGTH, np.float32)
        self.state["line_"] = self.line.ctypes.data
        self.state["phase"] = 0.75  # the sine's lowest point: it begins at the shortest delay

    @kernel
    def process(state, input, rate, depth, feedback, mix, delay, out):
        line = floats_at(state.line_, LENGTH)
        at = state.at
        state.phase = turned(state.phase, rate, 0, 20, out)
        for i in range(out.size):
            out[i] = np.float32(0.5) + np.float32(0.5) * sin_turns(out[i])
        for i in range(out.size):
            back = RATE * (limited(delay[i], SHORTEST, LONGEST) + limited(depth[i], 0, LONGEST) * out[i])
            around = np.float32(limited(feedback[i], -0.95, 0.95))
            x = sound(input[i])
            y = between(line, MASK, at + i, limited(back, 2, 2 * LONGEST * RATE))
            # A delay that jumps about can gain at every turn, which a feedback below 1 does not hold.
            line[(at + i) & MASK] = np.float32(limited(x + around * y, -LIMIT, LIMIT))
            m = np.float32(limited(mix[i], 0, 1))
            y = x + m * ((around + np.float32(1)) * y - x)
            out[i] = y if abs(input[i]) < HUGE else input[i]
        state.at = (at + out.size) & MASK
