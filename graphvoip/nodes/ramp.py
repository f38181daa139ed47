import numpy as np

from ..kernel import event, exp2, kernel, limited, sound
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import RATE

CURVES = ("linear", "exponential")
WAITING, MOVING, OVER = range(3)


class Ramp(Node):
    """Go from one value to another in a given time, then stay there.

    It goes at once, or, with a wire at `trigger`, at every trigger. The sample of the trigger is at `begin`; `time`
    later, to the sample, it is at `end`. All three are taken at the trigger. An exponential ramp has the same ratio in
    the same time: what pitches and levels need. From or to 0 it covers 60 dB; between a negative and a positive value
    there is none, and it is linear.

    >>> Sine(freq=Ramp(200, 2000, 1.5, curve="exponential"), amp=0.5)
    >>> Sine(freq=Ramp(1500, 300, 0.2, keys), amp=0.5)
    """

    group = "control"
    known_as = "line, slide, fade, sweep, portamento, glide, transition, one-shot ramp"
    begin = Signal(0.0, "x", doc="the value up to the trigger")
    end = Signal(1.0, "x", doc="the value after `time`")
    time = Signal(1.0, "s", 0, 3600, "how long it takes")
    trigger = Signal(1.0, "trigger", doc="begins it, again and again; without a wire it begins at once")
    curve = Option("linear", "the way between", CURVES)
    out = Output()
    done = Event("it has reached its end, at this sample")
    state = State(curve_="i8", stage="i8", was="i8", at="i8", size="i8", a="f8", b="f8", bend="f8", scale="f8")

    def start(self):
        self.state["curve_"] = CURVES.index(self.curve)

    @kernel
    def process(state, begin, end, time, trigger, out):
        stage, was, at, size = state.stage, state.was, state.at, state.size
        a, b, bend, scale = state.a, state.b, state.bend, state.scale
        for i in range(out.size):
            on = 1 if trigger[i] > 0 else 0
            if on > was:
                stage, at = MOVING, 0
                size = np.int64(limited(time[i], 0.0, 3600.0) * RATE + 0.5)
                a, b = np.float64(sound(begin[i])), np.float64(sound(end[i]))
                # a + (b - a) (k^x - 1) / (k - 1) is geometric if k = b / a, and it goes through 0 with any other k.
                k = 1.0
                if state.curve_ == 1 and a * b > 0:
                    k = b / a
                elif state.curve_ == 1 and a * b == 0:
                    k = 1000.0 if a == 0 else 0.001
                k = limited(k, 1e-6, 1e6)
                bend = np.log2(k) if abs(k - 1) > 1e-4 else 0.0
                scale = 1 / (k - 1) if bend != 0 else 0.0
            was = on
            if stage == MOVING and at < size:
                x = at / size
                if bend != 0:
                    x = (np.float64(exp2(np.float32(x * bend))) - 1) * scale
                out[i] = a + (b - a) * x
                at += 1
            elif stage == WAITING:
                out[i] = sound(begin[i])
            else:
                out[i] = b
                if stage == MOVING:
                    stage = OVER
                    if state.done == 0:
                        state.done = event(i)
        state.stage, state.was, state.at, state.size = stage, was, at, size
        state.a, state.b, state.bend, state.scale = a, b, bend, scale
