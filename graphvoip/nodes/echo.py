import numpy as np

from ..delay_lines import DELAY_LINE, FIRST, DelayLine, block_of, size_and_most, warn_if_held
from ..dsp import between
from ..kernel import floats_at, kernel, limited, sound
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import RATE

LEAST = 0.001  # s; the interpolation needs 2 samples
GLIDE = 1 - np.exp(-1 / (0.05 * RATE))  # a new time is reached with a time constant of 50 ms
SPEED = 0.5  # and no faster than this: the pitch stays within 0.5 and 1.5 of itself


class Echo(Node):
    """Repeat a sound again and again, each time softer and duller.

    The first echo is as bright as the sound, each further one has been through the tone filter, a one-pole lowpass,
    once more. The time is rounded to a sample; a new one is glided to, as on a tape that changes its speed. A fault in
    the input leaves no echo.

    Its memory follows `time`: a number, a parameter, a score and arithmetic with them, also when they are changed while
    it sounds. Of other wires nothing is known: they are held within `longest`, and a call warns of it.

    >>> Echo(voice, time=0.2, feedback=0.6)
    """

    group = "time"
    known_as = "delay, tape echo, space echo, feedback delay, dub, slapback, repeats, bbd"
    input = Signal(None, doc="what is repeated")
    time = Signal(0.3, "s", LEAST, 60, "from one echo to the next")
    feedback = Signal(0.5, "x", 0, 0.99, "level of an echo, relative to the one before it")
    tone = Signal(2500.0, "Hz", 20, RATE / 2, "corner of the lowpass between two echoes; 4000 is none")
    mix = Signal(0.35, "x", 0, 1, "0 is the input alone, 1 its echoes alone")
    longest = Option(1.0, "memory: the longest time of a wire of which nothing is known", unit="s", low=0.01, high=60)
    out = Output("the sound and its echoes")
    held = Event("the time is longer than the memory and held there, once; its milliseconds. A call warns of it")
    state = State(late="f8", low="f8", tone_="f4", corner="f8", **DELAY_LINE)

    def start(self):
        self.line = DelayLine(self, extra=8)
        self.state["tone_"] = np.nan  # other than any value: the first sample computes

    def prepare(self):
        self.line.make_room()

    def join(self, graph):
        graph.listen(self, "held", lambda sample, value: self.line.warn(graph.name, value))

    @kernel
    def process(state, input, time, feedback, tone, mix, out):
        block = block_of(state, 0)
        size, most = size_and_most(block)
        warn_if_held(state, time, most)
        at, mask, late, low = state.at, size - 1, state.late, state.low
        line = floats_at(block + FIRST, size)
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
