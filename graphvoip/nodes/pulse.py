import numpy as np

from ..dsp import REACH, TAPS, jump, taken
from ..kernel import kernel, limited
from ..node import Node, Output, Signal, State
from ..rings import FRAME, RATE


class Pulse(Node):
    """Pulse oscillator with few aliases: 1 for `width` of each turn, -1 for the rest; 0.5 is a square.

    It begins with its rise. Its mean is 2 * width - 1, as that of any such wave; put a DcBlock after it where that
    disturbs. Its edges are band-limited steps (Brandt, "Hard sync without aliasing", 2001): a windowed sinc of 16
    samples. Such a wave swings a little beyond 1 beside an edge. It follows its pitch and its width 1 ms late.

    At any pitch the aliases of a square are 65 dB below the fundamental up to 3000 Hz, 38 dB up to 3400 Hz, where a
    telephone ends, and 15 dB at worst, just below 4000 Hz; of a narrow pulse, whose fundamental is weak, 57, 26 and 6.

    >>> Pulse(freq=110, width=Sine(freq=0.7, amp=0.4) + 0.5, amp=0.3)
    """

    group = "sources"
    known_as = "vco, oscillator, square, square wave, rectangle, pwm, pulse width modulation, 303, dco"
    freq = Signal(440.0, "Hz", 0, RATE / 2, "pitch")
    width = Signal(0.5, "turns", 0.01, 0.99, "how much of a turn it is up")
    amp = Signal(1.0, "x", doc="level; 1 is full scale")
    out = Output()
    state = State(phase="f8", level="f8", line=("f4", FRAME + 2 * TAPS))

    @kernel
    def process(state, freq, width, amp, out):
        # A step sounds from REACH samples before it on, so the phase is that far ahead of what is heard. In the first
        # piece, when there is no level yet, it is run up to there.
        line, phase, level = state.line, state.phase, state.level
        lead = TAPS if level == 0 else 0
        if lead > 0:
            phase = -REACH * (limited(freq[0], 0, RATE / 2) / RATE)
            phase -= np.floor(phase)
            level = 1.0 if phase < limited(width[0], 0.01, 0.99) else -1.0
        size = lead + out.size
        for i in range(size):
            line[REACH + i] += np.float32(level)
            k = max(0, i - lead)
            step, up = limited(freq[k], 0, RATE / 2) / RATE, limited(width[k], 0.01, 0.99)
            phase += step
            # It falls once a turn, so that a width that moves makes no edges of its own.
            if level > 0 and phase >= up:
                level = -1.0
                jump(line, i + 1, (phase - up) / step, -2.0)
            if phase >= 1:
                phase -= 1
                level = 1.0
                jump(line, i + 1, phase / step, 2.0)
                if phase >= up:
                    level = -1.0
                    jump(line, i + 1, (phase - up) / step, -2.0)
        state.phase, state.level = phase, level
        taken(line, lead, amp, out)
