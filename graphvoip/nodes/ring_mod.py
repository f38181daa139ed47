import numpy as np

from ..dsp import turned
from ..kernel import kernel, sin_turns
from ..node import Node, Output, Signal, State
from ..rings import RATE

ZERO, ONE = np.float32(0), np.float32(1)


class RingMod(Node):
    """Multiply a sound by a sine: each of its tones becomes two, at the sum and at the difference of the frequencies.

    About 30 Hz is the classic robot voice, some 100 Hz make bells. For another carrier multiply: `voice * carrier`.

    >>> RingMod(voice, freq=30)
    """

    group = "dynamics"
    known_as = (
        "ring modulator, ring modulation, ring, balanced modulator, dalek, am, amplitude modulation, tremolo, "
        "robot voice"
    )
    input = Signal(None, doc="what is multiplied")
    freq = Signal(30.0, "Hz", 0, RATE / 2, "pitch of the sine")
    mix = Signal(1.0, "x", 0, 1, "0 is the input alone, 1 the product alone")
    out = Output("the product")
    state = State(phase="f8")

    @kernel
    def process(state, input, freq, mix, out):
        state.phase = turned(state.phase, freq, 0, RATE / 2, out)
        for i in range(out.size):
            m = mix[i] if mix[i] > ZERO else ZERO
            m = m if m < ONE else ONE
            out[i] = input[i] * (ONE - m + m * sin_turns(out[i]))
