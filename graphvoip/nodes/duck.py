import numpy as np

from ..dsp import left_over
from ..kernel import HUGE, kernel, limited
from ..node import Node, Output, Signal, State
from ..rings import RATE


class Duck(Node):
    """Turn music down while somebody speaks.

    Attack and release are the times in which 63 % of the change is made. The hold bridges the gaps between words; it
    begins after each sample of the key that is above the threshold. While the key is silent the bed is as it was, bit
    for bit.

    >>> Mix(Duck(Saw(freq=110, amp=0.3), key=voice, depth_db=18), voice)
    """

    group = "dynamics"
    known_as = "ducker, ducking, sidechain, side-chain, sidechain compression, voice-over, talk over, pumping"
    input = Signal(None, doc="the bed: what is turned down")
    key = Signal(None, doc="the speech that turns it down; it is not heard here")
    depth_db = Signal(12.0, "dB", 0, 120, "how far it is turned down")
    threshold_db = Signal(-40.0, "dB", -120, 0, "the peak of the key that counts as speech; 0 is full scale")
    attack = Signal(0.02, "s", 0, 10, "time to go down")
    release = Signal(0.3, "s", 0, 10, "time to come up again")
    hold = Signal(0.3, "s", 0, 10, "how long it stays down after the last loud sample of the key")
    out = Output("the bed")
    level = Output("the gain that the bed has, 1 while nobody speaks")
    state = State(
        raw=("f4", 5), loud_="f8", hold_="i8", rise="f8", fall="f8", floor_="f8", left="i8", gain="f8",
    )  # fmt: skip

    def start(self):
        self.state["raw"] = np.nan  # other than any value: the first sample computes
        self.state["gain"] = 1

    @kernel
    def process(state, input, key, depth_db, threshold_db, attack, release, hold, out, level):
        raw0, raw1, raw2, raw3, raw4 = state.raw
        loud, hold_, rise, fall, floor = state.loud_, state.hold_, state.rise, state.fall, state.floor_
        left, gain = state.left, state.gain
        for i in range(out.size):
            if (depth_db[i] != raw0 or threshold_db[i] != raw1 or attack[i] != raw2 or release[i] != raw3
                    or hold[i] != raw4):  # fmt: skip
                raw0, raw1, raw2, raw3, raw4 = depth_db[i], threshold_db[i], attack[i], release[i], hold[i]
                floor = 10 ** (-limited(raw0, 0, 120) / 20)
                loud = 10 ** (limited(raw1, -120, 0) / 20)
                fall, rise = left_over(limited(raw2, 0, 10)), left_over(limited(raw3, 0, 10))
                hold_ = np.int64(RATE * limited(raw4, 0, 10) + 0.5)
            # One more than the hold: the sample itself counts too.
            speaks = loud <= abs(key[i]) < HUGE
            left = hold_ + 1 if speaks else max(left - 1, 0)
            target = floor if left > 0 else 1.0
            gain = target + (fall if left > 0 else rise) * (gain - target)
            gain = gain if abs(gain - target) > 1e-6 * target else target
            level[i] = gain
        state.raw[0], state.raw[1], state.raw[2], state.raw[3], state.raw[4] = raw0, raw1, raw2, raw3, raw4
        state.loud_, state.hold_, state.rise, state.fall, state.floor_ = loud, hold_, rise, fall, floor
        state.left, state.gain = left, gain
        for i in range(out.size):
            out[i] = input[i] * level[i]
