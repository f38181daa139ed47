import itertools
import math

import numpy as np

from ..kernel import kernel
from ..node import UNKNOWN, Node, Output, Signal, bounds_of

LEAST = np.float32(1e-9)  # a divisor nearer to zero than this counts as zero


class Divide(Node):
    """The quotient of two signals: `a / b`. Where b is 0 it is 0, for there is no infinite sound.

    >>> Sine(freq=440) / (Lfo(freq=2) * 2 + 4)
    """

    group = "arithmetic"
    known_as = "ratio, quotient, over"
    a = Signal(0.0, "x", doc="what is divided")
    b = Signal(1.0, "x", doc="the divisor")
    out = Output()

    def bounds(self, deep):
        found = [bounds_of(self.wires[name], deep) for name in "ab"]
        low, high = found[1]
        if not all(map(math.isfinite, itertools.chain(*found))) or low <= 0 <= high:
            return UNKNOWN
        quotients = [x / y for x, y in itertools.product(*found)]
        return min(quotients), max(quotients)

    @kernel
    def process(a, b, out):
        for i in range(out.size):
            out[i] = a[i] / b[i] if abs(b[i]) > LEAST else np.float32(0)
