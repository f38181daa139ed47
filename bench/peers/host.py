"""The five patches in C (host.c), compiled for this machine when they are asked for, and called through ctypes."""

import ctypes
import math
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np

from . import patches as p

INSTALL = "apt-get install gcc"


class Peer:
    """flags: for the compiler, beside -O3 -march=native."""

    budget = 0.05  # s of a run that is timed

    def __init__(self, folder: Path, *flags: str):
        library = folder / f"host{''.join(flags)}.so"
        source = Path(__file__).with_name("host.c")
        optimised = ["-O3", "-march=native", *flags, "-shared", "-fPIC"]
        subprocess.run(["cc", *optimised, "-o", library, source, "-lm"], check=True)
        self.library = ctypes.CDLL(str(library))
        self.library.p3.restype = ctypes.c_long

    def sound(self, name: str, seconds: float) -> np.ndarray:
        """The first of it, in a library that is fresh."""
        frames = round(seconds * p.RATE / p.FRAME)
        out = np.zeros(frames * p.FRAME, np.float32)
        self.run(name, frames, out)
        return out

    def time(self, name: str, frames: int) -> float:
        begin = time.process_time()
        self.run(name, frames)
        return time.process_time() - begin

    def run(self, name: str, frames: int, sound: np.ndarray | None = None) -> int:
        plus, name = name.endswith("+"), name.removesuffix("+").lower()
        out = None if sound is None else sound.ctypes.data_as(ctypes.c_void_p)
        return getattr(self.library, name)(out, ctypes.c_long(frames), *getattr(self, name)(plus))

    def p1(self, plus: bool) -> tuple:
        return floats(p.P1_FREQS), doubles([*p.P1_B, *p.P1_A]), ctypes.c_float(p.P1_GAIN)

    def p2(self, plus: bool) -> tuple:
        envelope = doubles([p.P2_ATTACK, p.P2_DECAY, p.P2_SUSTAIN, p.P2_RELEASE])
        return floats(p.P2_FREQS), envelope, ctypes.c_float(p.P2_GATE), ctypes.c_float(p.P2_GAIN)

    def p3(self, plus: bool) -> tuple:
        on, off = round(p.P3_ON * p.RATE), round(p.P3_OFF * p.RATE)
        bins = floats([2 * math.cos(2 * math.pi * freq / p.RATE) for freq in p.P3_DETECTED]) if plus else None
        found = (bins, p.P3_BLOCK, ctypes.c_float(p.P3_LEAST))
        return on, off, floats(p.P3_TONES), floats(p.P3_LEVELS), ctypes.c_float(p.P3_NOISE), *found

    def p4(self, plus: bool) -> tuple:
        return ctypes.c_float(p.P4_FREQ), floats(p.P4_GAINS)

    def p5(self, plus: bool) -> tuple:
        return floats(p.P5_FREQS), ctypes.c_float(p.P5_EACH), ctypes.c_float(p.P5_GAIN)


def floats(values: list[float] | tuple[float, ...]) -> ctypes.Array:
    return (ctypes.c_float * len(values))(*values)


def doubles(values: list[float]) -> ctypes.Array:
    return (ctypes.c_double * len(values))(*values)


def find() -> str | None:
    return shutil.which("cc")
