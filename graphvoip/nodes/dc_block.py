import numpy as np

from ..dsp import moves, tangent
from ..kernel import HUGE, kernel, limited
from ..node import Node, Output, Signal, State


class DcBlock(Node):
    """Take the direct current out of a signal: what stands still goes to 0, all that is heard stays.

    A highpass with one pole, at -3 dB at `freq` and at -0.04 dB ten times above. A step is forgotten to a hundredth in
    0.75 / freq seconds. A fault in the input passes by and is not remembered.

    >>> DcBlock(Sine(freq=220, amp=0.4) + 0.5)
    """

    group = "filters"
    known_as = "dc blocker, highpass, hpf, ac coupling, dc offset, rumble filter, subsonic filter"
    input = Signal(None, doc="what may have an offset")
    freq = Signal(10.0, "Hz", 0.1, 1000, "corner, where it is at -3 dB")
    out = Output()
    state = State(z="f8")

    @kernel
    def process(state, input, freq, out):
        z = state.z
        moving = moves(freq)
        at = 0
        while at < out.size:
            g = tangent(limited(freq[at], 0.1, 1000))
            g = g / (1 + g)
            stop = at + 1 if moving else out.size
            for i in range(at, stop):
                d = (np.float64(input[i]) if abs(input[i]) < HUGE else 0.0) - z
                z += 2 * g * d
                out[i] = (1 - g) * d if abs(input[i]) < HUGE else input[i]
            at = stop
        state.z = z
