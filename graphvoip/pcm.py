"""Samples: floats in [-1, 1], one channel, 8000 a second. What is taken as samples, and their normal form."""

import array
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

SILENCE = 0.005  # normalizePCM takes samples up to this for silence: -46 dBFS


def samples(pcm: Any, what: str) -> "np.ndarray":
    """pcm as float32, one-dimensional, contiguous: the form that kernels take.

    pcm: a list, tuple or other sequence of numbers, an array.array or a numpy array of floats. Full scale is [-1, 1];
        values beyond it pass, the line's limiter is there for them. An array that is float32 and contiguous already
        is returned itself, not a copy, so that many calls can share one.
    what: who asks, for the error: "playPCM".

    Raises TypeError for what is no sequence of numbers, and ValueError for 16-bit integers (no guess at their scale is
    made), for more than one channel, and for a sample that is not finite, which it names by its position.
    """
    import numpy as np

    try:
        x = np.asarray(pcm)
    except ValueError:  # lists of different lengths in a list
        raise ValueError(f"{what}: samples are one channel, a sequence of floats, not of lists") from None
    if x.ndim == 0:
        raise TypeError(f"{what}: samples are a sequence of floats, not {type(pcm).__name__}")
    if x.ndim > 1:
        raise ValueError(f"{what}: samples are one channel, not an array of shape {x.shape}; take one, or their mean")
    if not x.size:
        return np.zeros(0, np.float32)
    if x.dtype.kind in "iu":
        # [0, 1, 0] is a list of samples that happen to be whole. An array made for integers, and a list that goes
        # beyond full scale, are 16-bit sound.
        made_for_integers = isinstance(pcm, np.ndarray | array.array | memoryview)
        if made_for_integers or x.max() > 1 or x.min() < -1:
            raise ValueError(f"{what}: samples are floats in [-1, 1], not integers; divide 16-bit ones by 32768")
    elif x.dtype.kind != "f":
        odd = next((value for value in pcm if not isinstance(value, int | float | np.number)), x[0])
        raise TypeError(f"{what}: samples are a sequence of floats, not of {type(odd).__name__}")
    with np.errstate(over="ignore"):
        y = np.ascontiguousarray(x, np.float32)
    if not np.isfinite(y).all():
        position = int(np.argmin(np.isfinite(y)))
        raise ValueError(f"{what}: sample {position} is {x[position]:g}; samples are finite floats in [-1, 1]")
    return y


def normalizePCM(pcm: Collection[float]) -> list[float]:
    """Trim silence at both ends, and scale to full range.

    pcm: any sequence of floats, array.array or numpy array. Samples from -0.005 to 0.005 count as silence.

    Returns a list that starts and ends with sound and whose peak is 1.0 (or -1.0); [] if there is only silence.
    Raises ValueError for a sample that is not finite.
    """
    import numpy as np

    x = samples(pcm, "normalizePCM")
    loud = np.flatnonzero(np.abs(x) > SILENCE)
    if not loud.size:
        return []
    x = x[loud[0] : loud[-1] + 1]
    return (x / np.abs(x).max()).tolist()
