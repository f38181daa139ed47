import numpy as np

from ..kernel import kernel, sin_turns
from ..node import Node, Output, Signal, State
from ..rings import RATE


class Sine(Node):
    """Sine oscillator. It begins at phase 0."""

    freq = Signal(440.0, "Hz", 0, RATE / 2, "pitch")
    amp = Signal(1.0, "x", doc="level; 1 is full scale")
    out = Output()
    state = State(phase="f8")

    @kernel
    def process(state, freq, amp, out):
        # Two loops: the phase runs through the samples in float64, the polynomial after it vectorises.
        phase = state.phase
        for i in range(out.size):
            out[i] = phase - np.floor(phase)
            phase += freq[i] * (1 / RATE)
        state.phase = phase - np.floor(phase)
        for i in range(out.size):
            out[i] = amp[i] * sin_turns(out[i])
