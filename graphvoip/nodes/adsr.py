import numpy as np
from numba import njit

from ..kernel import OPTIONS, event, exp2, kernel, limited
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import RATE

CURVES = ("linear", "exponential")
REST, ATTACK, DECAY, SUSTAIN, RELEASE = range(5)
FLOOR = 1e-3  # an exponential's rest when its time is over, -60 dB; it is taken off, so that it ends at its target
LONGEST = 60.0  # seconds


@njit(**OPTIONS)
def samples(seconds):
    """A stage's length."""
    return np.int64(limited(seconds, 0.0, LONGEST) * RATE + 0.5)


@njit(**OPTIONS)
def straight(block, at, size, a, b):
    """A piece of the line from a to b that has come to `at` of its size; and what the sample after it would be."""
    step = (b - a) / size
    begin = a + at * step
    for i in range(block.size):
        block[i] = begin + i * step
    return begin + block.size * step


@njit(**OPTIONS)
def falling(block, at, size, a, b):
    """The same of an exponential: fast at first."""
    turns = np.log2(FLOOR) / size
    begin, scale = b - (a - b) * (FLOOR / (1 - FLOOR)), (a - b) * (1 / (1 - FLOOR))
    for i in range(block.size):
        block[i] = begin + scale * exp2(np.float32((at + i) * turns))
    return begin + scale * 2.0 ** ((at + block.size) * turns)


class Adsr(Node):
    """The envelope of a note: attack, decay and sustain while the gate is on, then release.

    The sample at which the gate rises still has the level from before; `attack` later, to the sample, the peak is
    reached, `decay` after that the sustain, and `release` after the gate's fall 0. A time is taken when its stage
    begins, the sustain's level when the decay does. The peak is the gate's value at the rise, at most 1, and the
    sustain is a share of it. A gate that comes back, however soon, goes on from the level that there is, without a
    click.

    >>> Sine(freq=440) * Adsr(Lfo(freq=2, shape="square"), attack=0.02, release=0.2)
    """

    group = "control"
    known_as = "envelope generator, eg, envelope, env, attack decay sustain release, contour, asr, vca envelope"
    gate = Signal(None, "gate", doc="the note lasts while it is above 0; its value at the rise is the peak")
    attack = Signal(0.01, "s", 0, LONGEST, "from the gate's rise to the peak")
    decay = Signal(0.1, "s", 0, LONGEST, "from the peak to the sustain")
    sustain = Signal(0.7, "x", 0, 1, "level while the gate is on, as a share of the peak")
    release = Signal(0.3, "s", 0, LONGEST, "from the gate's fall to 0")
    curve = Option("exponential", "of decay and release: fast at first, or straight; an attack is straight", CURVES)
    out = Output()
    done = Event("a release is over: it is 0 from this sample on")
    state = State(curve_="i8", stage="i8", was="i8", at="i8", size="i8", level="f8", a="f8", b="f8", peak="f8")

    def start(self):
        self.state["curve_"] = CURVES.index(self.curve)

    @kernel
    def process(state, gate, attack, decay, sustain, release, out):
        # A stage runs on in one loop, up to its end or to the gate's next edge. `level` is what the stage of the sample
        # before leads to.
        stage, was, at, size, level = state.stage, state.was, state.at, state.size, state.level
        a, b, peak = state.a, state.b, state.peak
        moves = 0
        for i in range(out.size):
            moves += (1 if gate[i] > 0 else 0) != was
        i = 0
        while i < out.size:
            on = 1 if gate[i] > 0 else 0
            if on > was:
                peak = limited(gate[i], 0.0, 1.0)
                stage, a, b, at, size = ATTACK, level, peak, 0, samples(attack[i])
            elif on < was:
                stage, a, b, at, size = RELEASE, level, 0.0, 0, samples(release[i])
            was = on
            if stage == ATTACK and at >= size:
                level = peak
                stage, a, b, at, size = DECAY, peak, peak * limited(sustain[i], 0.0, 1.0), 0, samples(decay[i])
            if stage == DECAY and at >= size:
                stage, level = SUSTAIN, b
            if stage == RELEASE and at >= size:
                stage, level = REST, 0.0
                if state.done == 0:
                    state.done = event(i)
            until = i + 1 if moves else out.size
            while until < out.size and (gate[until] > 0) == (on == 1):
                until += 1
            if stage in (REST, SUSTAIN):
                out[i:until] = level
            else:
                until = min(until, i + size - at)
                block = out[i:until]
                if state.curve_ == 1 and stage != ATTACK:
                    level = falling(block, at, size, a, b)
                else:
                    level = straight(block, at, size, a, b)
                at += until - i
            i = until
        state.stage, state.was, state.at, state.size, state.level = stage, was, at, size, level
        state.a, state.b, state.peak = a, b, peak
