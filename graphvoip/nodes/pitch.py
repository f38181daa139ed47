import math

import numpy as np
from numba import njit

from ..kernel import OPTIONS, floats_at, kernel, limited, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

HOP = 80  # samples from one analysis to the next, 10 ms
WINDOW = 256  # samples that are compared with those a lag later
LAGS = 160  # lags at which they are; a period of 60 Hz is 133
SPAN = WINDOW + LAGS
LENGTH = 2048  # samples of the row in which the sound is kept; when it is full, its end moves to its start
TAPS = 8  # differences on either side from which one between two lags is taken
STEPS = 8  # places between two lags at which it is
LAST = LAGS - TAPS - 2  # the last lag about which places can be looked at
# Where things are in its memory: the row, the differences (and TAPS before lag 0), and the minima, a lag and a depth.
ROW, DIFFERENCES, MINIMA, ROOM = 0, LENGTH + TAPS, LENGTH + TAPS + LAGS, LENGTH + TAPS + LAGS + 2 * LAGS

# A windowed sinc for each place: the differences of a sound below 4 kHz lie on a curve as smooth as the sound.
_distance = np.arange(STEPS)[:, None] / STEPS + np.arange(TAPS - 1, -TAPS - 1, -1)
_weights = np.sinc(_distance) * np.cos(np.pi * _distance / (2 * TAPS + 1)) ** 2
BETWEEN = (_weights / _weights.sum(1, keepdims=True)).astype(np.float32)

WORTH_A_LOOK = np.float32(0.35)  # so much deeper may a minimum between two lags be than at the lags
NEAR = np.float32(0.04)  # nearly as deep as the deepest: the first of these is the period, the others its multiples
HOPELESS = np.float32(0.75)  # no minimum at whole lags is deeper: this is noise, and needs no closer look
EVEN = np.float32(0.01)  # one half of the window is not 20 dB softer than the other
QUIET = 1e-7  # mean square, -70 dBFS: less than this has no pitch


