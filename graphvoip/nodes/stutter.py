import numpy as np

from ..kernel import HUGE, floats_at, kernel, limited, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

MODES = ("stutter", "looper")
EDGE = 40  # samples, 5 ms: each join is faded over that
SHORTEST, LONGEST, LOOP = 160, 16000, 64000  # samples: of a stutter, and the longest loop
KEPT = LOOP + EDGE  # what is kept of it, its last sample last
LENGTH = 65536  # what is heard
MASK = LENGTH - 1
LIMIT = 8.0  # the most that overdubs add up to


class Stutter(Node):
    """Repeat the last moment, over and over, or play a loop that the caller has just recorded.

    stutter: while the gate is on, the `time` seconds before its rise are repeated in place of the input. A change of
    `time` holds from the next repeat; a shorter one takes the last part. looper: what comes in while the gate is on,
    its last 8 s at most, is repeated beside the input from the gate's fall until its next rise; less than 20 ms of it
    only ends the loop. In both, what comes in while `overdub` is on is added to what repeats. Joins are faded over 5
    ms. A fault in the input passes by with the input, and is not remembered.

    >>> Stutter(voice, gate=-Pulse(freq=1.5), time=0.11)
    """

    group = "time"
    known_as = "beat repeat, glitch, looper, loop pedal, repeat, overdub, loop station"
    input = Signal(None, doc="what is repeated")
    gate = Signal(0.0, "gate", doc="stutter: repeats while it is on; looper: records while it is on")
    time = Signal(0.125, "s", SHORTEST / RATE, LONGEST / RATE, "how much is repeated; a looper does not need it")
    overdub = Signal(0.0, "gate", doc="while it is on, the input is added to what repeats")
    mode = Option("stutter", "what the gate does", MODES)
    out = Output()
    state = State(line_="i8", kept_="i8", looper="i8", at="i8", was="i8", held="i8", on="i8", level="i8", step="i8",
                  first="i8", size="i8", next="i8", added="i8")  # fmt: skip

    def start(self):
        self.line, self.kept = np.zeros(LENGTH, np.float32), np.zeros(KEPT, np.float32)
        self.state["line_"], self.state["kept_"] = self.line.ctypes.data, self.kept.ctypes.data
        self.state["looper"] = self.mode == "looper"
        self.state["size"] = self.state["next"] = SHORTEST

    @kernel
    def process(state, input, gate, time, overdub, out):
        line, kept = floats_at(state.line_, LENGTH), floats_at(state.kept_, KEPT)
        at, was, held, on, level, step = state.at, state.was, state.held, state.on, state.level, state.step
        size, next_size, added = state.size, state.next, state.added
        for i in range(out.size):
            # on: 1 while it repeats; 2 when it is to begin but the last loop has not faded out: that ends first.
            gated = 1 if gate[i] > 0 else 0
            if state.looper:
                if gated:
                    held = min(held, LOOP) + 1 if was else 1
                    on = 0
                elif was and held >= SHORTEST:
                    on = 2
            elif gated == 0:
                on = 0
            elif was == 0:
                on = 2
            was = gated
            if on == 2 and level == 0:
                on, step = 1, 0
                size = min(held, LOOP) if state.looper else np.int64(RATE * limited(time[i], 0.02, 2) + 0.5)
                next_size = size
                count = EDGE + (size if state.looper else LONGEST)
                first = (at - count) & MASK
                straight = min(count, LENGTH - first)
                for t in range(straight):
                    kept[KEPT - count + t] = line[first + t]
                for t in range(count - straight):
                    kept[KEPT - count + straight + t] = line[t]

            x = sound(input[i])
            line[at & MASK] = x
            at += 1
            level = min(level + 1, EDGE) if on == 1 else max(level - 1, 0)
            added = min(added + 1, EDGE) if overdub[i] > 0 and level > 0 else max(added - 1, 0)
            out[i] = input[i]
            if level > 0:
                here = KEPT - size + step
                into = step - (size - EDGE)
                if into == 0 and state.looper == 0:
                    next_size = np.int64(RATE * limited(time[i], 0.02, 2) + 0.5)
                if added > 0:
                    kept[here] = limited(kept[here] + x * np.float32(added / EDGE), -LIMIT, LIMIT)
                y = kept[here]
                if into >= 0:
                    # The end fades into what was before the next round's first sample, so that wave goes on.
                    before = KEPT - next_size - EDGE + into
                    if added > 0 and before != here:
                        kept[before] = limited(kept[before] + x * np.float32(added / EDGE), -LIMIT, LIMIT)
                    y += (kept[before] - y) * np.float32((into + 0.5) / EDGE)
                step += 1
                if step == size:
                    step, size = 0, next_size
                w = np.float32(level / EDGE)
                if state.looper:
                    out[i] = input[i] + w * y
                elif level == EDGE or abs(input[i]) < HUGE:
                    out[i] = y if level == EDGE else x + w * (y - x)
        state.at, state.was, state.held, state.on, state.level, state.step = at & MASK, was, held, on, level, step
        state.size, state.next, state.added = size, next_size, added
