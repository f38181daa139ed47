"""The five patches for csound, as an orchestra. ksmps is a frame."""

import shutil
from pathlib import Path

from . import patches as p

INSTALL = "apt-get install csound"


def one(*lines: str) -> list[str]:
    return ["instr 1", *lines, "endin"]


def p1() -> list[str]:
    sines = [f"a{k} poscil 1, {freq}" for k, freq in enumerate(p.P1_FREQS)]
    total = " + ".join(f"a{k}" for k in range(len(p.P1_FREQS)))
    coefficients = ", ".join(str(c) for c in (*p.P1_B, 1, *p.P1_A))
    return one(*sines, f"alow biquad {total}, {coefficients}", f"out alow * {p.P1_GAIN}")


def p2() -> list[str]:
    """A voice is an instrument, a note an event: an envelope is over at the end of its release, and begins anew."""
    notes = [f'event "i", 2, 0, {0.5 / p.P2_GATE}, {freq}' for freq in p.P2_FREQS]
    voice = [
        "amod poscil 2 * p4, 2 * p4",
        "acar poscil 1, amod + p4",
        f"aenv linsegr 0, {p.P2_ATTACK}, 1, {p.P2_DECAY}, {p.P2_SUSTAIN}, {p.P2_RELEASE}, 0",
        "gamix = gamix + acar * aenv",
    ]
    gate = [f"kgate metro {p.P2_GATE}", "if kgate == 1 then", *notes, "endif", "endin"]
    out = ["instr 3", f"out tanh(gamix * {p.P2_GAIN})", "gamix = 0", "endin"]
    return ["gamix init 0", "instr 1", *gate, "instr 2", *voice, "endin", *out]


def p3() -> list[str]:
    (low, high), (a, b) = p.P3_TONES, p.P3_LEVELS
    return one(
        f"alow poscil {a}, {low}",
        f"ahigh poscil {b}, {high}",
        f"akey lfo 1, {1 / (p.P3_ON + p.P3_OFF)}, 3",
        f"anoise rand {p.P3_NOISE}",
        "out (alow + ahigh) * akey + anoise",
    )


def p4() -> list[str]:
    return one(f"a1 poscil 1, {p.P4_FREQ}", *(f"a1 = a1 * {gain}" for gain in p.P4_GAINS), "out a1")


def p5() -> list[str]:
    sines = [f"a{k} poscil 1, {freq}\na{k} = a{k} * {p.P5_EACH}" for k, freq in enumerate(p.P5_FREQS)]
    total = " + ".join(f"a{k}" for k in range(len(p.P5_FREQS)))
    return one(*sines, f"out ({total}) * {p.P5_GAIN}")


def command(name: str, seconds: float, folder: Path, sound: Path | None) -> list[str]:
    """Write what renders a patch, and give the command for it. Its sound: raw float32."""
    file = folder / f"{name}-{seconds:g}.csd"
    orchestra = [f"sr = {p.RATE}", f"ksmps = {p.FRAME}", "nchnls = 1", "0dbfs = 1", *globals()[name.lower()]()]
    score = [f"i{number} 0 {seconds:g}" for number in ((1, 3) if name == "P2" else (1,))]
    parts = [
        "<CsoundSynthesizer>",
        "<CsInstruments>",
        *orchestra,
        "</CsInstruments>",
        "<CsScore>",
        *score,
        "</CsScore>",
    ]
    file.write_text("\n".join([*parts, "</CsoundSynthesizer>"]))
    return ["csound", "-d", "-m0", *(["-h", "-f", "-o", str(sound)] if sound else ["-n"]), str(file)]


def find() -> str | None:
    return shutil.which("csound")
