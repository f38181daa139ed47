"""How often a tone is heard in speech that has none: the figures of docs/testing.md.

    python bench/hears_tone.py [--json] [--minutes 24]

Each voice reads Python's own manual. Every 20 ms a window of 0.1 s is asked for the tone that it is likeliest to have.
"""

import os
import re
from pydoc_data.topics import topics

import measure
import numpy as np

from graphvoip.listen import WINDOW, has_tone, is_quiet, tones
from graphvoip.rings import FRAME, RATE
from graphvoip.tts import spoken

VOICES = [("espeak", None), ("flite", "slt"), ("flite", "kal"), ("flite", "rms"), ("festival", None), ("piper", None)]
AT_ONCE = 8  # sentences


def sentences() -> list[str]:
    text = " ".join(topics[name] for name in sorted(topics))
    plain = re.sub(r"\s+", " ", re.sub(r"[^A-Za-z0-9.,;:'\" \n-]", " ", text))
    return [one.strip() for one in re.split(r"(?<=[.])\s+", plain) if 20 < len(one) < 300]


def speech(engine: str, voice: str | None, minutes: float) -> np.ndarray:
    """So many minutes of the manual, from its second sentence on, every other one."""
    parts, size, read = [], 0, sentences()[1::2]
    for at in range(0, len(read), AT_ONCE):
        parts.append(np.asarray(spoken("bench", " ".join(read[at : at + AT_ONCE]), engine=engine, voice=voice)))
        size += len(parts[-1])
        if size > 60 * RATE * minutes:
            break
    return np.concatenate(parts)


def row(engine: str, voice: str | None, minutes: float) -> dict:
    name = f"{engine} {voice}" if voice else engine
    try:
        samples = speech(engine, voice, minutes)
    except RuntimeError as error:
        return {"voice": name, "minutes": 0, "windows": 0, "heard": str(error).splitlines()[0]}
    windows = heard = 0
    for at in range(0, len(samples) - WINDOW, FRAME):
        window = samples[at : at + WINDOW]
        if not is_quiet(window):
            windows += 1
            strongest = tones(window)[:1]  # where it is no tone, the others are none
            heard += any(has_tone(window, frequency) for frequency, _ in strongest)
    return {"voice": name, "minutes": round(len(samples) / RATE / 60, 1), "windows": windows, "heard": heard}


if __name__ == "__main__":
    os.environ["GRAPHVOIP_CACHE"] = "off"
    options = measure.arguments(__doc__, minutes=24.0)
    rows = [row(*voice, options.minutes) for voice in VOICES]
    measure.show({"tones heard in speech": rows}, options.json)
