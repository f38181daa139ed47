from ..kernel import kernel, sound
from ..node import Node, Output, Signal, State


class SampleHold(Node):
    """Take the input's value at each trigger and hold it until the next one.

    A fault in the input is held as 0.

    >>> Sine(freq=SampleHold(Lfo(freq=0.7, low=300, high=1500), Lfo(freq=8, shape="square")), amp=0.5)
    """

    group = "control"
    known_as = "s&h, sample and hold, sample & hold, track and hold, stepped random, random voltage"
    input = Signal(None, doc="what is looked at")
    trigger = Signal(None, "trigger", doc="takes the input's value at each rise")
    out = Output("the value held; 0 before the first trigger")
    state = State(level="f4", was="i8")

    @kernel
    def process(state, input, trigger, out):
        level, was = state.level, state.was
        for i in range(out.size):
            on = 1 if trigger[i] > 0 else 0
            level = sound(input[i]) if on > was else level
            was = on
            out[i] = level
        state.level, state.was = level, was
