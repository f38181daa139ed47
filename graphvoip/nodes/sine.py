import numpy as np

from ..kernel import kernel, sin_turns
from ..node import Node, Output, Signal, State
from ..rings import RATE


class Sine(Node):
    """Sine oscillator. It begins at phase 0."""

    group = "sources"
    freq = Signal(440.0, "Hz", 0, RATE / 2, "pitch")
    amp = Signal(1.0, "x", doc="level; 1 is full scale")
    out = Output()
    state = State(phase="f8")

    @kernel
    def process(state, freq, amp, out):
        # First the phase, in float64, then the polynomial: each loop vectorises. A phase that runs with another step at
        # every sample cannot, so a pitch that stays has a loop of its own.
        phase, step = state.phase, np.float64(freq[0]) * (1 / RATE)
        moves = 0
        for i in range(out.size):
            moves += freq[i] != freq[0]
        if moves == 0:
            for i in range(out.size):
                turns = phase + i * step
                out[i] = turns - np.floor(turns)
            phase += out.size * step
        else:
            for i in range(out.size):
                out[i] = phase - np.floor(phase)
                phase += freq[i] * (1 / RATE)
        state.phase = phase - np.floor(phase) if abs(phase) < np.inf else 0.0
        for i in range(out.size):
            out[i] = amp[i] * sin_turns(out[i])
