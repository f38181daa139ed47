"""How text and data come through: the tables of docs/signals.md, "Text and data".

    python bench/modems.py

Errors are characters of those sent, three times a text of 183, with white noise in the whole band and through G.711.
What is read in speech and music: the prompts and pieces of Debian's asterisk-core-sounds-en-wav and
asterisk-moh-opsound-wav, where they are installed.
"""

import difflib
import sys
import tempfile
from pathlib import Path

import numpy as np

from graphvoip import loadWAVtoPCM
from graphvoip.codes import STANDARDS
from graphvoip.telegraph import fsk_decode, fsk_encode, morse_decode, morse_encode

sys.path.append(str(Path(__file__).parent.parent / "tests" / "signals"))
from bad_line import clocked, noisy, padded, ulaw
from independent import minimodem_reads, minimodem_sends, multimon_reads

SIGNS = list("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ")
TEXT = "".join(np.random.default_rng(5).choice(SIGNS, 181)).join("..")  # no two places in it are alike
MORSE = "THE QUICK BROWN FOX 0123456789 JUMPS OVER THE LAZY DOG? CQ DE AA1BB/P = K."
LEVELS = (20, 15, 12, 10, 6, 3)


def wrong(found: str, sent: str) -> int:
    same = sum(block.size for block in difflib.SequenceMatcher(None, found, sent, False).get_matching_blocks())
    return max(len(found), len(sent)) - same


def recordings(pattern: str) -> np.ndarray:
    files = sorted(Path("/usr/share/asterisk").glob(pattern))
    return np.concatenate([np.zeros(800, np.float32), *(np.array(loadWAVtoPCM(file), np.float32) for file in files)])


def row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |")


def main() -> None:
    speech, music = recordings("sounds/en*/**/*.wav"), recordings("moh/*.wav")
    noise = np.random.default_rng(1).normal(0, 0.05, len(speech)).astype(np.float32)
    folder = Path(tempfile.mkdtemp())
    print("wrong characters of 549, ours -> ours / minimodem, at a signal to noise ratio of")
    minutes = [f"{len(one) / 480000:.0f} min of {what}" for one, what in ((speech, "speech"), (music, "music"))]
    row("", *(f"{db} dB" for db in LEVELS), "clock 1 % off", "minimodem -> ours, 12 dB", *minutes, "noise")
    row(*["---"] * (len(LEVELS) + 6))
    for name in STANDARDS:
        sent, theirs = fsk_encode(TEXT, name), minimodem_sends(TEXT, name, folder)
        cells = []
        for db in LEVELS:
            lines = [ulaw(padded(noisy(sent, db, seed))) for seed in range(3)]
            ours = sum(wrong(fsk_decode(one, name), TEXT) for one in lines)
            other = sum(wrong(minimodem_reads(one, name, folder), TEXT.strip()) for one in lines)
            cells.append(f"{ours} / {other}")
        off = sum(wrong(fsk_decode(clocked(sent, ppm), name), TEXT) for ppm in (-10_000, 10_000))
        back = sum(wrong(fsk_decode(ulaw(padded(noisy(theirs, 12, seed))), name), TEXT) for seed in range(3))
        row(name, *cells, off, back, *(len(fsk_decode(one, name)) for one in (speech, music, noise)))
    print("\nMorse: share of the text that is read right, ours / multimon-ng, at")
    row("words a minute", *(f"{db} dB" for db in (20, 10, 6, 3, 0)))
    row(*["---"] * 6)
    for wpm in (5, 12, 20, 30, 45, 60):
        sent, cells = morse_encode(MORSE, wpm), []
        for db in (20, 10, 6, 3, 0):
            line = ulaw(padded(0.3 * noisy(sent, db), 0.1, 1))
            found = (morse_decode(line), multimon_reads(3 * line, "MORSE_CW", "-d", str(round(1200 / wpm))))
            cells.append(" / ".join(f"{max(0, 1 - wrong(one, MORSE) / len(MORSE)):.2f}" for one in found))
        row(wpm, *cells)
    print(
        "\nletters read in speech, music, noise:", [len(morse_decode(one, 600, 20)) for one in (speech, music, noise)]
    )


if __name__ == "__main__":
    main()
