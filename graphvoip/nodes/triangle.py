import numpy as np

from ..dsp import REACH, TAPS, moves, taken, turn
from ..kernel import kernel, limited
from ..node import Node, Output, Signal, State
from ..rings import FRAME, RATE


class Triangle(Node):
    """Triangle oscillator with few aliases. It begins at 0, rising.

    Its corners are band-limited ramps (Esqueda, Välimäki and Bilbao, "Rounding corners with BLAMP", 2016): a windowed
    sinc of 16 samples, integrated twice, so there is no integrator that could drift. It follows its pitch 1 ms late.

    At any pitch its aliases are 65 dB below the fundamental up to 3000 Hz, 47 dB up to 3400 Hz, where a telephone ends,
    and 25 dB at worst, just below 4000 Hz.

    >>> Triangle(freq=Sine(freq=5, amp=12) + 330, amp=0.6)
    """

    group = "sources"
    known_as = "vco, oscillator, triangle wave, dco, sub oscillator, virtual analog"
    freq = Signal(440.0, "Hz", 0, RATE / 2, "pitch")
    amp = Signal(1.0, "x", doc="level; 1 is full scale")
    out = Output()
    state = State(phase="f8", way="f8", line=("f4", FRAME + 2 * TAPS))

    @kernel
    def process(state, freq, amp, out):
        # The phase counts half turns, one for each side of the triangle; `way` is 1 on the side that rises, else -1.
        # A corner sounds from REACH samples before it on, so the phase is that far ahead of what is heard. In the first
        # piece, when there is no way yet, it is run up to there.
        line, phase, way, step = state.line, state.phase, state.way, limited(freq[0], 0, RATE / 2) / (RATE / 2)
        lead = TAPS if way == 0 else 0
        if lead > 0:
            phase = 0.5 - REACH * step
            sides = np.floor(phase)
            way = 1.0 if sides == 2 * np.floor(sides / 2) else -1.0
            phase -= sides
        size = lead + out.size
        if moves(freq) == 0:
            # Straight lines from one corner to the next.
            at, sides = 0, 0.0
            while at <= size:
                corner = (sides + 1 - phase) / step
                end = max(at, np.int64(np.ceil(corner))) if corner <= size else size
                start, slope = way * (2 * (phase - sides) - 1), way * (2 * step)
                for i in range(at, end):
                    line[REACH + i] += np.float32(start + i * slope)
                if not corner <= size:
                    break
                way = -way
                turn(line, end, end - corner, way * (4 * step))
                at = end
                sides += 1
            phase += size * step - sides
        else:
            for i in range(size):
                line[REACH + i] += np.float32(way * (2 * phase - 1))
                step = limited(freq[max(0, i - lead)], 0, RATE / 2) / (RATE / 2)
                phase += step
                if phase >= 1:
                    phase -= 1
                    way = -way
                    turn(line, i + 1, phase / step, way * (4 * step))
        state.phase, state.way = phase, way
        taken(line, lead, amp, out)
