"""Samples: floats in [-1, 1], one channel, 8000 a second. PCM holds them; `samples` takes anything as them."""

import array
import collections
import math
import operator
import os
from collections.abc import Callable, Iterable, Iterator, MutableSequence
from typing import TYPE_CHECKING, Any, cast

from .rings import RATE

if TYPE_CHECKING:
    import numpy as np

SILENCE = 0.005  # normalizePCM takes samples up to this for silence: -46 dBFS
PIECE = 10 * RATE  # samples of a list that are converted at once, in 4 ms; the next ones while these are heard
COPIED = 6  # such pieces of a list that are copied when it is played, in 5 ms: a copy of all would hold the loop
SHOWN = 6  # samples that a PCM's repr shows


class PCM(MutableSequence[float]):
    """A list of samples that takes 4 bytes for each of them, where a list takes 32.

    Use it as a list of floats: index, slice, assign, delete, add lists, compare, append, sort, pickle. A sample is
    rounded to float32. Copies, and the calls that play it, share one piece of memory until somebody changes their own:
    what plays sounds as it was when it was played. `np.asarray(pcm)` is a view without a copy, not to be written to;
    `list(pcm)` and `json.dumps(list(pcm))` give plain floats.

    values: any iterable of numbers. A numpy array of float32 that is read-only is shared, not copied.

    Iterating goes over the samples as they were when it began. Raises TypeError for what is not a number.
    """

    # Ours alone to change: an array. Shared with others: a memoryview that is read-only, for good.
    __slots__ = ("_finite", "_samples")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, values: Iterable[float] = ()):
        self._samples: array.array | memoryview
        self._finite = False  # it is known that every sample is
        if isinstance(values, PCM):
            self._samples, self._finite = values._shared(), values._finite
        else:
            self._samples = memoryview(cast(Any, values)) if _is_read_only(values) else _own(values)

    @classmethod
    def adopt(cls, samples: "array.array | np.ndarray", finite: bool = False) -> "PCM":
        """Take over memory that nobody else will write to."""
        made = cls()
        made._samples = samples if isinstance(samples, array.array) else memoryview(cast(Any, samples)).toreadonly()
        made._finite = finite
        return made

    def _shared(self) -> memoryview:
        """The samples as they are now, for good: whoever changes them makes a copy first."""
        if isinstance(self._samples, array.array):
            self._samples = memoryview(self._samples).toreadonly()
        return self._samples

    def _changed(self) -> array.array:
        """The samples, to be changed."""
        if not isinstance(self._samples, array.array):
            self._samples = _own(self._samples)
        self._finite = False
        return self._samples

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> "np.ndarray":
        import numpy as np

        return np.array(self._shared(), dtype, copy=copy)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.adopt(_own(self._samples[index]), self._finite)
        return self._samples[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            value = _own(value)
            if index.step not in (None, 1) and not value and self._samples[index]:  # an array would delete them
                raise ValueError("attempt to assign no samples to every n-th one; del takes them away")
        self._changed()[index] = value

    def __delitem__(self, index: Any) -> None:
        del self._changed()[index]

    def __iter__(self) -> Iterator[float]:
        return iter(self._shared())

    def __contains__(self, value: Any) -> bool:
        return value in self._samples

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PCM):
            return self._samples == other._samples
        if isinstance(other, list):
            return len(self) == len(other) and all(map(operator.eq, self._samples, other))
        return NotImplemented

    def __lt__(self, other: Any) -> bool:
        return self._compared(other, operator.lt)

    def __le__(self, other: Any) -> bool:
        return self._compared(other, operator.le)

    def __gt__(self, other: Any) -> bool:
        return self._compared(other, operator.gt)

    def __ge__(self, other: Any) -> bool:
        return self._compared(other, operator.ge)

    def _compared(self, other: Any, compare: Callable[[Any, Any], bool]) -> bool:
        if not isinstance(other, PCM | list):
            return NotImplemented
        for mine, its in zip(self, other, strict=False):
            if mine != its:
                return compare(mine, its)
        return compare(len(self), len(other))

    def __add__(self, other: Any) -> "PCM":
        return self.adopt(_own(self) + _own(other)) if isinstance(other, PCM | list) else NotImplemented

    def __radd__(self, other: Any) -> "PCM":
        return self.adopt(_own(other) + _own(self)) if isinstance(other, list) else NotImplemented

    def __mul__(self, count: Any) -> "PCM":
        try:
            count = operator.index(count)
        except TypeError:
            return NotImplemented
        return self.adopt(_own(self) * count, self._finite)

    __rmul__ = __mul__

    def __imul__(self, count: Any) -> "PCM":
        self._samples = self._changed() * count
        return self

    def append(self, value: float) -> None:
        self._changed().append(value)

    def extend(self, values: Iterable[float]) -> None:
        values = _own(values)
        self._changed().extend(values)

    def insert(self, index: int, value: float) -> None:
        self._changed().insert(index, value)

    def pop(self, index: int = -1) -> float:
        return self._changed().pop(index)

    def remove(self, value: float) -> None:
        del self[self.index(value)]

    def clear(self) -> None:
        self._samples = array.array("f")

    def reverse(self) -> None:
        self._changed().reverse()

    def sort(self, *, key: Any = None, reverse: bool = False) -> None:
        self[:] = sorted(self, key=key, reverse=reverse)

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        start, stop, _ = slice(start, stop).indices(len(self))
        try:
            return start + operator.indexOf(self._samples[start:stop], value)
        except ValueError:
            raise ValueError(f"{value!r} is not in the samples") from None

    def count(self, value: Any) -> int:
        return operator.countOf(self._samples, value)

    def copy(self) -> "PCM":
        return type(self)(self)

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> "PCM":
        return self.copy()

    def __reduce__(self) -> Any:
        return type(self), (_own(self),)

    def tolist(self) -> list[float]:
        """Return a plain list of floats."""
        return cast(list[float], self._samples.tolist())

    def __repr__(self) -> str:
        if len(self) <= SHOWN:
            return f"PCM([{', '.join(f'{value:.7g}' for value in self)}])"
        return f"<PCM of {len(self)} samples, {len(self) / RATE:.4g} s>"


