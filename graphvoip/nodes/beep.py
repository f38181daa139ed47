import numpy as np
from numba import njit

from ..dsp import butterworth, section
from ..kernel import OPTIONS, event, floats_at, kernel, sin_turns, sound
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import RATE

HOP = 80  # samples, 10 ms
SIZE = 2 * HOP  # that are looked at
PURE = 0.94  # share of what is heard above 250 Hz that is the sine
STEADY = 0.005  # by which its pitch may differ from hop to hop, or 5 Hz
SAME = 2.0  # its power, by this factor
FAINT = 10 ** (-45 / 10)  # power that is heard
DROP = 16  # factor by which its power falls at its end, 12 dB
LEAVES = 5  # hops within which it does
FOLLOWS = 3  # hops of silence after a tone that the next one of three may follow; exchanges leave up to 15 ms
# In a held vowel or a note one harmonic may be nearly all there is, but others are heard, 24 dB below it at most: its
# second multiple or, if it is a second one itself, those at odd multiples of its half. A beep that is clipped has its
# third multiple only. What noise leaves there is no voice as long as the pitch does not waver.
BESIDE = 10 ** (-24 / 10)  # of its power is beside it, at most
WAVERING = 0.12  # of that if it wavers and is short
SHORT = 18  # hops, 0.2 s; no vowel keeps its pitch for longer
WAVERS = 0.002  # by which its pitch differs from the mean, root of the mean square
TOP = 3800.0  # Hz; what is above it is not looked for
HIGHPASS = butterworth(250, low=False)
HANN = (1 - np.cos(2 * np.pi * (np.arange(HOP) + 0.5) / HOP)).astype(np.float32)  # of a hop; its mean is 1
WIDE = (1 - np.cos(2 * np.pi * (np.arange(SIZE) + 0.5) / SIZE)).astype(np.float32)  # of the line
FLAT = np.ones(SIZE, np.float32)


@njit(**OPTIONS)
def turning(line, window, first, step):
    """A sine of so many turns a sample in the line, from its sample `first` on: its two sums under the window."""
    x, y = np.float32(0), np.float32(0)
    for n in range(window.size):
        turns = np.float32(step * (first + n))
        x += window[n] * line[first + n] * sin_turns(turns + np.float32(0.25))
        y += window[n] * line[first + n] * sin_turns(turns)
    return np.float64(x), np.float64(y)


@njit(**OPTIONS)
def sine_in(line):
    """The pitch of the sine in the line, how much of it all it is (its share of the power), and the power of all."""
    power, across, ends = 1e-12, 0.0, 0.0
    for n in range(1, SIZE - 1):
        both = line[n - 1] + line[n + 1]  # of a sine: twice the cosine of its pitch times the one in the middle
        power, across, ends = power + line[n] * line[n], across + line[n] * both, ends + both * both
    noise = (ends - across * across / power) / (2 + (across / power) ** 2)
    if noise > 0.3 * power:
        return 0.0, 0.0, power / SIZE
    step = np.arccos(min(1.0, max(-1.0, 0.5 * across / max(power - noise, 0.5 * power)))) / (2 * np.pi)
    for _ in range(2):  # that is roughly so; the phase from hop to hop is exact
        x0, y0 = turning(line, HANN, 0, step)
        x1, y1 = turning(line, HANN, HOP, step)
        step -= np.arctan2(y1 * x0 - x1 * y0, x1 * x0 + y1 * y0) / (2 * np.pi * HOP)
    x, y = turning(line, FLAT, 0, step)
    return step * RATE, 2 * (x * x + y * y) / (SIZE * power), power / SIZE


@njit(**OPTIONS)
def power_at(line, freq):
    """The power of a sine of that pitch in the line."""
    if freq > TOP:
        return 0.0
    x, y = turning(line, WIDE, 0, freq / RATE)
    return 2 * (x * x + y * y) / (SIZE * SIZE)


@njit(**OPTIONS)
def begin(state, line, freq, power):
    """A tone begins."""
    state.on, state.hops, state.freq, state.mean = 1, 0, freq, power
    state.wavers, state.beside = 0.0, 0.0
    go_on(state, line, freq, power)


@njit(**OPTIONS)
def go_on(state, line, freq, power):
    """A hop more of the tone: its means, and what is beside it."""
    state.hops += 1
    apart = freq - state.freq
    state.freq += apart / state.hops
    state.wavers += apart * (freq - state.freq)
    state.mean += (power - state.mean) / state.hops
    state.beside += power_at(line, 1.5 * freq) + power_at(line, 2 * freq) + power_at(line, 2.5 * freq)


@njit(**OPTIONS)
def may_go_on(freq):
    """Tell whether a tone may be the first or the second special information tone (ITU-T E.180)."""
    return 900 <= freq <= 1001 or 1349 <= freq <= 1451


