import numpy as np

from ..dsp import REACH, TAPS, jump, moves, taken
from ..kernel import kernel, limited
from ..node import Node, Output, Signal, State
from ..rings import FRAME, RATE


class Saw(Node):
    """Sawtooth oscillator with few aliases: it rises from -1 to 1 and falls at once; it begins at 0, rising.

    The falls are band-limited steps (Brandt, "Hard sync without aliasing", 2001): a windowed sinc of 16 samples. Such a
    wave swings a little beyond 1 beside a fall. It follows its pitch 1 ms late.

    At any pitch its aliases are 65 dB below the fundamental up to 3000 Hz, 32 dB up to 3400 Hz, where a telephone ends,
    and 12 dB at worst, just below 4000 Hz.

    >>> Biquad(Saw(freq=110), freq=900, q=4) * 0.4
    """

    group = "sources"
    known_as = "vco, oscillator, sawtooth, ramp wave, dco, 303, acid bass, virtual analog"
    freq = Signal(440.0, "Hz", 0, RATE / 2, "pitch")
    amp = Signal(1.0, "x", doc="level; 1 is full scale")
    out = Output()
    state = State(phase="f8", begun="i8", line=("f4", FRAME + 2 * TAPS))

    @kernel
    def process(state, freq, amp, out):
        # A step sounds from REACH samples before it on, so the phase is that far ahead of what is heard. In the first
        # piece it is run up to there.
        line, phase, step = state.line, state.phase, limited(freq[0], 0, RATE / 2) / RATE
        lead = TAPS if state.begun == 0 else 0
        if lead > 0:
            phase = 0.5 - REACH * step - np.floor(0.5 - REACH * step)
            state.begun = 1
        size = lead + out.size
        if moves(freq) == 0:
            # Straight lines from one fall to the next.
            at, falls = 0, 0.0
            while at <= size:
                fall = (falls + 1 - phase) / step
                end = max(at, np.int64(np.ceil(fall))) if fall <= size else size
                start = 2 * (phase - falls) - 1
                for i in range(at, end):
                    line[REACH + i] += np.float32(start + i * (2 * step))
                if not fall <= size:
                    break
                jump(line, end, end - fall, -2.0)
                at = end
                falls += 1
            phase += size * step - falls
        else:
            for i in range(size):
                line[REACH + i] += np.float32(2 * phase - 1)
                step = limited(freq[max(0, i - lead)], 0, RATE / 2) / RATE
                phase += step
                if phase >= 1:
                    phase -= 1
                    jump(line, i + 1, phase / step, -2.0)
        state.phase = phase
        taken(line, lead, amp, out)