def _own(values: Any) -> array.array:
    """A new array of float32 with these values."""
    made = array.array("f")
    if isinstance(values, PCM):
        values = values._samples
    elif hasattr(values, "__array__") or isinstance(values, array.array | memoryview):
        values = memoryview(cast(Any, _floats(values, "PCM")))
    if isinstance(values, array.array):
        return values[:]
    if isinstance(values, memoryview):
        made.frombytes(values.cast("B") if values.c_contiguous and len(values) else values.tobytes())
    elif isinstance(values, list | tuple):
        made = array.array("f", values)  # much faster than one by one
    elif isinstance(values, str | os.PathLike):
        raise TypeError(f"PCM: samples are a sequence of floats, not {type(values).__name__}{of_file(values)}")
    else:
        made.extend(iter(values))
    return made


def of_file(value: Any) -> str:
    """What to do with the name of a file where a sound is expected; else ""."""
    if not isinstance(value, str | os.PathLike):
        return ""
    name = os.fsdecode(value)
    if name.lower().endswith(".json"):
        return f"; a patch is played by call.play(load_patch({name!r})())"
    return f"; load the file by loadWAVtoPCM({name!r})"


def _is_read_only(values: Any) -> bool:
    """Is it a numpy array that can be shared as it is?"""
    flags = getattr(values, "flags", None)
    if flags is None or flags.writeable or not flags.c_contiguous:
        return False
    return values.dtype == "f4" and values.ndim == 1


def converted(pcm: Any, what: str) -> "Iterator[np.ndarray]":
    """A list or tuple of samples as blocks of float32, 10 s each, converted as they are asked for.

    The first minute is that of this moment: the list may be changed afterwards. The rest is what the list has when its
    turn comes: to copy all of ten minutes takes 40 ms. what: who asks, for errors.

    Raises ValueError, in its turn, when a list has become too short meanwhile.
    """
    size = len(pcm)
    pieces = collections.deque(pcm[at : at + PIECE] for at in range(0, size, PIECE)[:COPIED])

    def blocks() -> "Iterator[np.ndarray]":
        for first in range(0, size, PIECE):
            # Popped, so that each is freed when it has been converted.
            piece = pieces.popleft() if pieces else pcm[first : first + PIECE]
            x = _floats(piece, what)
            check_finite(x, piece, what, first)
            if len(x) < min(PIECE, size - first):
                raise ValueError(
                    f"{what}: the list was shortened while it was played: got {first + len(x)} samples, "
                    f"expected {size}. Play a copy: PCM(samples)"
                )
            yield x

    return blocks()


def samples(pcm: Any, what: str) -> "np.ndarray":
    """pcm as float32, one-dimensional, contiguous: the form that kernels take.

    pcm: a PCM, list, tuple or other sequence of numbers, an array.array or a numpy array of floats. Full scale is
        [-1, 1]; values beyond it pass, the line's limiter is there for them. A PCM, and an array that is float32 and
        contiguous already, is shared, not copied, so that many calls can have one.
    what: who asks, for the error: "playPCM".

    Raises TypeError for what is no sequence of numbers, and ValueError for 16-bit integers (no guess at their scale is
    made), for more than one channel, and for a sample that is not finite, which it names by its position.
    """
    import numpy as np

    if isinstance(pcm, PCM):
        x = np.asarray(pcm)
        pcm._finite = pcm._finite or check_finite(x, x, what)
        return x
    x = _floats(pcm, what)
    check_finite(x, pcm, what)
    return x


def _floats(pcm: Any, what: str) -> "np.ndarray":
    """The same, whether they are finite or not."""
    import numpy as np

    try:
        x = np.asarray(pcm)
    except ValueError:  # lists of different lengths in a list
        raise ValueError(f"{what}: samples are one channel, a sequence of floats, not of lists") from None
    if x.ndim == 0:
        raise TypeError(f"{what}: samples are a sequence of floats, not {type(pcm).__name__}{of_file(pcm)}")
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
        return np.ascontiguousarray(x, np.float32)


def check_finite(x: "np.ndarray", pcm: Any, what: str, first: int = 0) -> bool:
    """True, or ValueError for the first sample that is not finite. pcm: as it was given; first: the place of x[0]."""
    import numpy as np

    if x.size and not (math.isfinite(x.min()) and math.isfinite(x.max())):
        position = int(np.argmin(np.isfinite(x)))
        value = float(pcm[position])
        raise ValueError(f"{what}: sample {first + position} is {value:g}; samples are finite floats in [-1, 1]")
    return True


def normalizePCM(pcm: Iterable[float]) -> PCM:
    """Trim silence at both ends, and scale to full range.

    pcm: any sequence of floats, array.array or numpy array. Samples from -0.005 to 0.005 count as silence.

    Returns a PCM that starts and ends with sound and whose peak is 1.0 (or -1.0); an empty one if there is only
    silence. Raises ValueError for a sample that is not finite.
    """
    import numpy as np

    x = samples(pcm, "normalizePCM")
    loud = np.flatnonzero(np.abs(x) > SILENCE)
    if not loud.size:
        return PCM()
    x = x[loud[0] : loud[-1] + 1]
    return PCM.adopt(x / np.abs(x).max(), finite=True)