@njit(**OPTIONS)
def is_beep(state, least):
    """Has it been a beep so far: neither too short nor too long, and no voice?"""
    wavers = state.hops < SHORT and state.wavers > state.hops * (WAVERS * state.freq) ** 2
    voice = state.beside > BESIDE * (WAVERING if wavers else 1.0) * state.hops * state.mean
    return least <= state.hops <= state.most and not voice


class Beep(Node):
    """The beep of an answering machine: one steady tone, then silence. Now it listens.

    A beep is a single sine of `lowest` to `highest` that keeps its pitch to 0.5 % and its level to 3 dB for `shortest`
    to `longest`, and ends within 50 ms. What has harmonics beside it is a voice or a note, and two tones at once are
    none either. A single tone of an exchange is one, unless `tone` is connected. It must be 15 dB above the noise and
    above -42 dB of full scale. The event comes 20 ms after the end, 40 ms for a pitch of the information tones.

    >>> Beep(Tone(freq=1000, seconds=0.4))
    """

    group = "analysis"
    known_as = "voicemail beep, tone detector, beep detection, record tone, answering machine"
    input = Signal(None, doc="what is listened to")
    tone = Signal(0.0, "x", 0, 1, "1 while a tone of an exchange sounds: CallProgress(call.voice).tone")
    lowest = Option(400.0, "pitch of a beep, at least", unit="Hz", low=300, high=3400)
    highest = Option(2000.0, "and at most", unit="Hz", low=300, high=3400)
    shortest = Option(0.1, "length of a beep, at least", unit="s", low=0.05, high=10)
    longest = Option(4.0, "and at most", unit="s", low=0.05, high=60)
    out = Output("1 while a tone sounds that is a beep if it ends now, else 0")
    pitch = Output("its pitch in Hz, 0 when there is none")
    beep = Event("a beep has ended; value: its pitch in Hz")
    state = State(
        line_="i8", left="i8", z=("f8", 2), on="i8", hops="i8", freq="f8", mean="f8", low="f8", high="f8", least="i8",
        most="i8", waiting="i8", quiet="i8", code="i8", hertz="f8", wavers="f8", beside="f8",
    )  # fmt: skip

    def start(self):
        self.line = np.zeros(SIZE, np.float32)
        self.state["line_"], self.state["left"] = self.line.ctypes.data, HOP
        self.state["low"], self.state["high"] = self.lowest, self.highest
        self.state["least"] = round(RATE / HOP * self.shortest) - 3  # so many are not full of it
        self.state["most"] = round(RATE / HOP * self.longest)

    @kernel
    def process(state, input, tone, out, pitch):
        line = floats_at(state.line_, SIZE)
        done = 0
        while done < out.size:
            size = min(out.size - done, state.left)
            z0, z1 = state.z[0], state.z[1]
            at = SIZE - state.left - done
            for i in range(done, done + size):
                y, z0, z1 = section(np.float64(sound(input[i])), z0, z1, *HIGHPASS)
                line[at + i] = y
                out[i] = state.code
                pitch[i] = state.hertz
            state.z[0], state.z[1] = z0, z1
            done += size
            state.left -= size
            if state.left > 0:
                continue
            state.left = HOP
            last = 0.0
            for n in range(HOP, SIZE):
                last += line[n] * line[n] / HOP
            freq, share, power = sine_in(line) if last > FAINT else (0.0, 0.0, 0.0)
            pure = share >= PURE and state.low <= freq <= state.high
            if state.on == 1:
                same = abs(freq - state.freq) <= max(5.0, STEADY * state.freq)
                if pure and same and state.mean < SAME * power < SAME * SAME * state.mean:
                    go_on(state, line, freq, power)
                else:
                    state.on = 0
                    state.waiting, state.quiet = LEAVES if is_beep(state, state.least) else 0, 0
            if state.on == 0 and state.waiting > 0:
                quiet = DROP * last < state.mean
                state.waiting = state.waiting if quiet else 0 if state.quiet > 0 else state.waiting - 1
                state.quiet = state.quiet + 1 if quiet else 0
                if state.quiet == (FOLLOWS if may_go_on(state.freq) else 1):
                    state.waiting = 0
                    if state.beep == 0 and not tone[done - 1] > 0.5:
                        state.beep = event(done - 1, np.int64(state.freq + 0.5))
            if state.on == 0 and state.waiting == 0 and pure:
                begin(state, line, freq, power)
            for n in range(HOP):
                line[n] = line[HOP + n]
            one = state.on == 1 and is_beep(state, state.least + 1) and not tone[done - 1] > 0.5
            state.code = 1 if one else 0
            state.hertz = state.freq if state.code == 1 else 0.0
