"""Samples as plain lists, and their 16-bit form, in which full scale is 32767."""

import io
import os
import wave
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from ._keywords import also

FULL_SCALE = 32767


def normalizePCM(pcm: Sequence[float]) -> list[float]:
    """Trim silence (up to 0.005) at both ends, and scale to a peak of 1; [] if all is silent.

    As in the original, the last sample that is not silent goes too.
    """
    import numpy as np

    from graphvoip.pcm import SILENCE

    x = np.asarray(pcm, float)
    loud = np.flatnonzero(np.abs(x) > SILENCE)
    return (x[loud[0] : loud[-1]] / np.abs(x).max()).tolist() if loud.size else []


def packedToFloat(high: int, low: int) -> float:
    """Make a sample of the two bytes of a 16-bit number (two's complement, over 32767)."""
    return int.from_bytes(bytes((high, low)), "big", signed=True) / FULL_SCALE


def floatToPacked(x: float) -> tuple[int, int]:
    """Make the two bytes of a sample, (low, high). OverflowError if it is beyond [-1, 1]."""
    low, high = int(x * FULL_SCALE).to_bytes(2, "little", signed=True)
    return low, high


def resample(samples: Iterable[float], to: float, fro: float) -> list[float]:
    """Go down from the rate `to` to the rate `fro`: each sample is the mean of those it stands for.

    The order of the rates is the original's: resample(samples, 44100, 8000). What is above 4 kHz folds back;
    loadWAVtoPCM does better.
    """
    found: list[float] = []
    group: list[float] = []
    position = 0.0
    for sample in samples:
        position += fro / to
        if position > 1:
            position -= 1
            found.append(sum(group) / len(group))
            group = []
        group.append(sample)
    return found


@also(path="filename")
def loadWAVtoPCM(filename: str | os.PathLike[str] | BinaryIO) -> list[float]:
    """Read a sound file, or a binary file object: a list of samples at 8000 Hz; 16-bit ones are divided by 32767.

    Any format, rate and number of channels that graphvoip reads.
    """
    from graphvoip.io.wav import FULL_SCALE as LOADED
    from graphvoip.io.wav import load

    return (load(filename).astype(float) * LOADED / FULL_SCALE).tolist()


@also(path="filename")
def savePCMtoWAV(pcm: Sequence[float], filename: str | os.PathLike[str] | BinaryIO) -> None:
    """Write samples to a WAV file, or a binary file object: 16 bits, mono, 8000 Hz. Beyond [-1, 1] they are clipped."""
    import numpy as np

    from graphvoip.files import write_whole
    from graphvoip.pcm import samples
    from graphvoip.rings import RATE

    x = np.asarray(pcm, float).clip(-1, 1)
    samples(x, "savePCMtoWAV")  # says what no file can hold
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setparams((1, 2, RATE, len(x), "NONE", "not compressed"))
        file.writeframes((x * FULL_SCALE).astype("<i2").tobytes())
    write_whole(filename, data.getvalue())
