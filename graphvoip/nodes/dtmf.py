from typing import Any

import numpy as np
from numba import njit

from ..kernel import OPTIONS, event, floats_at, kernel, sound
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import RATE

ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)  # Hz, ITU-T Q.23
PAD = np.array([ord(key) for key in "123A456B789C*0#D"], np.int64)  # row by row
TONES = np.array(ROWS + COLUMNS, np.float64)

HOP = 40  # samples from one look to the next, 5 ms
WINDOW = 128  # samples that a look is at, 16 ms under a Hann window
TAPS = 79  # of the filter that parts what is below the digits: dial tones, hum, the pitch of a voice
LAG = WINDOW // 2 + TAPS // 2  # samples from the middle of a look to its end
PAST = 64  # looks that are remembered, a power of two
REACH = 40  # looks back that a tone's beginning is looked for, 200 ms
JUDGED = 24  # the latest looks by which it is judged, 120 ms
MIXED = 3  # looks from the last one of a digit to the first one that has nothing of it
HOLE = 5  # looks that may be missing in a digit: a frame of 20 ms may be lost, a pause is 40 ms

LEAST = 236  # samples that it must last at half its level by the time of a look: 40 ms must do, 23 ms must not
BEFORE = 4  # looks before it, 20 ms
WORTH_A_LOOK = 0.5  # the share of the power that two tones must have in the look at which they are found
QUIETER = 0.6  # of its power is the most that there may be in them

# A digit is two tones and nothing else. What speaks against one is added up: the share of the power that is not its
# tones', the power below the digits' band, where a voice has its pitch, and the power before it, both by its own; how
# the heights of its tones spread, and how unsteady their pitch is. Codecs do harm to tones but add no voice to them.
DOUBT, OF_BEFORE, OF_SPREAD, OF_PITCH, TWIST = 0.17, 0.25, 0.1, 0.5, (-14.0, 8.0)
# Whatever is below, a dial tone or hum, is no matter if it is not much or was there before, and the tones are clean.
LITTLE, MORE, CLEAN_REST, CLEAN_SPREAD, CLEAN_PITCH, CLEAN_TWIST = 0.3, 1.6, 0.06, 0.2, 0.01, (-9.5, 5.5)

# How far a tone may be off: 1.5 % and 2 Hz (ETSI ES 201 235-3), so that notes 1.8 % off are none.
OFF = 0.015 * TONES + 2.0

_k = np.arange(WINDOW) + 0.5
_hann = 0.5 - 0.5 * np.cos(2 * np.pi * _k / WINDOW)
_turns = np.outer(_k - WINDOW / 2, TONES) / RATE
_hann /= _hann.sum()
# What a window is multiplied with: a row for each sample, the cosines and sines of the eight tones.
_bank = 2 * _hann.astype("f4")[:, None] * np.concatenate([np.cos(2 * np.pi * _turns), -np.sin(2 * np.pi * _turns)], 1)
STEP_RE, STEP_IM = np.cos(2 * np.pi * TONES * HOP / RATE), np.sin(2 * np.pi * TONES * HOP / RATE)

