import numpy as np

from ..kernel import barrier, event, fence, floats_at, kernel, shorts_at
from ..node import Event, Node, Option, Signal, State
from ..rings import RATE

PIECE = 30 * RATE  # samples of a piece of memory: the event loop has that long to bring the next
FULL_SCALE = np.float32(32768)


class Recorder(Node):
    """Keep a signal in memory: `limit` samples, or until it leaves the graph. Nothing on the way can lose a sample.

    The kernel fills one piece of memory after the other and asks for the next one when it begins a new one.
    """

    group = "call"
    known_as = "capture, tape, buffer, record"
    input = Signal(None, doc="what is recorded")
    limit = Option(None, "how much is recorded; None: all that comes", unit="samples")
    shorts = Option(False, "keep 2 bytes a sample, not 4: all that a signal from a line has")
    done = Event("the limit is reached")
    more = Event("another piece has been begun: call `grow`")
    state = State(here="i8", room="i8", next="i8", next_room="i8", written="i8", at="i8", left="i8", lost="i8",
                  shorts_="i8")  # fmt: skip

    def start(self):
        self.pieces: list[np.ndarray] = []
        self.state["left"] = np.iinfo(np.int64).max if self.limit is None else self.limit
        self.state["shorts_"] = bool(self.shorts)
        self.state["here"], self.state["room"] = self._piece()
        self.grow()

    def _piece(self) -> tuple[int, int]:
        size = PIECE if self.limit is None else min(PIECE, self.limit - sum(map(len, self.pieces)))
        self.pieces.append(np.empty(max(0, size), np.int16 if self.shorts else np.float32))
        return self.pieces[-1].ctypes.data, len(self.pieces[-1])

    def grow(self) -> None:
        """Bring the next piece of memory."""
        if self.state["next_room"] == 0 and (self.limit is None or sum(map(len, self.pieces)) < self.limit):
            self.state["next"], room = self._piece()
            barrier()
            self.state["next_room"] = room  # the kernel looks at this

    def recorded(self) -> np.ndarray:
        """What has been recorded up to now. It is only ever appended to, so this needs no lock."""
        written = int(self.state["written"])  # first: what is copied after that is there
        found, at = np.empty(written, np.float32), 0
        for piece in self.pieces:
            part = piece[: written - at]
            np.multiply(part, 1 / FULL_SCALE if self.shorts else np.float32(1), out=found[at : at + len(part)])
            at += len(part)
        return found

    @kernel
    def process(state, input):
        wanted = min(input.size, state.left)
        for i in range(wanted):
            if state.at == state.room and state.next_room > 0:
                fence()
                state.here, state.room, state.at = state.next, state.next_room, 0
                state.next_room = 0
                state.more = event(i)
            if state.at == state.room:
                state.lost += 1
            else:
                if state.shorts_ != 0:
                    value = min(max(input[i] * FULL_SCALE, -FULL_SCALE), FULL_SCALE - np.float32(1))
                    shorts_at(state.here, state.room)[state.at] = np.int16(np.rint(value))
                else:
                    floats_at(state.here, state.room)[state.at] = input[i]
                state.at += 1
                state.written += 1
        fence()
        if state.left > 0:
            state.left -= wanted
            if state.left == 0 and state.done == 0:
                state.done = event(wanted - 1)
