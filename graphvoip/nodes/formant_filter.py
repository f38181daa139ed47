import numpy as np
from numba import njit

from ..kernel import HUGE, OPTIONS, kernel, limited, sound
from ..node import Node, Output, Signal, State
from ..rings import RATE

# The first four formants of a tenor's a, e, i, o, u: Hz, Hz of width, level in dB. From the table of formants in the
# Csound manual, which has it from IRCAM's CHANT.
FREQS = np.array([
    [650, 1080, 2650, 2900], [400, 1700, 2600, 3200], [290, 1870, 2800, 3250], [400, 800, 2600, 2800],
    [350, 600, 2700, 2900],
], float)  # fmt: skip
WIDTHS = np.array([
    [80, 90, 120, 130], [70, 80, 100, 120], [40, 90, 100, 120], [40, 80, 100, 120], [40, 60, 100, 120],
], float)  # fmt: skip
# Neighbours have opposite signs: else they would cancel between their peaks.
LEVELS = np.array([1, -1, 1, -1]) * 10 ** (np.array([
    [0, -6, -7, -8], [0, -14, -12, -14], [0, -15, -18, -20], [0, -10, -12, -12], [0, -20, -17, -14],
]) / 20)  # fmt: skip
TOP = 3900.0  # Hz: no formant above it

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


class FormantFilter(Node):
    """Makes any sound speak a vowel: four resonances as those of a mouth, beside each other.

    `vowel` goes through a (0), e (1), i (2), o (3), u (4) and all that is between them; move it, and the sound talks.
    Sounds rich in overtones speak best: a saw of 80 to 200 Hz, noise whispers. `shift` moves the formants together: a
    longer or shorter throat. A fault in the input passes by and is not remembered.

    The formants are those of a tenor; each is a resonance that may move at audio rate, see Svf. It takes 2 us a frame,
    and 10 us while the vowel moves.

    >>> FormantFilter(Saw(freq=110), Lfo(freq=0.5, low=0, high=4))
    """

    group = "filters"
    input = Signal(None, doc="what is to speak")
    vowel = Signal(0.0, "x", 0, 4, "a e i o u are 0 1 2 3 4")
    shift = Signal(1.0, "x", 0.5, 2, "factor for the formants' pitch: 1.2 is a smaller mouth, 0.8 a giant's")
    out = Output()
    state = State(z=("f8", (4, 2)))

    @kernel
    def process(state, input, vowel, shift, out):
        moves = 0
        for i in range(out.size):
            moves += (vowel[i] != vowel[0]) | (shift[i] != shift[0])
        for i in range(out.size):
            out[i] = 0
        for n in range(4):
            z0, z1 = state.z[n, 0], state.z[n, 1]
            at = 0
            while at < out.size:
                v, s = limited(vowel[at], 0, 4), limited(shift[at], 0.5, 2)
                k = min(np.int64(v), 3)
                h = v - k
                freq = min(s * (FREQS[k, n] + h * (FREQS[k + 1, n] - FREQS[k, n])), TOP)
                width = s * (WIDTHS[k, n] + h * (WIDTHS[k + 1, n] - WIDTHS[k, n]))
                level = LEVELS[k, n] + h * (LEVELS[k + 1, n] - LEVELS[k, n])
                # The damping that gives this width in Hz: the bilinear rule makes what is high too narrow else.
                g, damp = tangent(freq), width * (np.pi / RATE)
                a = 1 / ((1 + g * g) * (1 + damp))
                b, c = g * a, g * g * a
                level *= damp * (1 + g * g) / g
                stop = at + 1 if moves else out.size
                for i in range(at, stop):
                    band, _, z0, z1 = integrated(np.float64(sound(input[i])), z0, z1, a, b, c)
                    out[i] += level * band
                at = stop
            state.z[n, 0], state.z[n, 1] = z0, z1
        for i in range(out.size):
            out[i] = out[i] if abs(input[i]) < HUGE else input[i]
