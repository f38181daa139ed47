import numpy as np

from ..kernel import bipolar, floats_at, kernel, limited, shuffled
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

SIZE = 512  # samples of string, a power of two: 20 Hz needs 400
MASK = SIZE - 1
EVERY = 16  # samples, 2 ms: moving inputs are looked at so often
LOW, HIGH = 20, 3000  # Hz
LEAST, MOST = 0.02, 100  # s
SHARE = 0.9  # of the loss, at most, is the lowpass's; the rest lets a constant part decay as well
DULL = 0.95  # the lowpass's pole, at most


class Pluck(Node):
    """A plucked string: noise in a loop as long as a period, a little duller with each turn (Karplus and Strong, 1983).

    The loop's length is tuned by an allpass and its loss set to the decay (Jaffe and Smith, 1983), at the note itself:
    overtones fade faster, the more the lower brightness is. The trigger's value where it rises is the velocity; without
    a wire there, it is plucked once, at the start. A string that is plucked again is stopped first. It may be bent
    while it sounds.

    >>> Pluck(freq=196, trigger=Pulse(freq=2), decay=2, brightness=0.6)
    """

    group = "sources"
    known_as = "karplus-strong, karplus, string, guitar, harp, plucked string, physical modelling, waveguide"
    freq = Signal(220.0, "Hz", LOW, HIGH, "pitch")
    trigger = Signal(1.0, "trigger", doc="plucks it; its value is the velocity, up to 1; without a wire there is one")
    decay = Signal(2.0, "s", LEAST, MOST, "time in which the note falls by 60 dB")
    brightness = Signal(0.5, "x", 0, 1, "1: overtones last as long as the note; 0: they are gone at once")
    seed = Option(None, "its own noise; without it a patch gives it one")
    out = Output()
    state = State(random="u8", line_="i8", at="i8", tick="i8", down="i8", length="i8", freq_="f8", decay_="f8",
                  brightness_="f8", gain="f8", pole="f8", turn="f8", dull="f8", x="f8", y="f8")  # fmt: skip

    def start(self):
        self.line = np.zeros(SIZE, np.float32)
        self.state["line_"], self.state["length"] = self.line.ctypes.data, 1

    @kernel
    def process(state, freq, trigger, decay, brightness, out):
        line = floats_at(state.line_, SIZE)
        at, tick, down, length = state.at, state.tick, state.down, state.length
        gain, pole, turn, dull, x, y = state.gain, state.pole, state.turn, state.dull, state.x, state.y
        for i in range(out.size):
            velocity = limited(trigger[i], 0, 1)
            rises = velocity > 0 and down == 0
            down = 1 if velocity > 0 else 0
            if rises or tick == 0:
                f, t = limited(freq[i], LOW, HIGH), limited(decay[i], LEAST, MOST)
                b = limited(brightness[i], 0, 1)
                if f != state.freq_ or t != state.decay_ or b != state.brightness_:
                    state.freq_, state.decay_, state.brightness_ = f, t, b
                    # The loss of one turn, at the note: part of it is the lowpass's (1 - p) / (1 - p / z).
                    w = 2 * np.pi / RATE * f
                    c, loss = np.cos(w), np.log(10.0) * -3 / (t * f)
                    share = np.exp(2 * SHARE * (1 - b) * loss)
                    p, q = 1 - share, 1 - share * c
                    pole = min(DULL, (q - np.sqrt(max(0.0, q * q - p * p))) / p) if p > 1e-12 else 0.0
                    # The note is exp(i w) / u to the power of n, and all parts of the loop are looked at there: line,
                    # lowpass and allpass last a period together, and the gain makes up for what they lose or add.
                    u = np.exp(np.log(10.0) * 3 / (t * RATE))
                    period = RATE / f - np.arctan2(pole * u * np.sin(w), 1 - pole * u * c) / w
                    length = max(1, min(MASK, np.int64(np.floor(period - 0.25))))
                    d = min(1.5, period - length)
                    turn = np.sin((1 - d) * w / 2) / np.sin((1 + d) * w / 2)
                    passed = (turn * turn + 2 * turn * u * c + u * u) / (1 + 2 * turn * u * c + turn * turn * u * u)
                    gain = np.sqrt((1 - 2 * pole * u * c + (pole * u) ** 2) / passed) * u ** np.float64(-length)
                    gain = min(gain, 1 - pole)  # at the most nothing grows, whatever its frequency
            tick = (tick + 1) % EVERY
            if rises:
                count, random, mean, power = max(2, length), state.random, 0.0, 0.0
                for k in range(1, count + 1):
                    random = shuffled(random)
                    line[(at - k) & MASK] = bipolar(random)
                    mean += line[(at - k) & MASK]
                mean /= count
                for k in range(1, count + 1):
                    power += (line[(at - k) & MASK] - mean) ** 2
                scale = velocity * 0.4 / np.sqrt(max(1e-4, power / count))
                for k in range(1, count + 1):
                    line[(at - k) & MASK] = (line[(at - k) & MASK] - mean) * scale
                state.random = random
                dull = x = y = 0.0
            dull = gain * line[(at - length) & MASK] + pole * dull
            y = turn * (dull - y) + x
            x = dull
            y = min(2.0, max(-2.0, y))  # a string that is bent all the time must not build itself up
            line[at & MASK] = y
            out[i] = y
            at += 1
        state.at, state.tick, state.down, state.length = at, tick, down, length
        state.gain, state.pole, state.turn, state.dull, state.x, state.y = gain, pole, turn, dull, x, y
