from ..kernel import kernel
from ..node import Node, Output, Signal, bounds_of


class Add(Node):
    """The sum of two signals: `a + b`.

    >>> Sine(freq=440) * 0.4 + Sine(freq=660) * 0.2
    """

    group = "arithmetic"
    known_as = "plus, sum, offset, mixer, bias"
    a = Signal(0.0, "x", doc="the first")
    b = Signal(0.0, "x", doc="the second")
    out = Output()

    def bounds(self, deep):
        (a, b), (c, d) = (bounds_of(self.wires[name], deep) for name in "ab")
        return a + c, b + d

    @kernel
    def process(a, b, out):
        for i in range(out.size):
            out[i] = a[i] + b[i]
