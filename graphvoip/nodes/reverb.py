import numpy as np

from ..kernel import HUGE, floats_at, kernel, limited, sin_turns, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

LINES = 8
LENGTHS = (0.0263, 0.0313, 0.0371, 0.0433, 0.0493, 0.0563, 0.0637, 0.0709)  # seconds, for size 1
INWARD = (1, -1, 1, 1, -1, 1, -1, -1)  # signs with which the lines are fed and heard
OUTWARD = (1, 1, -1, 1, 1, -1, -1, 1)
CYCLE = 1 << 23  # samples after which all begins anew
WANDER = (311, 449, 587, 743)  # turns in a cycle of what is exchanged between two lines: 0.3 to 0.7 Hz
DIFFUSE = (37, 53, 83, 113)  # samples: allpass filters that make one click many before it goes round
ROW = 32  # samples done at once; a change of decay or damping is looked at that often
LINE = 2048
PRE = 4096
LIMIT = np.float32(1000)

# Where things are in the node's memory, in floats.
DIFFUSE_AT = LINES * LINE
PRE_AT = DIFFUSE_AT + 128 * len(DIFFUSE)
ROWS_AT = PRE_AT + PRE
FEED_AT = ROWS_AT + LINES * ROW
WET_AT = FEED_AT + ROW
MEMORY = WET_AT + ROW


def prime(n: int) -> int:
    """The first prime from n on: echoes of such lengths fall together as seldom as can be."""
    while any(n % k == 0 for k in range(2, int(n**0.5) + 1)):
        n += 1
    return n


