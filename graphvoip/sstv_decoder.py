"""Pictures out of sound: slow-scan television, decoded by numpy and scipy. It runs on no audio thread.

    sound -> a complex signal, whose turning is the frequency -> header, line syncs, pixels

The synchronisation pulses of all lines are found as one path through the picture (dynamic programming), so that a noisy
line is carried by its neighbours, a wrong clock is a path that leans, and lost packets are a step in it.
Pixels are read through a filter of least mean error (Wiener): what the picture's own spectrum is, it tells itself, and
what noise is in it, the swaying of the amplitude tells, which a clean signal has not.
"""

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .rings import RATE
from .sstv_modes import (
    BLACK,
    FSK_BIT,
    HEADER,
    LEADER,
    MEAN,
    MODES,
    ONE,
    SPAN,
    SYNC,
    WHITE,
    ZERO,
    Mode,
    from_planes,
    pillow,  # fmt: skip
)

MS = RATE / 1000  # samples
BAND = (200.0, 3700.0)  # Hz that a clean signal needs: all that a telephone passes
CODE = (950.0, 2100.0)  # of a header
LAG = 7  # samples after which the noise of that band is another one
NARROW = (850.0, 2750.0)  # of a noisy one
TAPS = 97  # of the filters that make the signal complex
SPECTRUM = 2048  # samples that are filtered at once
MUCH = 0.06  # noise over signal, as power, from which on the narrow band is better
OFF = 110.0  # Hz by which a sender may be off its frequency
CLOCK = 600e-6  # by which a sender's clock may be wrong
SLACK = 800  # samples by which lines may be away from where the header says they are: five packets
GONE = 0.025  # the share of a picture that may be missing without a trace
JUMP = 40.0  # what a step of the path costs, in samples of clear sync
FINE = 32  # places between two samples
SMOOTH = np.array([1, 3, 4, 3, 1]) / 12  # over the edge of a pulse
HELD = np.arange(0, 2.1, 0.2)  # samples for which rows may go on into the gaps beside them
BLOCK = 256  # samples of a spectrum
LEAST = 8  # lines that must be there for a picture whose header was missed


class Demodulated(NamedTuple):
    """The complex signal, its frequency from each sample to the next, and how loud it is (1: the picture's median)."""

    signal: np.ndarray
    hz: np.ndarray
    loud: np.ndarray


@dataclass
class Header:
    mode: Mode
    at: float  # sample of its first tone
    hz: float  # by which the sender is off


@dataclass
class Decoded:
    """A picture: what is shown, how it was found, and what could be told of it."""

    mode: Mode
    rgb: np.ndarray
    start: float  # seconds: where its header begins, or its first row where that was missed
    end: float  # seconds: where it ends in the recording
    rows: int  # that have come
    off: float = 0.0  # Hz
    clock: float = 0.0  # the sender's clock is so much slower than ours
    fsk_id: str = ""
    lost: float = 0.0  # share of the pixels that were filled in

    def image(self) -> Any:
        """As a Pillow image; `info` has what was found."""
        image = pillow("sstv_decode").fromarray(self.rgb)
        image.info = {
            "mode": self.mode.name, "rows": self.rows, "complete": self.rows == self.mode.height,
            "fsk_id": self.fsk_id, "hz": round(self.off, 1), "ppm": round(1e6 * self.clock),
            "lost": round(self.lost, 4),
        }  # fmt: skip
        return image


# --- From sound to frequency ------------------------------------------------------------------------------------------


