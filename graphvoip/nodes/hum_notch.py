import numpy as np

from ..dsp import integrated, moves, tangent
from ..kernel import HUGE, kernel, limited, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

MOST = 40
TOP = RATE / 2 - 10  # Hz: harmonics above it are left alone


class HumNotch(Node):
    """Take the hum of the mains out of a signal: a narrow notch at 50 or 60 Hz and at each of its harmonics.

    After a hum begins it is at -30 dB in 1.1 / width seconds. A wider notch is faster, and forgives mains that are off
    their pitch, but takes more of a low voice with it. A fault in the input passes by and is not remembered.

    It takes about 0.5 us a frame for each harmonic, and three times that while `freq` or `width` moves.

    >>> HumNotch(voice + Sine(freq=50, amp=0.2))
    """

    group = "filters"
    known_as = "hum filter, dehum, mains, 50 hz, 60 hz, notch, buzz, hum remover, ground loop"
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
        moving = moves(freq) + moves(width)
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
                stop = at + 1 if moving else out.size
                for i in range(at, stop):
                    x = np.float64(out[i])
                    band, _, z0, z1 = integrated(x, z0, z1, a, b, c)
                    out[i] = x - k * band
                at = stop
            state.z[n, 0], state.z[n, 1] = z0, z1
        for i in range(out.size):
            out[i] = out[i] if abs(input[i]) < HUGE else input[i]