# Below 450 Hz all is gone by 40 dB, from 670 Hz on nothing is: a windowed sinc, Kaiser with beta 3.6.
_n = np.arange(TAPS) - TAPS // 2
_low = np.sinc(2 * 565 / RATE * _n) * np.kaiser(TAPS, 3.6)
_high = -_low / _low.sum()
_high[TAPS // 2] += 1
_high = np.append(_high, 0)  # a last tap that is nothing: they are taken by eights
# In one array that the nodes point to: as constants they would be a part of the code, each time that they are named.
TABLES = np.concatenate([_bank.ravel(), _high, _hann]).astype(np.float32)
HIGH, HANN = _bank.size, _bank.size + _high.size  # where the filter and the window begin in it
KEEP = np.exp(-2 * np.pi * 20 / RATE)  # DC is taken away first, below 20 Hz
FALL = 0.99  # so fast, each look, a digit may become softer

# A node's memory, in floats: the sound, its high part, its low part; of each look eight complex sums, their amounts,
# and the powers of the high and of the low part.
UPPER, LOWER = TAPS + 1 + HOP, TAPS + 1 + HOP + WINDOW
SUMS = LOWER + WINDOW
HEIGHTS = SUMS + 16 * PAST
POWERS = HEIGHTS + 8 * PAST
LOWS = POWERS + PAST
ROOM = LOWS + PAST


# Only machine code calls these functions; what Python would need to call them is a third of the compiler's work. And
# those that are called at one place only are inlined there before they are compiled.
HELPER: dict[str, Any] = OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
PART: dict[str, Any] = HELPER | {"inline": "always"}


@njit(**HELPER)
def summed(out, a, step, b):
    """out[i] becomes the sum over k of a[i + k * step] * b[k]. By eights, which is 10 times as fast.

    step: a literal; it is compiled for each, and only so does its loop run on vector units.
    """
    for i in range(out.size):
        out[i] = 0
    for k in range(0, b.size, 8):
        b0, b1, b2, b3, b4, b5, b6, b7 = b[k], b[k + 1], b[k + 2], b[k + 3], b[k + 4], b[k + 5], b[k + 6], b[k + 7]
        c = a[k * step :]
        for i in range(out.size):
            low = b0 * c[i] + b1 * c[i + step] + b2 * c[i + 2 * step] + b3 * c[i + 3 * step]
            high = b4 * c[i + 4 * step] + b5 * c[i + 5 * step] + b6 * c[i + 6 * step] + b7 * c[i + 7 * step]
            out[i] += low + high


@njit(**PART)
def look(memory, tables, at):
    """Take the hop that is complete: filter it, and write look number `at`."""
    place = at & (PAST - 1)
    upper, new = memory[UPPER:LOWER], memory[LOWER - HOP : LOWER]
    summed(new, memory, 1, tables[HIGH:HANN])
    for i in range(HOP):
        memory[SUMS - HOP + i] = memory[TAPS // 2 + i] - new[i]
    sums = memory[SUMS + 16 * place : SUMS + 16 * place + 16]
    summed(sums, tables, 16, upper)
    for j in range(8):
        memory[HEIGHTS + 8 * place + j] = np.sqrt(sums[j] * sums[j] + sums[8 + j] * sums[8 + j])
    power, low = np.float32(0), np.float32(0)
    for k in range(WINDOW):
        power += tables[HANN + k] * upper[k] * upper[k]
        low += tables[HANN + k] * memory[LOWER + k] * memory[LOWER + k]
    memory[POWERS + place], memory[LOWS + place] = power, low
    for i in range(SUMS - HOP):
        memory[i] = memory[i + HOP]


@njit(**PART)
def loudest(memory, at):
    """The digit of the loudest low tone and the loudest high one in a look: its place in PAD."""
    heights = memory[HEIGHTS + 8 * (at & (PAST - 1)) :]
    row = column = 0
    for tone in range(1, 4):
        row = tone if heights[tone] > heights[row] else row
        column = tone if heights[4 + tone] > heights[4 + column] else column
    return 4 * row + column


@njit(**HELPER)
def heights_of(memory, at, digit):
    """The amplitudes of a digit's two tones in a look."""
    base = HEIGHTS + 8 * (at & (PAST - 1))
    return np.float64(memory[base + (digit >> 2)]), np.float64(memory[base + 4 + (digit & 3)])


@njit(**HELPER)
def is_in(a, b, tops, share, part):
    """Have two tones so much of both their greatest height, and such a part of that of each?"""
    return a + b >= share * tops[2] and a >= part * tops[0] and b >= part * tops[1]


@njit(**HELPER)
def above_edge(memory, at, digit, other, top):
    """How far a digit's height in a look is above its edge: half its greatest height, or the height of another digit.

    other: the digit just before or after it, or the digit itself if there is none.
    """
    a, b = heights_of(memory, at, digit)
    c, d = heights_of(memory, at, other)
    return min(a + b - 0.5 * top, a + b - (c + d)) if other != digit else a + b - 0.5 * top


@njit(**HELPER)
def edge_of(memory, inside, outside, digit, other, top):
    """Where between a look inside a digit and the next one outside its edge is: from 0 to 1."""
    a = above_edge(memory, inside, digit, other, top)
    b = above_edge(memory, outside, digit, other, top)
    return min(max(a / (a - b), 0.0), 1.0) if a > b else 0.0


@njit(**PART)
def span(memory, at, oldest, digit, other):
    """The looks at which a digit's tones have sounded, back from look `at`: the first one, where between it and the one
    before they began, and their greatest heights (of the low one, of the high one, of both together).

    The edge is half of the greatest height of both, or where `other`, the digit before, is as high. A hole of 25 ms is
    bridged. oldest: the last look of the digit before, at which to stop.
    """
    low, high = heights_of(memory, at, digit)
    tops = (low, high, low + high)
    first, hole, back = at, 0, at - 1
    while back > at - REACH and back > oldest and hole <= HOLE:
        a, b = heights_of(memory, back, digit)
        hole += 1
        c, d = heights_of(memory, back, other)
        if is_in(a, b, tops, 0.5, 0.3) and (other == digit or a + b > c + d):
            first, hole, tops = back, 0, (max(tops[0], a), max(tops[1], b), max(tops[2], a + b))
        back -= 1
    return first, edge_of(memory, first, first - 1, digit, other, tops[2]), tops


@njit(**HELPER)
def loss(off):
    """What a tone that is so many Hz off loses in the window, in power."""
    x = off * WINDOW / RATE
    y = np.pi * x
    g = (1.0 if abs(y) < 1e-4 else np.sin(y) / y) / (1 - x * x)
    return g * g


@njit(**HELPER)
def followed(memory, first, at, digit, tone, tops):
    """One of the tones from look to look, where both are in: how far off it is in Hz, how unsteady its pitch is and how
    its height spreads (0 and 0: a sine), its power and the sum of it, and the powers of all and of what is below."""
    turned_re, turned_im, weight, heights, squares, total, low, count = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0
    re0, im0, last = 0.0, 0.0, 0.0
    for k in range(first, at + 1):
        place = k & (PAST - 1)
        a, b = heights_of(memory, k, digit)
        if is_in(a, b, tops, 0.7, 0.4):
            now = a if tone < 4 else b
            re, im = np.float64(memory[SUMS + 16 * place + tone]), np.float64(memory[SUMS + 16 * place + 8 + tone])
            turned_re += re * re0 + im * im0
            turned_im += im * re0 - re * im0
            weight += now * last
            heights, squares, count = heights + now, squares + now * now, count + 1
            total, low = total + memory[POWERS + place], low + memory[LOWS + place]
            re0, im0, last = re, im, now
        else:
            re0, im0, last = 0.0, 0.0, 0.0
    if count < 3 or weight <= 0:
        return 9999.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0
    # A look later a tone that is not off has turned by STEP.
    step_re, step_im = STEP_RE[tone], STEP_IM[tone]
    re, im = turned_re * step_re + turned_im * step_im, turned_im * step_re - turned_re * step_im
    off = np.arctan2(im, re) * RATE / (2 * np.pi * HOP)
    unsteady = 1 - np.sqrt(re * re + im * im) / weight
    mean, gain = heights / count, 1 / loss(off)
    spread = np.sqrt(max(squares / count - mean * mean, 0.0)) / mean
    return off, unsteady, spread, mean * mean * gain, squares * gain, total, low, count


@njit(**HELPER)
def judged(memory, at, first, digit, tops, ended):
    """Are the looks first..at those of a digit? Whether, and by how many Hz its tones are off.

    ended: the last look of another digit before it, whose sound does not speak against it.
    """
    off_a = off_b = power_a = power_b = tones = wobble = spread = total = low = 0.0
    count = 0
    for tone in (digit >> 2, 4 + (digit & 3)):
        off_a, power_a = off_b, power_b
        off_b, unsteady, spreads, power_b, sum_, total, low, count = followed(
            memory, max(first, at - JUDGED + 1, ended + MIXED), at, digit, tone, tops
        )
        if not abs(off_b) <= OFF[tone]:
            return False, 0.0, 0.0
        tones, wobble, spread = tones + 0.5 * sum_, max(wobble, unsteady), max(spread, spreads)
    before = low_before = 0.0
    for k in range(first - 2 - BEFORE, first - 2):
        if k >= ended + MIXED:
            before += memory[POWERS + (k & (PAST - 1))] / BEFORE
        low_before += memory[LOWS + (k & (PAST - 1))] / BEFORE
    if before * count > QUIETER * total:
        return False, 0.0, 0.0
    rest, twist = 1 - tones / total, 10 * np.log10(power_b / power_a)
    doubt = rest + low / total + OF_BEFORE * before * count / total + OF_SPREAD * spread + OF_PITCH * wobble
    clean = rest < CLEAN_REST and spread < CLEAN_SPREAD and wobble < CLEAN_PITCH
    clean = clean and (low < LITTLE * total or low < MORE * low_before * count)
    good = (doubt < DOUBT and TWIST[0] < twist < TWIST[1]) or (clean and CLEAN_TWIST[0] < twist < CLEAN_TWIST[1])
    return good, off_a, off_b


class Dtmf(Node):
    """Finds touch tones (DTMF, ITU-T Q.23 and Q.24): which digits, when, and how loud.

    A digit is two tones, each within 1.5 % and 2 Hz of its frequency, that are nearly all there is for 40 ms or more.
    A change of digit ends one and begins the next; the same key again needs a pause of 30 ms or more. A digit is
    reported once, 40 to 50 ms after it began. Dial tones, hum and DC below are no matter. Speech and music are no
    digits; docs/signals.md has the figures.

    Every 5 ms it looks at 16 ms of sound: Goertzel's eight correlations under a Hann window, their turns from look to
    look, which are the frequencies to a fraction of a Hz, and the share of the power that the two tones have.

    >>> found = Dtmf(DtmfTone(keys))
    >>> Sine(freq=found.pitch / 2, amp=found.level)
    """

    group = "analysis"
    known_as = "dtmf decoder, dtmf detector, touch tone, keypad, goertzel, tone decoder, q.24"
    input = Signal(None, doc="what is listened to")
    least_db = Option(
        -48.0, "level below which a tone is none; 0 dB is a sine of full scale", unit="dB", low=-60, high=0
    )
    out = Output("events: a digit's character code at the sample at which it is certain, and 0 between")
    gate = Output("1 from there on until its end is certain, 0 between")
    pitch = Output("the low tone's frequency in Hz, measured; 0 before the first digit, and then the last one's")
    high = Output("the high tone's frequency in Hz, likewise")
    level = Output("effective value of the two tones while gate is 1, 0 between")
    release = Event("a digit has ended: its code, 2^8 times its length, 2^32 times the samples since its last")
    digit = Event("a digit: its character code, and 256 times the samples since its first")
    state = State(memory_="i8", tables="i8", left="i8", looks="i8", least="f8", x="f8", y="f8", held="i8", last="i8",
                  newest="i8", edge="f8", top_low="f8", top_high="f8", top="f8", on="f8", pitch_="f8", high_="f8",
                  level_="f8")  # fmt: skip

    def start(self):
        self.memory_ = np.zeros(ROOM, np.float32)
        self.state["memory_"] = self.memory_.ctypes.data
        self.state["tables"] = TABLES.ctypes.data
        self.state["left"] = HOP
        self.state["least"] = 10 ** (self.least_db / 20)
        self.state["held"], self.state["last"] = -1, -REACH

    @kernel
    def process(state, input, out, gate, pitch, high, level):
        memory, tables = floats_at(state.memory_, ROOM), floats_at(state.tables, TABLES.size)
        done = 0
        while done < out.size:
            size = min(out.size - done, state.left)
            place, x, y = TAPS - 1 + HOP - state.left, state.x, state.y
            for i in range(size):
                now = np.float64(sound(input[done + i]))
                y = now - x + KEEP * y
                x = now
                memory[place + i] = y
                out[done + i], gate[done + i], level[done + i] = 0, state.on, state.level_
                pitch[done + i], high[done + i] = state.pitch_, state.high_
            state.x, state.y = x, y
            done += size
            state.left -= size
            if state.left > 0:
                continue
            state.left = HOP
            at = state.looks
            state.looks += 1
            look(memory, tables, at)
            now = np.float64((at + 1) * HOP - LAG)  # the sample in the middle of the look
            found, start, off_low, off_high, tops = -1, 0.0, 0.0, 0.0, (0.0, 0.0, 0.0)

            key = loudest(memory, at)
            a, b = heights_of(memory, at, key)
            most = 0.5 * (a * a + b * b) > WORTH_A_LOOK * memory[POWERS + (at & (PAST - 1))]
            if most and key != state.held and min(a, b) >= state.least:
                other = state.newest if state.last > at - REACH else key
                first, part, tops = span(memory, at, state.last, key, other)
                start = now - (at - first + part) * HOP
                if now - start >= LEAST and is_in(a, b, tops, 0.5, 0.3):
                    ended = state.last if other != key else np.int64(-MIXED)
                    good, off_low, off_high = judged(memory, at, first, key, tops, ended)
                    found = key if good else -1

            if state.held >= 0:
                held = state.held
                c, d = heights_of(memory, at, held)
                state.level_ = np.sqrt(0.5 * (c * c + d * d))
                if key == held and is_in(c, d, (state.top_low, state.top_high, state.top), 0.5, 0.3):
                    state.last = at
                    state.top_low = max(c, FALL * state.top_low)  # a level that falls slowly is followed
                    state.top_high = max(d, FALL * state.top_high)
                    state.top = max(c + d, FALL * state.top)
                last = state.last
                if found >= 0 or at - last > HOLE:
                    after = loudest(memory, last + 1)
                    end = now - (at - last - edge_of(memory, last, last + 1, held, after, state.top)) * HOP
                    end = min(end, start) if found >= 0 else end
                    length = np.int64(min(max(end - state.edge + 0.5, 0.0), 2.0**24 - 1))
                    ago = np.int64(min(max((at + 1) * HOP - end + 0.5, 0.0), 2.0**14 - 1))
                    if state.release == 0:
                        state.release = event(done - 1, (ago << 32) | (length << 8) | PAD[held])
                    state.held, state.on, state.level_ = -1, 0.0, 0.0

            if found >= 0:
                state.held = state.newest = found
                state.last, state.edge, state.on = at, start, 1.0
                state.top_low, state.top_high, state.top = tops
                state.pitch_, state.high_ = TONES[found >> 2] + off_low, TONES[4 + (found & 3)] + off_high
                state.level_ = np.sqrt(0.5 * (a * a + b * b))
                out[done - 1] = PAD[found]
                if state.digit == 0:
                    ago = np.int64((at + 1) * HOP - start + 0.5)
                    state.digit = event(done - 1, (ago << 8) | PAD[found])
