from functools import cache

import numpy as np
from numba import njit

from ..delay_lines import DELAY_LINE, FIRST, DelayLine, block_of, size_and_most, warn_if_held
from ..dsp import moves, sincs
from ..kernel import OPTIONS, floats_at, kernel, limited, sound
from ..node import Event, Node, Option, Output, Signal, State
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

    Its memory follows `time`: a number, a parameter, a score and arithmetic with them, also when they are changed while
    it sounds. Of other wires nothing is known: they are held within `longest`, and a call warns of it.

    >>> Mix(voice, Delay(voice, time=0.25))
    >>> Delay(voice, time=Lfo(freq=5, low=0.01, high=0.013))
    """

    group = "time"
    known_as = "delay line, echo, doppler, slapback, vibrato, bbd, leslie, rotary speaker, haas, tape delay, pre-delay"
    input = Signal(None, doc="what is delayed")
    time = Signal(0.25, "s", 0, 60, "how late it comes")
    longest = Option(1.0, "memory: the longest time of a wire of which nothing is known", unit="s", low=0.001, high=60)
    out = Output("the sound, later")
    held = Event("the time is longer than the memory and held there, once; its milliseconds. A call warns of it")
    state = State(weights_="i8", taps="i8", **DELAY_LINE)

    def start(self):
        self.line = DelayLine(self, extra=2 * FRAME, mirror=MORE)
        self.state["weights_"] = weights().ctypes.data
        self.state["taps"] = TAPS

    def prepare(self):
        self.line.make_room()

    def join(self, graph):
        graph.listen(self, "held", lambda sample, value: self.line.warn(graph.name, value))

    @kernel
    def process(state, input, time, out):
        block = block_of(state, MORE)
        (size, most), ring = size_and_most(block), block + FIRST
        warn_if_held(state, time, most)
        at, n = state.at, out.size
        mask = size - 1
        line = floats_at(ring, size + MORE)
        for i in range(n):
            line[(at + i) & mask] = sound(input[i])
        if at & mask < MORE or (at & mask) + n > size:
            for i in range(MORE):
                line[size + i] = line[i]
        whole, row, part = place(time[0], most)
        if moves(time) == 0 and whole >= NEWER:
            first = ring + 4 * ((at - whole - BEFORE) & mask)
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
                whole, row, part = place(time[i], most)
                rows = floats_at(state.weights_ + 4 * TAPS * row, 2 * TAPS)
                oldest, y = at + i - whole - BEFORE, np.float32(0)
                if whole >= NEWER:
                    taps = floats_at(ring + 4 * (oldest & mask), TAPS)
                    for k in range(TAPS):
                        y += (rows[k] + part * (rows[TAPS + k] - rows[k])) * taps[k]
                else:  # the newest sample stands for those that are still to come
                    for k in range(state.taps):
                        y += (rows[k] + part * (rows[TAPS + k] - rows[k])) * line[min(oldest + k, at + i) & mask]
                out[i] = y
        state.at = at + n
