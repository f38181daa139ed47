import ctypes
import weakref

import numpy as np
from numba import njit

from ..dsp import TELEPHONE, telephone
from ..kernel import (
    OPTIONS,
    bipolar,
    call_kernel,
    floats_at,
    kernel,
    limited,
    shorts_at,
    shuffled,
    sin_turns,
    sound,
)
from ..node import Node, Option, Output, Signal, State
from ..rings import RATE

PACKET = 160  # samples, 20 ms
SIZE, ECHO = 1 << 15, 1 << 13  # samples that are under way, and that may come back
CODECS = ("none", "pcmu", "pcma", "gsm")


@njit(**OPTIONS)
def mu_law(s):
    """A sample of 16 bits after ITU-T G.711, mu-law: four bits of it and where they are."""
    size = min(abs(s), 32635) + 132
    up = 0
    while size >> (up + 8) > 0:
        up += 1
    size = ((((size >> (up + 3)) & 15) << 3) + 132 << up) - 132
    return size if s >= 0 else -size


@njit(**OPTIONS)
def a_law(s):
    """The same, A-law."""
    size = (s if s >= 0 else -s - 1) >> 3
    up = 0
    while size >> (up + 5) > 0:
        up += 1
    shift = max(up, 1)
    size = ((size >> shift) * 2 + 1 << shift) * 4
    return size if s >= 0 else -size


@njit(**OPTIONS)
def even(random):
    """A shuffled word as a number from 0 to 1."""
    return 0.5 * np.float64(bipolar(random)) + 0.5


