from ..kernel import kernel
from ..node import Node, Option, Output, Signal, State

MOST = 64  # voices


class Deal(Node):
    """The events that are for one voice of several: `poly` gives one to each copy of a patch.

    A value that a voice has already goes to that voice again; others to the voice that has waited longest, which is
    also how a voice is stolen. Every copy deals out all the events, in the same way, and keeps its own.

    >>> Sine(freq=330) * Keymap(Deal(keys, index=0, voices=2)).gate * 0.5
    """

    group = "graph"
    known_as = "voice allocation, polyphony, poly, round robin, voice stealing"
    input = Signal(0.0, "events", doc="the events for all voices")
    index = Option(0, "which voice this is", low=0, high=MOST - 1)
    voices = Option(4, "how many there are", low=1, high=MOST)
    out = Output("the events for this one")
    state = State(index_="i8", voices_="i8", events="i8", last=("i8", MOST), value=("f8", MOST))

    def start(self):
        if self.index >= self.voices:
            raise ValueError(f"deal: index {self.index} of {self.voices} voices; it counts from 0")
        self.state["index_"], self.state["voices_"] = self.index, self.voices

    @kernel
    def process(state, input, out):
        for i in range(out.size):
            out[i] = 0
            if input[i] != 0:
                chosen = 0
                for k in range(state.voices_):
                    if state.last[k] < state.last[chosen]:
                        chosen = k
                for k in range(state.voices_):
                    if state.last[k] > 0 and state.value[k] == input[i]:
                        chosen = k
                state.events += 1
                state.last[chosen], state.value[chosen] = state.events, input[i]
                if chosen == state.index_:
                    out[i] = input[i]
