"""What several kernels share and is more than a line: phases, edges, filters, curves, joins, buses, rings."""

import numpy as np
from numba import njit

from .bus import CLOCK_AT, HEADER, STAMPS, SUMS
from .kernel import OPTIONS, event, fence, floats_at, limited, sound, words_at
from .rings import FRAME, RATE

# --- Time: signals that stay, phases, edges, time constants -----------------------------------------------------------


@njit(**OPTIONS)
def moves(signal):
    """At how many samples it is not what it is at the first: 0 if it stays, so that all can be done at once."""
    found = 0
    for i in range(signal.size):
        found += signal[i] != signal[0]
    return found


TURN = 1 << 52  # whole numbers: they add up to the same whatever the pieces, and faster than fractions do


@njit(**OPTIONS)
def turned(phase, freq, low, high, turns):
    """Where in its turn an oscillator is at each sample, from -0.5 to 0.5; gives the phase after them.

    A pitch that stays has a loop of its own, which vectorises.
    """
    place, part = np.int64(phase * TURN), np.float32(2.0**-32)
    if moves(freq) == 0:
        step = np.int64(limited(freq[0], low, high) * (TURN / RATE))
        for i in range(turns.size):
            turns[i] = np.float32(np.int32((place + i * step) >> 20)) * part
        place += turns.size * step
    else:
        for i in range(turns.size):
            turns[i] = np.float32(np.int32(place >> 20)) * part
            place += np.int64(limited(freq[i], low, high) * (TURN / RATE))
    return (place & (TURN - 1)) / TURN


@njit(**OPTIONS)
def rise(k, edge):
    """The k-th of `edge` samples on the way from 0 to 1, half a cosine."""
    return np.float32(0.5 - 0.5 * np.cos(np.pi / edge * (k + 0.5)))


@njit(**OPTIONS)
def soften(block, at, end, edge):
    """Round off both edges of a sound of `end` samples, of which the block is those from `at` on.

    In loops of their own: a condition at every sample would keep the others from vector units.
    """
    for i in range(min(block.size, edge - at)):
        block[i] *= rise(at + i, edge)
    for i in range(max(0, max(edge, end - edge) - at), block.size):
        block[i] *= rise(end - 1 - at - i, edge)


@njit(**OPTIONS)
def left_over(seconds):
    """What is left of a difference after a sample, if 37 % of it are left after this time."""
    return np.exp(-1 / (RATE * limited(seconds, 1e-6, 1e3)))


# --- Band-limited steps and corners, for oscillators that jump or turn ------------------------------------------------

REACH, FINE = 8, 64  # a step is spread over so many samples to both sides; so many places of it between two samples
TAPS = 2 * REACH


def _steps_and_ramps() -> tuple[np.ndarray, np.ndarray]:
    """Row p: a step (or a ramp) without anything above 4000 Hz that began p / FINE samples ago, less the plain one."""
    x = np.arange(-REACH * FINE, REACH * FINE + 1) / FINE
    click = np.sinc(x) * np.kaiser(x.size, 6)
    step = np.append(0, np.cumsum((click[1:] + click[:-1]) / 2))
    ramp = np.append(0, np.cumsum((step[1:] + step[:-1]) / 2)) / step[-1] / FINE - np.maximum(x, 0)
    at = np.arange(TAPS) * FINE + np.arange(FINE + 1)[:, None]
    return (step[at] / step[-1] - (np.arange(TAPS) >= REACH)).astype(np.float32), ramp[at].astype(np.float32)


STEPS, RAMPS = _steps_and_ramps()


@njit(**OPTIONS)
def _add(shapes, line, at, late, height):
    place = limited(late * FINE, 0, FINE)
    p = min(np.int64(place), FINE - 1)
    f, h = np.float32(place - p), np.float32(height)
    for k in range(TAPS):
        line[at + k] += h * (shapes[p, k] + f * (shapes[p + 1, k] - shapes[p, k]))


@njit(**OPTIONS)
def jump(line, at, late, height):
    """Round off a step of this height that came `late` samples, 0 to 1, before sample `at`."""
    _add(STEPS, line, at, late, height)


@njit(**OPTIONS)
def turn(line, at, late, slope):
    """Round off a corner that came `late` samples, 0 to 1, before sample `at`; slope: what it adds to each sample."""
    _add(RAMPS, line, at, late, slope)


@njit(**OPTIONS)
def taken(line, lead, amp, out):
    """The samples of the line that no later step reaches, from `lead` on; then the line moves up."""
    for i in range(out.size):
        out[i] = line[lead + i] * sound(amp[i])
    size = lead + out.size
    for k in range(TAPS):
        line[k] = line[size + k]
    for k in range(TAPS, size + TAPS):
        line[k] = 0


# --- Filters ----------------------------------------------------------------------------------------------------------

