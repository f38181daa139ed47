import numpy as np

from ..dsp import alike, joined
from ..kernel import HUGE, bipolar, floats_at, kernel, shuffled, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

GRAIN = 480  # samples, 60 ms: in them one grain goes and the next one comes
SPAN = 256  # samples that are compared
LAGS = 160  # places that are compared: a period of 50 Hz
EDGE = 160  # samples, 20 ms: from the input to what is held and back


class Freeze(Node):
    """Hold the present sound for as long as the gate is on: a vowel becomes a chord that does not end.

    When the gate goes on, the last `time` seconds are kept, and grains of them follow each other, each fading into the
    next over 60 ms. Where a grain begins is left to chance, but then moved to where it goes on in step with the one
    before (as SOLA does), so a tone stays a tone. The input goes by while the gate is off; in and out are faded over 20
    ms. A fault in the input passes by with the input, and is not remembered.

    >>> Freeze(voice, gate=-Pulse(freq=0.8))
    """

    group = "time"
    known_as = "hold, infinite sustain, spectral freeze, drone, sustain pedal, sound on sound"
    input = Signal(None, doc="what is held")
    gate = Signal(0.0, "gate", doc="holds while it is on; a new rise holds what is new")
    time = Option(0.3, "how much of the sound is kept; more is livelier", unit="s", low=0.2, high=2)
    seed = Option(None, "its own noise; without it a patch gives it one")
    out = Output()
    state = State(random="u8", line_="i8", kept_="i8", length="i8", at="i8", heard="i8", was="i8", on="i8", level="i8",
                  step="i8", going="i8", coming="i8", low="i8", likeness="f8", edge="f8")  # fmt: skip

    def start(self):
        length = round(self.time * RATE)
        self.line, self.kept = np.zeros(length, np.float32), np.zeros(length, np.float32)
        self.state["line_"], self.state["kept_"] = self.line.ctypes.data, self.kept.ctypes.data
        self.state["length"] = length

    @kernel
    def process(state, input, gate, out):
        length = state.length
        line, kept = floats_at(state.line_, length), floats_at(state.kept_, length)
        at, heard, was, on, level = state.at, state.heard, state.was, state.on, state.level
        step, going, coming, random = state.step, state.going, state.coming, state.random
        for i in range(out.size):
            # on is 1 while it holds, 2 when a rise came before the last hold had faded out: that ends first.
            gated = gate[i] > 0
            if not gated:
                on = 0
            elif was == 0:
                on = 1 if level == 0 else 2
            was = 1 if gated else 0
            if on == 2 and level == 0:
                on = 1
            next_grain = level > 0 and step == GRAIN
            if on == 1 and level == 0:
                for t in range(length - at):
                    kept[t] = line[at + t]
                for t in range(at):
                    kept[length - at + t] = line[t]
                state.low = min(length - heard, length - 2 * GRAIN - SPAN)  # before it there was nothing yet
                # The first grain goes on as the input does.
                coming, _, state.edge = alike(kept, length - SPAN, length - GRAIN - SPAN - LAGS, LAGS + 1, SPAN)
                coming += SPAN - GRAIN
                next_grain = True
            if next_grain:
                going = coming + GRAIN
                random = shuffled(random)
                low = state.low
                room = max(0, length - 2 * GRAIN - SPAN - LAGS - low)
                low += np.int64((np.float64(bipolar(random)) + 1) * 0.5 * room)
                count = min(LAGS, length - 2 * GRAIN - SPAN - low) + 1
                coming, _, state.likeness = alike(kept, going - SPAN, low, count, SPAN)
                coming += SPAN
                step = 0

            line[at] = sound(input[i])
            at = at + 1 if at + 1 < length else 0
            heard = min(heard + 1, length)
            if on != 1 and level == EDGE:
                state.edge = 0.0  # what comes after a hold is not like it
            level = min(level + 1, EDGE) if on == 1 else max(level - 1, 0)
            out[i] = input[i]
            if level > 0:
                y = joined(kept[going + step], kept[coming + step], (step + 0.5) / GRAIN, state.likeness)
                step += 1
                if level == EDGE:
                    out[i] = y
                elif abs(input[i]) < HUGE:
                    out[i] = joined(input[i], y, level / EDGE, state.edge)
        state.at, state.heard, state.was, state.on, state.level = at, heard, was, on, level
        state.step, state.going, state.coming, state.random = step, going, coming, random
