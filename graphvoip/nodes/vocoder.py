import numpy as np

from ..dsp import left_over
from ..kernel import kernel, limited, sound, words_at
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

LOWEST, HIGHEST = 100.0, 3500.0
MOST = 24  # bands
ROWS = 16  # of the node's memory, each with a number for every band
B, A1, A2, SIGN, VOICE, CARRIER, FIRST = range(7)  # coefficients, the two envelopes, and 8 words of filters
ATTACK, CARRIER_ATTACK = 1 - np.exp(-1 / (0.003 * RATE)), 1 - np.exp(-1 / (0.001 * RATE))
CARRIER_FALL = 1 - np.exp(-1 / (0.02 * RATE))
LEAST = 1e-3  # a carrier softer than this is not brought up any more


class Vocoder(Node):
    """Make a sound speak: the carrier gets, band by band, the level that the voice at the input has (Dudley, 1939).

    `bands` pairs of bandpass filters, from 100 to 3500 Hz, evenly in pitch. Each of the carrier's bands is first
    brought to an even level, so that a dull carrier is understood as well as a bright one, and the whole is as loud as
    the voice. It takes a carrier of many overtones: a saw, a chord of them, noise. One that is not wired is silent, and
    so is the vocoder. A fault in an input is silence. About 5 us a frame for 16 bands.

    >>> Vocoder(voice, carrier=Saw(freq=110))
    """

    group = "time"
    known_as = "talkbox, talk box, lpc, robot voice, channel vocoder, speech synthesis, sidechain, kraftwerk, voder"
    input = Signal(None, doc="the voice")
    carrier = Signal(0.0, "x", doc="the sound that is to speak; without it there is silence")
    release = Signal(0.03, "s", 0.001, 2, "how slowly a band falls silent; more blurs the words into chords")
    bands = Option(16, "how many filter pairs; more are clearer", low=8, high=MOST)
    out = Output()
    state = State(line_="i8", count="i8", release_="f8", fall="f8")

    def start(self):
        self.line = np.zeros(ROWS * MOST)
        self.state["line_"] = self.line.ctypes.data
        self.state["count"] = count = self.bands
        rows = self.line.reshape(ROWS, MOST)
        w = 2 * np.pi / RATE * np.geomspace(LOWEST, HIGHEST, count)
        octaves = np.log2(HIGHEST / LOWEST) / (count - 1)  # so wide that neighbours meet at half their height
        alpha = np.sin(w) * np.sinh(np.log(2) / 2 * octaves * w / np.sin(w))
        rows[B, :count] = alpha / (1 + alpha)
        rows[A1, :count] = -2 * np.cos(w) / (1 + alpha)
        rows[A2, :count] = (1 - alpha) / (1 + alpha)
        rows[SIGN, :count] = (-1.0) ** np.arange(count)  # where neighbours meet they are half a turn apart

    @kernel
    def process(state, input, carrier, release, out):
        # One float64 array, a row for every quantity: the loop over the bands is done in vector units.
        m, n = words_at(state.line_, ROWS * MOST).view(np.float64), MOST
        count, seconds, fall = state.count, state.release_, state.fall
        for i in range(out.size):
            now = limited(release[i], 0.001, 2)
            if now != seconds:
                seconds, fall = now, 1 - left_over(now)
            x, c = np.float64(sound(input[i])), np.float64(sound(carrier[i]))
            total = 0.0
            for k in range(count):
                b, a1, a2 = m[k], m[n + k], m[2 * n + k]
                # Both sounds through the same two bandpass filters in a row.
                y = b * x + m[6 * n + k]
                m[6 * n + k] = m[7 * n + k] - a1 * y
                m[7 * n + k] = -b * x - a2 * y
                z = b * y + m[8 * n + k]
                m[8 * n + k] = m[9 * n + k] - a1 * z
                m[9 * n + k] = -b * y - a2 * z
                u = b * c + m[10 * n + k]
                m[10 * n + k] = m[11 * n + k] - a1 * u
                m[11 * n + k] = -b * c - a2 * u
                v = b * u + m[12 * n + k]
                m[12 * n + k] = m[13 * n + k] - a1 * v
                m[13 * n + k] = -b * u - a2 * v
                voice, own = abs(z) - m[4 * n + k], abs(v) - m[5 * n + k]
                m[4 * n + k] += voice * (ATTACK if voice > 0 else fall)
                m[5 * n + k] += own * (CARRIER_ATTACK if own > 0 else CARRIER_FALL)
                total += m[3 * n + k] * v * m[4 * n + k] / (m[5 * n + k] + LEAST)
            out[i] = total
        state.release_, state.fall = seconds, fall
