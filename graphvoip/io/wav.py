"""Sound files: anything libsndfile reads becomes samples at 8000 Hz; samples become WAV or FLAC.

numpy, soundfile and soxr are imported where they are used: together they take longer than all of graphvoip may.
"""

import io
import os
import struct
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
RATES = (1000, 192000)  # samples a second that a file may have
LARGEST = 0xFFFF0000  # bytes of samples in a WAV file: its lengths are 32-bit words


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
    write_whole(path, _wav(_shorts(samples(pcm, "savePCMtoWAV")), RATE))


def save(pcm: "np.ndarray", path: str | os.PathLike[str], rate: int = RATE, bits: int = 16) -> None:
    """Write samples at 8000 Hz to a mono file, WAV or FLAC by its name; one that exists is replaced once it is whole.

    rate: of the file. bits: 16, just as a call sends them, or 32, floats as they are (WAV only).
    Raises ValueError for what `check_format` refuses, OSError if the file cannot be written.
    """
    kind = check_format(path, rate, bits)
    x = samples(pcm, "save")
    if rate != RATE:
        import soxr

        x = soxr.resample(x, RATE, rate, quality="VHQ")
    if len(x) * bits // 8 > LARGEST:
        raise ValueError(f"{path}: {len(x) / rate:.0f} s at {rate} Hz are more than 4 GB, which is all that a file has")
    if kind == ".flac":
        import soundfile

        file = io.BytesIO()
        soundfile.write(file, _shorts(x), rate, format="FLAC", subtype="PCM_16")
        data = file.getvalue()
    else:
        data = _wav(_shorts(x), rate) if bits == 16 else _float_wav(x, rate)
    write_whole(path, data)


def check_format(path: str | os.PathLike[str], rate: int = RATE, bits: int = 16) -> str:
    """How the file's name ends: .wav or .flac. ValueError if there is no such file. To a pipe goes a WAV."""
    path = Path(path)
    kind = ".wav" if path.exists() and not path.is_file() and not path.is_dir() else path.suffix.lower()
    if kind not in (".wav", ".flac"):
        raise ValueError(f"{path}: its name must end in .wav or .flac")
    if bits not in (16, 32):
        raise ValueError(f"{path}: a sample has 16 or 32 bits, not {bits}")
    if kind == ".flac" and bits == 32:
        raise ValueError(f"{path}: FLAC has no samples of 32 bits; take 16, or end the name in .wav")
    if not RATES[0] <= rate <= RATES[1]:
        raise ValueError(f"{path}: a rate of {rate} Hz is outside {RATES[0]}..{RATES[1]}")
    return kind


def _shorts(x: "np.ndarray") -> "np.ndarray":
    """Samples as a call sends them (nodes/line_out.py)."""
    import numpy as np

    return np.rint(x * np.float32(FULL_SCALE)).clip(-FULL_SCALE, FULL_SCALE - 1).astype("<i2")


def _wav(shorts: "np.ndarray", rate: int) -> bytes:
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setparams((1, 2, rate, len(shorts), "NONE", ""))
        file.writeframes(shorts.tobytes())
    return data.getvalue()


def _float_wav(x: "np.ndarray", rate: int) -> bytes:
    """Written here: libsndfile puts the time of day in, and then no two files are the same."""
    data = x.astype("<f4").tobytes()
    kind = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 3, 1, rate, 4 * rate, 4, 32, 0)
    fact = struct.pack("<4sII", b"fact", 4, len(x))
    body = b"WAVE" + kind + fact + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


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


def write_whole(path: Any, data: bytes) -> None:
    """Write a file, or to a file object. A file that exists is replaced only once the new one is whole."""
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
