"""What several kernels share and is more than a line: band-limited steps, the memory of a bus."""

import numpy as np
from numba import njit

from .bus import CLOCK_AT, HEADER, STAMPS, SUMS
from .kernel import OPTIONS, floats_at, limited, sound, words_at
from .rings import FRAME

# --- Band-limited steps, for oscillators that jump --------------------------------------------------------------------

REACH, FINE = 8, 64  # a step is spread over so many samples to both sides; so many places of it between two samples
TAPS = 2 * REACH


def _steps() -> np.ndarray:
    """Row p: a step without anything above 4000 Hz that came p / FINE samples ago, less the plain step."""
    x = np.arange(-REACH * FINE, REACH * FINE + 1) / FINE
    click = np.sinc(x) * np.kaiser(x.size, 6)
    step = np.append(0, np.cumsum((click[1:] + click[:-1]) / 2))
    at = np.arange(TAPS) * FINE + np.arange(FINE + 1)[:, None]
    return (step[at] / step[-1] - (np.arange(TAPS) >= REACH)).astype(np.float32)


STEPS = _steps()


@njit(**OPTIONS)
def jump(line, at, late, height):
    """Round off a step of this height that came `late` samples, 0 to 1, before sample `at`."""
    place = limited(late * FINE, 0, FINE)
    p = min(np.int64(place), FINE - 1)
    f, h = np.float32(place - p), np.float32(height)
    for k in range(TAPS):
        line[at + k] += h * (STEPS[p, k] + f * (STEPS[p + 1, k] - STEPS[p, k]))


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
