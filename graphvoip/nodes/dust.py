import numpy as np

from ..kernel import kernel, limited, shuffled, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE


class Dust(Node):
    """Clicks at random times, each of them one sample of a random level, as SuperCollider's Dust and Dust2.

    All times are equally likely, so some come close together and some far apart: rain, a Geiger counter, an old record.

    >>> Biquad(Dust(density=30, seed=2), freq=1500, q=8, kind="bandpass") * 6
    """

    group = "sources"
    known_as = "random impulses, crackle, geiger, poisson, vinyl"
    density = Signal(20.0, "Hz", 0, RATE, "clicks a second, in the mean")
    amp = Signal(1.0, "x", doc="level of the loudest; they are spread evenly below it")
    bipolar = Option(False, "half of them go down: levels from -amp to amp; else from 0 to amp")
    seed = Option(None, "its own noise; without it a patch gives it one")
    out = Output()
    state = State(random="u8", bipolar_="i8")

    def start(self):
        self.state["bipolar_"] = bool(self.bipolar)

    @kernel
    def process(state, density, amp, out):
        random = state.random
        low = np.float32(-1) if state.bipolar_ else np.float32(0)
        for i in range(out.size):
            random = shuffled(random)
            # An even number from 0 to 1, by the upper bits of a multiple. Below the chance of a click, it is even there
            # too, and so gives the level.
            even = (np.float64((random * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) + 0.5) * 2.0**-53
            chance = limited(density[i], 0, RATE) / RATE
            level = low + (1 - low) * np.float32(even / chance)
            out[i] = sound(amp[i]) * level if even < chance else 0
        state.random = random
