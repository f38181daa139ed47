import math

import numpy as np

from ..kernel import kernel, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

LEAST = 1e-6  # -120 dBFS: what `decibels` says of silence


class Meter(Node):
    """Level of a signal: its effective value (RMS), and its peak, which falls back slowly.

    The effective value is the root of the mean square, weighted with an exponential window: `time` after a step it has
    gone 63 % of the way. 0.3 s is a VU meter's pace. A sine of full scale has an effective value of 0.7071 and a peak
    of 1. The peak falls by default as that of a programme meter does (IEC 60268-10, type I: 20 dB in 1.7 s).
    In Python `decibels()` says both in dBFS.

    >>> Sine(freq=330, amp=Meter(voice, time=0.03))
    """

    group = "analysis"
    known_as = "vu, vu meter, ppm, level meter, rms, loudness, peak meter"
    input = Signal(None, doc="what is measured")
    time = Option(0.3, "time constant of the effective value", unit="s", low=0.001, high=60)
    fall_db = Option(11.8, "how fast the peak falls", unit="dB/s", low=0, high=10000)
    out = Output("effective value")
    peak = Output("peak, of either sign")
    state = State(keep="f8", hold="f8", mean="f8", top="f8")

    def start(self):
        self.state["keep"] = math.exp(-1 / (self.time * RATE))
        self.state["hold"] = 10 ** (-self.fall_db / 20 / RATE)

    def decibels(self) -> tuple[float, float]:
        """The effective value and the peak, now, in dBFS: 0 is full scale, -120 is the least."""
        levels = math.sqrt(self.state["mean"]), float(self.state["top"])
        return 20 * math.log10(max(levels[0], LEAST)), 20 * math.log10(max(levels[1], LEAST))

    @kernel
    def process(state, input, out, peak):
        mean, top, keep, hold = state.mean, state.top, state.keep, state.hold
        for i in range(out.size):
            x = np.float64(sound(input[i]))
            mean += (1 - keep) * (x * x - mean)
            out[i] = mean
            top = max(abs(x), hold * top)
            peak[i] = top
        for i in range(out.size):
            out[i] = np.sqrt(out[i])
        state.mean, state.top = mean, top
