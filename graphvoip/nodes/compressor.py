import numpy as np

from ..dsp import left_over
from ..kernel import exp2, kernel, limited, sound
from ..node import Node, Output, Signal, State

ZERO, ONE, TWO, HALF = np.float32(0), np.float32(1), np.float32(2), np.float32(0.5)
LOUD, STEEP, LEAST = np.float32(120), np.float32(1000), np.float32(1e-6)
DECIBELS = np.float32(20 * np.log10(2))  # of a factor of 2
OCTAVES = np.float32(1 / (20 * np.log10(2)))


class Compressor(Node):
    """Turn down what is louder than a threshold, so that loud and soft come closer.

    The design of Giannoulis, Massberg and Reiss (2012): feed-forward, the level in dB, a soft knee, a smooth decoupled
    peak detector. Attack and release are the times in which 63 % of a change is made; a release begins slowly if the
    attack is long. To let another sound turn this one down, use a duck.

    >>> Compressor(voice, threshold_db=-30, ratio=8, makeup_db=20)
    """

    group = "dynamics"
    known_as = "dynamics, leveller, leveler, agc, levelling amplifier, compression, limiter, sustain"
    input = Signal(None, doc="what is evened out")
    threshold_db = Signal(-20.0, "dB", -120, 0, "level above which it is turned down; 0 is the peak of full scale")
    ratio = Signal(4.0, "x", 1, 1000, "how many dB more above the threshold become one dB more")
    attack = Signal(0.005, "s", 0, 10, "time to turn down")
    release = Signal(0.1, "s", 0, 10, "time to come up again")
    knee_db = Signal(6.0, "dB", 0, 60, "width of the bend around the threshold; 0 is a corner")
    makeup_db = Signal(0.0, "dB", -60, 60, "gain afterwards")
    out = Output("the sound")
    reduction = Output("by how many dB it is turned down, 0 or more")
    state = State(peak="f8", smooth="f8", attack_="f4", release_="f4", fall="f8", rise="f8")

    def start(self):
        self.state["attack_"] = self.state["release_"] = np.nan  # other than any value: the first sample computes

    @kernel
    def process(state, input, threshold_db, ratio, attack, release, knee_db, makeup_db, out, reduction):
        for i in range(out.size):
            level = abs(sound(input[i]))
            reduction[i] = np.log2(level if level > LEAST else LEAST)
        # How far it is to be turned down at each sample: out is free to hold it.
        for i in range(out.size):
            threshold = threshold_db[i] if threshold_db[i] > -LOUD else -LOUD
            threshold = threshold if threshold < ZERO else ZERO
            knee = knee_db[i] if knee_db[i] > LEAST else LEAST
            knee = knee if knee < HALF * LOUD else HALF * LOUD
            slope = ONE - ONE / (ratio[i] if ratio[i] < STEEP else STEEP) if ratio[i] > ONE else ZERO
            above = DECIBELS * reduction[i] - threshold + HALF * knee
            bent = above if above > ZERO else ZERO
            bent = bent if bent < knee else knee
            out[i] = slope * (bent * bent / (TWO * knee) + (above - knee if above > knee else ZERO))
        peak, smooth, attack_, release_, fall, rise = (
            state.peak, state.smooth, state.attack_, state.release_, state.fall, state.rise
        )  # fmt: skip
        for i in range(out.size):
            if attack[i] != attack_ or release[i] != release_:
                attack_, release_ = attack[i], release[i]
                fall, rise = left_over(limited(attack_, 0, 10)), left_over(limited(release_, 0, 10))
            wanted = np.float64(out[i])
            slow = wanted + rise * (peak - wanted)
            peak = wanted if wanted > slow else slow
            smooth = peak + fall * (smooth - peak)
            reduction[i] = smooth
        state.peak, state.smooth, state.attack_, state.release_, state.fall, state.rise = (
            peak, smooth, attack_, release_, fall, rise
        )  # fmt: skip
        for i in range(out.size):
            makeup = makeup_db[i] if makeup_db[i] > -HALF * LOUD else -HALF * LOUD
            makeup = makeup if makeup < HALF * LOUD else HALF * LOUD
            out[i] = input[i] * exp2(OCTAVES * (makeup - reduction[i]))
