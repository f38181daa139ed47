import numpy as np

from ..kernel import HUGE, kernel
from ..node import Node, Option, Output, Signal, State


class ClockDivider(Node):
    """Let through every n-th trigger. The others go by unheard.

    What passes is as it came in: a gate keeps its length and its velocity.

    >>> clock = Clock(tempo=120)
    >>> Sine(freq=880) * clock.gate * 0.2 + Sine(freq=220) * ClockDivider(clock.gate, division=4) * 0.5
    """

    group = "control"
    known_as = "divider, sub-harmonic, prescaler, frequency divider, every nth"
    trigger = Signal(None, "trigger", doc="triggers or gates")
    reset = Signal(0.0, "trigger", doc="begins to count anew; a trigger at the same sample is the first")
    division = Option(2, "of so many triggers one passes", low=1, high=1_000_000)
    offset = Option(0, "so many go by before the first that passes", low=0, high=1_000_000)
    out = Output("the triggers that pass")
    state = State(left="i8", first="i8", division_="i8", passes="i8", trigger_="i8", reset_="i8")

    def start(self):
        self.state["left"] = self.state["first"] = self.offset
        self.state["division_"] = self.division

    @kernel
    def process(state, trigger, reset, out):
        left, passes, was, was_reset = state.left, state.passes, state.trigger_, state.reset_
        for i in range(out.size):
            if reset[i] > 0 and was_reset == 0:
                left = state.first
            was_reset = np.int64(reset[i] > 0)
            if trigger[i] > 0:
                if was == 0:
                    passes = np.int64(left == 0)
                    left = left - 1 if left > 0 else state.division_ - 1
                value = trigger[i] if trigger[i] < HUGE else HUGE
                out[i] = value if passes > 0 else np.float32(0)
                was = 1
            else:
                out[i] = 0
                was = 0
        state.left, state.passes, state.trigger_, state.reset_ = left, passes, was, was_reset
