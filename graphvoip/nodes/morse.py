import numpy as np

from ..codes import MORSE
from ..dsp import rise, turned
from ..kernel import event, kernel, sin_turns, sound, words_at
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import RATE

EDGE = 40  # samples, 5 ms


class Morse(Node):
    """A text in Morse code (ITU-R M.1677-1), from letters, figures and . , : ? ' - / ( ) " = + × @.

    A dot is 1.2 / wpm seconds, so that the word PARIS with its gap takes one minute / wpm; a dash is three dots, the
    gaps in a letter, between letters and between words are one, three and seven. `gate` has these lengths to the
    sample, and the tone rises and falls over the 5 ms after its edges: at half its height it has them as well.

    >>> Morse(text="CQ", wpm=15)
    """

    group = "sources"
    known_as = "cw, telegraph, keyer, beacon"
    freq = Signal(600.0, "Hz", 0, RATE / 2, "pitch")
    amp = Signal(1.0, "x", doc="level; 1 is full scale")
    text = Option("CQ", "what is sent; small letters are as good as capitals")
    wpm = Option(20.0, "words a minute", low=1, high=60)
    out = Output("the tone")
    gate = Output("1 while the key is down")
    done = Event("the last sample of the tone has been made")
    state = State(phase="f8", at="i8", address="i8", size="i8", read="i8", end="i8")

    def start(self):
        if not isinstance(self.text, str) or not self.text.strip():
            raise ValueError(f"morse: text is {self.text!r}; it has one letter at least")
        edges, units = [], 0  # the key goes down and up at these samples
        for word in self.text.upper().split():
            for letter in word:
                if letter not in MORSE:
                    has = "letters, digits, blanks and " + " ".join(one for one in MORSE if not one.isalnum())
                    raise ValueError(f"morse: text has {letter!r}; it may have {has}")
                for sign in MORSE[letter]:
                    length = 1 if sign == "." else 3
                    edges += [units, units + length]
                    units += length + 1
                units += 2
            units += 4
        # The last one is never reached, so that the kernel may always look at the next.
        self.edges = np.array([*(round(edge * RATE * 1.2 / self.wpm) for edge in edges), 1 << 62], np.int64)
        self.state["address"], self.state["size"] = self.edges.ctypes.data, len(self.edges)
        self.state["end"] = self.edges[-2] + EDGE

    @kernel
    def process(state, freq, amp, out, gate):
        edges = words_at(state.address, state.size)
        state.phase = turned(state.phase, freq, 0, RATE / 2, out)
        for i in range(out.size):
            out[i] = sound(amp[i]) * sin_turns(out[i])
        made = 0
        while made < out.size:
            if state.at == edges[state.read]:
                state.read += 1
            # Between two edges: read is odd while the key is down.
            down = np.float32(state.read & 1)
            size = min(out.size - made, edges[state.read] - state.at)
            since = state.at - edges[state.read - 1] if state.read > 0 else np.int64(EDGE)
            moving = max(0, min(size, EDGE - since))
            tone, key = out[made : made + size], gate[made : made + size]
            for i in range(size):
                key[i] = down
            for i in range(moving):
                up = rise(since + i, EDGE)
                tone[i] *= up if down > 0 else np.float32(1) - up
            for i in range(moving, size):
                tone[i] *= down
            made += size
            state.at += size
        before = state.at - out.size
        if before < state.end <= state.at and state.done == 0:
            state.done = event(state.end - before - 1)