class PhoneLine(Node):
    """A telephone line: its band, echo, hum, noise, codec, and packets that are lost or late.

    In this order: `level`; the echo; the band of PhoneBand; hum (with a third of it at three times its pitch) and white
    noise; the codec, which is G.711 with mu-law (`pcmu`) or A-law (`pcma`), or GSM full rate, by the library libgsm
    (Debian: libgsm1), 20 ms late. Then come packets of 20 ms. Loss is Gilbert's model (1960): of all packets the share
    `loss` gets lost, on the average `burst` of them in a row. Each one is late by a time of its own, `jitter` on the
    average and exponentially spread; the far end waits `buffer` for it, so that is how late all is heard, and what
    comes later is lost too. What is lost is silent, or the packet before it again, each time 6 dB softer.

    `graphvoip render --line "pcmu, loss=3%"` puts one on both ways of a call. Noise, hum and echo are factors: 0.01 is
    -40 dB of full scale. A fault in the input is silence. It takes about 8 us a frame, with GSM 40.

    >>> PhoneLine(voice, codec="pcma", loss=0.1, burst=2, noise=0.003)
    """

    group = "dynamics"
    known_as = (
        "pots, telephone line, codec, packet loss, jitter, g.711, gsm, mu-law, a-law, line simulator, bad "
        "line, network impairment"
    )
    input = Signal(None, doc="what is said at the other end")
    level = Signal(1.0, "x", 0, 100, "1 leaves it as loud as it is")
    echo = Signal(0.0, "x", 0, 1, "how loud it comes back")
    echo_time = Signal(0.03, "s", 0.001, 1, "how late it comes back")
    hum = Signal(0.0, "x", 0, 1, "of the mains, the peak of its sine")
    hum_freq = Signal(50.0, "Hz", 10, 400, "of the mains: 50, or 60 in America")
    noise = Signal(0.0, "x", 0, 1, "white noise, RMS")
    loss = Signal(0.0, "x", 0, 1, "share of the packets that is lost")
    burst = Signal(1.0, "x", 1, 1000, "how many are lost in a row; 1 is by chance")
    codec = Option("pcmu", "none leaves the samples as they are", CODECS)
    band = Option(True, "300 to 3400 Hz, or all")
    delay = Option(0.0, "how late all is heard", unit="s", low=0, high=2)
    jitter = Option(0.0, "how late packets are on the average", unit="s", low=0, high=0.5)
    buffer = Option(None, "how long one is waited for; without it four times the jitter", unit="s", low=0, high=2)
    conceal = Option("repeat", "what is heard of a packet that is lost", ("repeat", "silence"))
    seed = Option(None, "its own noise and losses; without it a patch gives it one")
    out = Output()
    state = State(
        random="u8", dice="u8", codec_="i8", banded="i8", late="i8", patience="f8", repeats="i8", at="i8", phase="f8",
        bad="i8", lost="i8", row="i8", soft="f8", under_way="i8", back="i8", packets="i8", shorts="i8", frame="i8",
        encode="i8", decode="i8", coder="i8", decoder="i8", z=("f8", (len(TELEPHONE), 2)),
    )  # fmt: skip

    def sow(self, seed):
        super().sow(seed)
        # Packets have noise of their own, so that it does not depend on where a piece of a frame ends.
        self.state["dice"] = int(self.state["random"]) ^ 0x9E3779B97F4A7C15 or 1

    def start(self):
        wait = 4 * self.jitter if self.buffer is None else self.buffer
        self.line, self.heard = np.zeros(SIZE, np.float32), np.zeros(ECHO, np.float32)
        self.packets = np.zeros(2 * PACKET, np.float32)  # the one that comes, and the last that came
        self.samples_, self.bytes_ = np.zeros(PACKET, np.int16), np.zeros(33, np.uint8)
        state = self.state
        state["under_way"], state["back"] = self.line.ctypes.data, self.heard.ctypes.data
        state["packets"], state["shorts"] = self.packets.ctypes.data, self.samples_.ctypes.data
        state["frame"] = self.bytes_.ctypes.data
        state["codec_"], state["banded"] = CODECS.index(self.codec), bool(self.band)
        state["repeats"] = self.conceal == "repeat"
        state["patience"] = wait / self.jitter if self.jitter > 0 else np.inf
        state["late"] = round((self.delay + wait) * RATE)
        if self.codec == "gsm":
            self._load_gsm()

    def _load_gsm(self):
        """The library's functions are called by their addresses, from machine code."""
        try:
            gsm = ctypes.CDLL("libgsm.so.1")
        except OSError:
            raise ValueError(
                "phone_line: codec 'gsm' needs the library libgsm.so.1: sudo apt install libgsm1"
            ) from None
        gsm.gsm_create.restype = ctypes.c_void_p
        gsm.gsm_destroy.argtypes = [ctypes.c_void_p]
        for name in ("coder", "decoder"):
            self.state[name] = handle = gsm.gsm_create()
            weakref.finalize(self, gsm.gsm_destroy, handle)
        self.state["encode"] = ctypes.cast(gsm.gsm_encode, ctypes.c_void_p).value
        self.state["decode"] = ctypes.cast(gsm.gsm_decode, ctypes.c_void_p).value
        self.state["late"] += PACKET

    @kernel
    def process(state, input, level, echo, echo_time, hum, hum_freq, noise, loss, burst, out):
        back, line = floats_at(state.back, ECHO), floats_at(state.under_way, SIZE)
        packets, shorts = floats_at(state.packets, 2 * PACKET), shorts_at(state.shorts, PACKET)
        first = state.at
        for i in range(out.size):
            x = sound(input[i]) * np.float32(limited(level[i], 0, 100))
            back[(first + i) & (ECHO - 1)] = x
            ago = np.int64(limited(echo_time[i], 0.001, 1) * RATE + 0.5)
            out[i] = x + np.float32(limited(echo[i], 0, 1)) * back[(first + i - ago) & (ECHO - 1)]
        if state.banded == 1:
            telephone(out, state.z)
        phase, random, dice = state.phase, state.random, state.dice
        for i in range(out.size):
            random = shuffled(random)
            turns = np.float32(phase)
            wave = sin_turns(turns) + sin_turns(3 * turns) / np.float32(3)
            hiss = np.float32(np.sqrt(3)) * bipolar(random)
            out[i] += np.float32(limited(hum[i], 0, 1)) * wave + np.float32(limited(noise[i], 0, 1)) * hiss
            phase += limited(hum_freq[i], 10, 400) * (1 / RATE)
            phase -= np.floor(phase)
        state.phase = phase
        if state.codec_ > 0:
            for i in range(out.size):
                s = np.int64(limited(np.rint(out[i] * np.float32(32768)), -32768, 32767))
                s = mu_law(s) if state.codec_ == 1 else a_law(s) if state.codec_ == 2 else s
                out[i] = np.float32(s) * np.float32(1 / 32768)
        for i in range(out.size):
            n = (first + i) % PACKET
            if n == 0:
                dice = shuffled(dice)
                share, chance = limited(loss[i], 0, 1), even(dice)
                length = max(limited(burst[i], 1, 1000), 1 / max(1 - share, 1e-9))
                if state.bad == 1:
                    state.bad = 1 if chance >= 1 / length or share >= 1 else 0
                else:
                    state.bad = 1 if chance < share / (max(1 - share, 1e-9) * length) or share >= 1 else 0
                dice = shuffled(dice)
                late = -np.log(even(dice) + 1e-12) > state.patience
                state.lost = 1 if state.bad == 1 or late else 0
                state.row = min(state.row + 1, 20) if state.lost == 1 else 0
                state.soft = 2.0 ** (1 - state.row) if state.row < 20 and state.repeats == 1 else 0.0
            if state.lost == 1:
                y = packets[PACKET + n] * np.float32(state.soft)
            else:
                y = out[i]
            packets[n] = y
            place = first + i + state.late
            if state.codec_ == 3:
                shorts[n] = np.int16(out[i] * np.float32(32768))
            else:
                line[place & (SIZE - 1)] = y
            if n == PACKET - 1:
                if state.codec_ == 3 and state.lost == 0:
                    call_kernel(state.encode, state.coder, state.shorts, state.frame, 0, 0)
                    call_kernel(state.decode, state.decoder, state.frame, state.shorts, 0, 0)
                    for k in range(PACKET):
                        packets[k] = np.float32(shorts[k]) * np.float32(1 / 32768)
                for k in range(PACKET):
                    if state.codec_ == 3:
                        line[(place - PACKET + 1 + k) & (SIZE - 1)] = packets[k]
                    packets[PACKET + k] = packets[k] if state.lost == 0 else packets[PACKET + k]
            out[i] = line[(first + i) & (SIZE - 1)]
        state.random, state.dice = random, dice
        state.at = first + out.size
