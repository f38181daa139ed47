import numpy as np
from numba import njit

from ..kernel import OPTIONS, fence, kernel, shorts_at, words_at
from ..node import Node, Option, Output, State
from ..rings import (
    DEPTH,
    FRAME,
    FRAME_BYTES,
    HEADER,
    IN_FRAMES,
    IN_LEAST,
    IN_MISSED,
    IN_READ,
    IN_SEEN,
    IN_SKIPPED,
    IN_START,
    IN_WRITTEN,
    LIMIT,
    PATIENCE,
)


@njit(**OPTIONS)
def next_frame(ring):
    """The address of the next frame in, or 0. We are the reader, so we alone skip: see rings.py."""
    words = words_at(ring, HEADER)
    read = max(words[IN_READ], words[IN_START])
    waiting = words[IN_WRITTEN] - read
    fence()
    if waiting <= 0:
        words[IN_MISSED] += 1
        return 0
    skip = waiting - 1 if waiting > LIMIT else 0
    words[IN_LEAST] = min(words[IN_LEAST], waiting - 1) if words[IN_SEEN] > 0 else waiting - 1
    words[IN_SEEN] += 1
    if words[IN_SEEN] == PATIENCE:
        skip = max(skip, words[IN_LEAST])
        words[IN_SEEN] = 0
    words[IN_SKIPPED] += skip
    words[IN_READ] = read + skip + 1
    return ring + IN_FRAMES + FRAME_BYTES * ((read + skip) % DEPTH)


class LineIn(Node):
    """The caller as a signal: the next frame of the line ring, or silence when the far end is late."""

    group = "call"
    known_as = "microphone, mic, caller, adc, audio in, telephone"
    ring = Option(None, "the LineRing of the call")
    out = Output("the caller's voice; full scale is 1.0")
    state = State(ring_="i8", frame="i8", at="i8")

    def start(self):
        self.state["ring_"] = self.ring.address if self.ring is not None else 0

    @kernel
    def process(state, out):
        if state.at == 0:
            state.frame = 0
            if state.ring_ != 0:
                state.frame = next_frame(state.ring_)
        if state.frame == 0:
            for i in range(out.size):
                out[i] = 0
        else:
            shorts = shorts_at(state.frame + 2 * state.at, out.size)
            for i in range(out.size):
                out[i] = shorts[i] * np.float32(1 / 32768)
        state.at = (state.at + out.size) % FRAME
