import numbers

import numpy as np

from ..kernel import bipolar, floats_at, kernel, limited, shuffled
from ..node import Node, Option, Output, Signal, State
from ..notes import hertz
from ..rings import RATE

ORDERS = ("forward", "backward", "pendulum", "random")
FORWARD, BACKWARD, PENDULUM, RANDOM = range(4)
MOST = 4096  # steps
LONGEST = 60.0  # seconds of a gate
OPEN = 1 << 62  # samples: a gate that the next step ends


class Sequencer(Node):
    """Step through a list of values, one step for each trigger: a melody, or whatever shall change in time.

    A value is a number, the name of a note (its pitch in Hz, A4 is 440) or None for a rest. At a rest the value stays
    and the gate is off. Before the first trigger the value is that of the first step. If the gate is on at a step, it
    is off for the one sample, so that each step is a rise.

    >>> steps = Sequencer(Clock(tempo=140), values=["A3", "C4", None, "E4", "A4", "E4", None, "C4"], length=0.08)
    >>> Sine(freq=steps) * steps.gate * 0.5
    """

    group = "control"
    known_as = "step sequencer, arpeggiator, arp, pattern, 303, tb-303, melody, bassline, 16-step"
    trigger = Signal(None, "trigger", doc="each rise is a step")
    reset = Signal(0.0, "trigger", doc="the next step is the first one again")
    length = Signal(0.0, "s", 0, LONGEST, "how long the gate is on; 0: until the next step")
    values = Option(["C4", "D4", "E4", "G4"], "the steps: numbers, names of notes, None for a rest")
    order = Option("forward", "which step is next; pendulum goes there and back, the ends are not repeated", ORDERS)
    seed = Option(None, "its own noise; without it a patch gives it one")
    out = Output("the value of the step, held")
    gate = Output("1 from a step that is no rest")
    index = Output("which step it is, 0 is the first")
    state = State(table="i8", count="i8", order_="i8", at="i8", way="i8", value="f8", left="i8", on="i8",
                  trigger_="i8", reset_="i8", random="u8")  # fmt: skip

    def start(self):
        if not isinstance(self.values, (list, tuple, np.ndarray)) or not 0 < len(self.values) <= MOST:
            raise ValueError(f"sequencer: values is {self.values!r:.60}; it is a list of 1 to {MOST} steps")
        steps = [self._step(k, value) for k, value in enumerate(self.values)]
        # A step is two floats: its value, and whether it sounds.
        self.table = np.array([(0 if value is None else value, value is not None) for value in steps], np.float32)
        self.state["table"], self.state["count"] = self.table.ctypes.data, len(steps)
        self.state["order_"] = ORDERS.index(self.order)
        sounding = [value for value in steps if value is not None] or [0.0]
        self.state["value"] = sounding[-1 if self.order == "backward" else 0]
        self.state["at"], self.state["way"] = -1, 1

    def _step(self, k, value):
        if isinstance(value, str):
            pitch = hertz(value)
            if pitch is None:
                raise ValueError(f"sequencer: values[{k}] is {value!r}; a note is a letter and an octave: C4, F#3, Bb2")
            return pitch
        number = isinstance(value, numbers.Real) and not isinstance(value, bool) and abs(value) <= 1e6
        if value is not None and not number:
            raise ValueError(f"sequencer: values[{k}] is {value!r}; a step is a number, a note or None for a rest")
        return value

    @kernel
    def process(state, trigger, reset, length, out, gate, index):
        count, order, at, way = state.count, state.order_, state.at, state.way
        value, left, on, was, was_reset, random = (
            state.value, state.left, state.on, state.trigger_, state.reset_, state.random
        )  # fmt: skip
        table = floats_at(state.table, 2 * count)
        for i in range(out.size):
            if reset[i] > 0 and was_reset == 0:
                at, way = -1, 1
            was_reset = np.int64(reset[i] > 0)
            step = trigger[i] > 0 and was == 0
            was = np.int64(trigger[i] > 0)
            if step:
                if order == RANDOM:
                    random = shuffled(random)
                    at = np.int64((np.float64(bipolar(random)) + 1) * 0.5 * count)
                elif at < 0:
                    at = count - 1 if order == BACKWARD else 0
                elif order == PENDULUM:
                    way = way if 0 <= at + way < count else -way
                    at += way
                else:
                    at += 1 if order == FORWARD else count - 1
                    at = at - count if at >= count else at
                at = min(max(at, 0), count - 1)
                left = 0
                if table[2 * at + 1] > 0:
                    value = np.float64(table[2 * at])
                    seconds = limited(length[i], 0, LONGEST)
                    # 2: if it has been on, the first of them is the sample at which it is off.
                    left = max(2, np.int64(seconds * RATE + 0.5)) if seconds > 0 else OPEN
            on = np.int64(left > 0 and not (step and on > 0))
            left -= left > 0
            out[i] = value
            gate[i] = on
            index[i] = max(at, 0)
        state.at, state.way = at, way
        state.value, state.left, state.on, state.trigger_, state.reset_, state.random = (
            value, left, on, was, was_reset, random
        )  # fmt: skip
