from functools import cache

import numpy as np
from numba import njit

from ..dsp import moves, sincs
from ..kernel import OPTIONS, floats_at, kernel, limited, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import FRAME, RATE

TAPS, PHASES = 16, 256  # of the interpolation: samples that it looks at, and places between two samples
BEFORE = TAPS // 2
NEWER = BEFORE - 1
MORE = FRAME + TAPS  # samples that stand behind the last one once more, so that a piece of memory has no seam


@cache
def weights() -> np.ndarray:
    """A row for each place between two samples, from the newer one back; in it the oldest sample's weight is first."""
    return np.ascontiguousarray(sincs(TAPS, PHASES)[::-1])


@njit(**OPTIONS)
def place(time, most):
    """Where a time is: whole samples, the row of the weights, and the way to the next row."""
    late = limited(time * np.float64(RATE), 0, most)
    near = np.floor(late + 0.5)  # seconds in float32 miss a whole sample by this much
    late = near if abs(late - near) <= late * 2.0**-23 else late
    whole = np.int64(late)
    rows = (late - whole) * PHASES
    return whole, np.int64(rows), np.float32(rows - np.int64(rows))


class Delay(Node):
    """Delay a sound; the time may be any fraction of a sample, and move at every sample.

    While the time moves, the pitch does (Doppler): a delay that grows by 0.1 s in a second sounds a tenth lower. A time
    that jumps clicks; a slew before it makes it glide. A delay of whole samples passes the sound bit for bit; between
    them a windowed sinc of 16 samples interpolates, with an error below -60 dB up to 2800 Hz. Delays under 7 samples
    lack newer ones, and their treble suffers. A fault in the input becomes silence.

    >>> Mix(voice, Delay(voice, time=0.25))
    >>> Delay(voice, time=Lfo(freq=5, low=0.01, high=0.013))
    """

    group = "time"
    input = Signal(None, doc="what is delayed")
    time = Signal(0.25, "s", 0, 60, "how late it comes; held within 0 and `longest`")
    longest = Option(
        1.0,
        "memory: the longest time that it can make; a number given as `time` brings its own",
        unit="s",
        low=0.001,
        high=60,
    )
    out = Output("the sound, later")
    state = State(line_="i8", weights_="i8", size="i8", at="i8", most="f8", taps="i8")

    def start(self):
        time = self.wires["time"]
        longest = max(self.longest, time) if isinstance(time, float) else self.longest
        size = 1 << int(longest * RATE + 2 * FRAME).bit_length()
        self.line = np.zeros(size + MORE, np.float32)
        self.state["line_"], self.state["size"] = self.line.ctypes.data, size
        self.state["weights_"] = weights().ctypes.data
        self.state["taps"] = TAPS
        self.state["most"] = longest * RATE

    @kernel
    def process(state, input, time, out):
        size, at, n = state.size, state.at, out.size
        mask = size - 1
        line = floats_at(state.line_, size + MORE)
        for i in range(n):
            line[(at + i) & mask] = sound(input[i])
        if at & mask < MORE or (at & mask) + n > size:
            for i in range(MORE):
                line[size + i] = line[i]
        whole, row, part = place(time[0], state.most)
        if moves(time) == 0 and whole >= NEWER:
            first = state.line_ + 4 * ((at - whole - BEFORE) & mask)
            if row == 0 and part == 0:
                exact = floats_at(first + 4 * BEFORE, n)
                for i in range(n):
                    out[i] = exact[i]
            else:
                rows = floats_at(state.weights_ + 4 * TAPS * row, 2 * TAPS)
                out[:] = 0
                for k in range(state.taps):  # a count that the compiler knows would be unrolled, for nothing
                    w, tap = rows[k] + part * (rows[TAPS + k] - rows[k]), floats_at(first + 4 * k, n)
                    for i in range(n):
                        out[i] += w * tap[i]
        else:
            for i in range(n):
                whole, row, part = place(time[i], state.most)
                rows = floats_at(state.weights_ + 4 * TAPS * row, 2 * TAPS)
                oldest, y = at + i - whole - BEFORE, np.float32(0)
                if whole >= NEWER:
                    taps = floats_at(state.line_ + 4 * (oldest & mask), TAPS)
                    for k in range(TAPS):
                        y += (rows[k] + part * (rows[TAPS + k] - rows[k])) * taps[k]
                else:  # the newest sample stands for those that are still to come
                    for k in range(state.taps):
                        y += (rows[k] + part * (rows[TAPS + k] - rows[k])) * line[min(oldest + k, at + i) & mask]
                out[i] = y
        state.at = at + n
