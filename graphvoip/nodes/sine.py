import numpy as np

from ..kernel import kernel, sin_turns, sound
from ..node import Node, Output, Signal, State
from ..rings import RATE

TURN = float(1 << 52)
PART = np.float32(2.0**-32)


class Sine(Node):
    """Sine oscillator. It begins at phase 0.

    >>> Sine(freq=440 + Sine(freq=6, amp=10), amp=0.5)
    """

    group = "sources"
    known_as = (
        "vco, oscillator, sinus, sinusoid, tone generator, test tone, sub oscillator, sub bass, operator, "
        "nco, tzfm, through-zero fm"
    )
    freq = Signal(
        440.0, "Hz", -RATE / 2, RATE / 2, "pitch; below 0 it runs backwards, and a wire may go beyond, for FM"
    )
    amp = Signal(1.0, "x", doc="level; 1 is full scale")
    out = Output()
    state = State(phase="f8")

    @kernel
    def process(state, freq, amp, out):
        # First the phase, in float64, then the polynomial: each loop vectorises. A phase that runs with another step at
        # every sample cannot, so a pitch that stays has a loop of its own.
        phase, step = state.phase, np.float64(sound(freq[0])) * (1 / RATE)
        moves = 0
        for i in range(out.size):
            moves += freq[i] != freq[0]
        if moves == 0:
            for i in range(out.size):
                turns = phase + i * step
                out[i] = turns - np.floor(turns)
            phase += out.size * step
            state.phase = phase - np.floor(phase)
            for i in range(out.size):
                out[i] = sound(amp[i]) * sin_turns(out[i])
        else:
            # In whole numbers, 1 << 52 to a turn: they are added in a third of the time, and run round by themselves.
            place, places = np.int64(phase * TURN), out.view(np.int32)
            for i in range(out.size):
                places[i] = np.int32(place >> 20)
                place += np.int64(sound(freq[i]) * (TURN / RATE))
            state.phase = (place & ((1 << 52) - 1)) / TURN
            for i in range(out.size):
                out[i] = sound(amp[i]) * sin_turns(np.float32(places[i]) * PART)
