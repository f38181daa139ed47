import itertools
import math

import numpy as np

from ..kernel import barrier, doubles_at, fence, kernel
from ..node import Node, Option, Output, State
from ..rings import FRAME, RATE

LONGEST = 1e8  # seconds that a change may take
ROW = 3  # a point of the score: at which sample, the value, over how many samples


class Constant(Node):
    """A number that can be changed while it sounds: a patch's parameter. A change is a ramp, of one frame if not told.

    score: changes that are known before, a list of [seconds, value] or [seconds, value, seconds that it takes].

    >>> Sine(freq=Constant(value=440, score=[[0.5, 880, 0.25], [1.5, 220, 0.02]])) * 0.5
    """

    group = "graph"
    known_as = "parameter, cv, offset, knob, slider, automation, control, number"
    value = Option(0.0, "what it is at the start", low=-1e38, high=1e38)
    score = Option([], "changes known before: [[seconds, value, over seconds] ...], the times rising")
    out = Output()
    state = State(now="f8", end="f8", step="f8", left="i8", at="i8", points="i8", count="i8", next="i8",
                  wish="f8", over="i8", asked="i8", seen="i8")  # fmt: skip

    def start(self):
        self.target = float(self.value)
        self.low, self.high, self.unit = -math.inf, math.inf, ""  # a patch says more
        rows = [self._row(k, row) for k, row in enumerate(self.score)]
        if any(after[0] < before[0] for before, after in itertools.pairwise(rows)):
            raise ValueError("constant: the times of its score do not rise")
        self.points = np.array(rows or [(0, 0, 0)], np.float64)
        self.state["points"], self.state["count"] = self.points.ctypes.data, len(rows)
        self.state["now"] = self.state["end"] = self.value

    def _row(self, k, row):
        try:
            time, value, over = map(float, (*row, FRAME / RATE)[:3])
            fine = 0 <= time < 1e6 and 0 <= over < 1e6 and math.isfinite(value)
        except (TypeError, ValueError):
            fine = False
        if not fine or not 2 <= len(row) <= 3:
            raise ValueError(
                f"constant: score[{k}] is {row!r}; it is [seconds, value] or [seconds, value, over seconds]"
            )
        return round(time * RATE), value, max(1, round(over * RATE))

    @property
    def was(self):
        return float(self.value)

    @property
    def becomes(self):
        return self.target

    def set(self, value: float, over: float = FRAME / RATE) -> None:
        """Go to this value within so many seconds, from the next frame on."""
        number = self._number(value)
        if not self.low <= number <= self.high or not math.isfinite(number):
            unit = f" {self.unit}" if self.unit else ""
            raise ValueError(f"{self.name or 'constant'}: {number:g}{unit} is outside {self.low:g}..{self.high:g}")
        if not 0 <= over <= LONGEST:
            raise ValueError(f"{self.name or 'constant'}: over is {over!r}; it is seconds, 0 or more")
        self.target = number
        if self.graph is not None:
            self.graph.prepare()
        self.state["wish"], self.state["over"] = number, max(1, round(over * RATE))
        barrier()
        self.state["asked"] += 1

    def numbers(self):
        return {self.target, *(self.points[:, 1] if len(self.score) else ())}

    def bounds(self, deep):
        return min(found := self.numbers()), max(found)

    def _number(self, value):
        try:
            if isinstance(value, (bool, np.bool_, str, bytes)):  # float() takes them too
                raise TypeError
            return float(value)
        except (TypeError, ValueError):
            bounded = math.isfinite(self.low) and math.isfinite(self.high)
            extent = f" from {self.low:g} to {self.high:g}" if bounded else ""
            raise TypeError(f"{self.name or 'constant'} is {value!r:.60}; it is a number{extent}") from None

    @kernel
    def process(state, out):
        now, end, step, left = state.now, state.end, state.step, state.left
        if state.asked != state.seen:
            state.seen = state.asked
            fence()
            end, left = state.wish, state.over
            step = (end - now) / left
        made = 0
        while made < out.size:
            size = out.size - made
            if state.next < state.count:
                points = doubles_at(state.points, ROW * state.count)
                wait = np.int64(points[ROW * state.next]) - (state.at + made)
                if wait <= 0:
                    end, left = np.float64(points[ROW * state.next + 1]), np.int64(points[ROW * state.next + 2])
                    step = (end - now) / left
                    state.next += 1
                    continue
                size = min(size, wait)
            moving = min(size, left)
            for i in range(moving):
                out[made + i] = end - step * (left - 1 - i)
            left -= moving
            now = end - step * left if left > 0 else end
            for i in range(moving, size):
                out[made + i] = end
            made += size
        state.at += out.size
        state.now, state.end, state.step, state.left = now, end, step, left
