"""Pictures as they come, for a call: the sound is pushed in, and what has happened comes out.

Lines are shown at once, from the clock of the sender as it seems so far; when a picture is complete it is decoded again
as a whole, as `sstv_decode` does it, for only then its slant is known to the last line.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .rings import RATE
from .sstv_decoder import (
    CLOCK,
    LEAST,
    MS,
    NARROW,
    SLACK,
    Decoded,
    Header,
    analytic,
    clearness,
    decode_picture,
    demodulated,  # fmt: skip
    edges,
    fsk_of,
    headers,
    rows_of,
    shown,
)
from .sstv_modes import FSK_SILENCE, HEADER, Mode

LOOK_BACK = round(1.2 * RATE)  # samples that are kept while nothing comes: all of a header
AFTER = round((FSK_SILENCE / 1000 + 0.45) * RATE)  # samples after a picture in which a name must have begun
NAME = round(3.4 * RATE)  # samples after a picture in which the longest name has ended
GONE_LINES, GONE = 12, 4.0  # lines, and seconds, without a pulse after which a picture has been broken off
SHORT = 16  # rows below which what came is no picture


class Begun(NamedTuple):
    """A header has been heard."""

    mode: Mode


class Line(NamedTuple):
    """So many rows can be seen in `preview`."""

    rows: int


class Complete(NamedTuple):
    """A picture has ended; decode() makes it, which takes a moment: do it in a thread. It may find that it is none."""

    mode: Mode
    decode: Callable[[], Decoded | None]


class Receiver:
    """told: the mode of pictures whose header was missed. preview: the picture that comes, as far as it is there."""

    def __init__(self, told: Mode | None = None, levels: str = "full"):
        self.told, self.levels = told, levels
        self.mode: Mode | None = None
        self.preview = np.zeros((0, 0, 3), np.uint8)
        self.rows = 0
        self._kept = np.zeros(1 << 15, np.float32)  # grows by doubling while a picture comes
        self._size = 0
        self._passed = 0  # samples that came before those that are kept
        self._searched = 0  # kept samples in which no header is looked for any more
        self._header: Header | None = None  # of the picture that comes
        self._first = 0.0  # where its first line begins
        self._late = 0.0  # samples by which lines are later than its clock says
        self._line = 0  # the next one
        self._unclear = 0  # lines on end whose pulse was not to be heard
        self._waited = 0  # kept samples in which no picture without a header was found

    def push(self, samples: np.ndarray) -> list[Begun | Line | Complete]:
        """Take samples, and say what they brought, in its order."""
        self._keep(samples)
        found: list[Begun | Line | Complete] = []
        for header in self._new_headers():
            found += self.finish(round(header.at))
            self._begin(header, header.at + (1000 * HEADER + header.mode.lead) * MS)
            found.append(Begun(header.mode))
        if self.mode is None and self.told:
            found += self._without_header()
        if self.mode is not None:
            found += self._lines()
            if self.mode is not None and self._size > self._end():
                found += self.finish()
        if self.mode is None:
            self._forget()
        return found

    def finish(self, at: int | None = None) -> list[Complete]:
        """End the picture that comes, at this kept sample or now: what is there of it, if that is worth it."""
        mode, header = self.mode, self._header
        if mode is None:
            return []
        stop = self._size if at is None else max(0, at)
        begin = 0 if header is None else max(0, int(header.at))
        piece = self._kept[begin:stop].copy()
        passed = self._passed + begin
        first = None if header is None else self._first - begin
        off, levels = header.hz if header else 0.0, self.levels
        self.mode = self._header = None
        self._waited = stop
        if len(piece) < (first or 0) + SHORT / mode.rows * mode.ms * MS:
            return []

        def decode() -> Decoded | None:
            made = decode_picture(piece, mode, first, off, levels)
            if made and made.rows >= SHORT:
                made.start = (passed if header else passed + made.start * RATE) / RATE
                made.end += passed / RATE
                return made
            return None

        return [Complete(mode, decode)]

    def _keep(self, samples: np.ndarray) -> None:
        need = self._size + len(samples)
        if need > len(self._kept):
            self._kept = np.concatenate(
                [self._kept, np.zeros(max(need, 2 * len(self._kept)) - len(self._kept), np.float32)]
            )
        self._kept[self._size : need] = samples
        self._size = need

    def _forget(self) -> None:
        """Let go of what can be no part of a picture any more."""
        keep = LOOK_BACK if self.told is None else round((2 * LEAST + 2) * self.told.ms * MS) + LOOK_BACK
        drop = self._size - keep
        if drop > keep:
            self._kept = np.concatenate([self._kept[drop : self._size], np.zeros(1 << 14, np.float32)])
            self._size -= drop
            self._passed += drop
            self._searched = max(0, self._searched - drop)
            self._waited = max(0, self._waited - drop)

    def _new_headers(self) -> list[Header]:
        """Those whose last bit has come since the last time."""
        size = round(310 * MS)  # from a header's start bit to its end
        last = self._size - size
        if last <= self._searched:
            return []
        begin = max(0, self._searched - round(320 * MS))
        found = headers(self._kept[begin : self._size], self._searched - begin)
        self._searched = last
        for one in found:
            one.at += begin
            self._searched = max(self._searched, int(one.at) + round(HEADER * RATE))
        return found

    def _begin(self, header: Header | None, first: float, mode: Mode | None = None) -> None:
        mode = header.mode if header else mode
        assert mode
        self.mode, self._header, self._first, self._late, self._line, self.rows = mode, header, first, 0.0, 0, 0
        self._unclear = 0
        self.preview = np.zeros((mode.height, mode.width, 3), np.uint8)

    def _without_header(self) -> list[Begun | Line | Complete]:
        """Are there enough lines of the mode that we were told?"""
        assert self.told
        size = round((LEAST + 3) * self.told.ms * MS)
        if self._size - self._waited < size:
            return []
        begin = max(0, self._size - round(1.5 * size))
        made = decode_picture(self._kept[begin : self._size].copy(), self.told, None)
        self._waited = self._size - size // 2
        if made is None or made.end * RATE + begin < self._size - 3 * self.told.ms * MS:
            return []
        self._begin(None, begin + made.start * RATE, self.told)
        return [Begun(self.told)]

    def _end(self) -> float:
        """The sample at which all of the picture, and the name of its sender, must have come."""
        assert self.mode
        line = self.mode.ms * MS
        end = self._first + self._late + self.mode.lines * line
        if self._size < end + AFTER:
            return end + AFTER
        tail = demodulated(analytic(self._kept[int(end) + AFTER - 1200 : int(end) + AFTER]))
        is_name = float(np.mean((tail.hz > 1750) & (tail.hz < 2250))) > 0.8
        if is_name and not fsk_of(self._kept[: self._size], end, self._header.hz if self._header else 0.0):
            return end + NAME
        return end + AFTER

    def _lines(self) -> list[Begun | Line | Complete]:
        """Show the lines that have come."""
        mode = self.mode
        assert mode
        line, beside, found = mode.ms * MS, 400, []
        pulse, length = mode.syncs[0]
        while self._line < mode.lines:
            start = self._first + self._late + self._line * line
            begin, stop = max(0, int(start) - beside), int(start + line) + beside
            if stop > self._size:
                break
            off = self._header.hz if self._header else 0.0
            heard = demodulated(analytic(self._kept[begin:stop], NARROW))
            clear = clearness(heard, mode, off)
            place = int(start - begin + pulse * MS)
            slack = min(beside // 2, int(SLACK * CLOCK * line) + 12)
            low = max(0, place - slack)
            best = low + int(np.argmax(clear[low : place + slack + 1]))
            self._unclear = 0 if clear[best] > 0.3 * length * MS else self._unclear + 1
            if clear[best] > 0.5 * length * MS:
                (end,) = edges(heard, mode, off, np.array([best]))
                moved = end - (pulse + length) * MS + begin - start
                if abs(moved) < slack:
                    self._late += (0.3 if self._line else 1.0) * moved
                    start += moved
            rgb, rows, _ = shown(*rows_of(heard, mode, off, np.array([start - begin]), 0.0), mode, self.levels)
            at = self._line * mode.rows
            self.preview[at : at + rows] = rgb[:rows]
            self._line += 1
            self.rows = self._line * mode.rows
            found.append(Line(self.rows))
            if self._unclear > max(GONE_LINES, GONE * RATE / line):
                return [*found, *self.finish()]
        return found
