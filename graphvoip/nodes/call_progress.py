import numpy as np
from numba import njit

from ..dsp import butterworth, section
from ..kernel import OPTIONS, doubles_at, event, floats_at, kernel, sound
from ..node import Event, Node, Option, Output, Signal, State
from ..progress import TONES
from ..rings import RATE

HOP = 80  # samples of a look at the level, 10 ms
WINDOW, STEP = 480, 160  # samples of a spectrum, and from one to the next
NAMES = ("dial", "ringback", "busy", "reorder", "call_waiting", "unobtainable", "sit", "cng", "ced")
CADENCES = NAMES[:6]
SIT, CNG, CED = (NAMES.index(name) + 1 for name in ("sit", "cng", "ced"))

# --- The spectrum: bins of 16.7 Hz where the tones of the table are, and no others ------------------------------------

WIDTH = RATE / WINDOW  # Hz
LOWS = np.arange(20, 40)  # 333 to 650 Hz
CLASSES = ((950, 51), (1400, 51), (1800, 51), (1100, 35), (2100, 35))  # Hz, and how far off
HIGHS = [[k for k in range(WINDOW // 2) if abs(k * WIDTH - at) <= off] for at, off in CLASSES]
FIRST = np.cumsum([LOWS.size, *map(len, HIGHS)])  # where the bins of a class begin
PITCHES = np.concatenate([LOWS, *HIGHS]) * WIDTH
BINS = PITCHES.size
HALF = WINDOW // 2
HANN = (0.5 + 0.5 * np.cos(2 * np.pi * (np.arange(HALF) + 0.5) / WINDOW)).astype(np.float32)  # from the middle on
# About the middle a cosine is even and a sine is odd, so that half of the products will do. They are scaled so that the
# squares of a bin's two sums are its part of the sum of squares under the window.
_turns = 2 * np.pi * (np.arange(HALF)[:, None] + 0.5) / RATE * PITCHES
WAVES = (np.sqrt(2 / WINDOW) * np.stack([np.cos(_turns), np.sin(_turns)], 1)).astype(np.float32)
POWER = 2 * float(np.sum(HANN**2))  # of the window

PURE = 0.8  # of what is heard above 200 Hz is the tone
PURER = 0.86  # of a tone that has no cadence to know it by
SHARE = 0.08  # of it is the weaker of two frequencies, at least: 8 dB of difference are 0.14
NEAR, OWN = 31.0, 17.5  # Hz about a frequency in which all of a tone is, and in which most of it is
FAINT = 10 ** (-48 / 10)  # power of a tone that is heard, -45 dBm0
HIGHPASS, LOWPASS = butterworth(200, low=False), butterworth(750, low=True)

JUDGED = 10  # hops of a burst after which its pitches are certain
HOLD = 400  # hops for which a tone is told that is known by its pitch
ENDED = 12  # hops after the end of a burst in which it still counts as sounding

# --- The templates ----------------------------------------------------------------------------------------------------

MOST = 6  # segments of a cadence, on and off in turn
# A row: event, set of frequencies, segments (0: a tone that stays), how many must have been heard, then for each
# segment the least and the greatest length in hops, and how many dB it is above the first.
EVENT, SET, SEGMENTS, NEEDS, SHORTEST = range(5)
LONGEST, LEVEL = SHORTEST + MOST, SHORTEST + 2 * MOST
ROW = SHORTEST + 3 * MOST
SLACK = 2  # hops by which the length of a segment may be measured wrongly; that of all together by half of it
SETS = 16  # at most
OWNS = 3  # frequencies of a set, at most
AMBIGUOUS = {("es", "busy"), ("uk", "unobtainable"), ("au", "unobtainable")}  # elsewhere they mean something else


def alike(one, other):
    """Might one of these sets of frequencies be taken for the other?"""
    return all(any(abs(a - b) < 20 for b in y) for x, y in ((one, other), (other, one)) for a in x)


def templates(country):
    """The rows for a country, and its sets of frequencies."""
    found, sets = {}, []
    for name, kinds in TONES.items():
        for kind in CADENCES:
            if country not in (name, "any") or kind not in kinds or (country == "any" and (name, kind) in AMBIGUOUS):
                continue
            _, *bursts = kinds[kind]
            frequencies = tuple(sorted(f[0] if isinstance(f, tuple) else f for f in bursts[0][0]))
            levels = [b[0][0][1] if isinstance(b[0][0], tuple) else 0 for b in bursts]
            cadence = tuple((on, off, more - levels[0]) for (_, on, off), more in zip(bursts, levels, strict=True))
            found.setdefault((kind, frequencies, cadence))
            if frequencies not in sets:
                sets.append(frequencies)
    rows = np.zeros((len(found), ROW))
    for row, (kind, frequencies, cadence) in zip(rows, found, strict=True):
        row[EVENT], row[SET] = NAMES.index(kind) + 1, sets.index(frequencies)
        if cadence[0][0] == 0:  # it stays: longer than any burst that sounds like it
            bursts = [on for _, other, parts in found if alike(frequencies, other) for on, _, _ in parts]
            row[SHORTEST] = RATE / HOP * max(1.0, 1.3 * max(bursts))
            continue
        row[SEGMENTS] = 2 * len(cadence)
        row[NEEDS] = max(3, 2 * len(cadence))
        lengths = np.array([length for on, off, _ in cadence for length in (on, off)]) * RATE / HOP
        row[SHORTEST : SHORTEST + lengths.size] = 0.85 * lengths - SLACK
        row[LONGEST : LONGEST + lengths.size] = 1.15 * lengths + SLACK
        row[LEVEL : LEVEL + lengths.size : 2] = [more for _, _, more in cadence]
    return rows, sets


def masks(sets):
    """For each set the bins in which it must be, and for each of its frequencies those that it must have a share of."""
    found = np.zeros((SETS, 1 + OWNS, LOWS.size))
    for one, frequencies in zip(found, sets, strict=False):
        for k, frequency in enumerate(frequencies):
            away = np.abs(LOWS * WIDTH - frequency)
            one[0] = np.maximum(one[0], away <= NEAR)
            one[1 + k] = away <= OWN
        one[1 + len(frequencies) :] = 1
    return found


# --- Helpers of the kernel --------------------------------------------------------------------------------------------

KEPT = 8  # segments


@njit(**OPTIONS)
def sets_in(state, pure):
    """Which sets of frequencies the segment has been so far, a bit for each."""
    found = 0
    if state.heard <= 0:
        return found
    masks = doubles_at(state.masks_, SETS * (1 + OWNS) * 20).reshape((SETS, 1 + OWNS, 20))
    for s in range(state.sets):
        fits = True
        for j in range(1 + OWNS):
            part = 0.0
            for k in range(20):
                part += masks[s, j, k] * state.sums[k]
            fits = fits and part >= (pure if j == 0 else SHARE) * state.heard
        found |= (1 << s) if fits else 0
    return found


@njit(**OPTIONS)
def keep(state, length, sets, level):
    """A segment is over: 0 sets is silence."""
    for k in range(KEPT - 1, 0, -1):
        state.lengths[k], state.kinds[k], state.levels[k] = (
            state.lengths[k - 1],
            state.kinds[k - 1],
            state.levels[k - 1],
        )
    state.lengths[0], state.kinds[0], state.levels[0] = length, sets, level
    state.count = min(state.count + 1, KEPT)


@njit(**OPTIONS)
def fits_at(state, row, newest):
    """Does what has been heard fit a cadence whose segment number `newest` has just ended?"""
    segments = np.int64(row[SEGMENTS])
    so_far = state.since - (state.below if state.on == 1 else 3)  # its end is known some hops later
    if so_far > row[LONGEST + (newest + 1) % segments]:
        return False
    top, bottom = -1e9, 1e9
    total, shortest, longest = 0, -0.5 * SLACK, 0.5 * SLACK
    for h in range(min(state.count, np.int64(row[NEEDS]))):
        s = (newest - h + 2 * segments) % segments
        if state.lengths[h] < row[SHORTEST + s] or state.lengths[h] > row[LONGEST + s]:
            return False
        total += state.lengths[h]
        shortest += row[SHORTEST + s] + SLACK
        longest += row[LONGEST + s] - SLACK
        if s % 2 == 0:
            if (state.kinds[h] >> np.int64(row[SET])) & 1 == 0:
                return False
            top = max(top, state.levels[h] - row[LEVEL + s])
            bottom = min(bottom, state.levels[h] - row[LEVEL + s])
    return top - bottom < 5 and shortest <= total <= longest


@njit(**OPTIONS)
def known(state):
    """The tone that is heard: one whose cadence is complete, unless a longer one might still turn out. Else 0."""
    rows = doubles_at(state.rows_, state.rows * ROW).reshape((state.rows, ROW))
    fitting, best, needs = np.int64(0), np.int64(0), np.int64(0)
    state.stays = 0
    for t in range(state.rows):
        row = rows[t]
        if row[SEGMENTS] == 0:
            if state.on == 1 and state.since >= row[SHORTEST] and (state.now >> np.int64(row[SET])) & 1 == 1:
                state.stays = 1
                return np.int64(row[EVENT])
            continue
        fits, newest = False, state.on
        while state.count > 0 and newest < row[SEGMENTS] and not fits:
            fits = fits_at(state, row, newest)
            newest += 2
        if fits:
            fitting |= np.int64(1) << t
        if fits and state.count >= row[NEEDS] > needs:
            best, needs = np.int64(row[EVENT]), np.int64(row[NEEDS])
    state.fits = 1 if fitting != 0 and state.count >= 2 else 0
    goes_on = False
    for t in range(state.rows):
        if (fitting >> t) & 1 == 1:
            goes_on = goes_on or rows[t, EVENT] == state.code
            best = 0 if rows[t, NEEDS] > needs and rows[t, EVENT] != best else best
    return state.code if goes_on and best == 0 else best


@njit(**OPTIONS)
def look(state, power):
    """10 ms are over, with this power from 200 to 750 Hz: where do bursts begin and end?"""
    state.since += 1
    if state.on == 0:
        hit = power > max(FAINT, 4 * state.floor)
        state.above = (2 * state.above + hit) & 7
        if not hit or state.above == 1:  # two tones may begin in a beat: two of three hops will do
            state.floor += 0.2 * (min(power, 2 * state.floor + FAINT / 8) - state.floor)
            if state.since > 1700:
                state.count = 0
            return
        first = 3 if state.above == 5 else 2
        state.on, state.before, state.since, state.below = 1, state.since - first, first, 0
        state.mean, state.now = power, 0
        state.heard, state.spectra = 0.0, 0.0
        state.sums[:] = 0
        return
    if state.since < 8:
        state.mean = max(state.mean, power)  # two tones may begin in a beat
    elif power > 16 * state.mean and power > FAINT:  # what was before was noise
        state.count, state.since, state.mean = 0, 1, power
        state.heard, state.spectra = 0.0, 0.0
        state.sums[:] = 0
    if state.since >= 9 and state.before >= 0:  # it is a burst and no click
        if state.count > 0:
            keep(state, state.before, 0, 0.0)
        state.before = -1
    if power < max(FAINT, state.mean / 16):
        state.below += 1
        if state.below < 4:
            return
        length = state.since - 4
        state.on, state.floor, state.above = 0, power, 0
        state.since = 4
        if state.before >= 0:
            state.since = state.before + length + 4
            return
        sets = sets_in(state, PURE)
        if sets == 0:
            state.count = 0
        else:
            keep(state, length, sets, 10 * np.log10(state.mean))
        return
    state.below = 0
    state.mean += (power - state.mean) / min(state.since, 20)


@njit(**OPTIONS)
def spectrum(state):
    """20 ms are over: the spectrum of the last 60 ms. Its low bins go to the burst; for the others, which class?"""
    line, waves = floats_at(state.line_, WINDOW), floats_at(state.waves_, HALF * 2 * BINS)
    bins = floats_at(state.bins_, 2 * BINS)
    even, odd = bins[:BINS], bins[BINS:]
    bins[:] = 0
    total = 1e-12
    for n in range(HALF):
        after, before = HANN[n] * line[HALF + n], HANN[n] * line[HALF - 1 - n]
        total += after * after + before * before
        plus, minus = after + before, after - before
        cosines, sines = waves[2 * BINS * n : 2 * BINS * n + BINS], waves[2 * BINS * n + BINS : 2 * BINS * (n + 1)]
        for k in range(BINS):
            even[k] += plus * cosines[k]
        for k in range(BINS):
            odd[k] += minus * sines[k]
    for k in range(BINS):
        bins[k] = even[k] * even[k] + odd[k] * odd[k]
    for n in range(WINDOW - STEP):
        line[n] = line[n + STEP]
    state.power = total / POWER
    if state.on == 1 and state.below == 0 and state.since >= 6:
        for k in range(20):
            state.sums[k] += bins[k]
        state.heard += total
        state.now = sets_in(state, PURER)
        state.pure = 1 if sets_in(state, PURE) != 0 else 0
        state.loud = np.sqrt(state.power)
    found, pitch = -1, 0.0
    for c in range(5):
        part, turn = 0.0, 0.0
        for k in range(FIRST[c], FIRST[c + 1]):
            part += bins[k]
            turn += bins[k] * PITCHES[k]
        if part > PURE * total and state.power > FAINT:
            found, pitch = c, turn / part
            state.loud = np.sqrt(state.power)
    return found, pitch


@njit(**OPTIONS)
def run_of(state, found, pitch):
    """The tones that are known by their pitch: how long has it been one of them? Gives what was heard, and which."""
    said, which = 0, 0
    state.idle += 1
    if found == state.run and found >= 0:
        state.windows += 1 + state.gap
        state.gap = 0
        state.pitch += pitch
        state.pitches += 1
        if found == 4 and state.windows == 50:
            said = CED
    elif state.run >= 0:
        state.gap += 1
        if found >= 0 or state.gap > (3 if state.run == 4 else 1):
            over, windows, place = state.run, state.windows, state.pitch / state.pitches
            state.run = -1
            state.idle = state.gap
            short = 10 <= windows <= 21
            if over == 0 and short:
                state.stage = 1
                state.first = 1 if place < 932 else 2 if place > 967 else 0
            elif over == 1 and short and state.stage == 1:
                state.stage = 2
                state.second = 1 if place < 1385 else 2 if place > 1414 else 0
            elif over == 2 and short and state.stage == 2:
                state.stage = 0
                said = SIT
                if state.first > 0 and state.second > 0:
                    which = 2 * state.second + state.first - 2
            else:
                state.stage = 0
                said = CNG if over == 3 and 20 <= windows <= 29 else 0
    if found >= 0 and state.run < 0:
        if state.idle > 4 or found != state.stage:
            state.stage = 0
        state.run, state.windows, state.gap, state.pitch, state.pitches = found, 1, 0, pitch, 1
    return said, which


@njit(**OPTIONS)
def tone_now(state):
    """Tell the tones of an exchange from all else before their cadence is known: the output `tone`.

    A burst is one by its pitches if nothing else has been heard, if a tone is known, or if it fits a cadence with the
    burst before it. After words it may be the beep of a machine, however long.
    """
    if state.run >= 0:
        follows = state.run > 0 and state.run == state.stage
        again = state.code == (SIT if state.run < 3 else CNG if state.run == 3 else CED)
        return 1.0 if follows or again or (state.run >= 3 and state.only == 1) else 0.0
    known = (state.code > 0 and state.stays == 0) or state.fits == 1 or (state.only == 1 and state.count > 0)
    if state.on == 1 and state.heard > 0:
        if state.pure == 1:
            return 1.0 if known or state.only == 1 else 0.0
        if state.since >= JUDGED:
            state.only = 0
            return 0.0
    ended = state.on == 0 and state.since < ENDED and state.count > 0 and state.kinds[0] != 0
    if (ended and known) or state.hold > HOLD - ENDED:
        return 1.0
    return 0.5 if known else 0.0


class CallProgress(Node):
    """Which tone of a telephone exchange is heard: dial, ringback, busy, reorder and others, country by country.

    It knows the tones that DialTone makes: their frequencies to about 3 %, each burst and pause to 15 %. An event comes
    when the cadence has been heard once, at least two bursts of it; where two cadences of a country begin alike, when
    they part. A dial tone stays, so it is one when it is longer than any burst. With `country` "any" the tones are
    those of all, and what some use in another meaning has the usual one: so Spain's busy, which elsewhere is reorder.

    The information tones, `sit`, are known by their three pitches, and so are `cng`, a fax machine that calls, and
    `ced`, one that answers. What `sit` says in North America is the event's value: 1 intercept, 2 vacant number,
    3 reorder, 4 no circuit; 0 is the plain one of ITU-T E.180.

    `tone` tells sooner, from the first burst on, that what is heard is an exchange. Connect it to Answering and Beep.

    A tone must be 8 dB above the noise and above -45 dBm0. It takes about 8 us a frame.

    >>> CallProgress(DialTone(country="uk", kind="busy"), country="uk")
    """

    group = "analysis"
    known_as = (
        "busy detection, ringback, tone detector, congestion, sit, fax, cng, ced, t.30, t.38, cpt, call "
        "progress analysis, cpa, dial tone detector"
    )
    input = Signal(None, doc="what is heard from the line")
    country = Option("any", "whose plan", ("any", *TONES))
    out = Output("the tone that is heard now: 0 none, 1 dial, 2 ringback, 3 busy, 4 reorder, 5 call waiting, "
                 "6 unobtainable, 7 sit, 8 cng, 9 ced; the last three for 4 s")  # fmt: skip
    level = Output("how loud it is, RMS; 0 when there is none")
    tone = Output("1 while a tone of an exchange sounds, 0.5 in its pauses, 0 when anything else is heard")
    dial = Event("a dial tone")
    ringback = Event("it rings at the far end")
    busy = Event("the far end is busy")
    reorder = Event("no way to the far end: congestion")
    call_waiting = Event("another call waits")
    unobtainable = Event("there is no such number")
    sit = Event("the three tones before an announcement; value: what they say")
    cng = Event("a fax machine calls")
    ced = Event("a fax machine or a modem answers")
    state = State(
        rows="i8", rows_="i8", sets="i8", masks_="i8", line_="i8", waves_="i8", bins_="i8", left="i8", filled="i8",
        z=("f8", 4), total="f8", power="f8", code="i8", hold="i8", volume="f8", loud="f8",
        on="i8", since="i8", before="i8", above="i8", below="i8", floor="f8", mean="f8", now="i8", heard="f8",
        spectra="f8", sums=("f8", 20), count="i8", lengths=("i8", KEPT), kinds=("i8", KEPT), levels=("f8", KEPT),
        only="i8", pure="i8", fits="i8", stays="i8", tone_="f8",
        run="i8", windows="i8", gap="i8", idle="i8", pitch="f8", pitches="i8", stage="i8", first="i8", second="i8",
    )  # fmt: skip

    def start(self):
        self.rows, sets = templates(self.country)
        self.masks, self.line = masks(sets), np.zeros(WINDOW, np.float32)
        self.bins = np.zeros(2 * BINS, np.float32)
        self.state["rows"], self.state["sets"] = len(self.rows), len(sets)
        self.state["rows_"], self.state["masks_"] = self.rows.ctypes.data, self.masks.ctypes.data
        self.state["line_"], self.state["bins_"] = self.line.ctypes.data, self.bins.ctypes.data
        self.state["waves_"] = WAVES.ctypes.data
        self.state["left"], self.state["run"], self.state["only"] = HOP, -1, 1

    @kernel
    def process(state, input, out, level, tone):
        line = floats_at(state.line_, WINDOW)
        done = 0
        while done < out.size:
            size = min(out.size - done, state.left)
            h0, h1, l0, l1 = state.z
            total = state.total
            at = WINDOW - STEP + state.filled - done
            for i in range(done, done + size):
                y, h0, h1 = section(np.float64(sound(input[i])), h0, h1, *HIGHPASS)
                line[at + i] = y
                y, l0, l1 = section(y, l0, l1, *LOWPASS)
                total += y * y
                out[i] = state.code
                level[i] = state.volume
                tone[i] = state.tone_
            state.z[0], state.z[1], state.z[2], state.z[3] = h0, h1, l0, l1
            state.total = total
            done += size
            state.left -= size
            state.filled += size
            if state.left > 0:
                continue
            state.left, state.total = HOP, 0.0
            look(state, total / HOP)
            said, which = 0, 0
            if state.filled == STEP:
                state.filled = 0
                said, which = run_of(state, *spectrum(state))
            if said > 0:
                again = said == state.code
                state.hold, state.code = HOLD, said
                if said == SIT and state.sit == 0:
                    state.sit = event(done - 1, which)
                elif said == CNG and state.cng == 0 and not again:
                    state.cng = event(done - 1)
                elif said == CED and state.ced == 0:
                    state.ced = event(done - 1)
            elif state.hold > 0:
                state.hold -= 1
                state.code = state.code if state.hold > 0 else 0
            elif state.on == 0 or state.before < 0:
                before = state.code
                state.code = known(state)
                if state.code != before:
                    if state.code == 1 and state.dial == 0:
                        state.dial = event(done - 1)
                    elif state.code == 2 and state.ringback == 0:
                        state.ringback = event(done - 1)
                    elif state.code == 3 and state.busy == 0:
                        state.busy = event(done - 1)
                    elif state.code == 4 and state.reorder == 0:
                        state.reorder = event(done - 1)
                    elif state.code == 5 and state.call_waiting == 0:
                        state.call_waiting = event(done - 1)
                    elif state.code == 6 and state.unobtainable == 0:
                        state.unobtainable = event(done - 1)
            state.volume = state.loud if state.code > 0 else 0.0
            state.tone_ = tone_now(state)
