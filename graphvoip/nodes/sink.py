import numpy as np

from ..kernel import fence, floats_at, kernel
from ..node import Node, Signal, State
from ..rings import FRAME

SIZE = 64 * FRAME  # samples that its ring can hold: 1.3 s for a function that is held up


class Sink(Node):
    """A signal for a Python function: the beginning of a ring that a feeder (feeder.py) empties.

    When the function stays behind for longer than the ring holds, the samples that do not fit are counted in `lost`.
    """

    group = "call"
    known_as = "callback, python, null, listener, function"
    input = Signal(None, doc="what the function is given")
    state = State(address="i8", written="i8", read="i8", lost="i8")

    def start(self):
        self.ring = np.zeros(SIZE, np.float32)
        self.state["address"] = self.ring.ctypes.data

    def take(self) -> np.ndarray:
        """The samples that have come since the last take."""
        read, written = int(self.state["read"]), int(self.state["written"])
        block = self.ring[np.arange(read, written) % SIZE]
        self.state["read"] = written
        return block

    @kernel
    def process(state, input):
        ring = floats_at(state.address, SIZE)
        room = SIZE - (state.written - state.read)
        size = min(input.size, room)
        for i in range(size):
            ring[(state.written + i) % SIZE] = input[i]
        fence()
        state.written += size
        state.lost += input.size - size
