import numpy as np

from ..dsp import between
from ..kernel import floats_at, kernel, limited, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

LEAST = 0.001  # s; the interpolation needs 2 samples
GLIDE = 1 - np.exp(-1 / (0.05 * RATE))  # a new time is reached with a time constant of 50 ms
SPEED = 0.5  # and no faster than this: the pitch stays within 0.5 and 1.5 of itself


class Echo(Node):
    """Repeat a sound again and again, each time softer and duller.

    The first echo is as bright as the sound, each further one has been through the tone filter, a one-pole lowpass,
    once more. The time is rounded to a sample; a new one is glided to, as on a tape that changes its speed. A fault in
    the input leaves no echo.

    >>> Echo(voice, time=0.2, feedback=0.6)
    """

    group = "time"
    input = Signal(None, doc="what is repeated")
    time = Signal(0.3, "s", LEAST, 60, "from one echo to the next; held within 0.001 and `longest`")
    feedback = Signal(0.5, "x", 0, 0.99, "level of an echo, relative to the one before it")
    tone = Signal(2500.0, "Hz", 20, RATE / 2, "corner of the lowpass between two echoes; 4000 is none")
    mix = Signal(0.35, "x", 0, 1, "0 is the input alone, 1 its echoes alone")
    longest = Option(
        1.0,
        "memory: the longest time that it can make; a number given as `time` brings its own",
        unit="s",
        low=0.01,
        high=60,
    )
    out = Output("the sound and its echoes")
    state = State(line_="i8", size="i8", at="i8", most="f8", late="f8", low="f8", tone_="f4", corner="f8")

    def start(self):
        time = self.wires["time"]
        longest = max(self.longest, time) if isinstance(time, float) else self.longest
        size = 1 << int(longest * RATE + 8).bit_length()
        self.line = np.zeros(size, np.float32)
        self.state["line_"], self.state["size"] = self.line.ctypes.data, size
        self.state["most"] = longest * RATE
        self.state["tone_"] = np.nan  # other than any value: the first sample computes

    @kernel
    def process(state, input, time, feedback, tone, mix, out):
        at, mask, most, late, low = state.at, state.size - 1, state.most, state.late, state.low
        line = floats_at(state.line_, state.size)
        tone_, corner = state.tone_, state.corner
        for i in range(out.size):
            if tone[i] != tone_:
                tone_ = tone[i]
                hertz = limited(tone_, 20, RATE / 2)
                corner = 1 - np.exp(-2 * np.pi / RATE * hertz) if hertz < RATE / 2 else 1.0
            target = np.floor(limited(time[i] * np.float64(RATE), LEAST * RATE, most) + 0.5)
            late = late if late > 0 else target  # the first sample of all: begin there
            step = min(max((target - late) * GLIDE, -SPEED), SPEED)
            late = late + step if abs(target - late) > 1e-3 else target
            y = between(line, mask, at, late)  # a whole number of samples passes bit for bit
            low += corner * (y - low)
            line[at & mask] = sound(input[i]) + limited(feedback[i], 0, 0.99) * low
            m = limited(mix[i], 0, 1)
            out[i] = (1 - m) * input[i] + m * y
            at += 1
        state.at, state.late, state.low, state.tone_, state.corner = at, late, low, tone_, corner
