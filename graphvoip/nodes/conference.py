from ..dsp import add_to, copy_from
from ..kernel import kernel, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import FRAME


class Conference(Node):
    """A party line: what the others say, without oneself (a mix-minus), one frame after they have said it.

    >>> Conference(voice, bus="party")
    """

    group = "graph"
    known_as = "bridge, party line, mixing bridge, n-1, mix-minus, meeting"
    is_sink = True
    input = Signal(None, doc="what this one says")
    bus = Option("bus", "the name of the bus, which all who take part give")
    out = Output("the others")
    state = State(bus_="i8", at="i8", before=("f4", FRAME))

    def join(self, graph):
        self.shared = graph.buses[self.bus]
        self.state["bus_"] = self.shared.address

    @kernel
    def process(state, input, out):
        if state.bus_ != 0:
            copy_from(state.bus_, state.at, out)
            add_to(state.bus_, state.at, input)
            for i in range(min(out.size, FRAME - state.at)):
                out[i] -= state.before[state.at + i]
                state.before[state.at + i] = sound(input[i])
        else:
            out[:] = 0
        state.at = (state.at + out.size) % FRAME
