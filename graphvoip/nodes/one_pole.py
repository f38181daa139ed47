import numpy as np

from ..dsp import moves, tangent
from ..kernel import HUGE, kernel, limited
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

KINDS = ("lowpass", "highpass")


class OnePole(Node):
    """The gentlest filter: one pole, 6 dB an octave, without resonance.

    At `freq` it is at -3 dB. The corner may move at any speed. A lowpass of a few Hz smooths a control signal. A fault
    in the input passes by and is not remembered.

    The topology-preserving transform of Vadim Zavalishin, "The Art of VA Filter Design", 2012.

    >>> OnePole(Noise(), freq=Lfo(freq=1, low=100, high=2000))
    """

    group = "filters"
    known_as = (
        "lowpass, highpass, lpf, hpf, rc filter, 6 db, tone control, smoothing, first-order filter, leaky integrator"
    )
    input = Signal(None, doc="what is filtered")
    freq = Signal(1000.0, "Hz", 0.01, RATE / 2 - 1, "corner, where it is at -3 dB")
    kind = Option("lowpass", "what is let through", KINDS)
    out = Output()
    state = State(z="f8", straight="f8", low="f8")

    def start(self):
        self.state["straight"], self.state["low"] = {"lowpass": (0, 1), "highpass": (1, -1)}[self.kind]

    @kernel
    def process(state, input, freq, out):
        z, straight, low = state.z, state.straight, state.low
        moving = moves(freq)
        at = 0
        while at < out.size:
            g = tangent(limited(freq[at], 0.01, RATE / 2 - 1))
            g = g / (1 + g)
            stop = at + 1 if moving else out.size
            for i in range(at, stop):
                x = np.float64(input[i]) if abs(input[i]) < HUGE else 0.0
                v = g * (x - z)
                y = straight * x + low * (z + v)
                z += 2 * v
                out[i] = y if abs(input[i]) < HUGE else input[i]
            at = stop
        state.z = z
