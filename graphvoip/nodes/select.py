import numpy as np

from ..dsp import moves
from ..kernel import kernel, limited, nth
from ..node import Node, Option, Output, Signal, Signals, State
from ..rings import RATE

MOST = 64  # inputs


class Select(Node):
    """One of several signals: Select(index, a, b, c) is a at index 0, b at 1 and c at 2.

    The index is rounded down. Beyond the last input it is the last one, or with `wrap` the first one again. A change
    is a crossfade, so that it does not click, also when the next one comes before it is over; with fade=0 it is at
    the sample, which is right for pitches and other controls.

    >>> Select(Clock(tempo=120, per_beat=1).phase * 3, Sine(freq=440), Sine(freq=550), Sine(freq=660)) * 0.5
    """

    group = "control"
    known_as = "switch, multiplexer, mux, sequential switch, router, selector"
    index = Signal(0.0, "x", doc="which input, 0 is the first")
    inputs = Signals("the signals to choose from, at most 64")
    fade = Option(0.005, "how long a change takes; 0 for controls", unit="s", low=0, high=10)
    wrap = Option(False, "count on from the first input after the last")
    out = Output()
    state = State(gains=("f8", MOST), chosen="i8", left="i8", fade_="i8", wrap_="i8")

    def start(self):
        if len(self.inputs) > MOST:
            raise ValueError(f"select: it has {len(self.inputs)} inputs; {MOST} are the most, so put one into another")
        self.state["chosen"] = -1
        self.state["fade_"] = round(self.fade * RATE)
        self.state["wrap_"] = bool(self.wrap)

    @kernel
    def process(state, index, inputs, out):
        # Each input has a gain, and all go straight to where they belong, 1 or 0, within the samples that are left:
        # their sum is 1 at every moment.
        gains, chosen, left = state.gains, state.chosen, state.left
        count = min(inputs.addresses.size, MOST)
        moving = np.int64(left > 0)
        moving += moves(index)
        for i in range(out.size):
            arrived = False
            k = np.int64(np.floor(limited(index[i], -1e6, 1e6)))
            if state.wrap_ > 0 and count > 0:
                k = (k % count + count) % count
            k = max(0, min(k, count - 1))
            if k != chosen:
                left = state.fade_ if chosen >= 0 else 0
                moving += left
                chosen, arrived = k, left == 0
            y = 0.0
            if left > 0:
                for j in range(count):
                    gains[j] += (np.float64(j == chosen) - gains[j]) / left
                    if gains[j] > 0:
                        y += gains[j] * nth(inputs, j)[i]
                left -= 1
                arrived = left == 0
            elif count > 0:
                y = np.float64(nth(inputs, chosen)[i])
            out[i] = y
            if arrived:
                for j in range(MOST):
                    gains[j] = j == chosen
            if moving == 0:
                break  # the index stays: all is a copy
        if moving == 0:
            if count > 0:
                signal = nth(inputs, chosen)
                for i in range(out.size):
                    out[i] = signal[i]
            else:
                out[:] = 0
        state.chosen, state.left = chosen, left
