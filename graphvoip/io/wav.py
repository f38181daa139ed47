"""Sound files: anything libsndfile reads becomes samples at 8000 Hz; samples become WAV or FLAC.

numpy, soundfile and soxr are imported where they are used: together they take longer than all of graphvoip may.
"""

import array
import io
import os
import stat
import struct
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ..files import write_whole
from ..pcm import PCM, check_finite, samples
from ..rings import RATE
from . import headerless

if TYPE_CHECKING:
    import numpy as np

FULL_SCALE = 32768  # of 16 bits: loading divides by it, saving multiplies, so a 16-bit sample survives both
BLOCK = 65536  # frames read at once
HEAD = 1 << 20  # bytes of a file that are read at once; of a longer one as much as is wanted
RATES = (1000, 192000)  # samples a second that a file may have
LARGEST = 0xFFFF0000  # bytes of samples in a WAV file: its lengths are 32-bit words


def loadWAVtoPCM(path: str | os.PathLike[str] | BinaryIO) -> PCM:
    """Read a sound file.

    path: a file's name, or a binary file object (it need not be seekable). Any format that libsndfile reads (WAV, FLAC,
        OGG, MP3 ...), any rate, any number of channels; channels become their mean. Files of exchanges that have no
        header are known by their names: .ulaw .ul .alaw .al .gsm .sln .sln16 .raw .vox .g722 (headerless.py).

    Returns a PCM, a list of floats in [-1, 1] at 8000 Hz. A 16-bit file at 8000 Hz is read exactly: sample / 32768.
    Raises FileNotFoundError, or ValueError for a file that is no sound.
    """
    return PCM.adopt(load(path), finite=True)


def load(path: str | os.PathLike[str] | BinaryIO) -> "np.ndarray":
    """loadWAVtoPCM as a float32 array, for whoever needs no list."""
    import numpy as np

    made = array.array("f")  # it grows in place, so that a long sound is never there twice
    for block in blocks(path):
        made.frombytes(block.data.cast("B") if block.size else b"")
    return np.asarray(memoryview(made))


def blocks(path: str | os.PathLike[str] | BinaryIO) -> "Iterator[np.ndarray]":
    """The same in blocks of float32, one second or more each but for the last, read as they are asked for."""
    import numpy as np

    name, file = _opened(path)
    with file:
        start = file.read(4)
        file.seek(0)
        bare = headerless.layout(name, start)
        found = _bare(name, file, bare) if bare else _decoded(name, file)
        first, resampler, rate = 0, None, RATE
        for block, rate in found:
            check_finite(block, block, name, first)
            first += len(block)
            if rate != RATE:
                resampler = resampler or _resampler(rate)
                block = resampler.resample_chunk(block)
            yield block.clip(-1, 1)
        if resampler:
            yield resampler.resample_chunk(np.zeros(0, np.float32), last=True).clip(-1, 1)


def _bare(name: str, file: Any, bare: headerless.Layout) -> "Iterator[tuple[np.ndarray, int]]":
    yield headerless.decode(file.read(), name, bare), bare.rate


def _resampler(rate: int) -> Any:
    import soxr

    return soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="VHQ")


def duration(path: str | os.PathLike[str]) -> float:
    """How many seconds a sound file has, as its header says; 0 for what is no sound file."""
    import soundfile

    with open(path, "rb") as file:
        bare = headerless.layout(path, file.read(4))
    if bare:
        return os.stat(path).st_size / bare.bytes
    try:
        return soundfile.info(os.fsdecode(path)).duration
    except (soundfile.LibsndfileError, ZeroDivisionError):
        return 0.0


def _decoded(name: str, file: Any) -> "Iterator[tuple[np.ndarray, int]]":
    """The mean of a file's channels in blocks, each with the rate."""
    import soundfile

    # In blocks until there is no more: the length in a header may be wrong, because whoever wrote to a pipe could not
    # go back and correct it. Not seekable: soundfile would seek to where it is after every block, which leaves a gap
    # in MP3 and fails in FLAC of unknown length.
    try:
        with soundfile.SoundFile(file) as sound:
            sound.seekable = lambda: False
            while len(block := sound.read(BLOCK, dtype="float32", always_2d=True)):
                yield block.mean(axis=1), sound.samplerate
    except soundfile.LibsndfileError as error:
        reason = error.error_string.strip()
        if name.lower().endswith(".json"):
            remedy = f"a patch is played by call.play(load_patch({name!r})()), and rendered by: graphvoip render {name}"
        else:
            remedy = f"convert it with: ffmpeg -i {name} -ar {RATE} -ac 1 converted.wav"
        says = "not a sound file that libsndfile reads (WAV, FLAC, OGG, MP3 ...)"
        raise ValueError(f"{name}: {says}; {remedy} ({reason})") from None


def savePCMtoWAV(pcm: Collection[float], path: str | os.PathLike[str] | BinaryIO) -> None:
    """Write samples as a 16-bit WAV file, mono, 8000 Hz.

    pcm: any sequence of floats, array.array or numpy array. Values beyond [-1, 1] are clipped.
    path: a file's name, or a binary file object. A file that exists is replaced only once the new one is whole.

    Raises ValueError for a sample that is not finite, OSError if the file cannot be written.
    """
    write_whole(path, _wav(samples(pcm, "savePCMtoWAV"), RATE, 16))


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
        write_whole(path, file.getvalue())
    else:
        write_whole(path, _wav(x, rate, bits))


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


