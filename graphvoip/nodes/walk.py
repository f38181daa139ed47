import math

import numpy as np

from ..kernel import bipolar, kernel, limited, shuffled, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

STEP = math.sqrt(3 / RATE)  # times an even number from -1 to 1: steps whose sum strays by 1 in a second


class Walk(Node):
    """A random walk between `low` and `high`: it drifts without aim, and turns back at the ends.

    It begins in the middle, and in the long run every value is as frequent as any other. Two averages over `smooth`
    take the roughness away that would be heard as noise. Brownian motion with reflecting ends (Einstein, 1905).

    >>> Sine(freq=Walk(rate=1.5, low=300, high=1200), amp=0.5)
    """

    group = "control"
    known_as = "random walk, brownian, drift, wander, smooth random, fluctuating random voltages, chaos"
    rate = Signal(0.5, "x", 0, 10, "how far it strays in a second, the standard deviation; 1 is from low to high")
    low = Signal(-1.0, "x", doc="the least value")
    high = Signal(1.0, "x", doc="the greatest value")
    smooth = Option(0.02, "time constant of its averages; 0: none", unit="s", low=0, high=100)
    seed = Option(None, "its own noise; without it a patch gives it one")
    out = Output()
    state = State(random="u8", share="f8", place="f8", middle="f8", end="f8")

    def start(self):
        self.state["share"] = 1.0 if self.smooth == 0 else -math.expm1(-1 / (self.smooth * RATE))
        self.state["place"] = self.state["middle"] = self.state["end"] = 0.5

    @kernel
    def process(state, rate, low, high, out):
        random, share, place, middle, end = state.random, state.share, state.place, state.middle, state.end
        for i in range(out.size):
            random = shuffled(random)
            place += limited(rate[i], 0.0, 10.0) * STEP * bipolar(random)
            place = abs(place)
            place = 1 - abs(1 - place)
            middle += (place - middle) * share
            end += (middle - end) * share
            out[i] = end
        state.random, state.place, state.middle, state.end = random, place, middle, end
        for i in range(out.size):
            a, b = np.float64(sound(low[i])), np.float64(sound(high[i]))
            out[i] = a + (b - a) * out[i]