@njit(**OPTIONS)
def lowest(memory, lag):
    """The minimum of the differences within a sample of a lag: where, and how much. A parabola is laid through it."""
    middle = np.int64(lag * STEPS + np.float32(0.5))
    best, found = np.int64(0), np.float32(np.inf)
    before, here, after = np.float32(0), np.float32(0), np.float32(0)
    for place in range(middle - STEPS - 1, middle + STEPS + 2):
        base = DIFFERENCES + (place // STEPS) - TAPS + 1
        before, here, after = here, after, np.float32(0)
        for k in range(2 * TAPS):
            after += BETWEEN[place % STEPS, k] * memory[base + k]
        if place > middle - STEPS and here < found:
            found, best = here, place - 1
            left, right = before, after
    bend = left - 2 * found + right
    shift = (left - right) / (2 * bend) if bend > 0 else np.float32(0)
    shift = max(min(shift, np.float32(1)), np.float32(-1))
    return (best + shift) / np.float32(STEPS), found - (left - right) * shift / 4


@njit(**OPTIONS)
def period_of(memory, at, shortest, longest):
    """The period of the samples before place `at` of the row, and how clear it is, 0 to 1. (0, 0) if there is none."""
    window = memory[at - SPAN : at]
    first, last = np.float32(0), np.float32(0)
    for k in range(WINDOW):
        first += window[k] * window[k]
        last += window[LAGS + k] * window[LAGS + k]
    # Where a sound begins or ends there is nothing yet, or no more, to compare it with.
    if min(first, last) < max(np.float32(QUIET * WINDOW), EVEN * max(first, last)):
        return np.float32(0), np.float32(0)
    # All lags at once, sample by sample: so vector units do it, and every sum keeps its order.
    differences = memory[DIFFERENCES : DIFFERENCES + LAGS]
    differences[:] = 0
    for k in range(WINDOW):
        x, later = window[k], window[k : k + LAGS]
        for lag in range(LAGS):
            apart = x - later[lag]
            differences[lag] += apart * apart
    for lag in range(1, TAPS + 1):
        memory[DIFFERENCES - lag] = memory[DIFFERENCES + lag]

    # A depth is a difference over the mean of those at shorter lags (step 3 of YIN); first at whole lags.
    least, total, count = np.float32(1), np.float32(1e-20), 0
    for lag in range(1, longest + 1):
        here = memory[DIFFERENCES + lag]
        total += here
        if lag >= shortest and here <= memory[DIFFERENCES + lag - 1] and here < memory[DIFFERENCES + lag + 1]:
            depth = here * lag / total
            least = min(least, depth)
            memory[MINIMA + 2 * count], memory[MINIMA + 2 * count + 1] = lag, depth
            count += 1
    deepest = least
    for k in range(count):
        lag, depth = memory[MINIMA + 2 * k], memory[MINIMA + 2 * k + 1]
        if least < HOPELESS and depth < least + WORTH_A_LOOK:
            whole = memory[DIFFERENCES + np.int64(lag)]
            memory[MINIMA + 2 * k], value = lowest(memory, lag)
            memory[MINIMA + 2 * k + 1] = depth * value / whole if whole > 0 else depth
            deepest = min(deepest, memory[MINIMA + 2 * k + 1])
    for k in range(count):
        period, depth = memory[MINIMA + 2 * k], memory[MINIMA + 2 * k + 1]
        if depth <= deepest + NEAR:
            # Two, four, eight periods later the same error is a half, a fourth, an eighth.
            times = 2
            while times * period < LAST:
                place, value = lowest(memory, times * period)
                if abs(place - times * period) > np.float32(0.9):
                    break
                period = place / times
                times *= 2
            return period, min(max(1 - depth, np.float32(0)), np.float32(1))
    return np.float32(0), np.float32(0)


class Pitch(Node):
    """Fundamental frequency of a voice or an instrument, one note at a time, 60 to 1000 Hz, anew every 10 ms.

    The method is YIN (de Cheveigné and Kawahara, 2002): what the sound differs least from, a lag later, is itself one
    period later. Lags between samples are interpolated, and multiples of the period make it finer. It looks at 52 ms,
    and what it says is what was there 26 ms ago. It needs no fundamental, so it hears men on the phone as well. An
    unvoiced sound leaves `out` as it was. About 10 us a frame.

    >>> Sine(freq=Pitch(voice), amp=Meter(voice, time=0.03))
    """

    group = "analysis"
    known_as = "pitch detector, pitch tracker, pitch to cv, tuner, f0, fundamental frequency, yin, autocorrelation"
    input = Signal(None, doc="what is listened to")
    threshold = Signal(0.7, "x", 0, 1, "clarity from which a sound counts as voiced")
    lowest = Option(
        60.0, "lowest pitch that is looked for; a narrower range has fewer errors", unit="Hz", low=60, high=900
    )
    highest = Option(1000.0, "highest pitch that is looked for", unit="Hz", low=70, high=1000)
    out = Output("Hz; 0 until something has had a pitch, and then the last one")
    clarity = Output("how periodic it is, 0 to 1: 1 for a steady tone, about 0.2 for noise")
    gate = Output("1 while it is voiced, else 0")
    state = State(memory_="i8", at="i8", left="i8", shortest="i8", longest="i8", freq="f8", clarity_="f8", voiced="f8")

    def start(self):
        if self.lowest >= self.highest:
            raise ValueError(f"pitch: lowest {self.lowest:g} Hz is not below highest {self.highest:g} Hz")
        self.memory_ = np.zeros(ROOM, np.float32)
        self.state["memory_"] = self.memory_.ctypes.data
        self.state["at"], self.state["left"] = SPAN, HOP
        self.state["shortest"] = math.floor(RATE / self.highest - 0.5)
        self.state["longest"] = min(LAST, math.ceil(RATE / self.lowest + 0.5))

    @kernel
    def process(state, input, threshold, out, clarity, gate):
        memory = floats_at(state.memory_, ROOM)
        done = 0
        while done < out.size:
            if state.at == LENGTH:
                memory[:SPAN] = memory[LENGTH - SPAN : LENGTH]
                state.at = SPAN
            size = min(out.size - done, state.left, LENGTH - state.at)
            for i in range(size):
                memory[state.at + i] = sound(input[done + i])
                out[done + i], clarity[done + i], gate[done + i] = state.freq, state.clarity_, state.voiced
            done += size
            state.at += size
            state.left -= size
            if state.left == 0:
                state.left = HOP
                period, clear = period_of(memory, state.at, state.shortest, state.longest)
                state.clarity_, state.voiced = clear, 0.0
                if period > 0 and clear >= limited(threshold[done - 1], 0, 1):
                    state.freq, state.voiced = RATE / period, 1.0
