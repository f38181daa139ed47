import numpy as np

from ..kernel import event, kernel, sin_turns
from ..node import Event, Node, Option, Output, State
from ..rings import RATE

EDGE = 32  # samples, 4 ms: long enough not to click, short enough that a tone keeps its length


class Tone(Node):
    """A sine of so many seconds. Its edges are softened over 4 ms, inside its length; then it is silent."""

    group = "sources"
    freq = Option(440.0, "Hz, 0 to 4000")
    seconds = Option(1.0, "length, 0 or more; rounded to a sample")
    out = Output()
    done = Event("its last sample has been made")
    state = State(phase="f8", step="f8", at="i8", end="i8", edge="i8")

    def start(self):
        for name, value, top in (("freq", self.freq, RATE / 2), ("seconds", self.seconds, np.inf)):
            if not isinstance(value, (int, float, np.number)) or not 0 <= value <= top or value == np.inf:
                raise ValueError(f"tone: {name} is {value!r}; it is a number from 0 to {top:g}")
        self.state["step"] = self.freq / RATE
        self.state["end"] = end = round(self.seconds * RATE)
        self.state["edge"] = max(1, min(EDGE, end // 2))

    @kernel
    def process(state, out):
        at, end, edge = state.at, state.end, state.edge
        size = min(out.size, end - at)
        for i in range(size):
            turns = state.phase + i * state.step
            out[i] = turns - np.floor(turns)
        turns = state.phase + size * state.step
        state.phase = turns - np.floor(turns)
        for i in range(size):
            out[i] = sin_turns(out[i])
        # The edges in loops of their own: a condition at every sample would keep the others from vector units.
        for i in range(min(size, edge - at)):
            out[i] *= np.float32(0.5) - np.float32(0.5) * np.cos(np.float32(np.pi * (at + i + 0.5) / edge))
        for i in range(max(0, max(edge, end - edge) - at), size):
            out[i] *= np.float32(0.5) - np.float32(0.5) * np.cos(np.float32(np.pi * (end - 1 - at - i + 0.5) / edge))
        for i in range(size, out.size):
            out[i] = 0
        if size > 0 and at + size == end and state.done == 0:
            state.done = event(size - 1)
        state.at = at + size
