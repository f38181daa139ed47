import numpy as np

from ..kernel import kernel, limited
from ..node import Node, Option, Output, Signal, State

OPS = ("above", "below", "equal")
ABOVE, BELOW, EQUAL = range(3)


class Compare(Node):
    """A gate from a comparison: on while the input is above, below or about equal to a threshold.

    With hysteresis it stays on until the input has gone back by so much beyond the threshold, so that a signal that
    trembles there does not make many gates of one. For `equal`, hysteresis is how far apart the two may be, and at
    least a millionth.

    >>> Sine(freq=660) * Compare(Sine(freq=3), threshold=0.3, hysteresis=0.2) * 0.5
    """

    group = "control"
    known_as = "comparator, threshold, schmitt trigger, gate generator, window"
    input = Signal(None, doc="what is compared")
    threshold = Signal(0.0, "x", doc="what it is compared with")
    hysteresis = Signal(0.0, "x", 0, 1e6, "how far it must go back to be off again")
    op = Option("above", "when it is on", OPS)
    out = Output("1 or 0")
    state = State(op_="i8", on="i8")

    def start(self):
        self.state["op_"] = OPS.index(self.op)

    @kernel
    def process(state, input, threshold, hysteresis, out):
        op, on = state.op_, state.on
        sign = -1.0 if op == BELOW else 1.0
        for i in range(out.size):
            # What is not a number is neither above nor below.
            over = (np.float64(input[i]) - np.float64(threshold[i])) * sign
            back = limited(hysteresis[i], 0, 1e6)
            if op == EQUAL:
                near = abs(over) <= max(back, 1e-6 * max(1.0, abs(np.float64(threshold[i]))))
                on = np.int64(near)
            else:
                on = np.int64(over > (-back if on > 0 else 0.0))
            out[i] = on
        state.on = on
