from ..kernel import kernel, limited, sound
from ..node import Node, Output, Signal, State
from ..rings import RATE


class RateCrush(Node):
    """Take a sample so many times a second and hold it, as a cheap sampler does; what is too high for that folds down.

    The first sample is taken at once. At 8000 Hz and above every sample is taken, and at 0 none: the last one stays. A
    fault in the input is held as silence.

    >>> RateCrush(voice, rate=1500)
    """

    group = "dynamics"
    known_as = "sample rate reducer, downsampler, decimator, lo-fi, aliasing, sample rate reduction, 8-bit"
    input = Signal(None, doc="what is sampled")
    rate = Signal(2000.0, "Hz", 0, RATE, "how many samples a second are taken")
    out = Output("steps")
    state = State(phase="f8", held="f4")

    def start(self):
        self.state["phase"] = 1.0

    @kernel
    def process(state, input, rate, out):
        phase, held = state.phase, state.held
        for i in range(out.size):
            if phase >= 1:
                phase -= 1
                held = sound(input[i])
            out[i] = held
            phase += limited(rate[i], 0, RATE) * (1 / RATE)
        state.phase, state.held = phase, held
