import math

import numpy as np

from ..dsp import left_over
from ..kernel import kernel, limited, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

KINDS = ("peak", "rms")
WINDOW = -math.expm1(-1 / (0.01 * RATE))  # a mean over 10 ms: above 50 Hz it does not move with the wave itself


class Follower(Node):
    """The level of a sound as a signal: its peaks, or its root mean square.

    After a step it has gone 63 % of the way in `attack`, and fallen to 37 % (-8.7 dB) in `release`. A sine with peaks
    of 1 is 1 by its peaks and 0.71 by root mean square, which is taken over 10 ms first. A fault counts as silence.

    >>> Sine(freq=220, amp=Follower(voice))
    >>> Biquad(Sine(freq=300), freq=Follower(voice, kind="rms") * 3000 + 200, kind="bandpass")
    """

    group = "control"
    known_as = "envelope follower, envelope detector, level detector, rectifier, rms, amplitude follower, auto wah, vu"
    input = Signal(None, doc="whose level it is")
    attack = Signal(0.005, "s", 0, 10, "time constant upwards; 0: at once")
    release = Signal(0.1, "s", 0, 10, "time constant downwards; 0: at once")
    kind = Option("peak", "what the level is", KINDS)
    out = Output()
    state = State(kind_="i8", mean="f8", peak="f8", level="f8", attack_="f8", release_="f8", share="f8", keep="f8")

    def start(self):
        self.state["kind_"] = KINDS.index(self.kind)
        self.state["share"] = 1.0  # those of times of 0

    @kernel
    def process(state, input, attack, release, out):
        for i in range(out.size):
            out[i] = abs(sound(input[i]))
        if state.kind_ == 1:
            mean = state.mean
            for i in range(out.size):
                x = np.float64(out[i])
                mean += (x * x - mean) * WINDOW
                out[i] = mean
            state.mean = mean
            for i in range(out.size):
                out[i] = np.sqrt(out[i])
        # Between two peaks of the wave the last one is kept, with the release; so an attack does not make it lower.
        attack_, release_, share, keep = state.attack_, state.release_, state.share, state.keep
        peak, level = state.peak, state.level
        for i in range(out.size):
            up, down = limited(attack[i], 0.0, 10.0), limited(release[i], 0.0, 10.0)
            if up != attack_:
                attack_, share = up, 1 - left_over(up)
            if down != release_:
                release_, keep = down, left_over(down)
            peak = max(np.float64(out[i]), peak * keep)
            level = min(peak, level + (peak - level) * share)
            out[i] = level
        state.attack_, state.release_, state.share, state.keep = attack_, release_, share, keep
        state.peak, state.level = peak, level
