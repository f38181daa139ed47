from functools import cache

import numpy as np
from numba import njit

from ..kernel import OPTIONS, floats_at, kernel, sin_turns, sound, tanh
from ..node import Node, Option, Output, Signal, State
from ..rings import FRAME

SHAPES = ("tanh", "clip", "fold", "sine")
TANH, CLIP, FOLD, SINE = range(4)
TIMES, TAPS = 4, 24  # oversampling, and the filters' samples at 8000 Hz
LEAD = 32  # samples of the past before each row of the memory: TAPS and some
ROW = 4 * (LEAD + FRAME)  # bytes
# Where this piece begins in each row: in S, Q and Z there is one for each of the 4 places of a sample.
S, Q, REST, FULL, X, Z, END = (4 * LEAD + ROW * r for r in (0, 4, 8, 9, 10, 11, 15))
ONE, TWO, HALF, QUARTER = (np.float32(x) for x in (1, 2, 0.5, 0.25))
LEAST, MOST = np.float32(0.01), np.float32(100)


@cache
def filters() -> np.ndarray:
    """For each place between two samples the filter that finds it, and then those that go back: sincs in a window."""
    t = np.arange(TIMES * TAPS + 1) - TIMES * TAPS / 2
    window = np.kaiser(len(t), 5.65)
    up = np.sinc(t / TIMES) * window
    # Lines between samples, and the mean of three, take 0.5 dB of the treble: the way back brings them again.
    w = (np.arange(1000) + 0.5) / 1000 * np.pi / TIMES
    down = (np.cos(t[:, None] * w) / (0.75 + 0.25 * np.cos(w))).mean(1) * window
    rows = [up[p : p + TIMES * TAPS : TIMES] for p in range(TIMES)]
    rows += [down[TIMES - p :: TIMES][:TAPS] for p in range(TIMES)]
    return np.array([row / row.sum() / (1 if i < TIMES else TIMES) for i, row in enumerate(rows)], np.float32)


@njit(**OPTIONS)
def filtered(y, x, taps, count):
    """Add to y what a filter makes of the samples at the address x and before."""
    h = floats_at(taps, count)
    for k in range(0, count, 4):
        h0, h1, h2, h3 = h[k], h[k + 1], h[k + 2], h[k + 3]
        x0, x1 = floats_at(x - 4 * k, y.size), floats_at(x - 4 * k - 4, y.size)
        x2, x3 = floats_at(x - 4 * k - 8, y.size), floats_at(x - 4 * k - 12, y.size)
        for i in range(y.size):
            y[i] += h0 * x0[i] + h1 * x1[i] + h2 * x2[i] + h3 * x3[i]


@njit(**OPTIONS)
def bend(kind, u):
    """The curves, all of them odd and with a slope of about 1 at 0."""
    if kind == TANH:
        for i in range(u.size):
            u[i] = tanh(u[i])
    elif kind == CLIP:
        for i in range(u.size):
            low = u[i] if u[i] > -ONE else -ONE
            u[i] = low if low < ONE else ONE
    elif kind == FOLD:
        for i in range(u.size):
            t = QUARTER * u[i] + QUARTER
            u[i] = ONE - (TWO + TWO) * abs(t - np.floor(t) - HALF)
    else:
        for i in range(u.size):
            u[i] = sin_turns(QUARTER * u[i])


