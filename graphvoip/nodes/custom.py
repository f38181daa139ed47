import numpy as np

from ..kernel import barrier, event, fence, floats_at, kernel
from ..node import Event, Node, Output, State
from ..rings import FRAME

SIZE = 8 * FRAME  # samples that its ring can hold
AHEAD = 2 * FRAME  # samples that the function is kept ahead of what is heard: 40 ms


class Custom(Node):
    """A Python function as a source: the end of a ring that a feeder (feeder.py) keeps a little ahead.

    When the function is slow, this node alone is silent until it has caught up, and those samples are counted in
    `missed`.
    """

    group = "call"
    out = Output()
    done = Event("its last sample has been made")
    state = State(address="i8", written="i8", read="i8", last="i8", ended="i8", missed="i8")

    def start(self):
        self.ring = np.zeros(SIZE, np.float32)
        self.state["address"] = self.ring.ctypes.data
        self.state["last"] = -1

    def wants(self) -> bool:
        """Is the function to make another frame now?"""
        state = self.state
        return state["last"] < 0 and state["written"] - state["read"] < AHEAD

    def put(self, block: np.ndarray, last: bool = False) -> None:
        """Append a frame; the last block may be shorter."""
        at = self.state["written"] % SIZE
        self.ring[at : at + len(block)] = block
        if last:
            self.state["last"] = self.state["written"] + len(block)
        barrier()
        self.state["written"] += len(block)

    @kernel
    def process(state, out):
        ring = floats_at(state.address, SIZE)
        last = state.last
        ready = state.written
        fence()
        size = min(out.size, ready - state.read)
        for i in range(size):
            out[i] = ring[(state.read + i) % SIZE]
        for i in range(size, out.size):
            out[i] = 0
        state.read += size
        if last >= 0 and state.read >= last:
            if state.ended == 0 and state.done == 0:
                state.done = event(max(0, size - 1))
                state.ended = 1
        elif ready > 0:
            state.missed += out.size - size
