import numpy as np
from numba import njit

from ..kernel import OPTIONS, floats_at, kernel, sound
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

SIZE = 256  # samples of a window, 32 ms
HALF = SIZE // 2
BINS = HALF + 1
# Where things are in its memory: the ring of samples, two work arrays of real and imaginary parts, the magnitudes.
RING, REAL, IMAG, REAL2, IMAG2, NOW, BEFORE, ROOM = 0, 256, 384, 512, 640, 768, 1024, 1280

# A sine of full scale has a magnitude of 1: a window adds up to SIZE / 2, and half the sine is at -f.
HANN = (2 / HALF * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SIZE) / SIZE))).astype(np.float32)
COS, SIN = (f(2 * np.pi * np.arange(HALF) / SIZE).astype(np.float32) for f in (np.cos, np.sin))
QUIET = 1e-10  # power, -100 dBFS: less than this is silence
LEAST = np.float32(1e-16)  # what each bin has at least, so that it has a logarithm


@njit(**OPTIONS)
def transform(memory):
    """The magnitudes of 256 real samples, which are there as 128 complex ones: even in REAL, odd in IMAG.

    Radix 2, in the order of Stockham (Cochran and others, 1967): from one array to another and back, in 7 stages, with
    no shuffling of bits. The last loop parts the spectra of the even and odd samples and joins them.
    """
    x, y, u, v = REAL, IMAG, REAL2, IMAG2
    groups, each = HALF // 2, 1
    while groups > 0:
        for j in range(groups):
            c, s = COS[2 * j * each], SIN[2 * j * each]
            a, b, to = j * each, (j + groups) * each, 2 * j * each
            for k in range(each):
                p, q = memory[x + a + k], memory[y + a + k]
                r, t = memory[x + b + k], memory[y + b + k]
                memory[u + to + k], memory[v + to + k] = p + r, q + t
                p, q = p - r, q - t
                memory[u + to + each + k], memory[v + to + each + k] = p * c + q * s, q * c - p * s
        x, y, u, v = u, v, x, y
        groups, each = groups // 2, each * 2
    p, q = memory[x] * np.float32(0.5), memory[y] * np.float32(0.5)  # 0 and 4000 Hz have no twin at -f
    memory[NOW], memory[NOW + HALF] = abs(p + q), abs(p - q)
    for k in range(1, HALF):
        p, q, r, t = memory[x + k], memory[y + k], memory[x + HALF - k], memory[y + HALF - k]
        real, imag = (q + t) * COS[k] - (p - r) * SIN[k], -(p - r) * COS[k] - (q + t) * SIN[k]
        real, imag = (p + r + real) * np.float32(0.5), (q - t + imag) * np.float32(0.5)
        memory[NOW + k] = np.sqrt(real * real + imag * imag)


class Spectrum(Node):
    """Spectrum of the last 32 ms, anew every 10 ms: 129 magnitudes for Python, and three numbers as signals.

    The window is Hann's; a sine of full scale has a magnitude of 1. `magnitudes()` gives the latest ones, k * 31.25 Hz.

    - out, the centroid, is the mean frequency weighted by magnitude: how bright it sounds.
    - flux is what has come since the last window: the sum of all rises of magnitudes. It jumps at attacks.
    - flatness is the geometric mean of the powers over their mean: near 0 for a tone, about 0.56 for white noise.

    Below -100 dBFS centroid and flatness are 0. Measures after Peeters, 2004.

    >>> Sine(freq=Spectrum(voice), amp=Meter(voice, time=0.03))
    """

    group = "analysis"
    known_as = "fft, centroid, brightness, spectral flux, spectral flatness, analyzer, analyser"
    input = Signal(None, doc="what is looked at")
    hop = Option(0.01, "how often a new one is made", unit="s", low=0.005, high=1)
    out = Output("centroid, Hz")
    flux = Output("sum of the magnitudes that have risen, by how much")
    flatness = Output("0 for a tone, about 0.56 for white noise")
    state = State(memory_="i8", at="i8", left="i8", hop_="i8", centroid="f8", flux_="f8", flatness_="f8")

    def start(self):
        self.data = np.zeros(ROOM, np.float32)
        self.state["memory_"] = self.data.ctypes.data
        self.state["hop_"] = self.state["left"] = round(self.hop * RATE)

    def magnitudes(self, decibels: bool = False) -> np.ndarray:
        """The latest 129 magnitudes, of 0, 31.25 ... 4000 Hz; 1 (or 0 dB, -120 is the least) is a full-scale sine."""
        found = self.data[NOW : NOW + BINS].copy()
        return 20 * np.log10(np.maximum(found, np.float32(1e-6))) if decibels else found

    @kernel
    def process(state, input, out, flux, flatness):
        memory = floats_at(state.memory_, ROOM)
        done = 0
        while done < out.size:
            size = min(out.size - done, state.left)
            for i in range(done, done + size):
                memory[RING + (state.at & (SIZE - 1))] = sound(input[i])
                state.at += 1
                out[i], flux[i], flatness[i] = state.centroid, state.flux_, state.flatness_
            done += size
            state.left -= size
            if state.left > 0:
                continue
            state.left = state.hop_
            for k in range(HALF):
                even = (state.at + 2 * k) & (SIZE - 1)
                memory[REAL + k] = memory[RING + even] * HANN[2 * k]
                memory[IMAG + k] = memory[RING + ((even + 1) & (SIZE - 1))] * HANN[2 * k + 1]
            memory[BEFORE : BEFORE + BINS] = memory[NOW : NOW + BINS]
            transform(memory)
            total, weighted, risen, power, logs = 0.0, 0.0, 0.0, 0.0, 0.0
            for k in range(BINS):
                x = memory[NOW + k]
                total += x
                weighted += k * x
                risen += max(x - memory[BEFORE + k], np.float32(0))
                power += x * x + LEAST
                logs += np.log(x * x + LEAST)
            heard = power > QUIET
            state.centroid = weighted / total * (RATE / SIZE) if heard else 0.0
            state.flatness_ = np.exp(logs / BINS) / power * BINS if heard else 0.0
            state.flux_ = risen
