import numpy as np
from numba import njit

from ..kernel import HUGE, OPTIONS, kernel, limited
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

KINDS = ("lowpass", "highpass")

# The tangent without its pole at a quarter turn is smooth: a polynomial with least maximum error, off by 1e-9 of it.
C1, C3, C5, C7, C9, C11 = 3.141592657, -2.230945987, -0.5390356171, -0.2112362976, -0.08498414285, -0.05612059303


@njit(**OPTIONS)
def tangent(freq):
    """tan(pi freq / RATE): an integrator's step by the bilinear rule, so that a corner is where it should be."""
    x = freq * (1 / RATE)
    s = x * x
    return (((((C11 * s + C9) * s + C7) * s + C5) * s + C3) * s + C1) * x / (1 - 4 * s)


class OnePole(Node):
    """The gentlest filter: one pole, 6 dB an octave, without resonance.

    At `freq` it is at -3 dB. The corner may move at any speed. A lowpass of a few Hz smooths a control signal. A fault
    in the input passes by and is not remembered.

    The topology-preserving transform of Vadim Zavalishin, "The Art of VA Filter Design", 2012.

    >>> OnePole(Noise(), freq=Lfo(freq=1, low=100, high=2000))
    """

    group = "filters"
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
        moves = 0
        for i in range(out.size):
            moves += freq[i] != freq[0]
        at = 0
        while at < out.size:
            g = tangent(limited(freq[at], 0.01, RATE / 2 - 1))
            g = g / (1 + g)
            stop = at + 1 if moves else out.size
            for i in range(at, stop):
                x = np.float64(input[i]) if abs(input[i]) < HUGE else 0.0
                v = g * (x - z)
                y = straight * x + low * (z + v)
                z += 2 * v
                out[i] = y if abs(input[i]) < HUGE else input[i]
            at = stop
        state.z = z
