from ..kernel import HUGE, kernel, limited, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

FASTEST = 1e9  # per second: a jump


class Slew(Node):
    """Limit how fast a signal may change, upwards and downwards: a glide between pitches, a gate without a click.

    It moves in a straight line, and what moves slower than that passes unchanged. A fault leaves it where it is.

    >>> Sine(freq=Slew(Lfo(freq=2, low=300, high=900, shape="square"), rise=4000, fall=2000), amp=0.5)
    """

    group = "control"
    known_as = "portamento, glide, lag, slew limiter, glissando, slide, smoothing, integrator"
    input = Signal(None, doc="where it goes")
    rise = Signal(10.0, "x/s", 0, FASTEST, "how fast it may rise")
    fall = Signal(10.0, "x/s", 0, FASTEST, "how fast it may fall")
    begin = Option(None, "the value that it comes from at the start; without it the input's first", low=-1e6, high=1e6)
    out = Output()
    state = State(level="f8", fresh="i8")

    def start(self):
        self.state["fresh"] = self.begin is None
        self.state["level"] = 0.0 if self.begin is None else self.begin

    @kernel
    def process(state, input, rise, fall, out):
        level = state.level
        if state.fresh:
            level = limited(sound(input[0]), -1e6, 1e6)
            state.fresh = 0
        for i in range(out.size):
            up = level + limited(rise[i], 0.0, FASTEST) * (1 / RATE)
            down = level - limited(fall[i], 0.0, FASTEST) * (1 / RATE)
            level = limited(input[i], down, up) if abs(input[i]) < HUGE else level
            out[i] = level
        state.level = level
