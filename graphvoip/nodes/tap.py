import numpy as np

from ..kernel import floats_at, kernel
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE


class Tap(Node):
    """Look at a wire: it keeps the latest samples for `latest()`, and leaves the signal alone.

    >>> Tap(Sine(freq=441) * 0.5)
    """

    group = "graph"
    known_as = "scope, oscilloscope, probe, ring buffer, buffer, monitor"
    is_sink = True
    input = Signal(None, doc="what is looked at")
    seconds = Option(1.0, "how much it keeps", unit="s", low=0.001, high=60)
    out = Output("the signal as it is")
    state = State(memory="i8", size="i8", written="i8")

    def start(self):
        self.kept = np.zeros(max(1, round(self.seconds * RATE)), np.float32)
        self.state["memory"], self.state["size"] = self.kept.ctypes.data, self.kept.size

    def latest(self) -> np.ndarray:
        """The latest samples, oldest first: a copy. Fewer than it can keep when it has just begun."""
        written, size = int(self.state["written"]), self.kept.size
        return self.kept[np.arange(max(0, written - size), written) % size]

    @kernel
    def process(state, input, out):
        kept = floats_at(state.memory, state.size)
        at = state.written % state.size
        for i in range(out.size):
            out[i] = input[i]
            kept[at] = input[i]
            at = at + 1 if at + 1 < state.size else 0
        state.written += out.size
