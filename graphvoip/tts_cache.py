"""Prompts that have been spoken once, kept on the disk as WAV files: one that is asked for again is there at once.

The folder is $XDG_CACHE_HOME/graphvoip/speech, ~/.cache/graphvoip/speech without that. GRAPHVOIP_CACHE names another
folder, or says "off". What has not been used for longest goes when it grows beyond LIMIT.
"""

import hashlib
import io
import logging
import os
import tempfile
import wave
from pathlib import Path
from typing import TYPE_CHECKING

from .rings import RATE

if TYPE_CHECKING:
    import numpy as np

LIMIT = 256 << 20  # bytes: four and a half hours
LONGEST = 600 * RATE  # samples of one text: what is longer is spoken again each time

log = logging.getLogger("graphvoip")


def folder() -> Path | None:
    """Where the prompts are, or None if they are not to be kept."""
    told = os.environ.get("GRAPHVOIP_CACHE")
    if told is not None:
        return Path(told).expanduser() / "speech" if told.lower() not in ("", "0", "no", "off") else None
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "graphvoip" / "speech"
    except RuntimeError:  # a user without a home
        return None


def name_of(*parts: str) -> str:
    """The file's name for what is spoken: engine, its version, options, text."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:40] + ".wav"


def load(name: str) -> "np.ndarray | None":
    """The samples, exactly those that were saved, or None."""
    where = folder()
    if where is None:
        return None
    import numpy as np

    try:
        data = (where / name).read_bytes()
        with wave.open(io.BytesIO(data)) as file:
            if file.getparams()[:3] != (1, 2, RATE):
                return None
            found = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / np.float32(32768)
        os.utime(where / name)  # it has been used
    except (OSError, EOFError, wave.Error):  # not there, or not whole
        return None
    return found


def save(name: str, samples: "np.ndarray") -> None:
    """Keep samples that are whole steps of 16 bits. A disk that is full or read-only is no reason to fail."""
    where = folder()
    if where is None or not 0 < len(samples) <= LONGEST:
        return
    try:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)  # others need not hear what callers were told
        handle, unfinished = tempfile.mkstemp(suffix=".new", dir=where)
        try:
            with os.fdopen(handle, "wb") as raw, wave.open(raw, "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes((samples * 32768).astype("<i2").tobytes())
            os.replace(unfinished, where / name)  # nobody ever sees half a file
        except BaseException:
            os.unlink(unfinished)
            raise
        _make_room(where)
    except OSError as error:
        log.debug("%s: %s; spoken texts are not kept", where, error)


def _make_room(where: Path) -> None:
    files = []
    for entry in os.scandir(where):
        try:
            files.append((entry.stat().st_mtime, entry.stat().st_size, entry.path))
        except OSError:  # another process was faster
            continue
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= LIMIT:
            break
        try:
            os.unlink(path)
        except OSError:
            continue
        total -= size
