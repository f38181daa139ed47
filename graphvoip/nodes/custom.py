import numpy as np

from ..dsp import RING, from_ring
from ..kernel import barrier, kernel
from ..node import Event, Node, Output, State
from ..rings import FRAME

SIZE = 8 * FRAME  # samples that its ring can hold
AHEAD = 2 * FRAME  # samples that the function is kept ahead of what is heard: 40 ms


class Custom(Node):
    """A Python function as a source: the end of a ring that a feeder (feeder.py) keeps a little ahead.

    The functions of a call share a thread. While one of them is slow, this node is silent until its own has caught up;
    those samples are counted in `missed`, and all other nodes go on.
    """

    group = "call"
    known_as = "python, callback, function, generator"
    out = Output()
    done = Event("its last sample has been made")
    state = State(**RING)

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
        from_ring(state, SIZE, out)
