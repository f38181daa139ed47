import numpy as np

from ..kernel import HUGE, floats_at, kernel, limited, sin_turns, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

JOIN = 80  # samples, 10 ms: in them one piece fades into the next


class Reverse(Node):
    """What was said last, piece by piece, backwards.

    While a piece of `time` seconds comes in, the one before it is played from its end to its beginning; the joins are
    faded over 10 ms. A fault in the input passes by with the input's part of the mix, and is not remembered.

    >>> Reverse(voice, time=0.4)
    """

    group = "time"
    known_as = "backwards, reverse delay, backmask, rewind"
    input = Signal(None, doc="what is turned round")
    mix = Signal(1.0, "x", 0, 1, "0 is the input alone, 1 what is turned round alone")
    time = Option(0.5, "length of a piece", unit="s", low=0.05, high=5)
    out = Output()
    state = State(line_="i8", mask_="i8", piece_="i8", at="i8", step="i8")

    def start(self):
        piece = round(self.time * RATE)
        length = 1 << (2 * (piece + JOIN) + 2).bit_length()
        self.line = np.zeros(length, np.float32)
        self.state["line_"] = self.line.ctypes.data
        self.state["mask_"] = length - 1
        self.state["piece_"] = piece

    @kernel
    def process(state, input, mix, out):
        mask, piece, at, step = state.mask_, state.piece_, state.at, state.step
        line = floats_at(state.line_, mask + 1)
        for i in range(out.size):
            x = sound(input[i])
            line[at & mask] = x
            # The newest sample of the piece before is step + 1 back when its turn comes, and time runs both ways.
            y = line[(at - 2 * step - 1) & mask]
            if step < JOIN:
                w = np.float32((step + 0.5) * (0.25 / JOIN))
                y = sin_turns(w) * y + sin_turns(w + np.float32(0.25)) * line[(at - 2 * (step + piece) - 1) & mask]
            m = np.float32(limited(mix[i], 0, 1))
            x = x if abs(input[i]) < HUGE or m == 1 else input[i]
            out[i] = m * y + (1 - m) * x
            at += 1
            step = step + 1 if step + 1 < piece else 0
        state.at, state.step = at & mask, step
