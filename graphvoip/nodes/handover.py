import numpy as np

from ..kernel import event, kernel
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import FRAME


class Handover(Node):
    """One signal takes over from another, once. What rewires an input that sounds puts it on the wire for that time.

    >>> Handover(Sine(freq=441), Sine(freq=882), over=8000) * 0.5
    """

    group = "graph"
    known_as = "crossfade, transition, morph, switch over"
    a = Signal(0.0, "x", doc="what it begins with")
    b = Signal(0.0, "x", doc="what it ends with")
    over = Option(FRAME, "how long it takes", unit="samples", low=1, high=1 << 40)
    out = Output()
    done = Event("it is all b")
    state = State(at="i8", over_="i8")

    @property
    def was(self):
        return self.wires["a"]

    @property
    def becomes(self):
        return self.wires["b"]

    def start(self):
        self.state["over_"] = self.over

    @kernel
    def process(state, a, b, out):
        at, over = state.at, state.over_
        size = min(out.size, over - at)
        step = 1 / over
        for i in range(size):
            share = np.float32((at + i + 1) * step)
            out[i] = a[i] + (b[i] - a[i]) * share
        for i in range(size, out.size):
            out[i] = b[i]
        if size > 0 and at + size == over:
            out[size - 1] = b[size - 1]
            if state.done == 0:
                state.done = event(size - 1)
        state.at = at + size
