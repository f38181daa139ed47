from ..kernel import kernel
from ..node import Node, Output, Signal, bounds_of


class Subtract(Node):
    """The difference of two signals: `a - b`.

    >>> Saw(freq=220, amp=0.4) - Saw(freq=330, amp=0.4)
    """

    group = "arithmetic"
    known_as = "minus, difference, invert, phase cancel"
    a = Signal(0.0, "x", doc="the first")
    b = Signal(0.0, "x", doc="the second")
    out = Output()

    def bounds(self, deep):
        (a, b), (c, d) = (bounds_of(self.wires[name], deep) for name in "ab")
        return a - d, b - c

    @kernel
    def process(a, b, out):
        for i in range(out.size):
            out[i] = a[i] - b[i]
