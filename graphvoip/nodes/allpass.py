import numpy as np

from ..dsp import moves
from ..kernel import HUGE, floats_at, kernel, limited, sound
from ..node import Node, Output, Signal, State
from ..rings import RATE

SIZE = 1024  # samples, a power of two: 0.1 s and a neighbour
SHORTEST, LONGEST = 2 / RATE, 0.1  # s


class Allpass(Node):
    """An echo without colour: every pitch keeps its level, and a click becomes a row of clicks.

    Several of them in a row, of unlike times, make a cloud of each sound: the heart of a reverb. The first click comes
    at once, at -gain; then there is one each `time`, each softer by gain. What is left of a sample in a time is an
    allpass too (Thiran's), so the levels stay exact. A fault in the input passes by and is not remembered.

    Manfred Schroeder, "Natural sounding artificial reverberation", 1962.

    >>> Allpass(Allpass(Impulse(freq=1), time=0.0371), time=0.0113)
    """

    group = "filters"
    known_as = "diffuser, all-pass filter, schroeder, dispersion, phase shifter"
    input = Signal(None, doc="what is spread in time")
    time = Signal(0.03, "s", SHORTEST, LONGEST, "delay from click to click")
    gain = Signal(0.7, "x", -0.99, 0.99, "level of a click to the one before it; 0 is a plain delay")
    out = Output()
    state = State(line_="i8", at="i8", z="f8")

    def start(self):
        self.line = np.zeros(SIZE, np.float32)
        self.state["line_"] = self.line.ctypes.data

    @kernel
    def process(state, input, time, gain, out):
        line, now, z = floats_at(state.line_, SIZE), state.at, state.z
        moving = moves(time)
        at = 0
        while at < out.size:
            delay = RATE * limited(time[at], SHORTEST, LONGEST)
            n = np.int64(delay - 0.5)
            h = delay - n  # 0.5 to 1.5 samples, where the one-pole allpass is at its best
            a = (1 - h) / (1 + h)
            stop = at + 1 if moving else out.size
            for i in range(at, stop):
                x = np.float64(input[i]) if abs(input[i]) < HUGE else 0.0
                g = limited(gain[i], -0.99, 0.99)
                k = now + i - n
                z = a * (line[k & (SIZE - 1)] - z) + line[(k - 1) & (SIZE - 1)]
                v = x + g * z
                line[(now + i) & (SIZE - 1)] = sound(np.float32(v))
                out[i] = z - g * v if abs(input[i]) < HUGE else input[i]
            at = stop
        state.at, state.z = (now + out.size) & (SIZE - 1), z
