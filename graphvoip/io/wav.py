"""Sound files: anything libsndfile reads becomes samples at 8000 Hz; samples become 16-bit WAV.

numpy, soundfile and soxr are imported where they are used: together they take longer than all of graphvoip may.
"""

import io
import os
import wave
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ..pcm import samples
from ..rings import RATE

if TYPE_CHECKING:
    import numpy as np

FULL_SCALE = 32768  # of 16 bits: loading divides by it, saving multiplies, so a 16-bit sample survives both
BLOCK = 65536  # frames read at once


def loadWAVtoPCM(path: str | os.PathLike[str] | BinaryIO) -> list[float]:
    """Read a sound file.

    path: a file's name, or a binary file object (it need not be seekable). Any format that libsndfile reads (WAV, FLAC,
        OGG, MP3 ...), any rate, any number of channels; channels become their mean.

    Returns a list of floats in [-1, 1] at 8000 Hz. A 16-bit file at 8000 Hz is read exactly: sample / 32768.
    Raises FileNotFoundError, or ValueError for a file that is no sound.
    """
    return load(path).tolist()


def load(path: str | os.PathLike[str] | BinaryIO) -> "np.ndarray":
    """loadWAVtoPCM as a float32 array, for whoever needs no list."""
    import numpy as np
    import soundfile

    name, data = _read(path)
    if not data:
        raise ValueError(f"{name}: empty, 0 bytes; not a sound file")
    # In blocks until there is no more: the length in a header may be wrong, because whoever wrote to a pipe could not
    # go back and correct it. Not seekable: soundfile would seek to where it is after every block, which leaves a gap
    # in MP3 and fails in FLAC of unknown length.
    blocks = [np.zeros(0, np.float32)]
    try:
        with soundfile.SoundFile(_Bytes(data)) as file:
            file.seekable = lambda: False
            while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
                blocks.append(block.mean(axis=1))
            rate = file.samplerate
    except soundfile.LibsndfileError as error:
        raise ValueError(
            f"{name}: not a sound file that libsndfile reads (WAV, FLAC, OGG, MP3 ...); "
            f"convert it with: ffmpeg -i {name} -ar {RATE} -ac 1 converted.wav ({error.error_string.strip()})"
        ) from None
    return resample(samples(np.concatenate(blocks), name), rate)


def resample(pcm: "np.ndarray", rate: int) -> "np.ndarray":
    """From rate to 8000 Hz, within [-1, 1]. What is above 4 kHz goes, it does not fold back."""
    if rate != RATE:
        import soxr

        pcm = soxr.resample(pcm, rate, RATE, quality="VHQ")
    return pcm.clip(-1, 1)


def savePCMtoWAV(pcm: Collection[float], path: str | os.PathLike[str] | BinaryIO) -> None:
    """Write samples as a 16-bit WAV file, mono, 8000 Hz.

    pcm: any sequence of floats, array.array or numpy array. Values beyond [-1, 1] are clipped.
    path: a file's name, or a binary file object. A file that exists is replaced only once the new one is whole.

    Raises ValueError for a sample that is not finite, OSError if the file cannot be written.
    """
    import numpy as np

    x = samples(pcm, "savePCMtoWAV")
    x = np.rint(x * np.float32(FULL_SCALE)).clip(-FULL_SCALE, FULL_SCALE - 1)
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setparams((1, 2, RATE, len(x), "NONE", ""))
        file.writeframes(x.astype("<i2").tobytes())
    _write(path, data.getvalue())


class _Bytes(io.BytesIO):
    """A damaged header sends libsndfile to before the start, and an exception there would be printed, not raised."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return super().seek(max(offset, 0) if whence == 0 else offset, whence)


def _read(path: Any) -> tuple[str, bytes]:
    """Whose bytes these are, for errors, and the bytes. All at once: libsndfile must seek, and a pipe cannot."""
    if hasattr(path, "read"):
        data = path.read()
        if isinstance(data, str):
            raise TypeError("loadWAVtoPCM: the file object gives text; open it in binary mode, 'rb'")
        return str(getattr(path, "name", f"<{type(path).__name__}>")), data
    name = os.fsdecode(path)
    try:
        return name, Path(name).read_bytes()
    except FileNotFoundError:
        where = "" if os.path.isabs(name) else f" in {os.getcwd()}"
        raise FileNotFoundError(f"{name}: no such sound file{where}") from None
    except IsADirectoryError:
        raise IsADirectoryError(f"{name}: a directory, not a sound file") from None


def _write(path: Any, data: bytes) -> None:
    if hasattr(path, "write"):
        path.write(data)
        return
    path = Path(os.fsdecode(path))
    if path.exists() and not path.is_file():  # a pipe or /dev/stdout is written to, not replaced; a directory refuses
        path.write_bytes(data)
        return
    path = path.resolve()  # through a link, not in its place
    new = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        new.write_bytes(data)
        os.replace(new, path)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no directory {path.parent} to save it in") from None
    finally:
        new.unlink(missing_ok=True)  # nothing is left of a failed one; a good one has its name by now
