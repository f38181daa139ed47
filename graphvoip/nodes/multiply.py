import itertools
import math

from ..kernel import kernel
from ..node import UNKNOWN, Node, Output, Signal, bounds_of


class Multiply(Node):
    """The product of two signals: `a * b`.

    >>> Sine(freq=440) * Sine(freq=3)
    """

    group = "arithmetic"
    known_as = "vca, ring modulator, ring, product, times, scale, am, amplitude modulation"
    a = Signal(0.0, "x", doc="the first")
    b = Signal(1.0, "x", doc="the second")
    out = Output()

    def bounds(self, deep):
        found = [bounds_of(self.wires[name], deep) for name in "ab"]
        if not all(map(math.isfinite, itertools.chain(*found))):
            return UNKNOWN
        products = [x * y for x, y in itertools.product(*found)]
        return min(products), max(products)

    @kernel
    def process(a, b, out):
        for i in range(out.size):
            out[i] = a[i] * b[i]
