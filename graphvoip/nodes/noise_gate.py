import numpy as np

from ..dsp import left_over
from ..kernel import HUGE, kernel, limited
from ..node import Node, Output, Signal, State
from ..rings import RATE


class NoiseGate(Node):
    """Let a sound through while it is loud enough; what is between the words is turned down.

    It opens at the sample that reaches the threshold. It closes when nothing has been above the threshold less the
    hysteresis for the time of the hold; this must be longer than half a period of the lowest tone. Attack and release
    are the times in which 63 % of the change is made. Open, it leaves the sound as it is, bit for bit.

    >>> NoiseGate(Mix(voice, Noise(amp=0.02)), threshold_db=-26)
    """

    group = "dynamics"
    known_as = "gate, expander, noise suppression, denoise, downward expander, squelch"
    input = Signal(None, doc="what is let through")
    threshold_db = Signal(-40.0, "dB", -120, 0, "the peak that opens it; 0 is full scale")
    attack = Signal(0.001, "s", 0, 10, "time to open")
    hold = Signal(0.05, "s", 0, 10, "how long it stays open after the last loud sample")
    release = Signal(0.05, "s", 0, 10, "time to close")
    range_db = Signal(60.0, "dB", 0, 120, "how far it turns down what it does not let through")
    hysteresis_db = Signal(3.0, "dB", 0, 60, "how much softer than the threshold may be what keeps it open")
    out = Output("the sound")
    gate = Output("1 while it is open, else 0")
    state = State(
        raw=("f4", 6), opens="f8", closes="f8", hold_="i8", rise="f8", fall="f8", floor_="f8",
        open_="i8", left="i8", gain="f8",
    )  # fmt: skip

    def start(self):
        self.state["raw"] = np.nan  # other than any value: the first sample computes

    @kernel
    def process(state, input, threshold_db, attack, hold, release, range_db, hysteresis_db, out, gate):
        raw0, raw1, raw2, raw3, raw4, raw5 = state.raw
        opens, closes, hold_, rise, fall, floor = (
            state.opens, state.closes, state.hold_, state.rise, state.fall, state.floor_
        )  # fmt: skip
        open_, left, gain = state.open_, state.left, state.gain
        for i in range(out.size):
            if (threshold_db[i] != raw0 or attack[i] != raw1 or hold[i] != raw2 or release[i] != raw3
                    or range_db[i] != raw4 or hysteresis_db[i] != raw5):  # fmt: skip
                raw0, raw1, raw2 = threshold_db[i], attack[i], hold[i]
                raw3, raw4, raw5 = release[i], range_db[i], hysteresis_db[i]
                threshold = limited(raw0, -120, 0)
                opens = 10 ** (threshold / 20)
                closes = 10 ** ((threshold - limited(raw5, 0, 60)) / 20)
                hold_ = np.int64(RATE * limited(raw2, 0, 10) + 0.5)
                rise, fall = left_over(limited(raw1, 0, 10)), left_over(limited(raw3, 0, 10))
                floor = 10 ** (-limited(raw4, 0, 120) / 20)
            level = abs(input[i])
            loud = (level >= closes if open_ else level >= opens) and level < HUGE
            open_ = 1 if loud or left > 0 else 0
            left = hold_ if loud else max(left - 1, 0)
            target = 1.0 if open_ else floor
            gain = target + (rise if open_ else fall) * (gain - target)
            gain = gain if abs(gain - target) > 1e-6 * target else target
            out[i] = gain
            gate[i] = open_
        state.raw[0], state.raw[1], state.raw[2] = raw0, raw1, raw2
        state.raw[3], state.raw[4], state.raw[5] = raw3, raw4, raw5
        state.opens, state.closes, state.hold_, state.rise, state.fall, state.floor_ = (
            opens, closes, hold_, rise, fall, floor
        )  # fmt: skip
        state.open_, state.left, state.gain = open_, left, gain
        for i in range(out.size):
            out[i] *= input[i]
