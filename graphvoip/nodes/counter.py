from ..kernel import event, kernel
from ..node import Event, Node, Option, Output, Signal, State


class Counter(Node):
    """Count triggers: from `low` up to `high`, then from `low` again.

    It begins at `low` and is a step further from the sample of each trigger on, so that from 0 on it is the number of
    triggers up to now. With a step below 0 it counts from `high` down.

    >>> Sine(freq=Counter(Lfo(freq=5, shape="square"), low=2, high=9) * 110, amp=0.5)
    """

    group = "control"
    known_as = "step counter, up counter, modulo, address counter"
    input = Signal(None, "trigger", doc="what is counted")
    reset = Signal(0.0, "trigger", doc="back to where it began; a trigger at the same sample is not counted")
    low = Option(0, "the least number", low=-1_000_000, high=1_000_000)
    high = Option(9999, "the greatest number", low=-1_000_000, high=1_000_000)
    step = Option(1, "what is added at each trigger", low=-1_000_000, high=1_000_000)
    out = Output("the number")
    wrapped = Event("it has begun again, of itself")
    state = State(number="i8", low_="i8", high_="i8", step_="i8", was="i8", reset_was="i8")

    def start(self):
        if self.low >= self.high:
            raise ValueError(f"counter: low {self.low} is not below high {self.high}")
        if self.step == 0:
            raise ValueError("counter: step is 0; it counts up with 1 or more and down with -1 or less")
        self.state["low_"], self.state["high_"], self.state["step_"] = self.low, self.high, self.step
        self.state["number"] = self.low if self.step > 0 else self.high

    @kernel
    def process(state, input, reset, out):
        number, was, reset_was = state.number, state.was, state.reset_was
        begin = state.low_ if state.step_ > 0 else state.high_
        for i in range(out.size):
            on, reset_on = 1 if input[i] > 0 else 0, 1 if reset[i] > 0 else 0
            if reset_on > reset_was:
                number = begin
            elif on > was:
                number += state.step_
                if number > state.high_ or number < state.low_:
                    number = begin
                    if state.wrapped == 0:
                        state.wrapped = event(i)
            was, reset_was = on, reset_on
            out[i] = number
        state.number, state.was, state.reset_was = number, was, reset_was
