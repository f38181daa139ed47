import numpy as np

from ..dsp import soften
from ..kernel import event, kernel, sin_turns
from ..node import Event, Node, Option, Output, State
from ..rings import RATE

EDGE = 32  # samples, 4 ms: long enough not to click, short enough that a tone keeps its length


class Tone(Node):
    """A sine of so many seconds. Its edges are softened over 4 ms, inside its length; then it is silent.

    >>> Tone(freq=420, seconds=0.5)
    """

    group = "sources"
    known_as = "beep, test tone, bleep, sine burst, milliwatt"
    freq = Option(440.0, "pitch", unit="Hz", low=0, high=RATE / 2)
    seconds = Option(1.0, "length; rounded to a sample", unit="s", low=0, high=1e9)
    out = Output()
    done = Event("its last sample has been made")
    state = State(phase="f8", step="f8", at="i8", end="i8", edge="i8", ended="i8")

    def start(self):
        self.state["step"] = self.freq / RATE
        self.state["end"] = end = round(self.seconds * RATE)
        self.state["edge"] = max(1, min(EDGE, end // 2))

    @kernel
    def process(state, out):
        at, end, edge = state.at, state.end, state.edge
        size = min(out.size, end - at)
        for i in range(size):
            turns = state.phase + i * state.step
            out[i] = turns - np.floor(turns)
        turns = state.phase + size * state.step
        state.phase = turns - np.floor(turns)
        for i in range(size):
            out[i] = sin_turns(out[i])
        soften(out[:size], at, end, edge)
        for i in range(size, out.size):
            out[i] = 0
        if at + size == end and state.ended == 0 and state.done == 0:
            state.ended = 1
            state.done = event(max(0, size - 1))
        state.at = at + size