class Drive(Node):
    """Distort a sound: drive it into a curve that bends, cuts or folds what is too loud for it.

    tanh bends softly, as a valve; clip cuts off; fold reflects at full scale, again and again; sine is a soft fold. A
    sound at full scale stays there whatever the drive, and a drive near 0 leaves the sound as it is (with tanh and
    sine; clip and fold do so up to 1). A bias makes the curve lopsided, which adds the even harmonics, and a constant
    that a dc_block removes.

    The curve runs at 32000 Hz with straight lines to 64000, so that little folds back from above 4000 Hz: with drive 4
    it is 80 dB below a tone with tanh, 55 with clip, 60 with sine, 40 with fold; a fold or sine driven by 20 folds back
    a tenth of a high tone. The filters for it delay the sound by 24 samples, 3 ms, and are flat up to 3400 Hz.
    (Antiderivative anti-aliasing without oversampling would cost 8 dB at 3 kHz.) A fault in the input becomes silence.

    >>> Drive(voice, drive=20, shape="clip", level=0.5)
    >>> Drive(Sine(freq=110), drive=Lfo(freq=0.5, low=0.5, high=8), shape="fold", level=0.5)
    """

    group = "dynamics"
    known_as = (
        "distortion, overdrive, fuzz, saturation, waveshaper, wavefolder, tube, clipper, tape saturation, "
        "soft clip, amp, west coast"
    )
    input = Signal(None, doc="what is distorted")
    drive = Signal(4.0, "x", 0.01, 100, "gain before the curve")
    bias = Signal(0.0, "x", -1, 1, "where on the curve silence is")
    level = Signal(1.0, "x", doc="gain after the curve")
    shape = Option("tanh", "the curve", SHAPES)
    out = Output("the distorted sound, 24 samples later")
    state = State(work_="i8", filters_="i8", shape_="i8", times="i8", taps="i8", last="f4")

    def start(self):
        self.state["shape_"] = SHAPES.index(self.shape)
        self.state["times"], self.state["taps"] = TIMES, TAPS
        self.work = np.zeros(END // 4, np.float32)
        self.state["work_"], self.state["filters_"] = self.work.ctypes.data, filters().ctypes.data

    @kernel
    def process(state, input, drive, bias, level, out):
        # Counts come from the state: the compiler would unroll loops whose length it knows, and take twice as long.
        n, work, filters, times, taps = out.size, state.work_, state.filters_, state.times, state.taps
        x, rest, full = floats_at(work + X, n), floats_at(work + REST, n), floats_at(work + FULL, n)
        soft = state.shape_ == TANH
        for i in range(n):
            d = drive[i] if drive[i] > LEAST else LEAST
            d = d if d < MOST else MOST
            x[i] = sound(input[i]) * d
            full[i] = d if soft or d < ONE else ONE
            b = bias[i] if bias[i] > -ONE else -ONE
            rest[i] = b if b < ONE else ONE
        # S: the sound on its bias, at 4 places of each sample. The first of them is the sample itself.
        a, b = floats_at(work + X - 2 * TAPS, n), floats_at(work + S, n)
        for i in range(n):
            b[i] = a[i] + rest[i]
        for p in range(1, times):
            b = floats_at(work + S + ROW * p, n)
            for i in range(n):
                b[i] = rest[i]
            filtered(b, work + X, filters + 4 * TAPS * p, taps)
        # Q: half way from the place before to each of these. The first place comes after the last of a sample earlier,
        # which had a bias of its own.
        a, b, c = floats_at(work + S + ROW * (times - 1), n), floats_at(work + S, n), floats_at(work + Q, n)
        c[0] = HALF * (state.last + rest[0] + b[0])
        for i in range(1, n):
            c[i] = HALF * (a[i - 1] - rest[i - 1] + rest[i] + b[i])
        state.last = a[n - 1] - rest[n - 1]
        for p in range(1, times):
            a, b = floats_at(work + S + ROW * (p - 1), n), floats_at(work + S + ROW * p, n)
            c = floats_at(work + Q + ROW * p, n)
            for i in range(n):
                c[i] = HALF * (a[i] + b[i])
        # The curve, of all of them, of the bias and of full scale. The bias is taken off again: silence stays silent.
        for p in range(2 * times + 2):
            bend(state.shape_, floats_at(work + S + ROW * p, n))
        for p in range(2 * times):
            a = floats_at(work + S + ROW * p, n)
            for i in range(n):
                a[i] -= rest[i]
        # Z: a mean of three is half of the way back; the last place, which needs the next sample, comes one later.
        for p in range(times):
            late = 4 if p == times - 1 else 0
            a, b = floats_at(work + Q + ROW * p - late, n), floats_at(work + S + ROW * p - late, n)
            c, d = floats_at(work + Q + (ROW * (p + 1) if late == 0 else 0), n), floats_at(work + Z + ROW * p, n)
            for i in range(n):
                d[i] = QUARTER * (a[i] + b[i] + b[i] + c[i])
        out[:] = 0
        for p in range(times):
            late = 0 if p == times - 1 else 4
            filtered(out, work + Z + ROW * p - late, filters + 4 * TAPS * (times + p), taps)
        for i in range(n):
            out[i] *= level[i] / full[i]
        # What the next piece needs of this one.
        for address in range(work, work + END - 4 * LEAD, ROW):
            a, b = floats_at(address, LEAD), floats_at(address + 4 * n, LEAD)
            for i in range(LEAD):
                a[i] = b[i]
