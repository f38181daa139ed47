import numpy as np
from numba import njit

from ..kernel import HUGE, OPTIONS, kernel, limited, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

MOST = 40
TOP = RATE / 2 - 10  # Hz: harmonics above it are left alone


# The tangent without its pole at a quarter turn is smooth: a polynomial with least maximum error, off by 1e-9 of it.
C1, C3, C5, C7, C9, C11 = 3.141592657, -2.230945987, -0.5390356171, -0.2112362976, -0.08498414285, -0.05612059303


@njit(**OPTIONS)
def tangent(freq):
    """tan(pi freq / RATE): an integrator's step by the bilinear rule, so that a corner is where it should be."""
    x = freq * (1 / RATE)
    s = x * x
    return (((((C11 * s + C9) * s + C7) * s + C5) * s + C3) * s + C1) * x / (1 - 4 * s)


# Without "reassoc": the sums are to be taken in this order, in which a sample waits the least for the one before it.
@njit(error_model="numpy", fastmath={"contract"})
def integrated(x, z0, z1, a, b, c):
    """Two integrators in a loop, solved without a delay: bandpass, lowpass, and what they remember."""
    y0, y1 = (1 - 2 * a) * z0, (1 - 2 * c) * z1
    y0, y1 = (2 * b * x - y0) - 2 * b * z1, (2 * c * x + y1) + 2 * b * z0
    return 0.5 * (z0 + y0), 0.5 * (z1 + y1), y0, y1


class HumNotch(Node):
    """Take the hum of the mains out of a signal: a narrow notch at 50 or 60 Hz and at each of its harmonics.

    After a hum begins it is at -30 dB in 1.1 / width seconds. A wider notch is faster, and forgives mains that are off
    their pitch, but takes more of a low voice with it. A fault in the input passes by and is not remembered.

    It takes about 0.5 us a frame for each harmonic, and three times that while `freq` or `width` moves.

    >>> HumNotch(voice + Sine(freq=50, amp=0.2))
    """

    group = "filters"
    input = Signal(None, doc="what hums")
    freq = Signal(50.0, "Hz", 10, 1000, "the mains: 50, or 60 in America")
    width = Signal(2.0, "Hz", 0.1, 50, "of each notch, from -3 dB to -3 dB")
    harmonics = Option(5, "how many multiples of freq, from 1 on, are taken out", low=1, high=MOST)
    out = Output()
    state = State(count="i8", z=("f8", (MOST, 2)))

    def start(self):
        self.state["count"] = self.harmonics

    @kernel
    def process(state, input, freq, width, out):
        moves = 0
        for i in range(out.size):
            moves += (freq[i] != freq[0]) | (width[i] != width[0])
        for i in range(out.size):
            out[i] = sound(input[i])
        for n in range(state.count):
            z0, z1 = state.z[n, 0], state.z[n, 1]
            at = 0
            while at < out.size:
                f = (n + 1) * limited(freq[at], 10, 1000)
                # A state-variable filter (see Svf) whose damping gives the width in Hz at any freq.
                g, damp = tangent(min(f, TOP)), tangent(limited(width[at], 0.1, 50))
                a = 1 / ((1 + g * g) * (1 + damp))
                b, c = g * a, g * g * a
                k = damp * (1 + g * g) / g if f <= TOP else 0.0
                stop = at + 1 if moves else out.size
                for i in range(at, stop):
                    x = np.float64(out[i])
                    band, _, z0, z1 = integrated(x, z0, z1, a, b, c)
                    out[i] = x - k * band
                at = stop
            state.z[n, 0], state.z[n, 1] = z0, z1
        for i in range(out.size):
            out[i] = out[i] if abs(input[i]) < HUGE else input[i]
