import numbers

import numpy as np

from ..kernel import kernel
from ..node import Node, Option, Output, Signal, State
from ..notes import KEYS, hertz
from ..rings import RATE

CODES = 128  # a key is an ASCII character
SCALE = ("C4", "D4", "E4", "F4", "G4", "A4", "B4", "C5", "D5", "E5", "F5", "G5")
MAJOR = dict(zip("123456789*0#", SCALE, strict=True))


class Keymap(Node):
    """The keys of a telephone as a keyboard: each key has a pitch, and opens a gate.

    Without a map the keys from 1 to # are a major scale from C4 upward, row by row. Other keys than those of the map
    are ignored. A telephone tells when a key is pressed, and neither for how long nor how hard: the gate is on for
    `hold` seconds, and the velocity is 1. If the gate is on at a press, it is off for the one sample, so that each
    press is a rise. Before the first press the pitch is that of the map's first key.

    >>> played = Keymap(keys, map={"1": 262, "5": 330, "9": "G4", "3": "C5"})
    >>> Sine(freq=played) * played.gate * 0.5
    """

    group = "control"
    known_as = "keyboard, midi, note, cv, gate, pad, arpeggio, arpeggiator, keyboard cv"
    keys = Signal(0.0, "events", doc="what is played: the character code of each key, at the sample of its press")
    map = Option(MAJOR, "what is on the keys: Hz or names of notes by key")
    hold = Option(0.2, "how long the gate is on after a press", unit="s", low=0.001, high=60)
    out = Output("the pitch of the latest key in Hz")
    gate = Output("1 from a press on, for `hold`")
    velocity = Output("1: a telephone does not tell how hard a key is pressed")
    index = Output("the place of the latest key in the map, 0 is the first: for select")
    state = State(pitch=("f8", CODES), place=("i8", CODES), latest="i8", hold_="i8", left="i8", on="i8")

    def start(self):
        if not isinstance(self.map, dict) or not self.map:
            raise ValueError(f"keymap: map is {self.map!r:.60}; it has a pitch for one key or more: {{'1': 262}}")
        self.state["place"][:] = -1
        for k, (key, value) in enumerate(self.map.items()):
            if not isinstance(key, str) or len(key) != 1 or key not in KEYS:
                raise ValueError(f"keymap: map has key {key!r}; keys are 0-9 * # A-D")
            pitch = hertz(value) if isinstance(value, str) else value
            if not isinstance(pitch, numbers.Real) or isinstance(pitch, bool) or not 0 <= pitch <= RATE / 2:
                raise ValueError(f"keymap: map has {value!r} on key {key!r}; it is 0 to 4000 Hz, or a note: C4, F#3")
            self.state["pitch"][ord(key)], self.state["place"][ord(key)] = pitch, k
        self.state["latest"] = ord(next(iter(self.map)))
        self.state["hold_"] = max(2, round(self.hold * RATE))

    @kernel
    def process(state, keys, out, gate, velocity, index):
        latest, left, on = state.latest, state.left, state.on
        for i in range(out.size):
            pressed = False
            if keys[i] > 0 and keys[i] < CODES - 1:
                code = np.int64(keys[i] + np.float32(0.5))
                pressed = state.place[code] >= 0
                latest, left = (code, state.hold_) if pressed else (latest, left)
            on = np.int64(left > 0 and not (pressed and on > 0))
            left -= left > 0
            out[i] = state.pitch[latest]
            gate[i] = on
            velocity[i] = 1
            index[i] = state.place[latest]
        state.latest, state.left, state.on = latest, left, on
