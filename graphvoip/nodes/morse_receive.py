import numpy as np

from ..codes import morse_tree
from ..kernel import event, fence, floats_at, kernel, limited, sin_turns, sound, words_at
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import RATE

WINDOW = 80  # samples, 10 ms: the tone is heard in a band of 100 Hz
STEADY = 30  # samples that the key must stay as it is
KEPT = 1 << 10  # letters that wait to be taken
LEAST = 0.003  # amplitude of a tone that counts: -50 dB
PURE = 0.4  # of the power around it that must be the tone's
SLOWEST, FASTEST = 5.0, 60.0  # words a minute


class MorseReceive(Node):
    """Read Morse code: the other end of `morse`, or of somebody's hand.

    A tone must be about as strong as all else together. The speed is learnt from the lengths of what comes, from 5 to
    60 words a minute; `wpm` is where it begins to look. A letter is known by the gap after it. Signs that are no letter
    are read as *.

    `characters` has each letter, and a blank after each word, at the sample at which it is known. Python takes them
    with take().

    >>> MorseReceive(Morse(text="CQ")).gate
    """

    group = "analysis"
    known_as = "cw decoder, morse decoder, telegraph"
    is_sink = True
    input = Signal(None, doc="what is read")
    freq = Signal(600.0, "Hz", 100, 3900, "pitch of the tone, to within 40 Hz")
    wpm = Option(20.0, "words a minute, about", low=SLOWEST, high=FASTEST)
    characters = Output("0, but where a letter has come its code")
    gate = Output("1 while the key is down")
    speed = Output("words a minute, as it is sent")
    received = Event("letters have come: take() them")
    state = State(
        line="i8", tree="i8", kept="i8", count="i8", phase="f8", place="i8", sums=("f8", 3), peak="f8", down="i8",
        steady="i8", since="i8", dot="f8", last_="f8", marks=("f8", 8), n="i8", spaced="i8", learnt="i8",
    )  # fmt: skip

    def start(self):
        self.line = np.zeros(3 * WINDOW, np.float32)
        self.kept = np.zeros(KEPT, np.int64)
        self.tree = morse_tree()
        self.taken = 0
        state = self.state
        state["line"], state["tree"], state["kept"] = (a.ctypes.data for a in (self.line, self.tree, self.kept))
        state["dot"] = 1.2 / self.wpm * RATE
        state["spaced"] = 1

    def take(self) -> str:
        """The letters that have come since the last take."""
        count = int(self.state["count"])
        first = max(self.taken, count - KEPT)
        self.taken = count
        return "".join(map(chr, self.kept[np.arange(first, count) % KEPT].tolist()))

    @kernel
    def process(state, input, freq, characters, gate, speed):
        line, kept, tree = floats_at(state.line, 3 * WINDOW), words_at(state.kept, KEPT), words_at(state.tree, 256)
        sums, marks = state.sums, state.marks
        phase, place, peak, dot = state.phase, state.place, state.peak, state.dot
        shortest, longest = 1.2 / FASTEST * RATE, 1.2 / SLOWEST * RATE
        for i in range(input.size):
            x = np.float64(sound(input[i]))
            parts = (
                np.float32(x * sin_turns(np.float32(phase))), np.float32(x * sin_turns(np.float32(phase + 0.25))),
                np.float32(x * x),
            )  # fmt: skip
            for k in range(3):
                sums[k] += np.float64(parts[k]) - np.float64(line[3 * place + k])
                line[3 * place + k] = parts[k]
            phase += limited(freq[i], 100, 3900) * (1 / RATE)
            phase -= np.floor(phase)
            place = place + 1 if place + 1 < WINDOW else 0
            power = sums[0] * sums[0] + sums[1] * sums[1]
            height = np.sqrt(power) * (2 / WINDOW)
            peak = max(height, peak * 0.99994)  # falls to half in 1.4 s
            pure = height > LEAST and 2 * power > PURE * WINDOW * sums[2]
            loud = height > peak * (0.45 if state.down else 0.55) and pure

            # The key has moved when it stays there.
            code = 0
            state.since += 1
            if loud != (state.down == 1):
                state.steady += 1
                if state.steady >= STEADY:
                    length = np.float64(state.since - state.steady)
                    if state.down == 1:
                        before = state.last_
                        short, long = min(before, length), max(before, length)
                        if 2 * short < long < 4.5 * short:  # a dot and a dash: together they are four
                            found = (short + long) / 4
                            dot += (found - dot) * (0.4 if state.learnt else 1.0)
                            state.learnt = 1
                        elif length > 4.5 * dot:
                            dot = length / 3
                        elif length < 0.45 * dot:
                            dot = length
                        elif state.learnt:
                            dot += 0.1 * ((length if length < 2 * dot else length / 3) - dot)
                        dot = min(max(dot, shortest), longest)
                        state.last_ = length
                        if state.n < 8:
                            marks[state.n] = length
                        state.n += 1
                    state.down, state.since, state.steady = np.int64(loud), state.steady, 0
            else:
                state.steady = 0
            if state.down == 0 and state.n > 0 and state.since > 2.1 * dot:
                at = 1
                for k in range(min(state.n, 8)):
                    at = 2 * at + np.int64(marks[k] > 2 * dot)
                code = tree[at] if state.n < 8 else tree[0]
                state.n, state.spaced = 0, 0
            elif state.down == 0 and state.spaced == 0 and state.since > 5 * dot:
                code, state.spaced = 32, 1
            characters[i], gate[i], speed[i] = code, state.down, 1.2 * RATE / dot
            if code > 0:
                kept[state.count % KEPT] = code
                fence()
                state.count += 1
                if state.received == 0:
                    state.received = event(i, code)
        state.phase, state.place, state.peak, state.dot = phase, place, peak, dot
