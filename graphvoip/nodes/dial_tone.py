import numpy as np

from ..dsp import soften
from ..kernel import event, kernel, sin_turns, sound
from ..node import Event, Node, Option, Output, Signal, State
from ..progress import FULL, KINDS, TONES, is_once
from ..rings import RATE

EDGE = 32  # samples, 4 ms
BURSTS, SINES = 4, 4  # at most, in the table above


class DialTone(Node):
    """The tones a telephone exchange answers with: dial, ringback, busy and others, country by country.

    Frequencies and cadences are those of ITU-T E.180 supplement 2 and of the national plans; `reorder` is also known as
    congestion. Levels are the US plan's, and E.180's -10 dBm0 elsewhere; 1.0 is +3.14 dBm0. A burst's edges are
    softened over 4 ms, inside its length. `sit`, the three rising tones before an announcement, and `ced`, the tone of
    a fax machine that answers, end; the others go on.

    >>> DialTone(country="uk", kind="ringback")
    """

    group = "sources"
    known_as = (
        "ringback, busy tone, congestion, reorder, call progress, sit, exchange, fax, cng, ced, t.30, t.38, "
        "supervisory tone"
    )
    amp = Signal(1.0, "x", doc="factor on the plan's level")
    country = Option("us", "whose plan", tuple(TONES))
    kind = Option("dial", "which tone; every country has the first five, sit, cng and ced", KINDS)
    out = Output()
    done = Event("the last sample of `sit` or `ced` has been made; never with the others")
    state = State(bursts="i8", burst="i8", at="i8", once="i8", on=("i8", BURSTS), off=("i8", BURSTS),
                  step=("f8", BURSTS * SINES), level=("f8", BURSTS * SINES), sines=("i8", BURSTS))  # fmt: skip

    def start(self):
        plan = TONES[self.country]
        if self.kind not in plan:
            raise ValueError(f"dial_tone: country '{self.country}' has no '{self.kind}'; it has {', '.join(plan)}")
        base, *bursts = plan[self.kind]
        self.state["bursts"], self.state["once"] = len(bursts), is_once(self.kind)
        for k, (frequencies, on, off) in enumerate(bursts):
            self.state["on"][k] = round(on * RATE) or np.iinfo(np.int64).max
            self.state["off"][k], self.state["sines"][k] = round(off * RATE), len(frequencies)
            for j, one in enumerate(frequencies):
                frequency, more = one if isinstance(one, tuple) else (one, 0)
                self.state["step"][SINES * k + j] = frequency / RATE
                self.state["level"][SINES * k + j] = 10 ** ((base + more - FULL) / 20)

    @kernel
    def process(state, amp, out):
        made = 0
        while made < out.size and state.burst < state.bursts:
            k = state.burst
            at, on, off = state.at, state.on[k], state.off[k]
            size = min(out.size - made, on - at if at < on else on + off - at)
            block = out[made : made + size]
            for i in range(size):
                block[i] = 0
            if at < on:
                for j in range(SINES * k, SINES * k + state.sines[k]):
                    step, level = state.step[j], np.float32(state.level[j])
                    for i in range(size):
                        turns = step * (at + i)
                        block[i] += level * sin_turns(np.float32(turns - np.floor(turns)))
                soften(block, at, on, EDGE)
            made += size
            state.at += size
            if state.at >= on and state.at - on >= off:
                state.at = 0
                state.burst += 1
                if state.burst == state.bursts and state.once == 0:
                    state.burst = 0
                elif state.burst == state.bursts and state.done == 0:
                    state.done = event(made - 1)
        for i in range(made, out.size):
            out[i] = 0
        for i in range(out.size):
            out[i] *= sound(amp[i])
