import numpy as np

from ..dsp import lagrange, moves
from ..kernel import HUGE, floats_at, kernel, limited, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

KINDS = ("feedback", "feedforward")
SIZE = 1024  # samples, a power of two: 0.1 s and the neighbours of the last sample
LOWEST = 10  # Hz, a delay of 0.1 s


class Comb(Node):
    """A sound and itself 1 / freq later: it rings, or cancels, at all harmonics of `freq`.

    feedback: what comes out goes in again, and the multiples of `freq` are raised to 1 / (1 - feedback); a click is
    a plucked string. feedforward: one echo, and no peak is above 1 + feedback. A negative feedback has its peaks in the
    middle between the multiples. The delay may end between samples, by Lagrange's cubic, so the pitch is right; there
    the highest harmonics fade sooner. A fault in the input passes by and is not remembered.

    >>> Comb(Impulse(freq=2, amp=0.7), freq=220, feedback=0.98)
    """

    group = "filters"
    known_as = "comb filter, resonator, tuned delay, feedback delay, waveguide"
    input = Signal(None, doc="what is filtered")
    freq = Signal(220.0, "Hz", LOWEST, RATE / 2, "spacing of the peaks; the delay is 1 / freq")
    feedback = Signal(0.9, "x", -0.99, 0.99, "how much of the delayed sound is added")
    kind = Option("feedback", "what is delayed: feedback, what comes out; feedforward, what comes in", KINDS)
    out = Output()
    state = State(line_="i8", at="i8", back="f8")

    def start(self):
        self.line = np.zeros(SIZE, np.float32)
        self.state["line_"] = self.line.ctypes.data
        self.state["back"] = self.kind == "feedback"

    @kernel
    def process(state, input, freq, feedback, out):
        line, now, back = floats_at(state.line_, SIZE), state.at, state.back
        moving = moves(freq)
        at = 0
        while at < out.size:
            delay = RATE / limited(freq[at], LOWEST, RATE / 2)
            n = np.int64(delay)
            c0, c1, c2, c3 = lagrange(delay - n)
            stop = at + 1 if moving else out.size
            for i in range(at, stop):
                x = np.float64(input[i]) if abs(input[i]) < HUGE else 0.0
                k = now + i - n
                y = c0 * line[(k + 1) & (SIZE - 1)] + c1 * line[k & (SIZE - 1)]
                y += c2 * line[(k - 1) & (SIZE - 1)] + c3 * line[(k - 2) & (SIZE - 1)]
                y *= limited(feedback[i], -0.99, 0.99)
                line[(now + i) & (SIZE - 1)] = sound(np.float32(x + back * y))
                out[i] = x + y if abs(input[i]) < HUGE else input[i]
            at = stop
        state.at = (now + out.size) & (SIZE - 1)
