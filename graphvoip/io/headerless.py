"""Sound files of telephone exchanges that have no header: the end of the name says what is in them.

The names are those of Asterisk and FreeSWITCH. libsndfile decodes all but G.722, which the package G722 does.
"""

import io
import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class Layout(NamedTuple):
    """What bytes without a header are: libsndfile's subtype, or "G722"; samples a second; bytes a second."""

    subtype: str
    rate: int
    bytes: int


def _linear(rate: int) -> Layout:
    return Layout("PCM_16", rate, 2 * rate)


LAYOUTS = {
    **dict.fromkeys((".ulaw", ".ul", ".ulw", ".mu", ".pcmu"), Layout("ULAW", 8000, 8000)),
    **dict.fromkeys((".alaw", ".al", ".alw", ".pcma"), Layout("ALAW", 8000, 8000)),
    ".gsm": Layout("GSM610", 8000, 1650),
    ".vox": Layout("VOX_ADPCM", 8000, 4000),
    ".g722": Layout("G722", 16000, 8000),
    **dict.fromkeys((".sln", ".raw"), _linear(8000)),
    **{f".sln{rate // 1000}": _linear(rate) for rate in (12000, 16000, 24000, 32000, 44100, 48000, 96000, 192000)},
}
# How files begin that have a header after all.
HEADERS = (b"RIFF", b"RIFX", b"RF64", b".snd", b"FORM", b"caff", b"fLaC", b"OggS", b"ID3")


def layout(name: str | os.PathLike[str], start: bytes) -> Layout | None:
    """What a file without a header has in it, by its name; None if it has one, or if the name does not say.

    start: the first bytes. Raises ValueError for .pcm, which stands for 16-bit samples as often as for mu-law.
    """
    kind = PurePath(name).suffix.lower()
    if start.startswith(HEADERS):
        return None
    if kind == ".pcm":
        raise ValueError(
            f"{name}: .pcm does not say how samples are coded; rename the file to .sln (16-bit, 8000 Hz), "
            ".sln16 (16-bit, 16000 Hz), .ulaw or .alaw"
        )
    return LAYOUTS.get(kind)


def decode(data: bytes, name: str, found: Layout) -> "np.ndarray":
    """All samples of a file without a header as float32, at found.rate."""
    import numpy as np

    if found.subtype == "G722":
        return np.array(_g722(name).decode(data), np.float32) / np.float32(32768)
    import soundfile

    try:
        return soundfile.read(io.BytesIO(data), dtype="float32", samplerate=found.rate, channels=1, format="RAW",
                              subtype=found.subtype, endian="LITTLE")[0]  # fmt: skip
    except soundfile.LibsndfileError as error:
        says = error.error_string.strip()
        raise ValueError(
            f"{name}: not what the end of its name says, {found.subtype} without a header ({says})"
        ) from None


def _g722(name: str) -> Any:
    try:
        from G722 import G722  # type: ignore[import-not-found]
    except ImportError:
        raise ValueError(
            f"{name}: G.722 needs a decoder; pip install 'graphvoip[g722]', "
            f"or convert it with: ffmpeg -i {name} -ar 8000 -ac 1 converted.wav"
        ) from None
    return G722(16000, 64000)
