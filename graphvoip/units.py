"""What people write for a number, "2 s", "440Hz", "-6 dB", "A4", and what it is in a patch, where numbers are alone."""

import math
import re

from .notes import hertz

# Unit, as it is written -> the unit that inputs have, and how many of those one of it is.
UNITS = {
    "s": ("s", 1), "sec": ("s", 1), "secs": ("s", 1), "second": ("s", 1), "seconds": ("s", 1),
    "ms": ("s", 0.001), "msec": ("s", 0.001), "us": ("s", 1e-6), "µs": ("s", 1e-6),
    "min": ("s", 60), "hz": ("Hz", 1), "khz": ("Hz", 1000), "db": ("dB", 1), "dbfs": ("dB", 1), "%": ("", 0.01),
    "bpm": ("Hz", 1 / 60), "x": ("", 1),
}  # fmt: skip
NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*([a-zµ%]+)", re.IGNORECASE)


def number_for(text: str, unit: str = "") -> str:
    """What to write where numbers have this unit, "; write 0.2"; "" for what is no number with a unit and no note."""
    text = text.strip()
    if (pitch := hertz(text[:1].upper() + text[1:])) is not None:
        number = round(69 + 12 * math.log2(pitch / 440))
        return f"; {text} is a note: write {pitch:.6g} (Hz), or 'midi({number})'"
    found = NUMBER.fullmatch(text)
    known = UNITS.get(found[2].lower()) if found else None
    if found is None or known is None:
        return ""
    kind, size = known
    number = f"{float(found[1]) * size:.6g}"
    if kind == "dB" and unit != "dB":
        return f"; write 'db({found[1].removeprefix('+')})', the factor of so many dB"
    unit = "" if unit == "x" else unit  # a plain factor
    if kind and unit and kind != unit:
        return f"; it is in {unit}, not in {found[2]}"
    return f"; write the number alone: {number}" + (f", it is in {unit}" if unit else "")
