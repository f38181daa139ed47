"""Prompts that have been spoken once, kept on the disk as WAV files: one that is asked for again is there at once.

The folder is $XDG_CACHE_HOME/graphvoip/speech, ~/.cache/graphvoip/speech without that. GRAPHVOIP_CACHE names another
folder, or says "off". What has not been used for longest goes when it grows beyond LIMIT.
"""

import hashlib
import io
import os
import wave
from pathlib import Path
from typing import TYPE_CHECKING

from .disk_cache import DiskCache, user_folder
from .rings import RATE

if TYPE_CHECKING:
    import numpy as np

LIMIT = 256 << 20  # bytes: four and a half hours
LONGEST = 600 * RATE  # samples of one text: what is longer is spoken again each time
FORMAT = "2"  # of the files: the name depends on it, so that those of other versions are not taken for damaged ones


def is_off() -> bool:
    """Are prompts not to be kept?"""
    return os.environ.get("GRAPHVOIP_CACHE", "on").lower() in ("", "0", "no", "off")


def folder() -> Path | None:
    """Where the prompts are, or None if they are not to be kept, or cannot be."""
    if is_off():
        return None
    told = os.environ.get("GRAPHVOIP_CACHE")
    return Path(told).expanduser() / "speech" if told else user_folder("speech")


prompts = DiskCache(
    "spoken prompts",
    lambda: [one for one in [folder()] if one],
    LIMIT,
    "Each process speaks them again; let GRAPHVOIP_CACHE name a folder that can be written, or say off.",
    mode=0o700,  # others need not hear what callers were told
)


def name_of(*parts: str) -> str:
    """The file's name for what is spoken: engine, its version, options, text."""
    return hashlib.sha256("\0".join([FORMAT, *parts]).encode("utf-8", "surrogatepass")).hexdigest()[:40] + ".wav"


def load(name: str) -> "np.ndarray | None":
    """The samples, exactly those that were saved, or None."""
    data = None if is_off() else prompts.load(name)
    if data is None:
        return None
    import numpy as np

    with wave.open(io.BytesIO(data)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / np.float32(32768)


def save(name: str, samples: "np.ndarray") -> None:
    """Keep samples that are whole steps of 16 bits. A disk that is full or read-only is no reason to fail."""
    if is_off() or not 0 < len(samples) <= LONGEST:
        return
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setparams((1, 2, RATE, len(samples), "NONE", ""))
        file.writeframes((samples * 32768).astype("<i2").tobytes())
    prompts.save(name, data.getvalue())
