import numpy as np

from ..dsp import moves, section, tangent
from ..kernel import HUGE, kernel, limited
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

KINDS = ("lowpass", "highpass", "bandpass", "notch", "allpass", "peak", "low_shelf", "high_shelf")
LOWPASS, HIGHPASS, BANDPASS, NOTCH, ALLPASS, PEAK, LOW_SHELF, HIGH_SHELF = range(len(KINDS))


class Biquad(Node):
    """Two-pole filter of every kind, by the formulas of the Audio EQ Cookbook.

    lowpass and highpass fall by 12 dB an octave beyond `freq`. A bandpass lets `freq` pass at its level, a notch takes
    it away, an allpass changes only phases. The three last kinds raise or lower by `gain_db`: a peak what is about
    `freq`, a low_shelf what is below it and a high_shelf what is above it.

    A fault in the input passes by, so that it is named further on, and is not remembered. A corner that moves at audio
    rate can make this filter shout; Svf stays calm.

    Robert Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients", 1998.

    >>> Biquad(Saw(freq=110, amp=0.3), freq=Lfo(freq=0.5, low=200, high=3000), q=4)
    """

    group = "filters"
    known_as = (
        "eq, equalizer, equaliser, parametric eq, lowpass, highpass, bandpass, band-pass, notch, bandreject, "
        "peak, shelf, lpf, hpf, bpf, vcf, filter, bass, treble, wah, second-order filter"
    )
    input = Signal(None, doc="what is filtered")
    freq = Signal(1000.0, "Hz", 1, RATE / 2 - 1, "corner of a pass or shelf, centre of the others")
    q = Signal(0.7071, "x", 0.01, 1000, "resonance; 0.7071 has none, a bandpass is freq / q wide")
    gain_db = Signal(0.0, "dB", -60, 60, "what a peak or a shelf adds; the others do not use it")
    kind = Option("lowpass", "what is let through", KINDS)
    out = Output()
    state = State(kind_="i8", freq_="f8", q_="f8", gain_="f8", b=("f8", 3), a=("f8", 2), z=("f8", 2))

    def start(self):
        self.state["kind_"] = KINDS.index(self.kind)

    @kernel
    def process(state, input, freq, q, gain_db, out):
        # The loop's memory is in local variables: in the record each sample would wait for the store of the one before.
        freq_, q_, gain_, kind = state.freq_, state.q_, state.gain_, state.kind_
        b0, b1, b2 = state.b
        a1, a2 = state.a
        z0, z1 = state.z
        moving = moves(freq) + moves(q) + moves(gain_db)
        at = 0
        while at < out.size:
            f, r, g = limited(freq[at], 1, RATE / 2 - 1), limited(q[at], 0.01, 1000), limited(gain_db[at], -60, 60)
            if f != freq_ or r != q_ or g != gain_:
                freq_, q_, gain_ = f, r, g
                t = tangent(f)
                a = 1 / (1 + t * t)
                c, alpha = (1 - t * t) * a, t * a / r
                a0, a1, a2 = 1 + alpha, -2 * c, 1 - alpha
                if kind == LOWPASS:
                    b0, b1, b2 = (1 - c) / 2, 1 - c, (1 - c) / 2
                elif kind == HIGHPASS:
                    b0, b1, b2 = (1 + c) / 2, -1 - c, (1 + c) / 2
                elif kind == BANDPASS:
                    b0, b1, b2 = alpha, 0.0, -alpha
                elif kind == NOTCH:
                    b0, b1, b2 = 1.0, -2 * c, 1.0
                elif kind == ALLPASS:
                    b0, b1, b2 = 1 - alpha, -2 * c, 1 + alpha
                else:
                    a = 10 ** (g / 40)
                    if kind == PEAK:
                        b0, b1, b2 = 1 + alpha * a, -2 * c, 1 - alpha * a
                        a0, a2 = 1 + alpha / a, 1 - alpha / a
                    else:
                        # The high shelf is the low one in the mirror: only the signs of the cosine differ.
                        s = 1.0 if kind == LOW_SHELF else -1.0
                        c, alpha = s * c, 2 * np.sqrt(a) * alpha
                        up, down = a + 1, a - 1
                        b0, b2 = a * (up - down * c + alpha), a * (up - down * c - alpha)
                        a0, a2 = up + down * c + alpha, up + down * c - alpha
                        b1, a1 = 2 * s * a * (down - up * c), -2 * s * (down + up * c)
                b0, b1, b2, a1, a2 = b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0
                # A filter that is moved faster than it swings can build itself up without end.
                if not abs(z0) + abs(z1) < 1e12:
                    z0 = z1 = 0.0
            # What stays has the whole piece as its loop, without a look at the parameters.
            stop = at + 1 if moving else out.size
            for i in range(at, stop):
                x = np.float64(input[i]) if abs(input[i]) < HUGE else 0.0
                y, z0, z1 = section(x, z0, z1, b0, b1, b2, a1, a2)
                out[i] = y if abs(input[i]) < HUGE else input[i]
            at = stop
        state.freq_, state.q_, state.gain_ = freq_, q_, gain_
        state.b[0], state.b[1], state.b[2] = b0, b1, b2
        state.a[0], state.a[1] = a1, a2
        state.z[0], state.z[1] = z0, z1
