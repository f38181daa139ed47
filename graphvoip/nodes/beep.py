import numpy as np
from numba import njit

from ..dsp import butterworth, section
from ..kernel import OPTIONS, event, floats_at, kernel, sin_turns, sound
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import RATE

HOP = 80  # samples, 10 ms
SIZE = 2 * HOP  # that are looked at
PURE = 0.95  # share of what is heard above 250 Hz that is the sine
STEADY = 0.005  # by which its pitch may differ from hop to hop, or 5 Hz
SAME = 2.0  # its power, by this factor
FAINT = 10 ** (-45 / 10)  # power that is heard
DROP = 16  # factor by which its power falls at its end, 12 dB
LEAVES = 5  # hops within which it does
HIGHPASS = butterworth(250, low=False)


@njit(**OPTIONS)
def turning(line, first, step):
    """A sine of so many turns a sample in one hop of the line: its two sums."""
    x, y = np.float32(0), np.float32(0)
    for n in range(first, first + HOP):
        turns = np.float32(step * n)
        x += line[n] * sin_turns(turns + np.float32(0.25))
        y += line[n] * sin_turns(turns)
    return np.float64(x), np.float64(y)


@njit(**OPTIONS)
def sine_in(line):
    """The pitch of the sine in the line, how much of it all it is, and the power of all."""
    power, across, ends = 1e-12, 0.0, 0.0
    for n in range(1, SIZE - 1):
        both = line[n - 1] + line[n + 1]  # of a sine: twice the cosine of its pitch times the one in the middle
        power, across, ends = power + line[n] * line[n], across + line[n] * both, ends + both * both
    noise = (ends - across * across / power) / (2 + (across / power) ** 2)
    if noise > 0.3 * power:
        return 0.0, 0.0, power / SIZE
    step = np.arccos(min(1.0, max(-1.0, 0.5 * across / max(power - noise, 0.5 * power)))) / (2 * np.pi)
    size = 0.0
    for _ in range(2):  # that is roughly so; the phase from hop to hop is exact
        x0, y0 = turning(line, 0, step)
        x1, y1 = turning(line, HOP, step)
        step -= np.arctan2(y1 * x0 - x1 * y0, x1 * x0 + y1 * y0) / (2 * np.pi * HOP)
        size = np.sqrt(x0 * x0 + y0 * y0) + np.sqrt(x1 * x1 + y1 * y1)
    return step * RATE, 2 * size * size / (SIZE * power), power / SIZE


class Beep(Node):
    """The beep of an answering machine: one steady tone, then silence. Now it listens.

    A beep is a single sine of `lowest` to `highest` that keeps its pitch to 2 % and its level to 3 dB for `shortest` to
    `longest`, and ends within 50 ms. So voices are none, and two tones at once are none; the tones of an exchange and
    a telephone's single beeps are. The event comes 20 ms after the end.

    >>> Beep(Tone(freq=1000, seconds=0.4))
    """

    group = "analysis"
    input = Signal(None, doc="what is listened to")
    lowest = Option(400.0, "pitch of a beep, at least", unit="Hz", low=300, high=3400)
    highest = Option(2000.0, "and at most", unit="Hz", low=300, high=3400)
    shortest = Option(0.1, "length of a beep, at least", unit="s", low=0.05, high=10)
    longest = Option(4.0, "and at most", unit="s", low=0.05, high=60)
    out = Output("1 while a tone sounds that is a beep if it ends now, else 0")
    pitch = Output("its pitch in Hz, 0 when there is none")
    beep = Event("a beep has ended; value: its pitch in Hz")
    state = State(
        line_="i8", left="i8", z=("f8", 2), on="i8", hops="i8", freq="f8", tone="f8", low="f8", high="f8", least="i8",
        most="i8", waiting="i8", code="i8", hertz="f8",
    )  # fmt: skip

    def start(self):
        self.line = np.zeros(SIZE, np.float32)
        self.state["line_"], self.state["left"] = self.line.ctypes.data, HOP
        self.state["low"], self.state["high"] = self.lowest, self.highest
        self.state["least"] = round(RATE / HOP * self.shortest) - 2  # two hops are not full of it
        self.state["most"] = round(RATE / HOP * self.longest)

    @kernel
    def process(state, input, out, pitch):
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
            for n in range(HOP):
                line[n] = line[HOP + n]
            pure = share >= PURE and state.low <= freq <= state.high
            if state.on == 1:
                same = abs(freq - state.freq) <= max(5.0, STEADY * state.freq)
                if pure and same and state.tone < SAME * power < SAME * SAME * state.tone:
                    state.hops += 1
                    state.freq += (freq - state.freq) / state.hops
                    state.tone += (power - state.tone) / state.hops
                else:
                    state.on = 0
                    state.waiting = LEAVES if state.least <= state.hops <= state.most else 0
            if state.on == 0 and state.waiting > 0:
                state.waiting -= 1
                if DROP * last < state.tone:
                    state.waiting = 0
                    if state.beep == 0:
                        state.beep = event(done - 1, np.int64(state.freq + 0.5))
            if state.on == 0 and state.waiting == 0 and pure:
                state.on, state.hops, state.freq, state.tone = 1, 1, freq, power
            state.code = 1 if state.on == 1 and state.least <= state.hops <= state.most else 0
            state.hertz = state.freq if state.code == 1 else 0.0
