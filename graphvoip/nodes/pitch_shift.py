import numpy as np
from numba import njit

from ..dsp import alike, joined, sincs, tangent
from ..kernel import OPTIONS, exp2, floats_at, kernel, limited, sound
from ..node import Node, Output, Signal, State

SIZE = 4096  # samples of the ring; it is there twice in a row, so that any stretch of it lies in one piece
MASK = SIZE - 1
TAPS = 8  # of the filter that reads between samples
PHASES = 512
JOIN = 64  # samples, 8 ms: in them the reader's old place fades into the new one
SPAN = 128  # samples that are compared to find a place that is like the old one
LAGS = 128  # places to choose from: a period of 63 Hz
LEAST = 100  # samples of the shortest jump, besides what the join itself takes
NEAR = SPAN // 2 + 5  # samples behind the newest: what is compared, and what the filter needs
SECTIONS = 3  # second-order sections of the filter that keeps away what would fold back


TABLE = sincs(TAPS, PHASES)
TABLE_AT = TABLE.ctypes.data


@njit(**OPTIONS)
def read(line, table, at, delay):
    """The ring's value `delay` before index `at`, between samples."""
    place = at - delay
    whole = np.floor(place)
    row = TAPS * np.int64((place - whole) * PHASES)
    first = (np.int64(whole) - (TAPS // 2 - 1)) & MASK
    y = np.float32(0)
    for t in range(TAPS):
        y += line[first + t] * table[row + t]
    return y


class PitchShift(Node):
    """Higher or lower without being faster or slower: a voice is made a child's or a giant's.

    A reader goes through the last moments at another speed. When it comes too near to the present or too far from it,
    it jumps to the place that sounds most like where it is, so that waves go on in step (SOLA: Roucos and Wilgus,
    1985). The sound is late by 9 ms for 0 semitones, by 9 to 37 ms for small shifts and by up to 80 ms for two octaves
    up. What would come to lie above 4 kHz is filtered out. A fault in the input is silence. About 3 us a frame.

    >>> PitchShift(voice, semitones=5)
    """

    group = "time"
    known_as = "pitch shifter, harmonizer, transpose, octaver, chipmunk, whammy, detune, octave, voice changer"
    input = Signal(None, doc="what is shifted")
    semitones = Signal(0.0, "semitones", -24, 24, "how far; 12 is an octave up")
    out = Output()
    state = State(line_="i8", table_="i8", at="i8", delay="f8", old="f8", left="i8", likeness="f8", step="i8",
                  g="f8", a=("f8", SECTIONS), z=("f8", 2 * SECTIONS))  # fmt: skip

    def start(self):
        self.line = np.zeros(2 * SIZE, np.float32)
        self.state["line_"] = self.line.ctypes.data
        self.state["table_"] = TABLE_AT
        self.state["at"] = SIZE
        self.state["delay"] = self.state["old"] = NEAR
        self.state["step"] = -1

    @kernel
    def process(state, input, semitones, out):
        line, table = floats_at(state.line_, 2 * SIZE), floats_at(state.table_, PHASES * TAPS)
        at, delay, old, left, likeness = state.at, state.delay, state.old, state.left, state.likeness
        g, a, z = state.g, state.a, state.z
        for i in range(out.size):
            out[i] = exp2(np.float32(limited(semitones[i], -24, 24) * (1 / 12)))
        for i in range(out.size):
            speed = np.float64(out[i])
            # The corner follows in quarters of a semitone: it costs a sine, and nobody hears it move.
            step = max(0, np.int64(np.ceil(4 * limited(semitones[i], -24, 24))))
            if step != state.step:
                state.step = step
                g = tangent(min(3700.0, 3600 * 2.0 ** (-step / 48)))
                for k in range(SECTIONS):  # a Butterworth filter's poles
                    a[k] = 1 / (1 + g * (g + 2 * np.cos(np.pi * (2 * k + 1) / (4 * SECTIONS))))
            x = np.float64(sound(input[i]))
            for k in range(SECTIONS):
                # Trapezoidal integrators (Zavalishin, 2012), because these do not mind how their corner jumps.
                v = a[k] * (z[2 * k] + g * (x - z[2 * k + 1]))
                x = z[2 * k + 1] + g * v
                z[2 * k] = 2 * v - z[2 * k]
                z[2 * k + 1] = 2 * x - z[2 * k + 1]
            line[at & MASK] = line[(at & MASK) + SIZE] = x
            at += 1

            faster = speed - 1
            near = NEAR + max(0.0, faster * JOIN - SPAN // 2)
            least = LEAST + np.int64(abs(faster) * JOIN)
            if left == 0 and (delay < near or delay > near + least + LAGS):
                here = np.int64(np.floor(at - delay)) - SPAN // 2
                first = here - least - LAGS + 1 if delay < near else here + least
                found, fraction, likeness = alike(line, here & MASK, first & MASK, LAGS, SPAN)
                old, left = delay, JOIN
                delay -= found - (first & MASK) + first - here + fraction
            y = read(line, table, at, delay)
            if left > 0:
                y = joined(read(line, table, at, old), y, (JOIN - left + 0.5) / JOIN, likeness)
                left -= 1
            out[i] = y
            # The bounds are met only where the speed is changed within a join.
            delay = limited(delay - faster, 5, SIZE / 2)
            old = limited(old - faster, 5, SIZE / 2)
        state.g = g
        state.at, state.delay, state.old, state.left, state.likeness = (at & MASK) + SIZE, delay, old, left, likeness
