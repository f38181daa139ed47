import numpy as np

from ..kernel import event, kernel, limited
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import RATE

SILENT = 1e-4  # -80 dB: below it a strike is over


class Decay(Node):
    """The envelope of what is struck or plucked: up at once, then exponentially down, 60 dB in `time`.

    It is struck once, `at` seconds after the start, or, with a wire at `trigger`, at every trigger from then on. The
    peak is the trigger's value there, at most 1, and comes `attack` later; a new strike goes on from the level that
    there is. `time` may move while it sounds. Below -80 dB it is 0 and done.

    >>> Sine(freq=880) * Decay(time=0.6) + Sine(freq=704) * Decay(time=1.2, at=0.5) * 0.6
    >>> Sine(freq=660) * Decay(keys, time=0.3)
    """

    group = "control"
    known_as = "ad envelope, ar envelope, percussion envelope, ping, strike, lpg, vactrol, perc"
    trigger = Signal(1.0, "trigger", doc="strikes it; its value is the peak, up to 1; without a wire there is one")
    time = Signal(0.5, "s", 0.001, 100, "from the peak to -60 dB")
    attack = Option(0.002, "from the strike to the peak; 0 may click", unit="s", low=0, high=10)
    at = Option(0.0, "nothing strikes before so much time", unit="s", low=0, high=3600)
    out = Output()
    done = Event("a strike has died away: it is 0 from this sample on")
    state = State(wait="i8", rise="i8", was="i8", sounds="i8", left="i8", level="f8", step="f8", peak="f8",
                  time_="f8", ratio="f8")  # fmt: skip

    def start(self):
        self.state["wait"] = round(self.at * RATE)
        self.state["rise"] = round(self.attack * RATE)

    @kernel
    def process(state, trigger, time, out):
        wait, was, sounds, left, level = state.wait, state.was, state.sounds, state.left, state.level
        step, peak, time_, ratio = state.step, state.peak, state.time_, state.ratio
        for i in range(out.size):
            on = 1 if wait == 0 and trigger[i] > 0 else 0
            wait = max(0, wait - 1)
            if on > was:
                sounds, left, peak = 1, state.rise, limited(trigger[i], 0.0, 1.0)
                if left > 0:
                    step = (peak - level) / left
                else:
                    level = peak
            was = on
            if sounds == 1 and left == 0 and level < SILENT:
                sounds, level = 0, 0.0
                if state.done == 0:
                    state.done = event(i)
            out[i] = level
            seconds = limited(time[i], 0.001, 100.0)
            if seconds != time_:
                time_, ratio = seconds, np.exp(np.log(1e-3) / (seconds * RATE))
            if left > 1:
                left -= 1
                level += step
            elif left == 1:
                left, level = 0, peak
            else:
                level *= ratio
        state.wait, state.was, state.sounds, state.left, state.level = wait, was, sounds, left, level
        state.step, state.peak, state.time_, state.ratio = step, peak, time_, ratio
