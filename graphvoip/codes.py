"""How text goes over a line: Morse, codes and tones of modems, caller ID. Tables, and what nodes share."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from .dsp import soften
from .kernel import OPTIONS, doubles_at, event, sin_turns, sound
from .rings import RATE

# --- Morse code (ITU-R M.1677-1) --------------------------------------------------------------------------------------

MORSE = {
    "A": ".-", "B": "-...", "C": "-.-.", "D": "-..", "E": ".", "F": "..-.", "G": "--.", "H": "....", "I": "..",
    "J": ".---", "K": "-.-", "L": ".-..", "M": "--", "N": "-.", "O": "---", "P": ".--.", "Q": "--.-", "R": ".-.",
    "S": "...", "T": "-", "U": "..-", "V": "...-", "W": ".--", "X": "-..-", "Y": "-.--", "Z": "--..", "É": "..-..",
    "1": ".----", "2": "..---", "3": "...--", "4": "....-", "5": ".....", "6": "-....", "7": "--...", "8": "---..",
    "9": "----.", "0": "-----", ".": ".-.-.-", ",": "--..--", ":": "---...", "?": "..--..", "'": ".----.",
    "-": "-....-", "/": "-..-.", "(": "-.--.", ")": "-.--.-", '"': ".-..-.", "=": "-...-", "+": ".-.-.",
    "×": "-..-", "@": ".--.-.",
}  # fmt: skip
UNKNOWN = "*"  # stands for signs that are no letter


def morse_tree() -> np.ndarray:
    """The letter's code at each place of the tree: from place n a dot leads to 2 n and a dash to 2 n + 1."""
    tree = np.full(256, ord(UNKNOWN), np.int64)
    for letter, signs in MORSE.items():
        place = 1
        for sign in signs:
            place = 2 * place + (sign == "-")
        if letter != "×":  # it is sent as an X
            tree[place] = ord(letter)
    return tree


# --- Frequency shift keying -------------------------------------------------------------------------------------------


class Standard(NamedTuple):
    """A modem that sends characters by two tones: 1 is the mark, which is also what is sent between characters."""

    mark: int  # Hz
    space: int
    baud: float
    bits: int  # of a character, the lowest first: 8, or 5 in ITA2
    stop: float  # bits of mark after each


STANDARDS = {
    "bell103": Standard(1270, 1070, 300, 8, 1), "bell103_answer": Standard(2225, 2025, 300, 8, 1),
    "v21": Standard(980, 1180, 300, 8, 1), "v21_answer": Standard(1650, 1850, 300, 8, 1),
    "bell202": Standard(1200, 2200, 1200, 8, 1), "v23": Standard(1300, 2100, 1200, 8, 1),
    "rtty": Standard(2125, 2295, 45.45, 5, 1.5), "rtty50": Standard(2125, 2295, 50, 5, 1.5),
    "tdd": Standard(1400, 1800, 45.45, 5, 2), "tdd50": Standard(1400, 1800, 50, 5, 2),
}  # fmt: skip

# The telegraph alphabet of five bits, ITA2, with the figures of North America, as teletypes and text telephones have.
LETTERS = "\0E\nA SIU\rDRJNFCKTZLWHYPQOBG\x0eMXV\x0f"
FIGURES = "\x003\n- \a87\r$4',!:(5\")2#6019?&\x0e./;\x0f"
TO_FIGURES, TO_LETTERS = 27, 31


def ita2(text: str, what: str) -> list[int]:
    """A text in ITA2. After a blank the shift is told again: some receivers go back to letters there."""
    shift, found = None, []
    for sign in text.upper().replace("\n", "\r\n").replace("\r\r", "\r"):
        in_letters, in_figures = LETTERS.find(sign), FIGURES.find(sign)
        if sign in "\x0e\x0f" or (in_letters < 0 and in_figures < 0):
            raise ValueError(
                f"{what}: text has {sign!r}; it may have letters, digits, blanks and - $ ' , ! : ( \" ) # ? & . / ;"
            )
        if in_letters != in_figures:
            wanted = TO_LETTERS if in_letters >= 0 else TO_FIGURES
            if wanted != shift:
                found.append(wanted)
                shift = wanted
        elif sign == " ":
            shift = None
        found.append(max(in_letters, in_figures))
    return found


def characters(text: str, standard: Standard, what: str) -> list[int]:
    """A text as the codes that are sent."""
    return ita2(text, what) if standard.bits == 5 else list(text.encode("utf-8"))


def framed(codes: list[int], standard: Standard) -> list[tuple[int, float]]:
    """Characters as (level, bits that it lasts): a start bit, the code, stop bits."""
    found: list[tuple[int, float]] = []
    for code in codes:
        found.append((0, 1))
        found += [(code >> k & 1, 1) for k in range(standard.bits)]
        found.append((1, standard.stop))
    return found