class Reverb(Node):
    """A room: the sound dies away over `decay` seconds, in echoes too dense to tell apart.

    Eight delay lines feed each other through a Hadamard matrix, which loses nothing, and each line has a filter that
    loses what its length must (Jot and Chaigne, 1991). So all frequencies decay evenly and none rings on alone: low
    ones by 60 dB in `decay`, those at `damping` in half of it, higher ones faster still. The lines exchange what they
    hold a little, slowly turning (Schlecht and Habets, 2015), so that no tone is left standing. A steady sound comes
    out about as loud as it went in, unless the decay is shorter than the room is long: below 0.5 s take a smaller
    `size`. A fault in the input passes by and is not remembered. About 4 us a frame.

    >>> Reverb(voice, decay=2.5, mix=0.4)
    """

    group = "time"
    known_as = "room, hall, plate, spring, fdn, feedback delay network, ambience, space, echo chamber"
    input = Signal(None, doc="what sounds in the room")
    decay = Signal(1.5, "s", 0.1, 20, "time in which the sound falls by 60 dB")
    damping = Signal(2500.0, "Hz", 100, RATE / 2, "where it falls in half that time")
    mix = Signal(0.3, "x", 0, 1, "0 is the input alone, 1 the room alone")
    size = Option(1.0, "size of the room: its first echoes come after 26 ms times this", unit="x", low=0.3, high=2)
    pre_delay = Option(0.0, "silence before the room answers", unit="s", low=0, high=0.4)
    out = Output()
    state = State(line_="i8", at="i8", wait="i8", decay_="f8", damping_="f8", feed="f8", length=("i8", LINES),
                  gain=("f8", LINES), pole=("f8", LINES), low=("f8", LINES))  # fmt: skip

    def start(self):
        self.line = np.zeros(MEMORY, np.float32)
        self.state["line_"] = self.line.ctypes.data
        self.state["wait"] = round(self.pre_delay * RATE)
        for k, seconds in enumerate(LENGTHS):
            self.state["length"][k] = prime(round(seconds * self.size * RATE))

    @kernel
    def process(state, input, decay, damping, mix, out):
        diffuse = floats_at(state.line_ + 4 * DIFFUSE_AT, PRE_AT - DIFFUSE_AT)
        pre = floats_at(state.line_ + 4 * PRE_AT, PRE)
        rows, feed = floats_at(state.line_ + 4 * ROWS_AT, LINES * ROW), floats_at(state.line_ + 4 * FEED_AT, ROW)
        wet = floats_at(state.line_ + 4 * WET_AT, ROW)
        at, done = state.at, 0
        while done < out.size:
            # Rows end where the node's own count is a multiple of their length, not where a frame does.
            size = min(out.size - done, ROW - at % ROW)
            if at % ROW == 0:
                seconds, corner = limited(decay[done], 0.1, 20), limited(damping[done], 100, RATE / 2)
                if seconds != state.decay_ or corner != state.damping_:
                    state.decay_, state.damping_ = seconds, corner
                    cosine, total = np.cos(2 * np.pi / RATE * corner), 0.0
                    for k in range(LINES):
                        # At `damping` the loss is twice as many decibels: the pole is where that is so.
                        loss = 10.0 ** (-6.0 * state.length[k] / (RATE * seconds))
                        near = 1 - loss * cosine
                        pole = (near - np.sqrt(near * near - (1 - loss) * (1 - loss))) / (1 - loss)
                        state.gain[k], state.pole[k] = np.sqrt(loss) * (1 - pole), pole
                        total += loss
                    state.feed = np.sqrt((LINES - total) * min(LINES / total, 4.0)) / LINES

            level = np.float32(state.feed)
            for j in range(size):
                pre[(at + j) & (PRE - 1)] = sound(input[done + j])
                feed[j] = level * pre[(at + j - state.wait) & (PRE - 1)]
            for k in range(len(DIFFUSE)):
                for j in range(size):
                    here, there = 128 * k + ((at + j) & 127), 128 * k + ((at + j - DIFFUSE[k]) & 127)
                    old = diffuse[there]
                    new = feed[j] - np.float32(0.6) * old
                    diffuse[here] = new
                    feed[j] = old + np.float32(0.6) * new

            for k in range(LINES):
                line = floats_at(state.line_ + 4 * LINE * k, LINE)
                gain, pole, low, first = state.gain[k], state.pole[k], state.low[k], at - state.length[k]
                for j in range(size):
                    low = gain * line[(first + j) & (LINE - 1)] + pole * low
                    rows[ROW * k + j] = low
                state.low[k] = low

            # Sums of two, one after the other: the compiler may take the terms of a longer sum in any order, and not
            # in the same one wherever the buffers lie.
            for j in range(size):
                wet[j] = rows[j]
            for k in range(1, LINES):
                for j in range(size):
                    wet[j] += np.float32(OUTWARD[k]) * rows[ROW * k + j]
            for j in range(size):
                x, m = input[done + j], np.float32(limited(mix[done + j], 0, 1))
                out[done + j] = x + m * (wet[j] - x) if abs(x) < HUGE else x

            # Two lines each exchange what they hold, slowly and without a loss: a mode that wanders does not ring.
            for k in range(LINES // 2):
                for j in range(size):
                    turns = np.float32(((at + j) * WANDER[k]) & (CYCLE - 1)) * np.float32(1 / CYCLE)
                    s, c = sin_turns(turns), sin_turns(turns + np.float32(0.25))
                    a, b = rows[ROW * k + j], rows[ROW * (k + 4) + j]
                    rows[ROW * k + j], rows[ROW * (k + 4) + j] = c * a - s * b, s * a + c * b
            for half in (1, 2, 4):
                for k in range(LINES):
                    if k & half == 0:
                        for j in range(size):
                            a, b = rows[ROW * k + j], rows[ROW * (k + half) + j]
                            rows[ROW * k + j], rows[ROW * (k + half) + j] = a + b, a - b
            for k in range(LINES):
                line = floats_at(state.line_ + 4 * LINE * k, LINE)
                sign = np.float32(INWARD[k])
                for j in range(size):
                    y = np.float32(8**-0.5) * rows[ROW * k + j] + sign * feed[j]
                    y = y if y > -LIMIT else -LIMIT
                    line[(at + j) & (LINE - 1)] = y if y < LIMIT else LIMIT
            at += size
            done += size
        state.at = at & (CYCLE - 1)
