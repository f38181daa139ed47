import numpy as np

from ..kernel import kernel, sin_turns
from ..node import Node, Option, Output, Signal, State

CURVES = ("linear", "equal_power")
LINEAR = 0
ZERO, ONE, QUARTER = np.float32(0), np.float32(1), np.float32(0.25)


class Crossfade(Node):
    """Go from one sound to another.

    `equal_power` is for sounds that have nothing to do with each other: their power stays the same on the way.
    `linear` is for two versions of one sound, which would be 3 dB louder in the middle with the other curve.

    >>> Crossfade(voice, Saw(freq=110, amp=0.3), position=Lfo(freq=0.5, low=0, high=1))
    """

    group = "dynamics"
    known_as = "x-fade, xfade, blend, balance, dry wet, pan, fader"
    a = Signal(None, doc="what is heard at position 0")
    b = Signal(None, doc="what is heard at position 1")
    position = Signal(0.5, "x", 0, 1, "0 is all a, 1 is all b")
    curve = Option("equal_power", "how the levels move", CURVES)
    out = Output("the two together")
    state = State(curve_="i8")

    def start(self):
        self.state["curve_"] = CURVES.index(self.curve)

    @kernel
    def process(state, a, b, position, out):
        for i in range(out.size):
            p = position[i] if position[i] > ZERO else ZERO
            out[i] = p if p < ONE else ONE
        # What is not heard at all is left out, a fault too.
        if state.curve_ == LINEAR:
            for i in range(out.size):
                p = out[i]
                out[i] = (a[i] * (ONE - p) if p < ONE else ZERO) + (b[i] * p if p > ZERO else ZERO)
        else:
            for i in range(out.size):
                p = out[i]
                left, right = a[i] * sin_turns(QUARTER + QUARTER * p), b[i] * sin_turns(QUARTER * p)
                left, right = left if p > ZERO else a[i], right if p < ONE else b[i]
                out[i] = (left if p < ONE else ZERO) + (right if p > ZERO else ZERO)
