import numpy as np

from ..dsp import moves, tangent
from ..kernel import HUGE, kernel, limited, tanh
from ..node import Node, Output, Signal, State
from ..rings import RATE

TOP = 0.45 * RATE  # above it the four poles have no room below half the rate


class Ladder(Node):
    """The four-pole ladder of a Moog: 24 dB an octave, a resonance that sings, and a warm overload.

    From `resonance` 1 on it swings by itself, a sine at `freq` that the overload holds soft: 0.15 for a resonance of
    1.1. The bass falls with the resonance, by 4.4 dB at 1. `drive` is the level at which the input goes in: 0.1 is
    clean, 1 rounds the peaks of full scale, 10 distorts. A fault in the input passes by and is not remembered.

    Robert Moog, US patent 3475623, 1965; the loop without a delay of Vadim Zavalishin, "The Art of VA Filter Design",
    2012, with the overload at the loop's input. It takes 3 to 4 us a frame.

    >>> Ladder(Saw(freq=82), freq=Lfo(freq=1, low=150, high=2000), resonance=0.9)
    """

    group = "filters"
    known_as = (
        "moog, moog filter, transistor ladder, vcf, lpf, lowpass, acid, 303, diode ladder, resonant filter, "
        "four-pole, 24 db, subtractive synthesis, minimoog"
    )
    input = Signal(None, doc="what is filtered")
    freq = Signal(1000.0, "Hz", 1, TOP, "corner; with resonance, its pitch")
    resonance = Signal(0.0, "x", 0, 1.2, "0 has none, from 1 on it sings by itself")
    drive = Signal(1.0, "x", 0, 1000, "level of the input before the overload")
    out = Output()
    state = State(z=("f8", 4))

    @kernel
    def process(state, input, freq, resonance, drive, out):
        z0, z1, z2, z3 = state.z
        moving = moves(freq) + moves(resonance)
        at = 0
        while at < out.size:
            g, k = tangent(limited(freq[at], 1, TOP)), 4 * limited(resonance[at], 0, 1.2)
            g = g / (1 + g)
            g2 = g * g
            g3, g4, h = g2 * g, g2 * g2, 1 - g
            # Each pole's output is a power of g times the input u, and what it and those before it remember; so the
            # loop can be solved for u. Half of what the feedback takes from the bass is given back.
            a = 1 / (1 + k * g4)
            straight, back = a * (1 + k / 2), a * k
            stop = at + 1 if moving else out.size
            for i in range(at, stop):
                x = np.float64(input[i]) if abs(input[i]) < HUGE else 0.0
                x *= limited(drive[i], 0, 1000)
                y0 = h * z0
                y1 = g * y0 + h * z1
                y2 = g * y1 + h * z2
                y3 = g * y2 + h * z3
                u = np.float64(tanh(np.float32(straight * x - back * y3)))
                y0, y1, y2, y3 = y0 + g * u, y1 + g2 * u, y2 + g3 * u, y3 + g4 * u
                z0, z1, z2, z3 = 2 * y0 - z0, 2 * y1 - z1, 2 * y2 - z2, 2 * y3 - z3
                out[i] = y3 if abs(input[i]) < HUGE else input[i]
            at = stop
        state.z[0], state.z[1], state.z[2], state.z[3] = z0, z1, z2, z3
