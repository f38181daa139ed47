import numpy as np

from ..kernel import floats_at, kernel, limited
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

SIZE = 8192  # samples of its memory, a power of two: a second and a little


class ZeroCrossings(Node):
    """How often a signal crosses zero upwards, per second: of a tone its pitch, of a hiss some thousands.

    The crossings of the last `window` are counted, so the result comes in steps of 1 / window: 10 Hz for 0.1 s. A
    crossing counts when the signal has been below -threshold and comes above +threshold, so that faint noise about
    zero is silence. In speech the rate tells vowels (some hundreds) from s and f (Rabiner and Schafer, 1978); to follow
    a melody use Pitch.

    >>> Sine(freq=ZeroCrossings(voice, window=0.05), amp=Meter(voice, time=0.03))
    """

    group = "analysis"
    known_as = "zcr, zero crossing rate, frequency counter, brightness"
    input = Signal(None, doc="what is looked at")
    threshold = Signal(0.01, "x", 0, 1, "how far beyond zero it must go on both sides")
    window = Option(0.1, "time in which crossings are counted", unit="s", low=0.001, high=1)
    out = Output("crossings upwards per second")
    state = State(line_="i8", at="i8", length="i8", count="i8", below="i8")

    def start(self):
        self.line = np.zeros(SIZE, np.float32)
        self.state["line_"] = self.line.ctypes.data
        self.state["length"] = round(self.window * RATE)

    @kernel
    def process(state, input, threshold, out):
        line = floats_at(state.line_, SIZE)
        at, length, count, below = state.at, state.length, state.count, state.below
        rate = np.float32(RATE / length)
        for i in range(out.size):
            # A sample that is not a number is neither above nor below, and changes nothing.
            edge = limited(threshold[i], 0, 1)
            crossed = 1 if below and input[i] > edge else 0
            below = 1 if input[i] < -edge else (0 if input[i] > edge else below)
            count += crossed - np.int64(line[(at - length) & (SIZE - 1)])
            line[at] = crossed
            at = (at + 1) & (SIZE - 1)
            out[i] = count * rate
        state.at, state.count, state.below = at, count, below
