import numpy as np

from ..dsp import tangent
from ..kernel import exp2, kernel, limited, sin_turns, sound
from ..node import Node, Option, Output, Signal, State
from ..notes import VOICES
from ..rings import RATE

VOWELS, FORMANTS = 5, 5
LANES = 8  # formants as a processor counts: the last three are silent
EVERY = 16  # samples, 2 ms, between two positions of a mouth that moves
GLIDE = 1 - np.exp(-EVERY / (0.015 * RATE))  # of the way in that time: it takes 15 ms
LOW, HIGH = 40, 1000  # Hz
SOURCE = 0.015  # of the square root of the pitch is the height of its overtones: about the same level for each pitch


class VoiceFormant(Node):
    """A sung vowel: band-limited pulses, as of the vocal cords, through five formants side by side.

    `vowel` goes from 0 to 4 over a, e, i, o and u, and what is between them is between them in sound; a jump takes the
    mouth 15 ms. The pitch is looked at every 2 ms. Frequencies, levels and widths of the formants are the Csound
    manual's.

    >>> VoiceFormant(vowel=Lfo(freq=0.5, low=0, high=4), freq=130, amp=0.5)
    """

    group = "sources"
    known_as = "singing voice, vowel, choir, vocal, fof, singer, formant synthesis, vosim"
    vowel = Signal(0.0, "x", 0, 4, "0 a, 1 e, 2 i, 3 o, 4 u, and all between them")
    freq = Signal(140.0, "Hz", LOW, HIGH, "pitch")
    amp = Signal(1.0, "x", doc="level; 1 is full scale")
    vibrato = Signal(0.3, "semitones", 0, 12, "how far the pitch swings to each side")
    vibrato_rate = Signal(5.5, "Hz", 0, 50, "how often it swings")
    voice = Option("tenor", "whose mouth", tuple(VOICES))
    out = Output()
    state = State(phase="f8", step="f8", swing="f8", tick="i8", begun="i8", vowel_="f8", made="f8",
                  pitch=("f8", VOWELS * FORMANTS), level=("f8", VOWELS * FORMANTS), width=("f8", VOWELS * FORMANTS),
                  g=("f8", LANES), a=("f8", LANES), b=("f8", LANES), p=("f8", LANES), q=("f8", LANES),
                  )  # fmt: skip

    def start(self):
        for j, formants in enumerate(VOICES[self.voice]):
            for k in range(FORMANTS):
                pitch, level, width = formants[k] if k < len(formants) else (3700, -200, 200)
                self.state["pitch"][FORMANTS * j + k] = np.log(pitch)
                self.state["level"][FORMANTS * j + k] = level * np.log(10) / 20
                self.state["width"][FORMANTS * j + k] = np.log(width)

    @kernel
    def process(state, vowel, freq, amp, vibrato, vibrato_rate, out):
        made = 0
        while made < out.size:
            if state.tick == 0:
                swing = state.swing
                bent = np.float32(limited(vibrato[made], 0, 12) * (1 / 12)) * sin_turns(np.float32(swing))
                swing += limited(vibrato_rate[made], 0, 50) * (EVERY / RATE)
                state.swing = swing - np.floor(swing)
                state.step = limited(freq[made], LOW, HIGH) * exp2(bent) * (1 / RATE)
                wish = limited(vowel[made], 0, 4)
                near = abs(wish - state.vowel_) < 1e-3 or state.begun == 0
                state.vowel_ = wish if near else state.vowel_ + GLIDE * (wish - state.vowel_)
                if state.vowel_ != state.made or state.begun == 0:
                    state.begun, state.made = 1, state.vowel_
                    j = FORMANTS * min(VOWELS - 2, np.int64(state.vowel_))
                    t = state.vowel_ - j // FORMANTS
                    for k in range(FORMANTS):
                        f = np.exp((1 - t) * state.pitch[j + k] + t * state.pitch[j + FORMANTS + k])
                        level = np.exp((1 - t) * state.level[j + k] + t * state.level[j + FORMANTS + k])
                        width = np.exp((1 - t) * state.width[j + k] + t * state.width[j + FORMANTS + k])
                        state.g[k] = tangent(f)
                        state.a[k] = 1 / (1 + state.g[k] * (state.g[k] + width / f))
                        # Equal signs: a dip between two neighbours, and each keeps a peak of its own. With signs in
                        # turn the second formant of u is lost on the slope of the first.
                        state.b[k] = level * width / f
            size = min(out.size - made, EVERY - state.tick)
            block = out[made : made + size]
            # The pulses: all cosines below 4000 Hz at once, by the sum of a geometric series (Stilson and Smith, 1996).
            # An overtone that passes 4000 Hz does so unheard, because the formants have a zero there.
            phase, step = state.phase, state.step
            count, height = 2 * np.floor(0.5 / step) + 1, SOURCE * np.sqrt(RATE * step)
            for i in range(size):
                half = 0.5 * (phase + i * step)
                under = sin_turns(half)
                over = sin_turns(count * half)
                near = abs(under) < 1e-6
                block[i] = height * ((count if near else over / (np.float64(1) if near else under)) - 1)
            phase += size * step
            state.phase = phase - np.floor(phase)
            # Each is a bandpass as a state variable filter, which may move while it sounds (Zavalishin, 2012).
            for i in range(size):
                x, sum = np.float64(block[i]), 0.0
                for k in range(LANES):
                    v = state.a[k] * (state.p[k] + state.g[k] * (x - state.q[k]))
                    state.p[k] = 2 * v - state.p[k]
                    state.q[k] += 2 * state.g[k] * v
                    sum += state.b[k] * v
                block[i] = sum
            made += size
            state.tick = (state.tick + size) % EVERY
        for i in range(out.size):
            out[i] *= sound(amp[i])
