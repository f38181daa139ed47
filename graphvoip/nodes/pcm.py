from ..kernel import event, floats_at, kernel
from ..node import Event, Node, Option, Output, Sound, State


class Pcm(Node):
    """Play samples, once or in a loop. The samples are what is heard, from the first to the last.

    >>> Pcm(data=np.sin(np.arange(4000) ** 1.4 / 30) * 0.5, loop=True)
    """

    group = "sources"
    data = Sound(None, "samples at 8000 Hz, 1.0 is full scale, or the name of a sound file")
    loop = Option(False, "at the end begin again, without a gap")
    out = Output()
    done = Event("its last sample has been made, or there is none; never in a loop of samples")
    state = State(address="i8", size="i8", at="i8", loop_="i8", ended="i8")

    def start(self):
        self.state["address"] = self.data.ctypes.data
        self.state["size"] = self.data.size
        self.state["loop_"] = bool(self.loop)

    @kernel
    def process(state, out):
        data = floats_at(state.address, state.size)
        made = 0
        while made < out.size and state.at < state.size:
            size = min(out.size - made, state.size - state.at)
            for i in range(size):
                out[made + i] = data[state.at + i]
            made += size
            state.at += size
            if state.at == state.size:
                if state.loop_:
                    state.at = 0
                elif state.done == 0:
                    state.done = event(made - 1)
        if state.size == 0 and state.ended == 0 and state.done == 0:
            state.ended = 1
            state.done = event(0)
        for i in range(made, out.size):
            out[i] = 0
