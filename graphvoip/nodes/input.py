from ..kernel import kernel
from ..node import Node, Option, Output, Signal, bounds_of


class Input(Node):
    """What a patch is given from outside: the caller's voice, the keys, another patch. It leaves the signal alone.

    >>> Input(voice)
    """

    group = "graph"
    known_as = "inlet, audio in, patch input, jack"
    input = Signal(0.0, "x", doc="what is given")
    kind = Option("audio", "what it is for", ("audio", "events"))
    out = Output()

    def bounds(self, deep):
        return bounds_of(self.wires["input"], deep)

    @kernel
    def process(input, out):
        for i in range(out.size):
            out[i] = input[i]
