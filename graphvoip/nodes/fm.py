import numpy as np

from ..dsp import moves
from ..kernel import kernel, limited, sin_turns, sound
from ..node import Node, Output, Signal, State
from ..rings import RATE

RADIAN = 1 / (2 * np.pi)  # turns


class Fm(Node):
    """Two sines, one of which moves the phase of the other: bells, brass and electric pianos (Chowning, 1973).

    The modulator is at freq * ratio. The carrier is sin(wc t + index * sin(wm t)), so a line k * freq * ratio away from
    freq has the height of the Bessel function Jk(index). Lines beyond 4000 Hz fold back: for a clean sound keep
    freq * (1 + ratio * (index + 1)) below that. With feedback the modulator moves its own phase by the mean of its last
    two samples (Tomisawa, 1981), which gives it overtones of its own; at 1 it is nearly a saw.

    >>> Fm(freq=200, ratio=1.4, index=Decay(Impulse(freq=1), time=0.8) * 6, amp=Decay(Impulse(freq=1), time=1) * 0.5)
    """

    group = "sources"
    known_as = "frequency modulation, phase modulation, pm, dx7, operator, two-operator fm, through-zero fm, tzfm"
    freq = Signal(440.0, "Hz", 0, RATE / 2, "pitch of the carrier")
    ratio = Signal(1.0, "x", 0, 32, "the modulator's pitch over the carrier's")
    index = Signal(2.0, "x", -100, 100, "how far the modulator moves the carrier's phase, in radians")
    feedback = Signal(0.0, "x", 0, 1, "how far the modulator moves its own phase, in radians")
    amp = Signal(1.0, "x", doc="level; 1 is full scale")
    out = Output()
    state = State(carrier="f8", modulator="f8", last="f8", before="f8")

    @kernel
    def process(state, freq, ratio, index, feedback, amp, out):
        # In float64, because a large index would make the rounding of a float32 phase audible.
        carrier, modulator, last, before = state.carrier, state.modulator, state.last, state.before
        serial = moves(freq) + moves(ratio)
        for i in range(out.size):
            serial += feedback[i] != 0
        step = limited(freq[0], 0, RATE / 2) * (1 / RATE)
        faster = step * limited(ratio[0], 0, 32)
        if serial == 0:
            for i in range(out.size):
                moved = limited(index[i], -100, 100) * RADIAN * sin_turns(modulator + i * faster)
                out[i] = sin_turns(carrier + i * step + moved)
            if out.size > 1:
                last = sin_turns(modulator + (out.size - 2) * faster)
            before, last = last, sin_turns(modulator + (out.size - 1) * faster)
            carrier += out.size * step
            modulator += out.size * faster
        else:
            for i in range(out.size):
                own = limited(feedback[i], 0, 1) * (RADIAN / 2) * (last + before)
                before, last = last, sin_turns(modulator + own)
                out[i] = sin_turns(carrier + limited(index[i], -100, 100) * RADIAN * last)
                step = limited(freq[i], 0, RATE / 2) * (1 / RATE)
                carrier += step
                modulator += step * limited(ratio[i], 0, 32)
        for i in range(out.size):
            out[i] *= sound(amp[i])
        state.carrier, state.modulator = carrier - np.floor(carrier), modulator - np.floor(modulator)
        state.last, state.before = last, before
