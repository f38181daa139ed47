import numpy as np

from ..dsp import add_to
from ..kernel import kernel
from ..node import Node, Option, Output, Signal, State
from ..rings import FRAME


class Send(Node):
    """Put a signal on a bus, which calls share by its name; `receive` and `conference` hear it one frame later.

    It is heard by itself too (that is `out`), and must be pulled: a patch that ends in a Send does that.

    >>> Send(Sine(freq=441) * 0.3, bus="party")
    """

    group = "graph"
    known_as = "bus, aux, throw, wireless, aux send, s~"
    is_sink = True
    input = Signal(None, doc="what is sent")
    bus = Option("bus", "the name of the bus")
    out = Output("what is sent, at once")
    state = State(bus_="i8", at="i8")

    def join(self, graph):
        self.shared = graph.buses[self.bus]
        self.state["bus_"] = self.shared.address

    @kernel
    def process(state, input, out):
        if state.bus_ != 0:
            add_to(state.bus_, state.at, input)
        state.at = (state.at + out.size) % FRAME
        for i in range(out.size):
            out[i] = np.float32(input[i])