def analytic(samples: np.ndarray, band: tuple[float, float] = BAND) -> np.ndarray:
    """The positive frequencies of a band, complex64: no delay, and no others."""
    if not samples.size:
        return np.zeros(0, np.complex64)
    # By Fourier transforms of blocks that overlap by the filter's length, as scipy.signal.oaconvolve does it; but a
    # call looks for headers so, and must not wait for its import.
    room = SPECTRUM - TAPS + 1
    count = -(-samples.size // room)
    padded = np.zeros(count * room + TAPS - 1, np.float32)
    padded[TAPS // 2 : TAPS // 2 + samples.size] = samples
    blocks = np.lib.stride_tricks.sliding_window_view(padded, SPECTRUM)[::room]
    made = np.fft.ifft(np.fft.fft(blocks) * _band(*band))[:, TAPS - 1 :]
    return made.ravel()[: samples.size].astype(np.complex64)


@functools.lru_cache(maxsize=8)
def _band(low: float, high: float) -> np.ndarray:
    """The spectrum of a filter that lets this band pass, and is 2 there."""
    n = np.arange(TAPS) - TAPS // 2
    shape = np.sinc(n * (high - low) / RATE) * np.kaiser(TAPS, 5.0)
    taps = 2 * shape / shape.sum() * np.exp(1j * np.pi * (low + high) / RATE * n)
    return np.fft.fft(taps, SPECTRUM).astype(np.complex64)


def turning(signal: np.ndarray, lag: int = 1) -> np.ndarray:
    """How much and how strongly it turns from each sample to the one that is `lag` later."""
    return signal[lag:] * signal[:-lag].conj()


def demodulated(signal: np.ndarray) -> Demodulated:
    turned = turning(signal)
    strength = np.sqrt(np.abs(turned))
    usual = float(np.median(strength)) or 1.0
    return Demodulated(signal, np.angle(turned) * (RATE / (2 * np.pi)), strength / usual)


# --- Headers ----------------------------------------------------------------------------------------------------------


def headers(samples: np.ndarray, first: int = 0) -> list[Header]:
    """The headers whose start bit begins at `first` or later, by the frequencies of leader, start, eight bits, stop.

    A frequency here is the mean turning of a window, which weighs samples by their power: gaps and noise count little.
    It turns over LAG samples, after which the noise of this band is another one and does not pull it to its middle.
    """
    signal = analytic(samples, CODE)
    middle = sum(CODE) / 2
    turned = turning(signal, LAG) * np.exp(-2j * np.pi * middle * LAG / RATE)
    sums = np.concatenate([[0], np.cumsum(turned, dtype=np.complex128)])
    last = len(turned)

    def hz(at: np.ndarray, start: float, stop: float) -> np.ndarray:
        a = np.clip(at + round(start * MS) - LAG // 2, 0, last)
        b = np.clip(at + round(stop * MS) - LAG // 2, 0, last)
        return middle + np.angle(sums[b] - sums[a]) * (RATE / (2 * np.pi * LAG))

    def examined(at: np.ndarray, guard: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """At each place: how far it is from a header in Hz, the bits, the leader."""
        leader = hz(at, -240, -10)
        zero = leader - (LEADER - SYNC)
        halves = [abs(hz(at, start, start + 100) - leader) for start in (-235, -120)]
        marks = [abs(hz(at, start + guard, start + 30 - guard) - zero) for start in (0, 270)]
        bits = np.stack([hz(at, 30 * k + guard, 30 * k + 30 - guard) - zero for k in range(1, 9)])
        wrong = np.stack([*halves, *marks, *abs(abs(bits) - (ZERO - ONE) / 2)])
        worst = np.where(abs(leader - LEADER) < OFF, wrong.max(0), np.inf)
        return np.where(worst < 45, wrong.mean(0), np.inf), bits < 0, leader

    places = np.arange(max(first, 0), last - round(300 * MS), 8)
    if not places.size:
        return []
    cost, _, _ = examined(places, 5)
    found: list[Header] = []
    good = np.flatnonzero(np.isfinite(cost))
    for group in np.split(good, np.flatnonzero(np.diff(good) > 5) + 1) if good.size else ():
        about = places[group[np.argmin(cost[group])]]
        near = about + np.arange(-60, 61)
        fine, bits, leader = examined(near[near >= 0], 2)
        best = int(np.argmin(fine))
        if not np.isfinite(fine[best]):
            fine, bits, leader = examined(near[near >= 0], 5)
            best = int(np.argmin(fine))
        code = sum(int(bit) << k for k, bit in enumerate(bits[:, best]))
        mode = CODES.get(code)
        if mode and np.isfinite(fine[best]):
            start = float(near[near >= 0][best]) - 610 * MS
            found.append(Header(mode, start, float(leader[best]) - LEADER))
    return found


def _codes() -> dict[int, Mode]:
    """The eight bits of a header and its mode. Senders do not agree on the parity of Robot B&W 12: both are known."""
    found = {}
    for mode in MODES.values():
        even = mode.vis | (mode.vis.bit_count() & 1) << 7
        found[even] = mode
        if mode.odd:
            found[even ^ 0x80] = mode
    return found


CODES = _codes()


# --- Lines ------------------------------------------------------------------------------------------------------------


def clearness(heard: Demodulated, mode: Mode, off: float) -> np.ndarray:
    """How much a synchronisation pulse seems to begin at each sample, in samples: its length at best."""
    low = np.clip((0.5 * (SYNC + BLACK) + off - heard.hz) / (0.5 * (BLACK - SYNC)), -1, 1)
    sums = np.concatenate([[0], np.cumsum(low * np.minimum(heard.loud, 1))])
    length = round(mode.syncs[0][1] * MS)
    beside = max(4, length // 2)
    at = np.arange(len(low))

    def total(start: int, stop: int) -> np.ndarray:
        return sums[np.clip(at + stop, 0, len(low))] - sums[np.clip(at + start, 0, len(low))]

    return total(0, length) - 0.5 * (total(-beside, 0) + total(length, length + beside))


def path(clear: np.ndarray, first: np.ndarray, size: int, lean: int) -> np.ndarray:
    """Where the pulse of each line is: samples after `first`, below size, so that the sum of clearness is greatest.

    From line to line it may move by `lean` samples at a small cost, and anywhere at the cost of a step.
    """
    places = np.minimum(first[:, None] + np.arange(size), len(clear) - 1)
    gain = np.where(first[:, None] + np.arange(size) < len(clear), clear[places], 0)
    moves = np.arange(-lean, lean + 1)
    price = 0.15 * np.abs(moves)
    best, came = gain[0].copy(), np.empty((len(first), size), np.int32)
    at = np.arange(size)
    for n in range(1, len(first)):
        near = np.full((len(moves), size), -np.inf)
        for k, move in enumerate(moves):
            if move >= 0:
                near[k, move:] = best[: size - move] - price[k]
            else:
                near[k, :move] = best[-move:] - price[k]
        choice = near.argmax(0)
        value = near[choice, at]
        far = int(best.argmax())
        steps = best[far] - JUMP > value
        came[n] = np.where(steps, far, at - moves[choice])
        best = np.where(steps, best[far] - JUMP, value) + gain[n]
    found = np.empty(len(first), np.int64)
    found[-1] = best.argmax()
    for n in range(len(first) - 1, 0, -1):
        found[n - 1] = came[n, found[n]]
    return found


def edges(heard: Demodulated, mode: Mode, off: float, at: np.ndarray) -> np.ndarray:
    """The end of each of these pulses, to a part of a sample; not a number where it is not to be seen.

    That is where the frequency crosses the middle between 1200 Hz and what follows: black, or in Robot B&W the first
    pixel. The beginning is not looked at: what comes before it may be anything.
    """
    from scipy.ndimage import convolve1d

    length = mode.syncs[0][1] * MS
    spread = np.arange(-10, 11)
    middle = np.rint(at + length).astype(int)
    places = middle[:, None] + np.arange(-12, 13)
    inside = (places[:, 0] >= 0) & (places[:, -1] < len(heard.hz))
    rows = np.take(heard.hz, np.clip(places, 0, len(heard.hz) - 1))
    rows = convolve1d(np.clip(rows - off, 900, 2500), SMOOTH, axis=1)[:, 2:-2]
    after = mode.line[[part.hz for part in mode.line].index(SYNC) + 1].hz
    level = np.clip(rows[:, 13:16].mean(1), BLACK, WHITE) if after == 0 else np.full(len(rows), after)
    half = 0.5 * (SYNC + level)
    over = rows > half[:, None]
    rises = ~over[:, :-1] & over[:, 1:]
    distance = np.where(rises, np.abs(spread[:-1] + 0.5), np.inf)
    k = distance.argmin(1)
    n = np.arange(len(rows))
    below, above = rows[n, k], rows[n, k + 1]
    part = (half - below) / np.where(above > below, above - below, 1)
    seen = inside & np.isfinite(distance[n, k])
    # hz[n] is the mean of n to n + 1: it belongs to n + 0.5.
    return np.where(seen, middle + spread[k] + part + 0.5, np.nan)


@dataclass
class Timing:
    """When each line begins, in samples."""

    at: np.ndarray
    clock: float
    score: np.ndarray  # how clear the pulse of each line is, 1 at best; 0 for one that is not where it should be


def timing(heard: Demodulated, mode: Mode, off: float, start: float, size: int, lines: int) -> Timing:
    """Find the lines that begin at `start` and later, up to `size` samples after it, one line after the other."""
    pulse, length = mode.syncs[0]
    clear = clearness(heard, mode, off)
    for at, _ in mode.syncs[1:]:  # Robot 36: two pulses a line
        shift = round((at - pulse) * MS)
        clear[: len(clear) - shift] = 0.5 * (clear[: len(clear) - shift] + clear[shift:])
    n = np.arange(lines)
    nominal = start + pulse * MS + n * mode.ms * MS
    first = np.maximum(np.rint(nominal).astype(np.int64), 0)
    found = path(clear, first, size, max(1, round(CLOCK * mode.ms * MS))) + first
    score = np.take(clear, np.minimum(found, len(clear) - 1)) / (length * MS)
    lean = np.abs(np.diff(found - nominal))
    steps = [int(k) + 1 for k in np.flatnonzero(lean > 2 * max(1, round(CLOCK * mode.ms * MS)) + 1)]
    ends = np.where(score > 0.4, edges(heard, mode, off, found), np.nan)
    at, clock = _fitted(n, ends, found + length * MS, mode.ms * MS, steps)
    clear = np.isfinite(ends) & (np.abs(ends - at) < MS)
    return Timing(at - (pulse + length) * MS * (1 + clock), clock, np.where(clear, score, 0))


def _fitted(n: np.ndarray, ends: np.ndarray, coarse: np.ndarray, line: float, steps: list[int]) -> tuple[Any, float]:
    """A straight way through the lines' beginnings, one clock for all and an offset for each part between steps."""
    parts = np.searchsorted(steps, n, "right")
    seen = np.isfinite(ends)
    late = np.where(seen, ends, coarse) - n * line
    many = [k for k in range(len(steps) + 1) if (seen & (parts == k)).sum() >= 3]
    if not many:
        return coarse.astype(float), 0.0
    weight = np.where(seen & np.isin(parts, many), 1.0, 0.0)
    ones = np.equal.outer(parts, np.arange(len(steps) + 1)).astype(float)
    slope, offsets = 0.0, np.zeros(len(steps) + 1)
    usual = [np.median(late[seen & (parts == k)]) if k in many else 0.0 for k in range(len(steps) + 1)]
    rest = late - np.take(usual, parts)
    wide = 1.5 + CLOCK * line * len(n)
    for _ in range(12):
        w = weight * np.where(np.abs(rest) < wide, 1, 0) / np.maximum(1, np.abs(rest) / max(0.25, wide / 4))
        x = np.column_stack([n, ones])
        scaled = x * w[:, None]
        known = np.linalg.lstsq(scaled.T @ x + 1e-9 * np.eye(x.shape[1]), scaled.T @ late, rcond=None)[0]
        slope, offsets = known[0], known[1:]
        rest = late - x @ known
        spread = 1.5 * np.median(np.abs(rest[weight > 0]))
        wide = max(0.5, min(wide / 2, 4 * spread))
    at = n * (line + slope) + offsets[parts]
    alone = ~np.isin(parts, many)
    return np.where(alone, coarse, at), slope / line


# --- Pixels -----------------------------------------------------------------------------------------------------------


def filter_of(heard: Demodulated, off: float, scan: float, pixel: float, begins: np.ndarray) -> np.ndarray:
    """The filter through which pixels of `pixel` samples are read: row k is for a place k / FINE past a sample.

    It is the linear one of least mean error. begins: where the rows begin, `scan` samples each. A pixel is heard in all
    the images of its spectrum, so each of them counts by how little noise it has. The noise of a frequency is f times
    that of the phase, and that of the phase is that of the amplitude, which is all noise.
    """
    size = BLOCK
    f = np.arange(size // 2 + 1) * (RATE / size)
    power, sway = _spectra(heard, off, scan, begins)
    noise = _smooth(sway) * (f**2 + 30.0**2) + 1e-4
    image = np.sinc(f * pixel / RATE) * np.sinc(f / RATE)  # of a pixel, and of the mean over a sample
    half = min(RATE / 2, RATE / (2 * pixel))
    heard_power = _smooth(power)
    alone = np.maximum(heard_power - noise, 1e-3 * noise) / np.maximum(image, 0.3) ** 2
    drowned = np.flatnonzero((heard_power < 4 * noise) & (f > 100))
    if drowned.size:  # from there on pictures go on as they do: the finer, the fainter
        first = drowned[0]
        alone[first:] = alone[first - 1] * (f[first - 1] / f[first:]) ** 3
    noise *= 0.25  # G.711 makes the amplitude sway more than the phase; on other lines this costs little
    out = f > 1400.0
    weight = np.where(out, 0, image / noise)

    def at(values: np.ndarray, hz: np.ndarray) -> np.ndarray:
        return np.interp(np.abs(hz), f, values, right=0.0)

    total = sum(at(weight * image, f + k * RATE / pixel) for k in range(-4, 5))
    base = np.abs(f - np.rint(f * pixel / RATE) * RATE / pixel)
    gain = weight / (total + 1 / at(alone, np.minimum(base, half)))
    reach = int(np.clip(np.ceil(3.5 * pixel), 10, 40))
    taps = (gain * np.where(f > 0, 2, 1)).astype(np.float32) @ _waves(reach)
    taps = taps.reshape(FINE + 1, 2 * reach)
    return taps / taps.sum(1, keepdims=True)


@functools.lru_cache(maxsize=8)
def _waves(reach: int) -> np.ndarray:
    """What each frequency of a spectrum is at each tap of a filter, faded out to its ends."""
    places = (np.arange(-reach + 1, reach + 1) - np.arange(FINE + 1)[:, None] / FINE).ravel()
    waves = np.cos(2 * np.pi / BLOCK * np.arange(BLOCK // 2 + 1)[:, None] * places)
    return (waves * np.cos(np.pi / 2 * places / (reach + 0.5)) ** 2).astype(np.float32)


def _spectra(heard: Demodulated, off: float, scan: float, begins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean power of the frequency, and of the amplitude's swaying, over all rows in which nothing is missing."""
    size = BLOCK
    first = np.arange(0, max(1, int(scan) - size + 1), size // 2)
    at = (np.rint(begins).astype(np.int64)[:, None] + first).ravel()
    at = at[(at >= 0) & (at + size <= len(heard.hz))]
    blocks = at[:, None] + np.arange(size)
    loud = heard.loud[blocks]
    good = loud.min(1) > 0.25 * np.median(loud) if len(loud) else np.zeros(0, bool)
    if good.sum() < 4:
        good = np.ones(len(loud), bool)
    if not good.any():
        return np.full(size // 2 + 1, 1e6), np.full(size // 2 + 1, 1e-3)
    hz = np.clip(heard.hz[blocks[good]] - off, BLACK - 400, WHITE + 400)
    return _power(hz).mean(0), _power(loud[good]).mean(0)


def _power(blocks: np.ndarray) -> np.ndarray:
    """Power spectra of rows; the mean is not counted."""
    window = np.hanning(blocks.shape[1])
    blocks = blocks - blocks.mean(1, keepdims=True)
    return np.abs(np.fft.rfft(blocks * window, axis=1)) ** 2


def _smooth(x: np.ndarray) -> np.ndarray:
    """A mean over neighbours, wider where the frequency is higher."""
    n = np.arange(len(x))
    sums = np.concatenate([[0], np.cumsum(x)])
    reach = 1 + n // 12
    low, high = np.maximum(n - reach, 0), np.minimum(n + reach + 1, len(x))
    return (sums[high] - sums[low]) / (high - low)


class Row(NamedTuple):
    """The same scan of all lines: where it begins, and what is beside it, which must not leak into its pixels."""

    begins: np.ndarray  # in samples
    scan: float  # samples
    width: int
    taps: np.ndarray
    beside: tuple[float, float]  # samples that the parts before and after it last
    gaps: tuple[bool, bool]  # whether these are gaps, into which it may go on

    def read(self, values: np.ndarray, steps: tuple[Any, Any], ends: tuple[Any, Any], held: float) -> np.ndarray:
        """Hz of the pixels, (lines, width), through the filter.

        Beside the row the signal is moved by `steps`, from what it is there to how the row ends, so that it goes on
        without an edge; and farther away it is what the row ends in. In a gap that begins after `held` samples.
        """
        reach = self.taps.shape[1] // 2
        pixel = self.scan / self.width
        base = np.floor(self.begins).astype(np.int64) - reach - 1
        n = base[:, None] + np.arange(int(self.scan) + 2 * reach + 4)
        here = values[np.clip(n, 0, len(values) - 1)]
        # A value is the mean from its sample to the next: so much of it lies before the row, or after it.
        before, after = self.begins[:, None] - n, n + 1 - self.begins[:, None] - self.scan
        for outside, beside, gap, step, end in zip((before, after), self.beside, self.gaps, steps, ends, strict=True):
            moved = here + np.clip(outside - held * gap, 0, 1) * step[:, None]
            here = np.where(outside > beside, end[:, None], moved)
        here = here.astype(np.float32)
        times = self.begins[:, None] + pixel * (np.arange(self.width) + 0.5) - 0.5 - base[:, None]
        whole = np.floor(times).astype(np.int64)
        fine = np.rint((times - whole) * FINE).astype(np.int64)
        at = whole - reach + 1 + np.arange(len(here))[:, None] * here.shape[1]
        flat, found = here.ravel(), np.zeros(times.shape, np.float32)
        for k in range(2 * reach):
            found += flat[at + k] * self.taps[:, k][fine]
        return found

    def ends(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The level at the row's beginning and at its end, over a millisecond in which nothing beside it is heard."""
        found, count = [], 8
        inset = min(2.0, 0.1 * self.scan)
        for at in (self.begins + inset, self.begins + self.scan - inset - count):
            places = np.rint(at).astype(np.int64)[:, None] + np.arange(count)
            found.append(values[np.clip(places, 0, len(values) - 1)].mean(1))
        return found[0], found[1]

    def edges(self, values: np.ndarray, steps: tuple[Any, Any], ends: tuple[Any, Any]) -> np.ndarray:
        """How much of the edges to the gaps beside it is left, in Hz, if it goes on into them for each time of HELD."""
        found = np.zeros(len(HELD))
        first, last = np.floor(self.begins), np.ceil(self.begins + self.scan) - 1
        for at, way, gap, step, end in zip((first, last), (-1, 1), self.gaps, steps, ends, strict=True):
            n = at.astype(np.int64)[:, None] + way * np.arange(4)
            outside = self.begins[:, None] - n if way < 0 else n + 1 - self.begins[:, None] - self.scan
            here = values[np.clip(n, 0, len(values) - 1)] - end[:, None]
            rest = [here + np.clip(outside - held, 0, 1) * step[:, None] for held in HELD]
            found += gap * np.abs(rest).mean((1, 2))
        return found


def rows_of(heard: Demodulated, mode: Mode, off: float, lines: np.ndarray, clock: float) -> tuple[Any, Any]:
    """The planes of the lines that begin at these samples: (planes, lines, rows, width) in 0..255, and what is lost."""
    values = np.clip(heard.hz - off, BLACK - 350, WHITE + 350).astype(np.float32)
    gone = _gone(heard.loud)
    found = np.zeros((len(mode.planes), len(lines), mode.rows, mode.width), np.float32)
    lost = np.ones(found.shape, bool)
    scale = MS * (1 + clock)
    many = len(mode.line)
    rows: dict[int, Row] = {}
    for k, (start, part) in enumerate(zip(mode.starts, mode.line, strict=True)):
        if not part.hz:
            begins, scan = lines + start * scale, part.ms * scale
            taps = filter_of(heard, off, scan, scan / mode.width, begins)
            beside = (mode.line[k - 1].ms * scale, mode.line[(k + 1) % many].ms * scale)
            gaps = (mode.line[k - 1].hz >= BLACK, mode.line[(k + 1) % many].hz >= BLACK)
            rows[k] = Row(begins, scan, mode.width, taps, beside, gaps)
    ends = {k: row.ends(values) for k, row in rows.items()}
    steps = {}
    for k in rows:
        before, after = (k - 1) % many, (k + 1) % many
        left = ends[k][0] - (ends[before][1] if before in rows else mode.line[before].hz)
        right = ends[k][1] - (ends[after][0] if after in rows else mode.line[after].hz)
        steps[k] = left, right
    # Some senders, as ours does, go on with a row for a moment, and others do not: what they do leaves the least edges.
    left_over = np.sum([row.edges(values, steps[k], ends[k]) for k, row in rows.items()], 0)
    held = float(HELD[left_over.argmin()])
    for k, row in rows.items():
        part = mode.line[k]
        level = row.read(values, steps[k], ends[k], held)
        times = row.begins[:, None] + row.scan / mode.width * (np.arange(mode.width) + 0.5) - 0.5
        nearest = np.rint(times).astype(np.int64)
        missing = (nearest < 0) | (nearest >= len(values)) | gone[np.clip(nearest, 0, len(gone) - 1)]
        for n in range(mode.rows) if part.row == MEAN else (part.row,):
            found[part.plane, :, n] = (level - BLACK) * (255 / SPAN)
            lost[part.plane, :, n] = missing
    return found, lost


def _gone(loud: np.ndarray) -> np.ndarray:
    """The samples in which there is no signal, or too near to where there is none: packets that were lost."""
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    quiet = uniform_filter1d((loud < 0.3).astype(float), 20, mode="constant") > 0.5
    return maximum_filter1d(quiet.astype(np.uint8), 32, mode="constant") > 0


def mended(plane: np.ndarray, lost: np.ndarray) -> None:
    """Pixels that are lost become what is above and below them."""
    rows = np.arange(len(plane))
    for column in np.flatnonzero(lost.any(0)):
        bad = lost[:, column]
        if not bad.all():
            plane[bad, column] = np.interp(rows[bad], rows[~bad], plane[~bad, column])


def spread_colour(plane: np.ndarray, bright: np.ndarray) -> np.ndarray:
    """A plane whose rows come in pairs, each the mean of two: what they were is guessed from what is around them.

    Where the colour goes with the brightness, which is known of both rows, it follows that; else it is a slope.
    """
    from scipy.ndimage import uniform_filter

    size: Any = (3, 5)  # rows and columns about each pixel
    around = functools.partial(uniform_filter, size=size, mode="nearest")
    one = plane[::2]
    both = bright.reshape(len(one), 2, -1)
    mean, step = both.mean(1), (both[:, 1] - both[:, 0]) / 2
    here, there = around(mean), around(one)
    sway, colour_sway = around(mean * mean) - here**2, around(one * one) - there**2
    together = around(mean * one) - here * there
    follows = together / (sway + 40)
    likeness = together**2 / ((sway + 40) * (colour_sway + 1e-3))
    trust = np.clip((likeness - 0.7) / 0.25, 0, 1) * np.clip(colour_sway / 20 - 1, 0, 1)
    slope = (np.concatenate([one[1:], one[-1:]]) - np.concatenate([one[:1], one[:-1]])) / 8
    change = trust * np.clip(follows, -1.5, 1.5) * step + (1 - trust) * slope
    found = np.empty_like(plane)
    found[::2], found[1::2] = one - change, one + change
    return found


# --- Pictures ---------------------------------------------------------------------------------------------------------


def tuned(heard: Demodulated, mode: Mode, timing: Timing, off: float) -> float:
    """By how many Hz the sender is off, from the middles of all clear pulses."""
    pulse, length = mode.syncs[0]
    clear = timing.score > 0.5
    begin = timing.at[clear] + (pulse + 0.2 * length) * MS
    places = np.rint(begin).astype(np.int64)[:, None] + np.arange(max(1, round(0.6 * length * MS)))
    places = places[(places[:, 0] >= 0) & (places[:, -1] < len(heard.hz))]
    if len(places) < 3:
        return off
    found = float(np.median(np.clip(heard.hz[places], SYNC - 400, SYNC + 400).mean(1))) - SYNC
    return found if abs(found) < OFF else off


def noise_of(signal: np.ndarray) -> float:
    """Noise over signal as power, told by how the amplitude sways."""
    strength = np.abs(signal)
    usual = np.median(strength)
    there = strength[(strength > 0.3 * usual) & (strength < 2.5 * usual)]
    return 2 * float(np.var(there) / max(np.mean(there) ** 2, 1e-20)) if there.size else 1.0


def decode_picture(samples: np.ndarray, mode: Mode, start: float | None, off: float = 0.0,
                   levels: str = "full") -> Decoded | None:  # fmt: skip
    """One picture. start: the sample at which its first line should begin, or None where the header was missed.

    off: the Hz by which the header was off. The samples end where the next picture begins. Times of what is found are
    seconds from the first sample. None if no line is there.
    """
    signal = analytic(samples)
    heard = demodulated(signal)
    line = mode.ms * MS
    if start is None:
        first, size = 0.0, round(line)
        lines = min(mode.lines, int(len(samples) // line))
    else:
        slack = min(SLACK, 0.4 * line / len(mode.syncs))
        first, size, lines = start - slack, round(2 * slack + CLOCK * line * mode.lines), mode.lines
    if lines < 1 or not heard.hz.size:
        return None
    is_noisy = noise_of(signal) > MUCH
    if is_noisy:
        heard = demodulated(analytic(samples, NARROW))
    found = timing(heard, mode, off, first, size, lines)
    if not is_noisy or start is None:
        for _ in range(2):
            off = tuned(heard, mode, found, off)
        found = timing(heard, mode, off, first, size, lines)
    there = int(np.clip((len(samples) - (start or 0)) / line, 1, lines))
    if start is not None and np.mean(found.score[:there] > 0.4) < 0.85:
        gone = round(GONE * line * mode.lines)  # perhaps packets were lost and nothing took their place
        other = timing(heard, mode, off, first - gone, size + gone, there)
        is_path = np.all(np.abs(np.diff(other.at) / line - 1) < 0.45)  # no line twice
        if is_path and np.sum(other.score > 0.4) > 1.05 * np.sum(found.score > 0.4):
            found = other
    at = found.at
    if start is None:
        kept = stretch(found.score)
        if kept is None:
            return None
        at = at[kept]
        if mode.name == "R36" and _swapped(heard, mode, off, at):
            at = at[1:] - line / 2
    rgb, seen, share = shown(*rows_of(heard, mode, off, at, found.clock), mode, levels)
    if not seen:
        return None
    end = float(at[-1] + line)
    return Decoded(mode, rgb, float(at[0]) / RATE, end / RATE, seen, off, found.clock, fsk_of(samples, end, off), share)


def shown(planes: np.ndarray, lost: np.ndarray, mode: Mode, levels: str) -> tuple[np.ndarray, int, float]:
    """Planes (planes, lines, rows, width) as a picture, the rows of it that came, the share of pixels that did not."""
    there = np.flatnonzero(~lost.all((0, 2, 3)))
    seen = (int(there[-1]) + 1) * mode.rows if there.size else 0
    shape = (len(planes), len(lost[0]) * mode.rows, mode.width)
    planes, lost = planes.reshape(shape)[:, :seen], lost.reshape(shape)[:, :seen]
    for k, plane in enumerate(planes):
        mended(plane, lost[k])
        if k and mode.planes == "YUV" and mode.rows == 2:
            planes[k] = spread_colour(plane, planes[0])
    rgb = np.zeros((mode.height, mode.width, 3), np.uint8)
    rgb[:seen] = from_planes(planes, mode, levels)
    return rgb, seen, float(lost.mean()) if seen else 1.0


def stretch(score: np.ndarray) -> slice | None:
    """The lines of a picture whose header was missed: the stretch in which most pulses are clear."""
    gain = np.where(score > 0.4, 1.0, -0.7)
    best, first, found = 0.0, 0, slice(0, 0)
    total = 0.0
    for n, one in enumerate(gain):
        if total <= 0:
            total, first = 0.0, n
        total += one
        if total > best:
            best, found = total, slice(first, n + 1)
    return found if best >= LEAST else None


def _swapped(heard: Demodulated, mode: Mode, off: float, at: np.ndarray) -> bool:
    """Robot 36: have its two pulses been taken for one another? Black follows the first row, white the second."""
    tones = [(start, part.hz) for start, part in zip(mode.starts, mode.line, strict=True) if part.ms == 4.5]
    levels = []
    for start, _ in tones:
        places = np.rint(at + (start + 1) * MS).astype(int)[:, None] + np.arange(round(2.5 * MS))
        places = places[(places[:, 0] >= 0) & (places[:, -1] < len(heard.hz))]
        levels.append(float(np.median(heard.hz[places])) - off if len(places) else 0.0)
    return levels[0] > levels[1]


def fsk_of(samples: np.ndarray, end: float, off: float) -> str:
    """Who sent the picture that ends here, or nothing: MMSSTV's six bits a letter."""
    piece = samples[max(0, int(end) - 80) :][: round(4.2 * RATE)]
    signal = analytic(piece, (1650.0, 2350.0))
    if signal.size < TAPS:
        return ""
    turned = turning(signal) * np.exp(-2j * np.pi * (2000 + off) / RATE)
    sums = np.concatenate([[0], np.cumsum(turned, dtype=np.complex128)])
    bit = FSK_BIT * MS

    def bits(at: np.ndarray, count: int) -> np.ndarray:
        """1900 Hz is 1, 2100 Hz is 0; they are told by the way in which the signal turns around 2000 Hz."""
        begin = at[:, None] + bit * np.arange(count)
        a, b = (np.clip(np.rint(x).astype(int), 0, len(turned)) for x in (begin + 0.15 * bit, begin + 0.85 * bit))
        return -np.angle(sums[b] - sums[a])

    starts = np.arange(0, round(1.0 * RATE), 8)
    wanted = np.array([code >> k & 1 for code in (0x20, 0x2A) for k in range(6)]) * 2 - 1
    level = np.minimum(bits(starts, 12) * wanted, 0.07)  # 100 Hz is 0.079
    best = int(np.argmax(level.sum(1)))
    if level[best].min() < 0.02:
        return ""
    codes = []
    at = starts[best] + 12 * bit
    while len(codes) < 20:
        code = sum(int(one > 0) << k for k, one in enumerate(bits(np.array([at]), 6)[0]))
        at += 6 * bit
        if at > len(piece):
            return ""
        if code == 1:
            break
        codes.append(code)
    else:
        return ""
    return "".join(chr(code + 0x20) for code in codes).strip()


def decode(samples: np.ndarray, told: Mode | None = None, levels: str = "full") -> list[Decoded]:
    """The pictures in a recording, one after the other."""
    found: list[Decoded] = []
    starts = headers(samples)
    free = 0  # from here on nothing has been found yet
    for k, one in enumerate(starts):
        begin = max(0, int(one.at))
        stop = int(starts[k + 1].at) if k + 1 < len(starts) else len(samples)
        if begin < free - RATE // 2:
            continue  # pixels that look like a header
        found += headless(samples[free:begin], told, free, levels)
        piece = samples[begin : min(stop, begin + limit(one.mode))]
        first = one.at - begin + (1000 * HEADER + one.mode.lead) * MS
        made = decode_picture(piece, one.mode, first, one.hz, levels)
        if made:
            made.start, made.end = one.at / RATE, made.end + begin / RATE
            found.append(made)
            free = min(stop, int(made.end * RATE))
    return found + headless(samples[free:], told, free, levels)


def headless(samples: np.ndarray, told: Mode | None, begin: int, levels: str) -> list[Decoded]:
    """The picture of that mode in samples without a header, if one is there."""
    if told is None or len(samples) < LEAST * told.ms * MS:
        return []
    made = decode_picture(samples, told, None, 0.0, levels)
    if made is None:
        return []
    made.start, made.end = made.start + begin / RATE, made.end + begin / RATE
    return [made]


def limit(mode: Mode) -> int:
    """Samples from a header's beginning in which all of a picture is, though a clock is wrong and packets come late."""
    return round((HEADER + mode.seconds * (1 + CLOCK) + SLACK / RATE + 4.5) * RATE)
