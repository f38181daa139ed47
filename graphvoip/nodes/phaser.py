import numpy as np

from ..dsp import turned
from ..kernel import HUGE, exp2, floats_at, kernel, limited, sin_turns, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import FRAME, RATE

LOWEST, HIGHEST = 20.0, 3900.0
MOST = 12  # stages


class Phaser(Node):
    """Notches, one for every two stages, that a built-in LFO sweeps up and down.

    A chain of allpass filters turns the phase, and where it has turned by half the sum with the input is silent: for n
    stages at tan(pi f / 8000) = tan(pi freq / 8000) tan(k pi / 2 n), k = 1, 3 .. At mix 0.5 the notches are complete
    whatever the feedback, and the peaks between them are 1 / (1 - feedback) high. The stages are normalized, so that
    no sweep, however fast, makes energy. A fault in the input passes by and is not remembered.

    >>> Phaser(Noise(), rate=0.5, feedback=0.6) * 0.3
    """

    group = "time"
    known_as = "phase shifter, phase 90, leslie, univibe, uni-vibe, allpass chain, swirl"
    input = Signal(None, doc="what is phased")
    rate = Signal(0.4, "Hz", 0, 20, "how often the notches sweep")
    freq = Signal(800.0, "Hz", LOWEST, HIGHEST, "the middle of the sweep: where a stage turns by a quarter")
    depth = Signal(1.5, "octaves", 0, 4, "how far it sweeps to either side")
    feedback = Signal(0.3, "x", -0.95, 0.95, "sharpens the peaks between the notches")
    mix = Signal(0.5, "x", 0, 1, "0 is the input alone, 1 the turned copy alone")
    stages = Option(4, "allpass filters in the chain", low=2, high=MOST)
    out = Output()
    state = State(room_="i8", phase="f8", stages_="i8", z=("f8", MOST))

    def start(self):
        self.room = np.zeros(FRAME, np.float32)  # the other coefficient, while out has the one
        self.state["room_"] = self.room.ctypes.data
        self.state["stages_"] = self.stages

    @kernel
    def process(state, input, rate, freq, depth, feedback, mix, out):
        other = floats_at(state.room_, FRAME)
        stages, z = state.stages_, state.z
        state.phase = turned(state.phase, rate, 0, 20, out)
        for i in range(out.size):
            swing = np.float32(limited(depth[i], 0, 4)) * sin_turns(out[i])
            f = np.float32(limited(freq[i], LOWEST, HIGHEST)) * exp2(swing)
            turns = np.float32(limited(f, LOWEST, HIGHEST) * (0.5 / RATE))
            s, c = sin_turns(turns), sin_turns(turns + np.float32(0.25))
            out[i] = (s - c) / (s + c)
            other[i] = np.float32(2) * np.sqrt(s * c) / (s + c)
        for i in range(out.size):
            a, b = np.float64(out[i]), np.float64(other[i])
            around = limited(feedback[i], -0.95, 0.95)
            # What comes out is sum + power * what goes in, and what goes in has what comes out in it: solved, so that
            # the way round has no delay.
            total, power = 0.0, 1.0
            for k in range(stages):
                held = z[k]
                z[k] = b * total - a * held
                total = a * total + b * held
                power *= a
            x = np.float64(sound(input[i]))
            v = (x + around * total) / (1 - around * power)
            part = v
            for k in range(stages):
                z[k] += b * part
                part *= a
            y = total + part
            m = limited(mix[i], 0, 1)
            out[i] = x + m * ((1 + around) * y - x) if abs(input[i]) < HUGE else input[i]
