from ..dsp import TELEPHONE, telephone
from ..kernel import HUGE, kernel, sound
from ..node import Node, Output, Signal, State


class PhoneBand(Node):
    """The band of a telephone: 300 to 3400 Hz, as a telephone exchange lets it pass (after ITU-T G.712).

    At 300 and 3400 Hz it is at -3 dB, between 330 and 3300 even to 0.3 dB; at 200 Hz it is at -34 dB, at 3800 Hz at
    -46 dB. It makes anything sound as from far away; put a Drive before it for a bad line. It is a Chebyshev highpass
    of order 6 and a lowpass of order 4. A fault in the input passes by and is not remembered.

    >>> PhoneBand(voice)
    """

    group = "filters"
    known_as = "telephone effect, bandpass, bandlimit, telephone band, radio, lo-fi, narrowband, walkie-talkie"
    input = Signal(None, doc="what goes through the telephone")
    out = Output()
    state = State(z=("f8", (len(TELEPHONE), 2)))

    @kernel
    def process(state, input, out):
        for i in range(out.size):
            out[i] = sound(input[i])
        telephone(out, state.z)
        for i in range(out.size):
            out[i] = out[i] if abs(input[i]) < HUGE else input[i]
