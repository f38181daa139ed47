import numbers

import numpy as np

from ..kernel import floats_at, kernel, limited
from ..node import Node, Option, Output, Signal, State
from ..notes import NOTES, pitch_of

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "pentatonic": (0, 2, 4, 7, 9),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole_tone": (0, 2, 4, 6, 8, 10),
    "chromatic": tuple(range(12)),
}
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B", "Db", "Eb", "Gb", "Ab", "Bb")
LOWEST, HIGHEST = pitch_of(0), pitch_of(127)
# The nearest note of a scale changes halfway between two of them, which is a whole or a half semitone: it is one note
# for each half of a semitone.
HALVES = 256


class Scale(Node):
    """Draw a pitch to the nearest note of a scale, in equal temperament with A4 at 440 Hz.

    Where there is no pitch, at 0 Hz or less, the last note stays; before any note it is 0 Hz.

    >>> Sine(freq=Scale(300 + 200 * Sine(freq=0.5), scale="pentatonic")) * 0.5
    """

    group = "control"
    known_as = "quantizer, quantiser, pitch quantizer, tuning, major, minor, pentatonic, note quantizer"
    input = Signal(None, "Hz", doc="the pitch")
    scale = Option("major", "which notes there are", tuple(SCALES))
    root = Option("C", "the note on which the scale begins", NAMES)
    semitones = Option(None, "a scale of your own instead: semitones above the root, a list of whole numbers, 0 to 11")
    out = Output("the note in Hz")
    changed = Output("a trigger: 1 at the sample at which the note is another one")
    state = State(table="i8", pitch="f8", note="f8")

    def start(self):
        steps = SCALES[self.scale] if self.semitones is None else self.semitones
        if not isinstance(steps, (list, tuple)) or not steps:
            raise ValueError(f"scale: semitones is {steps!r}; it is a list of whole numbers from 0 to 11: [0, 4, 7]")
        for step in steps:
            if not isinstance(step, numbers.Integral) or isinstance(step, bool) or not 0 <= step <= 11:
                raise ValueError(f"scale: semitones has {step!r}; they are whole numbers from 0 to 11")
        root = NOTES[self.root[0]] + self.root.count("#") - self.root.count("b")
        pitches = {(root + step) % 12 for step in steps}
        notes = np.array([note for note in range(-12, 140) if note % 12 in pitches])
        middles = np.arange(HALVES)[:, None] / 2 + 0.25
        nearest = notes[np.abs(notes - middles).argmin(1)]
        self.table = pitch_of(nearest).astype(np.float32)
        self.state["table"] = self.table.ctypes.data

    @kernel
    def process(state, input, out, changed):
        table = floats_at(state.table, HALVES)
        pitch, note = state.pitch, state.note
        for i in range(out.size):
            before = note
            if input[i] != pitch and input[i] > 0:
                pitch = limited(input[i], LOWEST, HIGHEST)
                half = np.int64(np.log2(pitch * (1 / 440)) * 24 + 138)
                note = np.float64(table[min(max(half, 0), HALVES - 1)])
            out[i] = note
            changed[i] = note != before
        state.pitch, state.note = pitch, note