def keying(levels: list[tuple[int, float]], standard: Standard) -> np.ndarray:
    """Rows of (sample at which it ends, turns a sample), the last one for good. Ends are between samples, exactly."""
    ends = np.cumsum([length for _, length in levels]) * (RATE / standard.baud)
    tones = np.array([standard.mark if level else standard.space for level, _ in levels], np.float64) / RATE
    return np.concatenate([np.column_stack([ends, tones]).ravel(), [1e18, standard.mark / RATE]])


@njit(**OPTIONS)
def keyed(table, at, piece, phase, out):
    """The phase in turns at each sample of a tone that is keyed by a table; gives the row and the phase after them."""
    for i in range(out.size):
        out[i] = phase
        now, then = np.float64(at + i), np.float64(at + i + 1)
        while table[2 * piece] < then:
            phase += (table[2 * piece] - now) * table[2 * piece + 1]
            now = table[2 * piece]
            piece += 1
        phase += (then - now) * table[2 * piece + 1]
        phase -= np.floor(phase)
    return piece, phase


# What is common to nodes that send by two tones; of their state these are the fields.
SENDING = {"address": "i8", "size": "i8", "piece": "i8", "at": "i8", "end": "i8", "ended": "i8", "phase": "f8"}
EDGE = 16  # samples, 2 ms


def loaded(state: Any, levels: list[tuple[int, float]], standard: Standard) -> np.ndarray:
    """Hand a node's state what it is to send; gives the table, which must live as long as the node."""
    table = keying(levels, standard)
    state["address"], state["size"] = table.ctypes.data, len(table)
    state["end"] = round(RATE / standard.baud * sum(length for _, length in levels))
    return table


@njit(**OPTIONS)
def transmit(state, amp, out):
    """The samples of what has been loaded, silence after them, and the event `done` at the last one."""
    table = doubles_at(state.address, state.size)
    size = min(out.size, state.end - state.at)
    state.piece, state.phase = keyed(table, state.at, state.piece, state.phase, out[:size])
    for i in range(size):
        out[i] = sound(amp[i]) * sin_turns(out[i])
    soften(out[:size], state.at, state.end, EDGE)
    for i in range(size, out.size):
        out[i] = 0
    state.at += size
    if state.at == state.end and state.ended == 0 and state.done == 0:
        state.ended = 1
        state.done = event(max(0, size - 1))


# --- Caller ID (Telcordia GR-30, ETSI EN 300 659) ---------------------------------------------------------------------

SINGLE, MULTIPLE = 0x04, 0x80  # a message of number and time; one of parameters
WHEN, NUMBER, NO_NUMBER, NAME, NO_NAME = 0x01, 0x02, 0x04, 0x07, 0x08
SEIZURE, MARKS, LAST_MARKS = 30, 180, 10  # bytes of 0x55 that wake the telephone; bits of mark before and after


def message(number: str, name: str, when: str, single: bool) -> list[int]:
    """The bytes of a message with its length and checksum. A number or name that is P or O is withheld or unknown."""
    if single:
        body = (when or "01010000") + number
        data = [SINGLE, len(body), *body.encode("ascii")]
    else:
        parts = [(WHEN, when), (NO_NUMBER if number in ("P", "O") else NUMBER, number),
                 (NO_NAME if name in ("P", "O") else NAME, name)]  # fmt: skip
        rows = [[kind, len(value), *value.encode("ascii")] for kind, value in parts if value]
        data = [MULTIPLE, sum(map(len, rows)), *(byte for row in rows for byte in row)]
    return [*data, -sum(data) & 0xFF]


def parsed(data: bytes) -> dict[str, str] | None:
    """The first message in these bytes whose checksum is right: number, name and when, as far as it has them."""
    for at in range(len(data) - 2):
        kind, size = data[at], data[at + 1]
        whole = data[at : at + size + 3]
        if kind not in (SINGLE, MULTIPLE) or len(whole) < size + 3 or sum(whole) & 0xFF or not size:
            continue
        body = whole[2:-1].decode("latin-1")
        if kind == SINGLE:
            return {"when": body[:8], "number": body[8:]}
        found, place = {}, 0
        names = {WHEN: "when", NUMBER: "number", NO_NUMBER: "number", NAME: "name", NO_NAME: "name"}
        while place + 2 <= size:
            length = ord(body[place + 1])
            if ord(body[place]) in names:
                found[names[ord(body[place])]] = body[place + 2 : place + 2 + length]
            place += 2 + length
        return found
    return None
