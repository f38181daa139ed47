import numpy as np

from ..dsp import section
from ..kernel import HUGE, kernel, sound
from ..node import Node, Output, Signal, State
from ..rings import RATE

LOW, HIGH = 300, 3400  # Hz, at half power
RIPPLE = 0.1  # dB, of each of the two filters
SECTIONS = 5


def chebyshev(order, freq, low):
    """A Chebyshev filter of even order as rows b0 b1 b2 a1 a2; freq is where it is at half power.

    The poles of the analogue lowpass lie on an ellipse; a highpass has 1 / s for s. Then comes the bilinear transform.
    """
    epsilon = np.sqrt(10 ** (RIPPLE / 10) - 1)
    mu, edge = np.arcsinh(1 / epsilon) / order, np.cosh(np.arccosh(1 / epsilon) / order)
    angles = np.pi * (2 * np.arange(order // 2) + 1) / (2 * order)
    poles = (-np.sinh(mu) * np.sin(angles) + 1j * np.cosh(mu) * np.cos(angles)) / edge
    poles = np.tan(np.pi * freq / RATE) * (poles if low else 1 / poles)
    square = abs(poles) ** 2
    a0, gain = 1 - 2 * poles.real + square, square if low else np.ones(order // 2)
    b1, a1, a2 = gain * (2 if low else -2), 2 * square - 2, 1 + 2 * poles.real + square
    rows = np.stack([gain, b1, gain, a1, a2], 1) / a0[:, None]
    rows[0, :3] /= np.sqrt(1 + epsilon**2)  # an even order begins in a valley of the ripple, and no peak is above 0 dB
    return rows


COEFFICIENTS = np.concatenate([chebyshev(6, LOW, low=False), chebyshev(4, HIGH, low=True)])


class PhoneBand(Node):
    """The band of a telephone: 300 to 3400 Hz, as a telephone exchange lets it pass (after ITU-T G.712).

    At 300 and 3400 Hz it is at -3 dB, between 330 and 3300 even to 0.3 dB; at 200 Hz it is at -34 dB, at 3800 Hz at
    -46 dB. It makes anything sound as from far away; put a Drive before it for a bad line. It is a Chebyshev highpass
    of order 6 and a lowpass of order 4. A fault in the input passes by and is not remembered.

    >>> PhoneBand(voice)
    """

    group = "filters"
    input = Signal(None, doc="what goes through the telephone")
    out = Output()
    state = State(z=("f8", (SECTIONS, 2)))

    @kernel
    def process(state, input, out):
        for i in range(out.size):
            out[i] = sound(input[i])
        for n in range(SECTIONS):
            b0, b1, b2, a1, a2 = COEFFICIENTS[n]
            z0, z1 = state.z[n, 0], state.z[n, 1]
            for i in range(out.size):
                out[i], z0, z1 = section(np.float64(out[i]), z0, z1, b0, b1, b2, a1, a2)
            state.z[n, 0], state.z[n, 1] = z0, z1
        for i in range(out.size):
            out[i] = out[i] if abs(input[i]) < HUGE else input[i]
