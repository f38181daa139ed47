import math

import numpy as np

from ..kernel import HUGE, event, exp2, floats_at, kernel, limited, words_at
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import RATE

CURVES = ("linear", "exponential", "step")
LINEAR, EXPONENTIAL, STEP = range(3)
MOST = 1000  # points: a frame may have to look at all of them
NEAR = 0.01  # samples: a sum of many steps, of a float32's precision, that is this near to a point is there


class Envelope(Node):
    """A way through points, [seconds, value] each, in their order.

    It begins at once, or, with a wire at `trigger`, at every trigger; it jumps to the first value then. Each point is
    reached to the sample, and the last value stays; in a loop the last point is the first one again. The same time
    twice is a jump. `exponential` has the same ratio in the same time, as Ramp; `step` holds each value until the next
    point, which makes a melody of pitches.

    >>> Sine(freq=330) * Envelope(points=[[0, 0], [0.05, 1], [0.3, 0.3], [1.2, 0.3], [1.5, 0]])
    >>> Sine(freq=Envelope(points=[[0, 262], [0.2, 330], [0.4, 392], [0.6, 0]], curve="step", loop=True), amp=0.5)
    """

    group = "control"
    known_as = (
        "breakpoint envelope, multi-segment envelope, function generator, automation, envelope generator, eg, "
        "line segments, msegs"
    )
    trigger = Signal(1.0, "trigger", doc="begins it, again and again; without a wire it begins at once")
    time_scale = Signal(1.0, "x", 0.001, 1000, "2 takes twice the time; it may move")
    points = Option([[0, 0], [0.01, 1], [0.3, 0]], "[seconds, value], the times in rising order")
    curve = Option("linear", "the way from point to point", CURVES)
    loop = Option(False, "at the end, the last point, begin again")
    out = Output()
    done = Event("the last point is reached, at this sample; never in a loop")
    state = State(times_="i8", values_="i8", bends_="i8", count="i8", curve_="i8", loop_="i8", stage="i8", was="i8",
                  at="f8", k="i8")  # fmt: skip

    def start(self):
        if not isinstance(self.points, (list, tuple, np.ndarray)) or not 0 < len(self.points) <= MOST:
            raise ValueError(f"envelope: points is a list of 1 to {MOST} points, [seconds, value] each")
        times, values = [0], []
        for n, point in enumerate(self.points):
            try:
                seconds, value = (float(number) for number in point)
            except (TypeError, ValueError):
                raise ValueError(f"envelope: points[{n}] is {point!r}; it is [seconds, value]") from None
            if not 0 <= seconds <= 1e6 or not abs(value) < HUGE:
                raise ValueError(f"envelope: points[{n}] is {point!r}; seconds are 0 to 1e6, a value is within 1e6")
            if round(seconds * RATE) < times[-1]:
                raise ValueError(f"envelope: points[{n}] is at {seconds:g} s, before points[{n - 1}]")
            times.append(round(seconds * RATE))
            values.append(value)
        if self.loop and times[-1] == 0:
            raise ValueError("envelope: a loop has a length; its last point is not at 0 s")
        self.times = np.array(times, np.int64)  # with a point at 0 before all, for a first one that comes later
        self.values = np.array(values[:1] + values, np.float32)
        self.bends = np.array([_bend(a, b) for a, b in zip(self.values, self.values[1:], strict=False)], np.float32)
        self.state["times_"], self.state["values_"] = self.times.ctypes.data, self.values.ctypes.data
        self.state["bends_"] = self.bends.ctypes.data
        self.state["count"] = len(times)
        self.state["curve_"] = CURVES.index(self.curve)
        self.state["loop_"] = bool(self.loop)

    @kernel
    def process(state, trigger, time_scale, out):
        count, stage, was, at, k = state.count, state.stage, state.was, state.at, state.k
        times, values = words_at(state.times_, count), floats_at(state.values_, count)
        bends = floats_at(state.bends_, count - 1)
        for i in range(out.size):
            on = 1 if trigger[i] > 0 else 0
            if on > was:
                stage, at, k = 1, 0.0, 0
            was = on
            if state.loop_ and at >= times[count - 1] - NEAR:
                at -= np.floor((at + NEAR) / times[count - 1]) * times[count - 1]
                k = 0
            while k + 1 < count and at >= times[k + 1] - NEAR:
                k += 1
            a = np.float64(values[k])
            if k + 1 < count and state.curve_ != STEP:
                b, bend = np.float64(values[k + 1]), bends[k]
                x = max(0.0, (at - times[k]) / (times[k + 1] - times[k]))
                if state.curve_ == EXPONENTIAL and bend != 0:
                    x = (np.float64(exp2(np.float32(x) * bend)) - 1) / (np.float64(exp2(bend)) - 1)
                a += (b - a) * x
            out[i] = a
            if stage == 1:
                at += 1 / limited(time_scale[i], 0.001, 1000.0)
                if k + 1 == count:
                    stage = 2
                    if state.done == 0:
                        state.done = event(i)
        state.stage, state.was, state.at, state.k = stage, was, at, k


def _bend(a: float, b: float) -> float:
    """Octaves from a to b; from or to 0 it is 60 dB, and from minus to plus 0, which is a line."""
    a, b = float(a), float(b)
    if a * b > 0:
        bend = math.log2(b / a)
    else:
        bend = math.log2(1000) * (a == 0) - math.log2(1000) * (b == 0)
    return max(-20.0, min(20.0, bend)) if abs(bend) > 1e-4 else 0.0