# The tangent without its pole at a quarter turn is smooth: a polynomial with least maximum error, off by 1e-9 of it.
C1, C3, C5, C7, C9, C11 = 3.141592657, -2.230945987, -0.5390356171, -0.2112362976, -0.08498414285, -0.05612059303


@njit(**OPTIONS)
def tangent(freq):
    """tan(pi freq / RATE): an integrator's step by the bilinear rule, so that a corner is where it should be."""
    x = freq * (1 / RATE)
    s = x * x
    return (((((C11 * s + C9) * s + C7) * s + C5) * s + C3) * s + C1) * x / (1 - 4 * s)


# The sums of these two are in the order in which a sample waits the least for the one before it: that is half the time.


@njit(**OPTIONS)
def section(x, z0, z1, b0, b1, b2, a1, a2):
    """The second-order section in direct form II transposed; y is put into the sums. Gives y and the new memory."""
    return b0 * x + z0, (z1 + (b1 - a1 * b0) * x) - a1 * z0, (b2 - a2 * b0) * x - a2 * z0


@njit(**OPTIONS)
def integrated(x, z0, z1, a, b, c):
    """Two integrators in a loop, solved without a delay: bandpass, lowpass, and what they remember."""
    y0, y1 = (1 - 2 * a) * z0, (1 - 2 * c) * z1
    y0, y1 = (2 * b * x - y0) - 2 * b * z1, (2 * c * x + y1) + 2 * b * z0
    return 0.5 * (z0 + y0), 0.5 * (z1 + y1), y0, y1


def butterworth(freq: float, low: bool) -> tuple[float, ...]:
    """A lowpass or highpass of the second order, as b0 b1 b2 a1 a2."""
    t = np.tan(np.pi * freq / RATE)
    a0 = 1 + np.sqrt(2) * t + t * t
    gain = t * t if low else 1.0
    rest = (2 * gain if low else -2 * gain, gain, 2 * t * t - 2, 1 - np.sqrt(2) * t + t * t)
    return (float(gain / a0), *(float(one / a0) for one in rest))


# The band of a telephone
LOW, HIGH = 300, 3400  # Hz, at half power
RIPPLE = 0.1  # dB, of each of the two filters


