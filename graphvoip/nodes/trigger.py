import numpy as np

from ..kernel import kernel, limited, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

VALUES = ("one", "level")


class Trigger(Node):
    """Make triggers of any signal: one sample above 0 each time that it rises above a threshold.

    It is above until it has fallen to `hysteresis` below the threshold: that keeps a signal that trembles there from
    triggering again and again. A fault in the input counts as 0.

    >>> Sine(freq=900) * Decay(Trigger(Follower(voice), threshold=0.1, hysteresis=0.05, gap=0.2), time=0.2)
    """

    group = "control"
    known_as = "comparator, edge detector, schmitt trigger, gate to trigger, one-shot, differentiator"
    input = Signal(None, doc="what is looked at")
    threshold = Signal(0.5, "x", doc="above it there is a trigger")
    hysteresis = Signal(0.0, "x", 0, 1e6, "how far below the threshold it must go back")
    gap = Option(0.0, "least time from one trigger to the next", unit="s", low=0, high=3600)
    value = Option("one", "what a trigger is: 1, or the level of the input at that sample, if above 0", VALUES)
    out = Output("the triggers, each a single sample; 0 between them")
    gate = Output("1 while the input is above, else 0")
    state = State(above="i8", hold="i8", left="i8", level_="i8")

    def start(self):
        self.state["hold"] = round(self.gap * RATE)
        self.state["level_"] = VALUES.index(self.value)

    @kernel
    def process(state, input, threshold, hysteresis, out, gate):
        above, left = state.above, state.left
        for i in range(out.size):
            x = np.float64(sound(input[i]))
            limit = threshold[i] - (limited(hysteresis[i], 0.0, 1e6) if above else 0.0)
            is_above = 1 if x > limit else 0
            out[i] = 0
            if is_above > above and left == 0:
                out[i] = x if state.level_ and x > 0 else 1.0
                left = state.hold
            left = max(0, left - 1)
            above = is_above
            gate[i] = above
        state.above, state.left = above, left