def _wav(x: "np.ndarray", rate: int, bits: int) -> Iterator[bytes]:
    """A WAV file in pieces. Written here: libsndfile puts the time of day in, and then no two files are the same."""
    size = len(x) * bits // 8
    if bits == 16:
        chunks = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    else:
        chunks = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 3, 1, rate, 4 * rate, 4, 32, 0)
        chunks += struct.pack("<4sII", b"fact", 4, len(x))
    chunks += struct.pack("<4sI", b"data", size)
    yield struct.pack("<4sI4s", b"RIFF", 4 + len(chunks) + size, b"WAVE") + chunks
    for at in range(0, len(x), BLOCK):
        block = x[at : at + BLOCK]
        yield (_shorts(block) if bits == 16 else block.astype("<f4")).tobytes()


CHUNKS = {b"RIFF": (12, "<4s", "<I"), b"RIFX": (12, ">4s", ">I"), b"caff": (8, ">4s", ">q")}  # first place, kind, size


def _to_the_end(data: bytes) -> bytes:
    """Fill in a length of sound that says nothing: whoever wrote to a pipe could not go back and do it."""
    if data[:4] == b".snd" and len(data) > 24:
        start, size = struct.unpack_from(">II", data, 4)
        return data if size or start >= len(data) else data[:8] + b"\xff" * 4 + data[12:]
    if data[:4] in CHUNKS:
        first, *form = CHUNKS[data[:4]]
        for kind, place, size in _chunks(data, first, *form):
            rest = len(data) - place
            if kind == b"data" and rest and (size == -1 or (size == 0 and not _are_chunks(data, place, *form))):
                length = struct.pack(form[1], min(rest, LARGEST))
                return data[: place - len(length)] + length + data[place:]
    return data


def _chunks(data: bytes, at: int, name: str, length: str) -> Iterator[tuple[bytes, int, int]]:
    """Their names, where what they hold begins, and its size as they say. What is no name ends it."""
    for _ in range(1000):
        if at + 4 + struct.calcsize(length) > len(data):
            return
        ((kind,), (size,)) = struct.unpack_from(name, data, at), struct.unpack_from(length, data, at + 4)
        if not kind.strip().isalnum():
            return
        at += 4 + struct.calcsize(length)
        yield kind, at, size
        at += max(0, size) + (size % 2 if length[1] == "I" else 0)


def _are_chunks(data: bytes, at: int, name: str, length: str) -> bool:
    """Is all of the rest chunks? Then a length of 0 before it is meant."""
    ends = [place + max(0, size) for _, place, size in _chunks(data, at, name, length)]
    return bool(ends) and ends[-1] in (len(data) - 1, len(data), len(data) + 1)


class _Careful:
    """A damaged header sends libsndfile to before the start, and an exception there would be printed, not raised."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return super().seek(max(offset, 0) if whence == 0 else offset, whence)  # type: ignore[misc]


class _Bytes(_Careful, io.BytesIO):
    """Bytes that have been read."""


class _File(_Careful, io.FileIO):
    """A file that is read as it is wanted. It is not mapped into memory: who cut it short would end the process."""


def _opened(path: Any) -> "tuple[str, _Bytes | _File]":
    """Whose bytes these are, for errors, and the bytes, to be read and sought in; all of them unless it is long."""
    if not hasattr(path, "read") and os.path.isfile(path):
        file = _File(path)
        head = file.read(HEAD)
        if len(head) == HEAD and _to_the_end(head) is head:  # a header that says how long it is
            file.seek(0)
            return os.fsdecode(path), file
        file.close()
    name, data = _read(path)
    if not data:
        raise ValueError(f"{name}: empty, 0 bytes; not a sound file")
    return name, _Bytes(_to_the_end(data))


def _read(path: Any) -> tuple[str, bytes]:
    """Whose bytes these are, and the bytes. All at once: libsndfile must seek, and a pipe cannot."""
    if hasattr(path, "read"):
        data = path.read()
        if isinstance(data, str):
            raise TypeError("loadWAVtoPCM: the file object gives text; open it in binary mode, 'rb'")
        return str(getattr(path, "name", f"<{type(path).__name__}>")), data
    name = os.fsdecode(path)
    try:
        return name, _bytes_of(name)
    except FileNotFoundError:
        where = "" if os.path.isabs(name) else f" in {os.getcwd()}"
        raise FileNotFoundError(f"{name}: no such sound file{where}") from None
    except IsADirectoryError:
        raise IsADirectoryError(f"{name}: a directory, not a sound file") from None


def _bytes_of(name: str) -> bytes:
    """What is in a file or comes through a pipe. ValueError for what may have no end, or nobody who writes to it."""
    mode = os.stat(name).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISDIR(mode)):
        raise ValueError(f"{name}: a device or socket, not a sound file")
    # Not blocking: to open a named pipe waits until somebody writes to it, and all calls with it.
    with open(name, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as file:
        os.set_blocking(file.fileno(), True)
        data = file.read()
    if stat.S_ISFIFO(mode) and not data:
        raise ValueError(f"{name}: a pipe that nobody writes to, not a sound file; start its writer first")
    return data
