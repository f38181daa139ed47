import numpy as np

from ..dsp import soften
from ..kernel import event, kernel, limited, sin_turns, words_at
from ..node import Event, Node, Option, Output, Port, Signal, State, settled
from ..rings import RATE

ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)  # Hz, ITU-T Q.23
PAD = "123A456B789C*0#D"  # row by row
COMMA = ord(",")
PLACES = np.array([PAD.find(chr(code)) for code in range(128)], np.int64)  # of a code on the pad, -1: on none
LOW = np.array([row / RATE for row in ROWS])
HIGH = np.array([column / RATE for column in COLUMNS])
EDGE = 16  # samples, 2 ms
WAITING = 64  # keys


class DtmfTone(Node):
    """Touch tones (DTMF, ITU-T Q.23): those of a text, or of key presses as they come.

    Each digit is `on` seconds of two sines and `off` seconds of silence; edges are softened over 2 ms, inside. Keys
    that are pressed meanwhile wait for their turn, up to 64 of them; values that are no digits are left out. With a
    text it is done when that and all waiting keys are sent. Without one it waits for keys for ever, but if nothing is
    wired to `keys`, it is done at once.

    >>> DtmfTone(text="0123,#", pause=0.3)
    >>> DtmfTone(keys)
    """

    group = "sources"
    known_as = "dtmf generator, touch tone, dialer, keypad tone, mf, q.23"
    keys = Signal(0.0, "events", doc="digits to send: the character code of each key, at the sample of its press")
    text = Option("", "digits to send: 0-9 A-D * # and , for a pause; blanks and dashes do not count")
    on = Option(0.07, "length of a tone; receivers want 0.04 at least", unit="s", low=0.01, high=10)
    off = Option(0.07, "silence after each; receivers want 0.04 at least", unit="s", low=0, high=10)
    pause = Option(1.0, "length of a comma", unit="s", low=0.01, high=60)
    level_db = Option(-10.0, "level of the low tone; 0 dB is a sine of full scale", unit="dB", low=-60, high=0)
    twist_db = Option(2.0, "how far the high tone is above the low one", unit="dB", low=-12, high=12)
    out = Output()
    done = Event("the text has been sent, with the silence after it; never without a text, if keys may come")
    state = State(address="i8", size="i8", read="i8", ended="i8", place="i8", at="i8", end="i8", on_="i8", off_="i8",
                  pause_="i8", waits="i8", low="f8", high="f8", first="i8", count="i8",
                  queue=("i8", WAITING))  # fmt: skip

    def start(self):
        if not isinstance(self.text, str):
            raise ValueError(f"dtmf_tone: text is {self.text!r}; it is digits in quotes")
        codes = []
        for letter in self.text.upper():
            if letter in " -":
                continue
            if letter not in PAD + ",":
                raise ValueError(f"dtmf_tone: text has {letter!r}; it may have 0-9 A-D * # and , for a pause")
            codes.append(ord(letter))
        self.codes = np.array(codes, np.int64)
        self.state["address"], self.state["size"] = self.codes.ctypes.data, len(codes)
        self.state["on_"], self.state["off_"] = round(self.on * RATE), round(self.off * RATE)
        self.state["pause_"] = round(self.pause * RATE)
        self.state["low"] = 10 ** (self.level_db / 20)
        self.state["high"] = 10 ** ((self.level_db + self.twist_db) / 20)

    def prepare(self):
        self.state["waits"] = isinstance(settled(self.wires["keys"]), Port) and not len(self.codes)

    @kernel
    def process(state, keys, out):
        text = words_at(state.address, state.size)
        made = 0
        while made < out.size:
            if keys[made] != 0:
                code = np.int64(limited(keys[made], 0, 127) + 0.5)
                code -= 32 if 97 <= code <= 100 else 0  # a-d
                if PLACES[code] >= 0 and state.count < WAITING and state.ended == 0:
                    state.queue[(state.first + state.count) % WAITING] = code
                    state.count += 1
            until = made + 1
            while until < out.size and keys[until] == 0:
                until += 1
            while made < until:
                if state.at == state.end:  # nothing sounds: take what is next
                    code = 0
                    if state.read < state.size:
                        code = text[state.read]
                        state.read += 1
                    elif state.count > 0:
                        code = state.queue[state.first]
                        state.first = (state.first + 1) % WAITING
                        state.count -= 1
                    state.place = PLACES[code]
                    state.at = 0
                    state.end = state.pause_ if code == COMMA else state.on_ + state.off_ if code > 0 else 0
                idle = state.at == state.end
                at, on = state.at, state.on_ if state.place >= 0 else 0
                size = until - made
                if state.at < state.end:
                    size = min(size, (on if at < on else state.end) - at)
                    state.at += size
                block = out[made : made + size]
                for i in range(size):
                    block[i] = 0
                if at < on:
                    low, high = LOW[(state.place >> 2) & 3], HIGH[state.place & 3]
                    a, b = np.float32(state.low), np.float32(state.high)
                    for i in range(size):
                        x, y = low * (at + i), high * (at + i)
                        x, y = x - np.floor(x), y - np.floor(y)
                        block[i] = a * sin_turns(np.float32(x)) + b * sin_turns(np.float32(y))
                    soften(block, at, on, EDGE)
                made += size
                sent = state.read == state.size and state.count == 0 and state.at == state.end
                if state.waits == 0 and sent and state.ended == 0 and state.done == 0:
                    state.ended = 1
                    state.done = event(made - size if idle else made - 1)