def chebyshev(order: int, freq: float, low: bool) -> np.ndarray:
    """A Chebyshev filter of even order as rows b0 b1 b2 a1 a2; freq is where it is at half power.

    The poles of the analogue lowpass lie on an ellipse; a highpass has 1 / s for s. Then comes the bilinear transform.
    """
    epsilon = np.sqrt(10 ** (RIPPLE / 10) - 1)
    mu, edge = np.arcsinh(1 / epsilon) / order, np.cosh(np.arccosh(1 / epsilon) / order)
    angles = np.pi * (2 * np.arange(order // 2) + 1) / (2 * order)
    poles = (-np.sinh(mu) * np.sin(angles) + 1j * np.cosh(mu) * np.cos(angles)) / edge
    poles = np.tan(np.pi * freq / RATE) * (poles if low else 1 / poles)
    square = abs(poles) ** 2
    a0, gain = 1 - 2 * poles.real + square, square if low else np.ones(order // 2)
    b1, a1, a2 = gain * (2 if low else -2), 2 * square - 2, 1 + 2 * poles.real + square
    rows = np.stack([gain, b1, gain, a1, a2], 1) / a0[:, None]
    rows[0, :3] /= np.sqrt(1 + epsilon**2)  # an even order begins in a valley of the ripple, and no peak is above 0 dB
    return rows


TELEPHONE = np.concatenate([chebyshev(6, LOW, low=False), chebyshev(4, HIGH, low=True)])


@njit(**OPTIONS)
def telephone(block, z):
    """Samples, float32, as they come out of a telephone's band, in their place; z: what its sections remember."""
    for n in range(len(TELEPHONE)):
        b0, b1, b2, a1, a2 = TELEPHONE[n]
        z0, z1 = z[n, 0], z[n, 1]
        for i in range(block.size):
            block[i], z0, z1 = section(np.float64(block[i]), z0, z1, b0, b1, b2, a1, a2)
        z[n, 0], z[n, 1] = z0, z1


# --- Between samples --------------------------------------------------------------------------------------------------


@njit(**OPTIONS)
def hermite(a, b, c, d, f):
    """The smooth curve through samples, f of the way from the second of these to the third; all are float32."""
    half = np.float32(0.5)
    slope = half * (c - a)
    rest = half * (d - b) + slope + (b - c) * np.float32(2)
    return b + f * (slope + f * (c - b - slope - rest + f * rest))


@njit(**OPTIONS)
def lagrange(f):
    """What four samples weigh in the cubic through them, f of the way from the second to the third."""
    e, g, h = f + np.float32(1), f - np.float32(1), f - np.float32(2)
    fg, eh, half, six = f * g, e * h, np.float32(0.5), np.float32(6)
    return -fg * h / six, g * eh * half, -f * eh * half, e * fg / six


@njit(**OPTIONS)
def between(line, mask, at, back):
    """The sample `back` before index `at` of a ring: on the cubic through the four samples about it."""
    whole = np.int64(back)
    a, b, c, d = lagrange(np.float32(back - whole))
    i = at - whole
    return a * line[(i + 1) & mask] + b * line[i & mask] + c * line[(i - 1) & mask] + d * line[(i - 2) & mask]


def sincs(taps: int, phases: int) -> np.ndarray:
    """Row p: what so many samples weigh, p / phases after the one before their middle: a sinc under a Kaiser window."""
    half = taps // 2
    x = np.arange(taps) - (half - 1) - np.arange(phases + 1)[:, None] / phases
    rows = np.sinc(x) * np.i0(6 * np.sqrt(np.clip(1 - (x / half) ** 2, 0, 1)))
    rows[np.abs(rows) < 1e-12] = 0  # at a sample this is the sample itself
    return np.ascontiguousarray(rows / rows.sum(1, keepdims=True), np.float32)


# --- Joins, where a sound goes on from another place ------------------------------------------------------------------


@njit(**OPTIONS)
def alike(data, at, first, count, span):
    """Which of `count` places from `first` on sounds most like the one at `at`?

    It is the greatest normalized correlation over `span` samples: joined there, waves go on in step. Gives the place,
    the fraction of a sample between it and the true maximum, and how alike they are, 0 to 1.
    """
    tiny = np.float32(1e-12)
    best, found, size, product = np.float32(-np.inf), first, np.float32(0), np.float32(0)
    last, below, above = best, best, best
    for c in range(first, first + count):
        dot, power = np.float32(0), tiny
        for t in range(span):
            dot += data[at + t] * data[c + t]
            power += data[c + t] * data[c + t]
        score = dot * abs(dot) / power
        if score > best:
            best, found, size, product, below, above = score, c, power, dot, last, score
        elif c == found + 1:
            above = score
        last = score
    own = tiny
    for t in range(span):
        own += data[at + t] * data[at + t]
    fraction = 0.0
    if first < found < first + count - 1:
        bend = np.float64(below) - 2 * np.float64(best) + np.float64(above)
        fraction = limited(0.5 * (below - above) / bend, -0.5, 0.5) if bend < 0 else 0.0
    return found, fraction, limited(product / (np.sqrt(own) * np.sqrt(size)), 0, 1)


@njit(**OPTIONS)
def joined(a, b, w, likeness):
    """From a to b as w goes from 0 to 1, without a dip or a bump: the weights know how alike the two are."""
    u = 1 - w
    return (u * a + w * b) / np.sqrt(u * u + w * w + 2 * u * w * likeness)


# --- A bus, as bus.py lays it out -------------------------------------------------------------------------------------


@njit(**OPTIONS)
def add_to(bus, at, input):
    """Add samples to what the bus carries in this tick, from sample `at` of the frame on."""
    words = words_at(bus, HEADER)
    tick = words_at(words[CLOCK_AT], 1)[0]
    sums = floats_at(bus + SUMS + 4 * FRAME * (tick & 1), FRAME)
    if words[STAMPS + (tick & 1)] != tick:
        words[STAMPS + (tick & 1)] = tick
        sums[:] = 0
    for i in range(min(input.size, FRAME - at)):
        sums[at + i] += sound(input[i])


@njit(**OPTIONS)
def copy_from(bus, at, out):
    """The samples that all have sent in the tick before, from sample `at` of the frame on."""
    words = words_at(bus, HEADER)
    before = words_at(words[CLOCK_AT], 1)[0] - 1
    sums = floats_at(bus + SUMS + 4 * FRAME * (before & 1), FRAME)
    there = words[STAMPS + (before & 1)] == before
    size = min(out.size, FRAME - at)
    for i in range(size):
        out[i] = sums[at + i] if there else 0
    for i in range(size, out.size):
        out[i] = 0


# --- A ring that Python fills -----------------------------------------------------------------------------------------

# Of a node's state: where it is, and counts of samples; `last` is -1 until it is known how many there will be.
RING = {"address": "i8", "written": "i8", "read": "i8", "last": "i8", "ended": "i8", "missed": "i8"}


@njit(**OPTIONS)
def from_ring(state, size, out):
    """What is in a ring of `size` samples, silence where there is none yet, and the event `done` at its last sample.

    What is missing between its first sample and its last one is counted.
    """
    ring = floats_at(state.address, size)
    last = state.last
    fence()
    ready = state.written
    fence()
    count = min(out.size, ready - state.read)
    for i in range(count):
        out[i] = ring[(state.read + i) % size]
    for i in range(count, out.size):
        out[i] = 0
    state.read += count
    if last >= 0 and state.read >= last:
        if state.ended == 0 and state.done == 0:
            state.done = event(max(0, count - 1))
            state.ended = 1
    elif state.read > 0:
        state.missed += out.size - count
