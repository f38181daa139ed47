import numpy as np

from ..kernel import bipolar, kernel, shuffled, sound
from ..node import Node, Option, Output, Signal, State

COLOURS = ("white", "pink", "brown", "crackle")
WHITE, PINK, BROWN, CRACKLE = range(4)
LEAK = 0.9844  # brown noise forgets below 20 Hz, so that it cannot drift
CHAOS = 1.95  # near 1 it dies out, at 2 it is wildest


class Noise(Node):
    """Noise: white, pink, brown or crackle, each of them with a peak of about 1.

    white has the same power at every frequency. pink falls by 3 dB an octave (Paul Kellet's filter, 1999) and brown by
    6 dB above 20 Hz: deeper and softer, with less in the telephone's band. crackle is the chaotic equation of
    SuperCollider's Crackle, less its mean: like fire, or a bad line.

    >>> Noise(colour="pink", amp=0.5, seed=1)
    """

    group = "sources"
    known_as = "white noise, pink noise, brown noise, hiss, wind, random, noise generator"
    amp = Signal(1.0, "x", doc="level; 1 is full scale")
    colour = Option("white", "how its power is spread", COLOURS)
    seed = Option(None, "its own noise; without it a patch gives it one")
    out = Output()
    state = State(random="u8", colour_="i8", z=("f8", 7))

    def start(self):
        self.state["colour_"] = COLOURS.index(self.colour)

    @kernel
    def process(state, amp, out):
        random = state.random
        if state.colour_ == CRACKLE:
            y1, y2, mean = state.z[0], state.z[1], state.z[2]
            for i in range(out.size):
                if not (0 < y1 < 4):  # at the start, and should it ever leave its path
                    random = shuffled(random)
                    y1, y2, mean = 0.1 + 0.05 * bipolar(random), 0.0, 0.083
                y1, y2 = abs(CHAOS * y1 - y2 - 0.05), y1
                mean += 0.01 * (y1 - mean)
                out[i] = 1.8 * (y1 - mean)
            state.z[0], state.z[1], state.z[2] = y1, y2, mean
        else:
            for i in range(out.size):
                random = shuffled(random)
                out[i] = bipolar(random)
        state.random = random
        if state.colour_ == PINK:
            z0, z1, z2, z3, z4, z5, z6 = state.z
            for i in range(out.size):
                x = np.float64(out[i])
                z0 = 0.99886 * z0 + x * 0.0555179
                z1 = 0.99332 * z1 + x * 0.0750759
                z2 = 0.96900 * z2 + x * 0.1538520
                z3 = 0.86650 * z3 + x * 0.3104856
                z4 = 0.55000 * z4 + x * 0.5329522
                z5 = -0.7616 * z5 - x * 0.0168980
                out[i] = 0.14 * (z0 + z1 + z2 + z3 + z4 + z5 + z6 + x * 0.5362)
                z6 = x * 0.115926
            z = state.z
            z[0], z[1], z[2], z[3], z[4], z[5], z[6] = z0, z1, z2, z3, z4, z5, z6
        elif state.colour_ == BROWN:
            # The integrator of Al-Alaoui, 1993: it falls by 6 dB an octave up to the top.
            y, x1 = state.z[0], state.z[1]
            for i in range(out.size):
                x = np.float64(out[i])
                y = LEAK * y + 0.066 * (x + x1 / 7)
                x1 = x
                out[i] = y
            state.z[0], state.z[1] = y, x1
        for i in range(out.size):
            out[i] *= sound(amp[i])
