from ..kernel import kernel
from ..node import Node, Output, Signal


class Multiply(Node):
    """The product of two signals: `a * b`.

    >>> Sine(freq=440) * Sine(freq=3)
    """

    group = "arithmetic"
    a = Signal(0.0, "x", doc="the first")
    b = Signal(1.0, "x", doc="the second")
    out = Output()

    @kernel
    def process(a, b, out):
        for i in range(out.size):
            out[i] = a[i] * b[i]
