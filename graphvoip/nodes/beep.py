import numpy as np

from ..dsp import butterworth, section
from ..kernel import event, kernel, sound
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import RATE

HOP = 80  # samples, 10 ms
NOISE = 0.05  # share of what is heard that is not the sine, at most
STEADY = 0.02  # by which its pitch may differ from hop to hop, and about 10 Hz
SAME = 2.0  # its power, by this factor
FAINT = 10 ** (-45 / 10)  # power that is heard
DROP = 16  # factor by which its power falls at its end, 12 dB
LEAVES = 5  # hops within which it does
HIGHPASS = butterworth(250, low=False)


class Beep(Node):
    """The beep of an answering machine: one steady tone, then silence. Now it listens.

    A beep is a single sine of `lowest` to `highest` that keeps its pitch to 2 % and its level to 3 dB for `shortest` to
    `longest`, and ends within 50 ms. So voices are none, and two tones at once are none; the tones of an exchange and
    a telephone's single beeps are. The pitch comes from three neighbouring samples of a sine, which is quick and needs
    no table.

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
        left="i8", z=("f8", 2), a="f8", b="f8", power="f8", across="f8", ends="f8", on="i8", hops="i8", freq="f8",
        tone="f8", low="f8", high="f8", least="i8", most="i8", waiting="i8", code="i8", hertz="f8",
    )  # fmt: skip

    def start(self):
        self.state["left"] = HOP
        self.state["low"], self.state["high"] = self.lowest, self.highest
        self.state["least"], self.state["most"] = (round(RATE / HOP * x) for x in (self.shortest, self.longest))

    @kernel
    def process(state, input, out, pitch):
        done = 0
        while done < out.size:
            size = min(out.size - done, state.left)
            z0, z1, a, b = state.z[0], state.z[1], state.a, state.b
            power, across, ends = state.power, state.across, state.ends
            for i in range(done, done + size):
                x, z0, z1 = section(np.float64(sound(input[i])), z0, z1, *HIGHPASS)
                both = x + b  # twice the cosine of the pitch times `a`, of a sine
                power, across, ends = power + a * a, across + both * a, ends + both * both
                a, b = x, a
                out[i] = state.code
                pitch[i] = state.hertz
            state.z[0], state.z[1], state.a, state.b = z0, z1, a, b
            state.power, state.across, state.ends = power, across, ends
            done += size
            state.left -= size
            if state.left > 0:
                continue
            state.left, state.power, state.across, state.ends = HOP, 0.0, 0.0, 0.0
            cosine = across / (power + 1e-12)
            noise = max(0.0, ends - cosine * across) / (2 + cosine * cosine)
            cosine = across / (max(power - noise, 0.5 * power) + 1e-12)
            freq = np.arccos(min(1.0, max(-1.0, 0.5 * cosine))) * RATE / (2 * np.pi)
            pure = power > FAINT * HOP and noise < NOISE * power and state.low <= freq <= state.high
            if state.on == 1:
                same = abs(freq - state.freq) <= max(10.0, STEADY * state.freq)
                if pure and same and state.tone < SAME * power < SAME * SAME * state.tone:
                    state.hops += 1
                    state.freq += (freq - state.freq) / state.hops
                    state.tone += (power - state.tone) / state.hops
                else:
                    state.on = 0
                    state.waiting = LEAVES if state.least <= state.hops <= state.most else 0
            if state.on == 0 and state.waiting > 0:
                state.waiting -= 1
                if DROP * power < state.tone:
                    state.waiting = 0
                    if state.beep == 0:
                        state.beep = event(done - 1, np.int64(state.freq + 0.5))
            if state.on == 0 and state.waiting == 0 and pure:
                state.on, state.hops, state.freq, state.tone = 1, 1, freq, power
            state.code = 1 if state.on == 1 and state.least <= state.hops <= state.most else 0
            state.hertz = state.freq if state.code == 1 else 0.0
