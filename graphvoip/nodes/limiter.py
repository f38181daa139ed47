import numpy as np

from ..dsp import left_over
from ..kernel import floats_at, kernel, limited, sound, words_at
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

SIZE = 512  # samples that are remembered: more than the longest look-ahead has
MASK = SIZE - 1
ONE = 1 << 40  # gains are whole numbers of this part: then the running sum of their mean is exact for ever
NEAR = 1e-7 * ONE


class Limiter(Node):
    """Keep a sound under a ceiling, whatever comes: the loud is turned down, all the rest stays bit for bit.

    It looks ahead, so that the gain is down already when a peak comes, and delays the sound by that. The gain is the
    mean, over the look-ahead, of the least that anything within the look-ahead needs. A fault in the input becomes
    silence.

    >>> Limiter(Gain(voice, 8), ceiling=0.5)
    """

    group = "dynamics"
    known_as = "brickwall, peak limiter, lookahead limiter, ceiling, clipper, loudness, maximizer"
    input = Signal(None, doc="what is limited")
    ceiling = Signal(0.9, "x", 0, 1, "the greatest level that comes out; 1 is full scale")
    release = Signal(0.1, "s", 0, 10, "time in which 63 % of the level comes back after a peak")
    lookahead = Option(0.005, "how early the gain begins to go down, and the delay of the sound", unit="s", low=0,
                       high=0.05)  # fmt: skip
    out = Output("the sound, later by the look-ahead")
    state = State(line_="i8", words_="i8", ahead="i8", at="i8", head="i8", tail="i8", total="i8", gain="f8",
                  release_="f4", rise="f8")  # fmt: skip

    def start(self):
        self.line = np.zeros(SIZE, np.float32)
        self.words = np.zeros((3, SIZE), np.int64)  # the gains of the mean; the waiting least gains, and their places
        self.words[:2] = ONE
        self.state["ahead"] = ahead = round(self.lookahead * RATE)
        self.state["line_"], self.state["words_"] = self.line.ctypes.data, self.words.ctypes.data
        self.state["total"], self.state["gain"], self.state["release_"] = (ahead + 1) * ONE, ONE, np.nan
        self.state["tail"] = 1

    @kernel
    def process(state, input, ceiling, release, out):
        line = floats_at(state.line_, SIZE)
        mean = words_at(state.words_, SIZE)
        least = words_at(state.words_ + 8 * SIZE, SIZE)
        place = words_at(state.words_ + 16 * SIZE, SIZE)
        ahead, at, head, tail, total, gain = state.ahead, state.at, state.head, state.tail, state.total, state.gain
        release_, rise = state.release_, state.rise
        full = (ahead + 1) * ONE
        over = 0
        for i in range(out.size):
            over += not abs(input[i]) <= limited(ceiling[i], 0, 1)
        if over == 0 and total == full and gain == ONE and least[head & MASK] == ONE:
            for i in range(out.size):
                line[(at + i) & MASK] = input[i]
                top = np.float32(limited(ceiling[i], 0, 1))
                out[i] = min(max(line[(at + i - ahead) & MASK], -top), top)
            head, tail, at = 0, 1, at + out.size
            least[0], place[0] = ONE, at - 1
        else:
            for i in range(out.size):
                if release[i] != release_:
                    release_ = release[i]
                    rise = 1 - left_over(limited(release_, 0, 10))
                top = limited(ceiling[i], 0, 1)
                x = sound(input[i])
                level = np.float64(abs(x))
                need = np.int64(top / level * ONE) if level > top else ONE
                # The least of the last `ahead + 1`: those that wait are in rising order, so the first is the least.
                while tail > head and least[(tail - 1) & MASK] >= need:
                    tail -= 1
                least[tail & MASK], place[tail & MASK] = need, at
                tail += 1
                if place[head & MASK] < at - ahead:
                    head += 1
                low = np.float64(least[head & MASK])
                gain = low if low - gain < NEAR else gain + (low - gain) * rise
                whole = np.int64(gain)
                total += whole - mean[(at - ahead - 1) & MASK]
                mean[at & MASK] = whole
                line[at & MASK] = x
                y = line[(at - ahead) & MASK] * (np.float64(total) / np.float64(full))
                # A ceiling that comes down faster than the look-ahead, and the last bit.
                out[i] = min(max(y, -top), top)
                at += 1
        state.at, state.head, state.tail, state.total, state.gain = at, head, tail, total, gain
        state.release_, state.rise = release_, rise
