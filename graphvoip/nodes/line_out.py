import numpy as np

from ..kernel import HUGE, fence, kernel, nth, shorts_at, words_at
from ..node import Node, Option, Output, Signals, State
from ..rings import DEPTH, FRAME, FRAME_BYTES, HEADER, OUT_FRAMES, OUT_WRITTEN, RATE

RELEASE = np.exp(-1 / (0.1 * RATE))  # the limiter lets go with a time constant of 0.1 s


class LineOut(Node):
    """What the caller hears: the sum of all that plays, limited, as 16-bit frames in the line ring.

    The limiter leaves everything within full scale alone, bit for bit. Beyond it, it turns the level down at once and
    up again within tenths of a second. What is not finite is silent.
    """

    group = "call"
    known_as = "speaker, output, dac, audio out, master, earpiece"
    inputs = Signals("all that plays")
    ring = Option(None, "the LineRing of the call")
    out = Output("what was sent, as a signal")
    state = State(ring_="i8", at="i8", peak="f8", loudest="f8")

    def start(self):
        self.state["ring_"] = self.ring.address if self.ring is not None else 0

    @kernel
    def process(state, inputs, out):
        out[:] = 0
        for k in range(inputs.addresses.size):
            signal = nth(inputs, k)
            for i in range(out.size):
                out[i] += signal[i] if abs(signal[i]) < HUGE else np.float32(0)

        loudest = np.float32(0)
        for i in range(out.size):
            loudest = max(loudest, abs(out[i]))
        state.loudest = max(state.loudest, loudest)  # for renderings, which say what has been limited
        if max(state.peak, loudest) > 1:
            for i in range(out.size):
                state.peak = max(np.float64(abs(out[i])), state.peak * RELEASE)
                out[i] /= np.float32(max(1.0, state.peak))
        else:
            state.peak = 0.0

        if state.ring_ != 0:
            words = words_at(state.ring_, HEADER)
            frame = state.ring_ + OUT_FRAMES + FRAME_BYTES * (words[OUT_WRITTEN] % DEPTH)
            shorts = shorts_at(frame + 2 * state.at, out.size)
            for i in range(out.size):
                shorts[i] = np.int16(
                    np.rint(min(max(out[i] * np.float32(32768), np.float32(-32768)), np.float32(32767)))
                )
            state.at += out.size
            if state.at == FRAME:
                state.at = 0
                fence()
                words[OUT_WRITTEN] += 1
