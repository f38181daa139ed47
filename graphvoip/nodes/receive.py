from ..dsp import copy_from
from ..kernel import kernel
from ..node import Node, Option, Output, State
from ..rings import FRAME


class Receive(Node):
    """All that is sent to a bus, by any call, one frame after it was sent, whichever call runs first.

    >>> Receive(bus="party")
    """

    group = "graph"
    known_as = "bus, return, wireless, catch, r~, aux return"
    bus = Option("bus", "the name of the bus")
    out = Output()
    state = State(bus_="i8", at="i8")

    def join(self, graph):
        self.shared = graph.buses[self.bus]
        self.state["bus_"] = self.shared.address

    @kernel
    def process(state, out):
        if state.bus_ != 0:
            copy_from(state.bus_, state.at, out)
        else:
            out[:] = 0
        state.at = (state.at + out.size) % FRAME
