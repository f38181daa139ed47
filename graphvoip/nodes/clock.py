import numpy as np

from ..kernel import kernel, limited
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

# The place within two ticks is a whole number of these parts of a tick. Whole numbers add up exactly: the clock does
# not drift, and a tick that falls on a sample is there whatever the pieces a frame is made in.
TICK = 1 << 60
FASTEST = 1000  # beats a minute: with 96 ticks a beat there are 5 samples between ticks
NEVER_LATE = 1 + 1e-13  # a step is made longer by so much, lest a tick that falls on a sample comes one later


class Clock(Node):
    """Beats: `per_beat` ticks for each beat of the tempo, the first at once; for sequencers, rhythms and envelopes.

    Ticks go in pairs, and `swing` holds back the second of each pair: 0.333 is the swing of a triplet. A tick is at the
    first sample at which its time has come. Tempo 0 stops the clock.

    >>> Sine(freq=880) * Clock(tempo=120, swing=0.333).gate * 0.5
    """

    group = "control"
    known_as = "metronome, tempo, bpm, master clock, swing, shuffle, pulse generator, midi clock"
    tempo = Signal(120.0, "bpm", 0, FASTEST, "beats a minute")
    swing = Signal(0.0, "x", 0, 0.5, "by how much of a tick the second of each pair is late")
    reset = Signal(0.0, "trigger", doc="begins again with the first tick of a pair")
    per_beat = Option(4, "ticks for each beat", low=1, high=96)
    out = Output("a trigger: 1 at the sample of each tick")
    gate = Output("1 for the first half of each tick")
    phase = Output("how much of the tick has passed, 0 to 1")
    state = State(place="i8", ticks="i8", began="i8", reset_="i8", factor="f8")

    def start(self):
        self.state["factor"] = self.per_beat / (60 * RATE) * NEVER_LATE * TICK

    @kernel
    def process(state, tempo, swing, reset, out, gate, phase):
        # ticks: how many of the pair have been, 1 or 2.
        place, ticks, began, was, factor = state.place, state.ticks, state.began, state.reset_, state.factor
        for i in range(out.size):
            # A float32 may be a little more than the swing that was meant.
            second = TICK + np.int64(limited(swing[i], 0, 0.5) * ((1 - 1e-7) * TICK))
            tick = began == 0
            began = 1
            if reset[i] > 0 and was == 0:
                place, tick = 0, True
            elif place >= 2 * TICK:
                place -= 2 * TICK
                tick = True
            ticks = 1 if tick else ticks
            if ticks == 1 and place >= second:
                ticks, tick = 2, True
            was = np.int64(reset[i] > 0)
            passed, whole = (place, second) if ticks == 1 else (max(0, place - second), 2 * TICK - second)
            out[i] = tick
            gate[i] = passed < whole >> 1
            phase[i] = np.float64(passed) / np.float64(whole)
            place += np.int64(limited(tempo[i], 0, FASTEST) * factor)
        state.place, state.ticks, state.began, state.reset_ = place, ticks, began, was
