import numpy as np

from ..kernel import event, kernel, sin_turns, sound
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import RATE

# country -> kind -> (level, burst, burst ...); the bursts are repeated for ever.
# level: dBm0 of each frequency. burst: (frequencies, seconds on, seconds off), 0 seconds on: it never ends.
# A frequency is a number, or (a number, dB above the level). A carrier with full amplitude modulation is itself and two
# sides 6 dB below it.
SIT = (-24, ((950,), 0.33, 0), ((1400,), 0.33, 0), ((1800,), 0.33, 0))  # ITU-T E.180; it is not repeated
TONES: dict[str, dict[str, tuple]] = {
    "us": {  # precise tone plan, ITU-T E.300 supplement 3
        "dial": (-13, ((350, 440), 0, 0)),
        "ringback": (-19, ((440, 480), 2, 4)),
        "busy": (-24, ((480, 620), 0.5, 0.5)),
        "reorder": (-24, ((480, 620), 0.25, 0.25)),
        "call_waiting": (-13, ((440,), 0.3, 10)),
        "recording": (-13, ((1400,), 0.5, 15)),
        "off_hook": (-10, ((1400, 2060, 2450, 2600), 0.1, 0.1)),
        "sit": SIT,
    },
    "uk": {  # BT SIN 350
        "dial": (-13, ((350, 440), 0, 0)),
        "ringback": (-13, ((400, 450), 0.4, 0.2), ((400, 450), 0.4, 2)),
        "busy": (-10, ((400,), 0.375, 0.375)),
        "reorder": (-16, ((400,), 0.4, 0.35), (((400, 6),), 0.225, 0.525)),
        "call_waiting": (-10, ((400,), 0.1, 4)),
        "unobtainable": (-10, ((400,), 0, 0)),
        "sit": (-24, ((950,), 0.33, 0.015), ((1400,), 0.33, 0.015), ((1800,), 0.33, 0)),
    },
    "de": {
        "dial": (-10, ((425,), 0, 0)),
        "ringback": (-10, ((425,), 1, 4)),
        "busy": (-10, ((425,), 0.48, 0.48)),
        "reorder": (-10, ((425,), 0.24, 0.24)),
        "call_waiting": (-10, ((425,), 0.2, 0.2), ((425,), 0.2, 5)),
        "recording": (-10, ((1400,), 0.08, 15)),
        "sit": SIT,
    },
    "fr": {
        "dial": (-10, ((440,), 0, 0)),
        "ringback": (-10, ((440,), 1.5, 3.5)),
        "busy": (-10, ((440,), 0.5, 0.5)),
        "reorder": (-10, ((440,), 0.25, 0.25)),
        "call_waiting": (-10, ((440,), 0.3, 10)),
        "sit": SIT,
    },
    "it": {
        "dial": (-10, ((425,), 0.2, 0.2), ((425,), 0.6, 1)),
        "ringback": (-10, ((425,), 1, 4)),
        "busy": (-10, ((425,), 0.5, 0.5)),
        "reorder": (-10, ((425,), 0.2, 0.2)),
        "call_waiting": (-10, ((425,), 0.4, 0.1), ((425,), 0.25, 0.1), ((425,), 0.15, 14)),
        "sit": SIT,
    },
    "es": {
        "dial": (-10, ((425,), 0, 0)),
        "ringback": (-10, ((425,), 1.5, 3)),
        "busy": (-10, ((425,), 0.2, 0.2)),
        "reorder": (-10, ((425,), 0.2, 0.2), ((425,), 0.2, 0.2), ((425,), 0.2, 0.6)),
        "call_waiting": (-10, ((425,), 0.175, 0.175), ((425,), 0.175, 3.5)),
        "sit": SIT,
    },
    "ch": {
        "dial": (-10, ((425,), 0, 0)),
        "ringback": (-10, ((425,), 1, 4)),
        "busy": (-10, ((425,), 0.5, 0.5)),
        "reorder": (-10, ((425,), 0.2, 0.2)),
        "call_waiting": (-10, ((425,), 0.2, 0.2), ((425,), 0.2, 4)),
        "recording": (-10, ((1400,), 0.08, 15)),
        "sit": SIT,
    },
    "nl": {
        "dial": (-10, ((425,), 0, 0)),
        "ringback": (-10, ((425,), 1, 4)),
        "busy": (-10, ((425,), 0.5, 0.5)),
        "reorder": (-10, ((425,), 0.25, 0.25)),
        "call_waiting": (-10, ((425,), 0.5, 9.5)),
        "sit": SIT,
    },
    "jp": {
        "dial": (-10, ((400,), 0, 0)),
        "ringback": (-13, ((400, (384, -6), (416, -6)), 1, 2)),
        "busy": (-10, ((400,), 0.5, 0.5)),
        "reorder": (-10, ((400,), 0.5, 0.5)),
        "call_waiting": (-13, ((400, (384, -6), (416, -6)), 0.5, 8)),
        "sit": SIT,
    },
    "au": {  # ACIF S002
        "dial": (-13, ((413, 438), 0, 0)),
        "ringback": (-13, ((413, 438), 0.4, 0.2), ((413, 438), 0.4, 2)),
        "busy": (-10, ((425,), 0.375, 0.375)),
        "reorder": (-10, ((425,), 0.375, 0.375), (((425, -10),), 0.375, 0.375)),
        "call_waiting": (-10, ((425,), 0.2, 0.2), ((425,), 0.2, 4.4)),
        "unobtainable": (-10, ((425,), 2.5, 0.5)),
        "sit": SIT,
    },
}
KINDS = tuple(dict.fromkeys(kind for kinds in TONES.values() for kind in kinds))
FULL = 3.14  # dBm0 of a sine of full scale, ITU-T G.711
EDGE = 32  # samples, 4 ms
BURSTS, SINES = 4, 4  # at most, in the table above


class DialTone(Node):
    """The tones a telephone exchange answers with: dial, ringback, busy and others, country by country.

    Frequencies and cadences are those of ITU-T E.180 supplement 2 and of the national plans; `reorder` is also known as
    congestion. Levels are the US plan's, and E.180's -10 dBm0 elsewhere; 1.0 is +3.14 dBm0. A burst's edges are
    softened over 4 ms, inside its length. `sit`, the three rising tones before an announcement, ends; the others go on.

    >>> DialTone(country="uk", kind="ringback")
    """

    group = "sources"
    amp = Signal(1.0, "x", doc="factor on the plan's level")
    country = Option("us", "whose plan", tuple(TONES))
    kind = Option("dial", "which tone; every country has the first five and sit", KINDS)
    out = Output()
    done = Event("the last sample of `sit` has been made; never with the others")
    state = State(bursts="i8", burst="i8", at="i8", once="i8", on=("i8", BURSTS), off=("i8", BURSTS),
                  step=("f8", BURSTS * SINES), level=("f8", BURSTS * SINES), sines=("i8", BURSTS))  # fmt: skip

    def start(self):
        plan = TONES[self.country]
        if self.kind not in plan:
            raise ValueError(f"dial_tone: country '{self.country}' has no '{self.kind}'; it has {', '.join(plan)}")
        base, *bursts = plan[self.kind]
        self.state["bursts"], self.state["once"] = len(bursts), self.kind == "sit"
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
                for i in range(min(size, EDGE - at)):
                    block[i] *= np.float32(0.5 - 0.5 * np.cos(np.pi / EDGE * (at + i + 0.5)))
                for i in range(max(0, on - EDGE - at), size):
                    block[i] *= np.float32(0.5 - 0.5 * np.cos(np.pi / EDGE * (on - at - i - 0.5)))
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
