import numpy as np

from ..kernel import kernel
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

KINDS = ("lowpass", "highpass", "bandpass", "notch")
LOWPASS, HIGHPASS, BANDPASS, NOTCH = range(4)
HUGE = np.float32(1e6)  # a sample beyond this, infinite or not a number is a fault and not sound


class Biquad(Node):
    """Two-pole filter: lowpass, highpass, bandpass or notch, by the formulas of the Audio EQ Cookbook.

    A fault in the input passes by, so that it is named further on, and is not remembered.
    """

    input = Signal(None, doc="what is filtered")
    freq = Signal(1000.0, "Hz", 1, RATE / 2 - 1, "corner of lowpass and highpass, centre of bandpass and notch")
    q = Signal(0.7071, "", 0.01, 1000, "resonance; 0.7071 has none, a bandpass is freq / q wide")
    kind = Option("lowpass", "what is let through", KINDS)
    out = Output()
    state = State(kind_="i8", freq="f8", q="f8", b=("f8", 3), a=("f8", 2), z=("f8", 2))

    def start(self):
        self.state["kind_"] = KINDS.index(self.kind)

    @kernel
    def process(state, input, freq, q, out):
        # The loop's memory is in local variables: in the record each sample would wait for the store of the one before.
        freq_, q_ = state.freq, state.q
        b0, b1, b2 = state.b
        a1, a2 = state.a
        z0, z1 = state.z
        for i in range(out.size):
            # Comparisons with what is not a number are false, and so the limits hold for it too.
            f = np.float64(freq[i]) if freq[i] > 1 else 1.0
            f = f if f < RATE / 2 - 1 else RATE / 2 - 1
            r = np.float64(q[i]) if q[i] > np.float32(0.01) else 0.01
            r = r if r < 1000 else 1000.0
            if f != freq_ or r != q_:
                freq_, q_ = f, r
                w = 2 * np.pi / RATE * f
                c, alpha = np.cos(w), np.sin(w) / (2 * r)
                if state.kind_ == LOWPASS:
                    b0, b1, b2 = (1 - c) / 2, 1 - c, (1 - c) / 2
                elif state.kind_ == HIGHPASS:
                    b0, b1, b2 = (1 + c) / 2, -1 - c, (1 + c) / 2
                elif state.kind_ == BANDPASS:
                    b0, b1, b2 = alpha, 0.0, -alpha
                else:
                    b0, b1, b2 = 1.0, -2 * c, 1.0
                a0 = 1 + alpha
                b0, b1, b2, a1, a2 = b0 / a0, b1 / a0, b2 / a0, -2 * c / a0, (1 - alpha) / a0
                # A filter that is moved faster than it swings can build itself up without end.
                if not abs(z0) + abs(z1) < 1e12:
                    z0 = z1 = 0.0
            x = np.float64(input[i]) if abs(input[i]) < HUGE else 0.0
            y = b0 * x + z0
            z0 = b1 * x - a1 * y + z1
            z1 = b2 * x - a2 * y
            out[i] = y if abs(input[i]) < HUGE else input[i]
        state.freq, state.q = freq_, q_
        state.b[0], state.b[1], state.b[2] = b0, b1, b2
        state.a[0], state.a[1] = a1, a2
        state.z[0], state.z[1] = z0, z1
