import numpy as np

from ..dsp import RING, from_ring
from ..kernel import barrier, kernel
from ..node import Event, Node, Output, State
from ..rings import RATE

SIZE = 1 << 19  # samples that its ring can hold: 65 s; memory that nobody has written to costs nothing


class Speech(Node):
    """Sound that comes in blocks of any length, a speaking voice: the end of a ring that a speaker fills.

    It is silent until the first block is there. What is missing later, because the engine is slower than speech, is
    counted in `missed`.
    """

    group = "call"
    known_as = "tts, text to speech, say, streaming speech"
    out = Output()
    done = Event("its last sample has been made")
    state = State(**RING)

    def start(self):
        self.ring = np.zeros(SIZE, np.float32)
        self.state["address"] = self.ring.ctypes.data
        self.state["last"] = -1

    def waiting(self) -> int:
        """Samples that are there and have not been heard."""
        return int(self.state["written"] - self.state["read"])

    def put(self, block: np.ndarray) -> int:
        """Append samples, as many as there is room for; says how many that are."""
        size = min(len(block), SIZE - self.waiting() - RATE)  # what is being read is left alone
        if size <= 0:
            return 0
        at = int(self.state["written"] % SIZE)
        upto = min(size, SIZE - at)
        self.ring[at : at + upto] = block[:upto]
        self.ring[: size - upto] = block[upto:size]
        barrier()
        self.state["written"] += size
        return size

    def end(self) -> None:
        """There will be no more."""
        self.state["last"] = self.state["written"]

    @kernel
    def process(state, out):
        from_ring(state, SIZE, out)
