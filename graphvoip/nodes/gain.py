from ..kernel import kernel
from ..node import Node, Output, Signal


class Gain(Node):
    """Multiply a signal.

    >>> Gain(Saw(freq=220), Lfo(freq=2, low=0, high=0.5))
    """

    group = "dynamics"
    known_as = "vca, volume, amplifier, attenuator, attenuverter, fader, level, am, amplitude modulation"
    input = Signal(None, doc="what is made louder or softer")
    gain = Signal(1.0, "x", doc="1 leaves the level alone")
    out = Output()

    @kernel
    def process(input, gain, out):
        for i in range(out.size):
            out[i] = input[i] * gain[i]
