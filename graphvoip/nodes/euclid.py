import numpy as np
from numba import njit

from ..kernel import HUGE, OPTIONS, kernel, limited
from ..node import Node, Output, Signal, State

MOST = 64  # steps: a rhythm is the bits of one word


@njit(**OPTIONS)
def rhythm(hits, steps):
    """`hits` ones spread over `steps` bits, the first step in the highest of them; by Bjorklund's method.

    It begins with the ones and the zeros as two kinds of groups. Each of the first takes one of the second behind it,
    and what is left over is the new second kind; and so on, as long as there is more than one of that.
    """
    first, first_size, firsts = np.int64(1), 1, hits
    second, second_size, seconds = np.int64(0), 1, steps - hits
    enough = 0
    while seconds > enough and firsts > 0:
        enough = 1
        pairs = min(firsts, seconds)
        joined = first << second_size | second
        if firsts > seconds:
            rest, rest_size, rests = first, first_size, firsts - pairs
        else:
            rest, rest_size, rests = second, second_size, seconds - pairs
        first, first_size, firsts = joined, first_size + second_size, pairs
        second, second_size, seconds = rest, rest_size, rests
    word = np.int64(0)
    for _ in range(firsts):
        word = word << first_size | first
    for _ in range(seconds):
        word = word << second_size | second
    return word


class Euclid(Node):
    """A Euclidean rhythm: so many hits, spread as evenly as can be over so many steps; each trigger is a step.

    3 hits over 8 steps are x..x..x. and 5 are x.xx.xx. (Bjorklund's method; Toussaint, 2005). A hit lets the trigger
    pass as it came in, a gate with its length and its velocity. The three numbers are rounded; they are looked at when
    a step comes.

    >>> Sine(freq=330) * Euclid(Clock(tempo=120).gate, hits=3, steps=8) * 0.5
    """

    group = "control"
    known_as = "euclidean rhythm, drum pattern, rhythm generator, bjorklund, beat"
    trigger = Signal(None, "trigger", doc="each rise is a step; triggers or gates")
    hits = Signal(3.0, "x", 0, MOST, "how many of the steps are hits")
    steps = Signal(8.0, "x", 1, MOST, "after so many steps it begins again")
    rotate = Signal(0.0, "x", -MOST, MOST, "by so many steps the rhythm is later")
    reset = Signal(0.0, "trigger", doc="the next step is the first one again")
    out = Output("the triggers that are hits")
    state = State(at="i8", passes="i8", trigger_="i8", reset_="i8", hits_="i8", steps_="i8", word="i8")

    @kernel
    def process(state, trigger, hits, steps, rotate, reset, out):
        at, passes, was, was_reset = state.at, state.passes, state.trigger_, state.reset_
        for i in range(out.size):
            if reset[i] > 0 and was_reset == 0:
                at = 0
            was_reset = np.int64(reset[i] > 0)
            if trigger[i] > 0:
                if was == 0:
                    n = np.int64(limited(steps[i], 1, MOST) + 0.5)
                    k = min(n, np.int64(limited(hits[i], 0, MOST) + 0.5))
                    later = np.int64(np.floor(limited(rotate[i], -MOST, MOST) + 0.5))
                    if k != state.hits_ or n != state.steps_:
                        state.hits_, state.steps_, state.word = k, n, rhythm(k, n)
                    at = at if at < n else 0
                    step = (at - later + MOST * n) % n
                    passes = state.word >> (n - 1 - step) & 1
                    at += 1
                value = trigger[i] if trigger[i] < HUGE else HUGE
                out[i] = value if passes > 0 else np.float32(0)
                was = 1
            else:
                out[i] = 0
                was = 0
        state.at, state.passes, state.trigger_, state.reset_ = at, passes, was, was_reset
