import numpy as np

from ..kernel import HUGE, event, kernel
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import FRAME


class Fade(Node):
    """The way in and out of what plays: it leaves the signal alone, bit for bit, until it is told to fade.

    A signal that is not finite is silent from there on and named by the event `fault`.
    """

    group = "call"
    known_as = "fade in, fade out, declick, envelope"
    input = Signal(None, doc="what is faded")
    over = Option(0, "length of a fade at the start; 0: begin at full level", unit="samples")
    out = Output()
    done = Event("it has become silent after `end`")
    fault = Event("the input is not finite, or far beyond full scale")
    state = State(level="f8", step="f8", wish="f8", ended="i8")

    def start(self):
        self.state["level"] = 0.0 if self.over else 1.0
        self.state["step"] = 1 / self.over if self.over else 0.0

    def end(self, over: int = FRAME) -> None:
        """Fade to silence over so many samples, from the next frame on."""
        self.state["wish"] = -1 / max(1, over)  # a word of our own: the kernel writes the others

    @kernel
    def process(state, input, out):
        if state.wish < 0:
            state.step = state.wish
        worst = np.float32(0)
        for i in range(out.size):
            worst += np.float32(0) if abs(input[i]) < HUGE else np.float32(1)
        if worst > 0:
            state.level = state.step = 0.0
            if state.fault == 0:
                state.fault = event(0)
        if state.level == 0.0 and state.step <= 0.0:
            for i in range(out.size):
                out[i] = 0
            if state.wish < 0 and state.ended == 0 and state.done == 0:
                state.ended = 1
                state.done = event(0)
        elif state.step == 0.0:
            for i in range(out.size):
                out[i] = input[i]
        else:
            for i in range(out.size):
                was = state.level
                state.level = min(1.0, max(0.0, was + state.step))
                out[i] = input[i] * np.float32(state.level)
                if state.level == 0.0 and was > 0.0 and state.done == 0:
                    state.ended = 1
                    state.done = event(i)
            if state.level == 1.0:
                state.step = 0.0
