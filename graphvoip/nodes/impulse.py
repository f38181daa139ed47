from ..kernel import kernel, limited, sound
from ..node import Node, Output, Signal, State
from ..rings import RATE


class Impulse(Node):
    """A train of clicks, each of them one sample.

    The first comes at once, click n after n / freq seconds, at the nearest sample. Every click is a trigger,
    so it is a clock too. At 0 Hz there is one click, at the start.

    >>> Biquad(Impulse(freq=4), freq=900, q=20, kind="bandpass") * 8
    """

    group = "sources"
    known_as = "click, pulse train, trigger generator, dirac, metronome"
    freq = Signal(10.0, "Hz", 0, RATE / 2, "clicks a second")
    amp = Signal(1.0, "x", doc="value of a click")
    out = Output()
    state = State(phase="f8", begun="i8")

    @kernel
    def process(state, freq, amp, out):
        # A click is due at phase 1; half a step before it this sample is the nearest one.
        phase = state.phase if state.begun > 0 else 1.0
        state.begun = 1
        for i in range(out.size):
            step = limited(freq[i], 0, RATE / 2) / RATE
            due = phase + 0.5 * step >= 1
            phase += step - 1 if due else step
            out[i] = sound(amp[i]) if due else 0
        state.phase = phase
