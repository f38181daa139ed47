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
HANN = (_hann / _hann.sum()).astype(np.float32)
# What a window is multiplied with: a row for each sample, the cosines and sines of the eight tones.
BANK = (2 * HANN[:, None] * np.concatenate([np.cos(2 * np.pi * _turns), -np.sin(2 * np.pi * _turns)], 1)).astype("f4")
STEP_RE, STEP_IM = np.cos(2 * np.pi * TONES * HOP / RATE), np.sin(2 * np.pi * TONES * HOP / RATE)

# Below 450 Hz all is gone by 40 dB, from 670 Hz on nothing is: a windowed sinc, Kaiser with beta 3.6.
_n = np.arange(TAPS) - TAPS // 2
_low = np.sinc(2 * 565 / RATE * _n) * np.kaiser(TAPS, 3.6)
HIGH = -_low / _low.sum()
HIGH[TAPS // 2] += 1
HIGH = np.append(HIGH, 0).astype(np.float32)  # a last tap that is nothing: they are taken by eights
KEEP = np.exp(-2 * np.pi * 20 / RATE)  # DC is taken away first, below 20 Hz
FALL = 0.99  # so fast, each look, a digit may become softer

# A node's memory, in floats: the sound, its high part, its low part; of each look eight complex sums, their amounts,
# and the powers of the high and of the low part.
SOUND, UPPER, LOWER = 0, TAPS + 1 + HOP, TAPS + 1 + HOP + WINDOW
SUMS = LOWER + WINDOW
HEIGHTS = SUMS + 16 * PAST
POWERS = HEIGHTS + 8 * PAST
LOWS = POWERS + PAST
ROOM = LOWS + PAST


@njit(**OPTIONS)
def look(memory, at):
    """Take the hop that is complete: filter it, and write look number `at`. By eights, loops are 10 times as fast."""
    upper, lower, heard = memory[UPPER:LOWER], memory[LOWER:SUMS], memory[SOUND:UPPER]
    for i in range(WINDOW - HOP):
        upper[i] = upper[i + HOP]
        lower[i] = lower[i + HOP]
    new, below = upper[WINDOW - HOP :], lower[WINDOW - HOP :]
    for i in range(HOP):
        new[i] = 0
    for k in range(0, TAPS, 8):
        h0, h1, h2, h3, h4, h5, h6, h7 = (HIGH[k], HIGH[k + 1], HIGH[k + 2], HIGH[k + 3], HIGH[k + 4], HIGH[k + 5],
                                          HIGH[k + 6], HIGH[k + 7])  # fmt: skip
        for i in range(HOP):
            a = h0 * heard[k + i] + h1 * heard[k + 1 + i] + h2 * heard[k + 2 + i] + h3 * heard[k + 3 + i]
            b = h4 * heard[k + 4 + i] + h5 * heard[k + 5 + i] + h6 * heard[k + 6 + i] + h7 * heard[k + 7 + i]
            new[i] += a + b
    for i in range(HOP):
        below[i] = heard[TAPS // 2 + i] - new[i]
    for i in range(TAPS - 1):
        heard[i] = heard[i + HOP]

    place = at & (PAST - 1)
    sums = memory[SUMS + 16 * place : SUMS + 16 * place + 16]
    for j in range(16):
        sums[j] = 0
    for k in range(0, WINDOW, 8):
        x0, x1, x2, x3 = upper[k], upper[k + 1], upper[k + 2], upper[k + 3]
        x4, x5, x6, x7 = upper[k + 4], upper[k + 5], upper[k + 6], upper[k + 7]
        for j in range(16):
            a = x0 * BANK[k, j] + x1 * BANK[k + 1, j] + x2 * BANK[k + 2, j] + x3 * BANK[k + 3, j]
            b = x4 * BANK[k + 4, j] + x5 * BANK[k + 5, j] + x6 * BANK[k + 6, j] + x7 * BANK[k + 7, j]
            sums[j] += a + b
    for j in range(8):
        memory[HEIGHTS + 8 * place + j] = np.sqrt(sums[j] * sums[j] + sums[8 + j] * sums[8 + j])
    power, low = np.float32(0), np.float32(0)
    for k in range(WINDOW):
        power += HANN[k] * upper[k] * upper[k]
        low += HANN[k] * lower[k] * lower[k]
    memory[POWERS + place], memory[LOWS + place] = power, low


@njit(**OPTIONS)
def height(memory, at, tone):
    """The amplitude of a tone in a look."""
    return np.float64(memory[HEIGHTS + 8 * (at & (PAST - 1)) + tone])


@njit(**OPTIONS)
def loss(off):
    """What a tone that is so many Hz off loses in the window, in power."""
    x = off * WINDOW / RATE
    y = np.pi * x
    g = (1.0 if abs(y) < 1e-4 else np.sin(y) / y) / (1 - x * x)
    return g * g


@njit(**OPTIONS)
def is_in(memory, at, row, column, tops, share, part):
    """Does a look have so much of both tones' greatest height, and such a part of that of each?"""
    a, b = height(memory, at, row), height(memory, at, column)
    return a + b >= share * tops[2] and a >= part * tops[0] and b >= part * tops[1]


@njit(**OPTIONS)
def span(memory, at, oldest, row, column):
    """The looks at which two tones have sounded, back from look `at`: the first one, where between it and the one
    before the tones began, and their greatest heights (of the low one, of the high one, of both together).

    The half of the greatest height of both is the edge. A hole of 25 ms is bridged.
    """
    a, b = height(memory, at, row), height(memory, at, column)
    tops = (a, b, a + b)
    first, hole, back = at, 0, at - 1
    while back > at - REACH and back > oldest and hole <= HOLE:
        if is_in(memory, back, row, column, tops, 0.5, 0.3):
            first, hole = back, 0
            a, b = height(memory, back, row), height(memory, back, column)
            tops = (max(tops[0], a), max(tops[1], b), max(tops[2], a + b))
        else:
            hole += 1
        back -= 1
    inside = height(memory, first, row) + height(memory, first, column)
    outside = height(memory, first - 1, row) + height(memory, first - 1, column)
    part = (inside - 0.5 * tops[2]) / (inside - outside) if inside > outside else 0.0
    return first, min(max(part, 0.0), 1.0), tops


@njit(**OPTIONS)
def followed(memory, first, at, row, column, tone, tops):
    """One of the tones from look to look: how far off it is in Hz, how steady its pitch is and how its height spreads
    (1 and 0: a sine), its height, and in how many looks it is."""
    turned_re, turned_im, weight, total, squares, count, before = 0.0, 0.0, 0.0, 0.0, 0.0, 0, False
    for k in range(first, at + 1):
        inside = is_in(memory, k, row, column, tops, 0.7, 0.4)
        if inside:
            now = height(memory, k, tone)
            count, total, squares = count + 1, total + now, squares + now * now
            if before:
                base, last = SUMS + 16 * (k & (PAST - 1)) + tone, SUMS + 16 * ((k - 1) & (PAST - 1)) + tone
                re, im = np.float64(memory[base]), np.float64(memory[base + 8])
                re0, im0 = np.float64(memory[last]), np.float64(memory[last + 8])
                turned_re += re * re0 + im * im0
                turned_im += im * re0 - re * im0
                weight += now * height(memory, k - 1, tone)
        before = inside
    if count < 3 or weight <= 0:
        return 0.0, 0.0, 9.0, 0.0, count
    # A look later a tone that is not off has turned by STEP.
    re = turned_re * STEP_RE[tone] + turned_im * STEP_IM[tone]
    im = turned_im * STEP_RE[tone] - turned_re * STEP_IM[tone]
    mean = total / count
    spread = np.sqrt(max(squares / count - mean * mean, 0.0)) / mean
    return np.arctan2(im, re) * RATE / (2 * np.pi * HOP), np.sqrt(re * re + im * im) / weight, spread, mean, count


@njit(**OPTIONS)
def powers(memory, first, at, row, column, tops, gain_row, gain_column):
    """Within the digit: the share of the power that is not its tones', and the powers of all and of what is below."""
    tones, total, low = 0.0, 0.0, 0.0
    for k in range(first, at + 1):
        if is_in(memory, k, row, column, tops, 0.7, 0.4):
            a, b = height(memory, k, row), height(memory, k, column)
            tones += 0.5 * (a * a * gain_row + b * b * gain_column)
            total += memory[POWERS + (k & (PAST - 1))]
            low += memory[LOWS + (k & (PAST - 1))]
    return 1 - tones / total, total, low


@njit(**OPTIONS)
def earlier(memory, first):
    """The mean powers before a digit, of what is as high as digits and of what is below."""
    total, low = 0.0, 0.0
    for k in range(first - 2 - BEFORE, first - 2):
        total += memory[POWERS + (k & (PAST - 1))]
        low += memory[LOWS + (k & (PAST - 1))]
    return total / BEFORE, low / BEFORE


@njit(**OPTIONS)
def judged(memory, at, first, row, column, tops):
    """Are the looks first..at those of a digit? Whether, and by how many Hz its tones are off."""
    start = max(first, at - JUDGED + 1)
    off_a, steady_a, spread_a, a, count = followed(memory, start, at, row, column, row, tops)
    off_b, steady_b, spread_b, b, count = followed(memory, start, at, row, column, column, tops)
    if count < 3 or not (abs(off_a) <= OFF[row] and abs(off_b) <= OFF[column]):
        return False, 0.0, 0.0
    gain_a, gain_b = 1 / loss(off_a), 1 / loss(off_b)
    rest, total, low = powers(memory, start, at, row, column, tops, gain_a, gain_b)
    before, low_before = earlier(memory, first)
    if before * count > QUIETER * total:
        return False, 0.0, 0.0
    twist = 10 * np.log10(b * b * gain_b / (a * a * gain_a))
    wobble, spread = 1 - min(steady_a, steady_b), max(spread_a, spread_b)
    doubt = rest + low / total + OF_BEFORE * before * count / total + OF_SPREAD * spread + OF_PITCH * wobble
    clean = rest < CLEAN_REST and spread < CLEAN_SPREAD and wobble < CLEAN_PITCH
    clean = clean and (low < LITTLE * total or low < MORE * low_before * count)
    good = (doubt < DOUBT and TWIST[0] < twist < TWIST[1]) or (clean and CLEAN_TWIST[0] < twist < CLEAN_TWIST[1])
    return good, off_a, off_b


class Dtmf(Node):
    """Finds touch tones (DTMF, ITU-T Q.23 and Q.24): which digits, when, and how loud.

    A digit is two tones, each within 1.5 % and 2 Hz of its frequency, that are nearly all there is for 40 ms or more,
    after a pause of 30 ms or more. It is reported once, 40 to 50 ms after it began. Dial tones, hum and DC below are no
    matter. Speech and music are no digits; docs/signals.md has the figures.

    Every 5 ms it looks at 16 ms of sound: Goertzel's eight correlations under a Hann window, their turns from look to
    look, which are the frequencies to a fraction of a Hz, and the share of the power that the two tones have.

    >>> found = Dtmf(DtmfTone(keys))
    >>> Sine(freq=found.pitch / 2, amp=found.level)
    """

    group = "analysis"
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
    state = State(memory_="i8", left="i8", looks="i8", least="f8", x="f8", y="f8", held="i8", heights=("f8", 3),
                  last="i8", edge="f8", gone="i8", on="f8", pitch_="f8", high_="f8", level_="f8")  # fmt: skip

    def start(self):
        self.memory_ = np.zeros(ROOM, np.float32)
        self.state["memory_"] = self.memory_.ctypes.data
        self.state["left"] = HOP
        self.state["least"] = 10 ** (self.least_db / 20)
        self.state["held"] = self.state["gone"] = -1

    @kernel
    def process(state, input, out, gate, pitch, high, level):
        memory = floats_at(state.memory_, ROOM)
        done = 0
        while done < out.size:
            size = min(out.size - done, state.left)
            place, x, y = SOUND + TAPS - 1 + HOP - state.left, state.x, state.y
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
            look(memory, at)
            row, column = 0, 4
            for tone in range(1, 4):
                row = tone if height(memory, at, tone) > height(memory, at, row) else row
                column = tone + 4 if height(memory, at, tone + 4) > height(memory, at, column) else column
            now = np.float64((at + 1) * HOP - LAG)  # the sample in the middle of the look
            found, start = -1, 0.0

            both = 4 * row + column - 4
            a, b = height(memory, at, row), height(memory, at, column)
            most = 0.5 * (a * a + b * b) > WORTH_A_LOOK * memory[POWERS + (at & (PAST - 1))]
            if most and both != state.held and a >= state.least and b >= state.least:
                first, part, tops = span(memory, at, state.gone, row, column)
                start = now - (at - first + part) * HOP
                if now - start >= LEAST and is_in(memory, at, row, column, tops, 0.5, 0.3):
                    good, off_a, off_b = judged(memory, at, first, row, column, tops)
                    if good:
                        found = both

            if state.held >= 0:
                r, c = state.held >> 2, 4 + (state.held & 3)
                his = (state.heights[0], state.heights[1], state.heights[2])
                a, b = height(memory, at, r), height(memory, at, c)
                state.level_ = np.sqrt(0.5 * (a * a + b * b))
                if is_in(memory, at, r, c, his, 0.5, 0.3):
                    state.last = at
                    for k in range(3):  # a level that falls slowly is followed
                        top = a if k == 0 else b if k == 1 else a + b
                        state.heights[k] = max(top, FALL * state.heights[k])
                if found >= 0 or at - state.last > HOLE:
                    inside = height(memory, state.last, r) + height(memory, state.last, c)
                    outside = height(memory, state.last + 1, r) + height(memory, state.last + 1, c)
                    half = 0.5 * state.heights[2]
                    part = (inside - half) / (inside - outside) if inside > outside else 0.0
                    end = now - (at - state.last - min(max(part, 0.0), 1.0)) * HOP
                    end = min(end, start) if found >= 0 else end
                    length = min(max(np.int64(end - state.edge + 0.5), 0), (1 << 24) - 1)
                    ago = min(max(np.int64((at + 1) * HOP - end + 0.5), 0), (1 << 14) - 1)
                    if state.release == 0:
                        state.release = event(done - 1, (ago << 32) | (length << 8) | PAD[state.held])
                    state.gone = state.last
                    state.held, state.on, state.level_ = -1, 0.0, 0.0

            if found >= 0:
                state.held, state.last, state.edge, state.on = found, at, start, 1.0
                for k in range(3):
                    state.heights[k] = tops[k]
                a, b = height(memory, at, row), height(memory, at, column)
                state.pitch_, state.high_ = TONES[row] + off_a, TONES[column] + off_b
                state.level_ = np.sqrt(0.5 * (a * a + b * b))
                out[done - 1] = PAD[found]
                if state.digit == 0:
                    ago = np.int64((at + 1) * HOP - start + 0.5)
                    state.digit = event(done - 1, (ago << 8) | PAD[found])
