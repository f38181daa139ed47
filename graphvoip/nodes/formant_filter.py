import numpy as np

from ..dsp import integrated, moves, tangent
from ..kernel import HUGE, kernel, limited, sound
from ..node import Node, Output, Signal, State
from ..notes import VOICES
from ..rings import RATE

# The first four formants of a tenor: a row for each vowel.
FREQS, LEVELS, WIDTHS = np.moveaxis(np.array(VOICES["tenor"], float)[:, :4], 2, 0).copy()
LEVELS = np.array([1, -1, 1, -1]) * 10 ** (LEVELS / 20)  # else neighbours would cancel between their peaks
TOP = 3900.0  # Hz: no formant above it


class FormantFilter(Node):
    """Makes any sound speak a vowel: four resonances as those of a mouth, beside each other.

    `vowel` goes through a (0), e (1), i (2), o (3), u (4) and all that is between them; move it, and the sound talks.
    Sounds rich in overtones speak best: a saw of 80 to 200 Hz, noise whispers. `shift` moves the formants together: a
    longer or shorter throat. A fault in the input passes by and is not remembered.

    The formants are those of a tenor; each is a resonance that may move at audio rate, see Svf. It takes 2 us a frame,
    and 10 us while the vowel moves.

    >>> FormantFilter(Saw(freq=110), Lfo(freq=0.5, low=0, high=4))
    """

    group = "filters"
    known_as = "vowel filter, talkbox, talk box, wah, mouth, vocal filter, formant, talking filter"
    input = Signal(None, doc="what is to speak")
    vowel = Signal(0.0, "x", 0, 4, "0 a, 1 e, 2 i, 3 o, 4 u, and all between them")
    shift = Signal(1.0, "x", 0.5, 2, "factor for the formants' pitch: 1.2 is a smaller mouth, 0.8 a giant's")
    out = Output()
    state = State(z=("f8", (4, 2)))

    @kernel
    def process(state, input, vowel, shift, out):
        moving = moves(vowel) + moves(shift)
        for i in range(out.size):
            out[i] = 0
        for n in range(4):
            z0, z1 = state.z[n, 0], state.z[n, 1]
            at = 0
            while at < out.size:
                v, s = limited(vowel[at], 0, 4), limited(shift[at], 0.5, 2)
                k = min(np.int64(v), 3)
                h = v - k
                freq = min(s * (FREQS[k, n] + h * (FREQS[k + 1, n] - FREQS[k, n])), TOP)
                width = s * (WIDTHS[k, n] + h * (WIDTHS[k + 1, n] - WIDTHS[k, n]))
                level = LEVELS[k, n] + h * (LEVELS[k + 1, n] - LEVELS[k, n])
                # The damping that gives this width in Hz: the bilinear rule makes what is high too narrow else.
                g, damp = tangent(freq), width * (np.pi / RATE)
                a = 1 / ((1 + g * g) * (1 + damp))
                b, c = g * a, g * g * a
                level *= damp * (1 + g * g) / g
                stop = at + 1 if moving else out.size
                for i in range(at, stop):
                    band, _, z0, z1 = integrated(np.float64(sound(input[i])), z0, z1, a, b, c)
                    out[i] += level * band
                at = stop
            state.z[n, 0], state.z[n, 1] = z0, z1
        for i in range(out.size):
            out[i] = out[i] if abs(input[i]) < HUGE else input[i]
