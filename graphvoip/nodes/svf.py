import numpy as np

from ..dsp import integrated, moves, tangent
from ..kernel import HUGE, kernel, limited
from ..node import Node, Output, Signal, State
from ..rings import RATE


class Svf(Node):
    """State-variable filter: lowpass, highpass, bandpass and notch at once, and calm under any modulation.

    What it remembers is passive, as in the circuit: however fast `freq` and `q` move, at audio rate too, it cannot
    build itself up. With a corner that stays, `out` is the lowpass of Biquad. The bandpass lets `freq` pass at its
    level, whatever q is. A fault in the input passes by and is not remembered.

    Vadim Zavalishin, "The Art of VA Filter Design", 2012; Andrew Simper, "Solving the continuous SVF equations using
    trapezoidal integration", 2013.

    >>> Svf(Saw(freq=110, amp=0.3), freq=Lfo(freq=2, low=300, high=2500), q=8)
    """

    group = "filters"
    known_as = (
        "vcf, state variable filter, multimode filter, lowpass, highpass, bandpass, notch, lpf, hpf, bpf, "
        "sem, oberheim, wah, resonant filter, chamberlin"
    )
    input = Signal(None, doc="what is filtered")
    freq = Signal(1000.0, "Hz", 1, RATE / 2 - 1, "corner and centre")
    q = Signal(0.7071, "x", 0.01, 1000, "resonance; 0.7071 has none, the bandpass is freq / q wide")
    out = Output("what is below freq, 12 dB an octave")
    high = Output("what is above freq, 12 dB an octave")
    band = Output("what is about freq")
    notch = Output("all but what is about freq")
    state = State(z=("f8", 2))

    @kernel
    def process(state, input, freq, q, out, high, band, notch):
        z0, z1 = state.z
        moving = moves(freq) + moves(q)
        at = 0
        while at < out.size:
            g, k = tangent(limited(freq[at], 1, RATE / 2 - 1)), 1 / limited(q[at], 0.01, 1000)
            a = 1 / (1 + g * (g + k))
            b, c = g * a, g * g * a
            stop = at + 1 if moving else out.size
            for i in range(at, stop):
                fine = abs(input[i]) < HUGE
                x = np.float64(input[i]) if fine else 0.0
                v1, v2, z0, z1 = integrated(x, z0, z1, a, b, c)
                out[i] = v2 if fine else input[i]
                high[i] = x - k * v1 - v2 if fine else input[i]
                band[i] = k * v1 if fine else input[i]
                notch[i] = x - k * v1 if fine else input[i]
            at = stop
        state.z[0], state.z[1] = z0, z1
