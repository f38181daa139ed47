import numpy as np

from ..kernel import exp2, kernel
from ..node import Node, Output, Signal

LEAST, MOST, ONE, HALF = np.float32(1), np.float32(16), np.float32(1), np.float32(0.5)


class Bitcrush(Node):
    """Round a sound to few levels, as a converter of so many bits does.

    The step is 2 ** (1 - bits), a fraction of a bit makes the steps in between. Zero is one of the levels, so that
    silence stays silent. With more than 4 bits the noise of a full sine is 6.02 * bits + 1.76 dB below it.

    >>> Bitcrush(voice, bits=3)
    """

    group = "dynamics"
    known_as = "bit crusher, lo-fi, decimator, quantization, bit reduction, distortion, 8-bit"
    input = Signal(None, doc="what is made coarse")
    bits = Signal(6.0, "bits", 1, 16, "how fine: 16 is as on a compact disc, 1 leaves -1, 0 and 1")
    out = Output("the coarse sound")

    @kernel
    def process(input, bits, out):
        for i in range(out.size):
            b = bits[i] if bits[i] > LEAST else LEAST
            b = b if b < MOST else MOST
            levels = exp2(b - ONE)
            out[i] = np.floor(input[i] * levels + HALF) / levels
