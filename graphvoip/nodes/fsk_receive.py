import codecs

import numpy as np

from ..codes import FIGURES, LETTERS, STANDARDS, TO_FIGURES, TO_LETTERS
from ..kernel import event, fence, floats_at, kernel, sin_turns, sound, words_at
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import RATE

LONGEST = 256  # samples of a bit: 45.45 a second have 176
KEPT = 1 << 12  # characters that wait to be taken
LEAST = 0.003  # amplitude of a tone that counts in any case: -50 dB
SOFTEST = 0.0001  # of one that counts where the line is quiet: -80 dB, about the softest that G.711 has
NEAR = 0.35  # of the loudest sound of late it must have then: voices and music begin and end softly
FORGETS = 1 - 2 / (3 * RATE)  # a sample, of the loudest power: 8.7 dB in 3 s


class FskReceive(Node):
    """Read what a modem sends: the other end of `fsk`, with its standards.

    The two tones are compared over a bit each; a start bit sets the clock of a character. Characters whose stop bit is
    missing, or in which the tones are not clear of other sound, are dropped: a voice is hardly ever
    read as text. Tones down to -75 dBFS are read, where nothing is more than 9 dB louder for some seconds before.

    `characters` has each one at the sample at which its stop bit ends. Python takes them with take().

    >>> FskReceive(Fsk(text="HELLO"), standard="bell103").carrier
    """

    group = "analysis"
    known_as = "modem, demodulator, rtty, baudot, tdd, tty, text telephone, bell 103, v.21, minimodem, afsk"
    is_sink = True
    input = Signal(None, doc="what is read")
    standard = Option("bell103", "which modem", tuple(STANDARDS))
    unshift = Option(True, "in ITA2, a blank goes back to letters, as most senders take it")
    characters = Output("0, but where a character has come its code (8 bits: a byte)")
    carrier = Output("1 while its tones are there")
    received = Event("characters have come: take() them")
    state = State(
        line="i8", table="i8", kept="i8", count="i8", window="i8", mark="i8", space="i8", bit="f8", bits="i8",
        clear="f8", at="i8", place="i8", sums=("f8", 5), before="f8", phase_="i8", marked="i8", due="f8", k="i8",
        code="i8", eye="f8", pure="f8", shift="i8", smooth="f8", peak="f8", on="i8",
        unshift_="i8", least_pure="f8",
    )  # fmt: skip

    def start(self):
        standard = STANDARDS[self.standard]
        bit = RATE / standard.baud
        window = round(bit)
        self.line = np.zeros(5 * LONGEST, np.float32)
        self.kept = np.zeros(KEPT, np.int64)
        letters, figures = ([ord(sign) for sign in signs] for signs in (LETTERS, FIGURES))
        self.table = np.array(letters + figures, np.int64)
        self.taken = 0
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        # The tones' share of the power: noise has some as well, the more the shorter a bit is.
        self.state["least_pure"] = 0.35 + 2.5 / window
        leak = abs(np.sinc((standard.mark - standard.space) * window / RATE))  # of one tone into the other's window
        state = self.state
        state["line"], state["table"], state["kept"] = (a.ctypes.data for a in (self.line, self.table, self.kept))
        state["window"], state["bit"], state["bits"] = window, bit, standard.bits
        state["mark"], state["space"] = standard.mark, standard.space
        state["unshift_"] = bool(self.unshift)
        state["clear"] = 0.5 * (1 - leak) / (1 + leak)

    def take(self) -> str:
        """The characters that have come since the last take."""
        return (
            self.decoder.decode(self.take_bytes()) if self.state["bits"] == 8 else self.take_bytes().decode("latin-1")
        )

    def take_bytes(self) -> bytes:
        count = int(self.state["count"])
        first = max(self.taken, count - KEPT)
        self.taken = count
        return bytes(self.kept[np.arange(first, count) % KEPT].astype(np.uint8).tolist())

    @kernel
    def process(state, input, characters, carrier):
        line, kept, table = floats_at(state.line, 5 * LONGEST), words_at(state.kept, KEPT), words_at(state.table, 64)
        window, bit, sums = state.window, state.bit, state.sums
        at, place, before, peak = state.at, state.place, state.before, state.peak
        least, softest, near = (0.5 * LEAST * window) ** 2, (0.5 * SOFTEST * window) ** 2, 0.5 * NEAR * NEAR * window
        for i in range(input.size):
            # Both tones and the power over the last bit, as running sums.
            x = np.float64(sound(input[i]))
            m = np.float32((state.mark * at % RATE) * (1 / RATE))
            s = np.float32((state.space * at % RATE) * (1 / RATE))
            parts = (
                x * sin_turns(m), x * sin_turns(m + np.float32(0.25)),
                x * sin_turns(s), x * sin_turns(s + np.float32(0.25)), x * x,
            )  # fmt: skip
            for k in range(5):
                new = np.float32(parts[k])
                sums[k] += np.float64(new) - np.float64(line[5 * place + k])
                line[5 * place + k] = new
            place = place + 1 if place + 1 < window else 0
            at = at + 1 if at + 1 < RATE else 0
            mark = np.sqrt(max(0.0, sums[0] * sums[0] + sums[1] * sums[1]))
            space = np.sqrt(max(0.0, sums[2] * sums[2] + sums[3] * sums[3]))
            level, other = max(mark, space), mark + space
            d = mark - space
            # Whatever is loud counts; what is soft does if it is not the rest of something louder.
            peak = max(sums[4], FORGETS * peak)
            power = level * level
            loud = power > min(least, max(softest, near * peak))
            pure = 2 * power / (window * sums[4]) if loud else 0.0
            state.smooth += (min(pure, 1.0) - state.smooth) / (6 * bit)
            state.on = 1 if state.smooth > state.least_pure - (0.25 if state.on else 0.15) else 0
            carrier[i] = state.on
            characters[i] = 0

            # A start bit begins where the mark ends.
            state.due -= 1
            if state.phase_ == 0:
                if d > 0 and loud:
                    state.marked += 1
                elif before > 0 and state.marked > 0.4 * bit and d <= 0:
                    state.phase_, state.k, state.code, state.eye, state.pure = 1, -1, 0, 0, 0
                    state.due = 0.5 * bit - d / (d - before)
                else:
                    state.marked = 0
            if state.phase_ == 1 and state.due <= 0:  # in the middle: between the sample before and this one
                value = d + (d - before) * state.due
                state.eye += abs(value) / (other + 1e-30)
                state.pure += pure
                one = value > 0
                if state.k < 0 and one:  # it was no start bit
                    state.phase_, state.marked = 0, 0
                elif 0 <= state.k < state.bits:
                    state.code |= np.int64(one) << state.k
                elif state.k == state.bits:
                    n = state.bits + 2
                    state.phase_, state.marked = 0, np.int64(bit) if one else 0
                    if one and state.on and state.eye > state.clear * n and state.pure > state.least_pure * n:
                        code, shown = state.code, True
                        if state.bits == 5:
                            if code in (TO_FIGURES, TO_LETTERS):
                                state.shift, shown = np.int64(code == TO_FIGURES), False
                            code = table[32 * state.shift + (code & 31)]
                            if code == 32 and state.unshift_:
                                state.shift = 0
                        if shown and code != 0:
                            characters[i] = code
                            kept[state.count % KEPT] = code
                            fence()
                            state.count += 1
                            if state.received == 0:
                                state.received = event(i, code)
                state.k += 1
                state.due += bit
            before = d
        state.at, state.place, state.before, state.peak = at, place, before, peak
