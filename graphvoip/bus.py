"""Buses: what one call sends, another one hears a frame later, whichever of them runs first.

A bus is two frames of sums. In tick n all senders add to one of them, and all receivers read the other, the sum of tick
n - 1. The first sender of a tick clears what it adds to, so nobody keeps a list of who is there.
"""

import weakref

import numpy as np

from .rings import FRAME

# A bus in memory: where its clock is, the ticks of which the two sums are, and then the sums, FRAME floats each.
CLOCK_AT, STAMPS, HEADER = 0, 1, 3
SUMS = 8 * HEADER  # byte offset


class Bus:
    """clock: an array of one int64 that counts ticks; whoever runs the graphs counts it."""

    def __init__(self, clock: np.ndarray):
        self.clock = clock  # kept, for its address is in the memory
        self.memory = np.zeros(HEADER + FRAME, np.int64)  # two frames of float32 are FRAME words
        self.memory[CLOCK_AT] = clock.ctypes.data
        self.memory[STAMPS : STAMPS + 2] = -2  # no tick
        self.address = self.memory.ctypes.data


class Buses:
    """The buses of one engine, or of one rendering, by their names. A bus lives as long as a node holds it."""

    def __init__(self, clock: np.ndarray):
        self.clock = clock
        self._buses: weakref.WeakValueDictionary[str, Bus] = weakref.WeakValueDictionary()

    def __getitem__(self, name: str) -> Bus:
        found = self._buses.get(name)
        if found is None:
            found = self._buses[name] = Bus(self.clock)
        return found
