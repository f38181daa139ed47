"""The memory of nodes that delay: a ring of samples, which grows while it sounds if its time is to be longer."""

import logging
import math
from typing import Any

import numpy as np
from numba import njit

from .kernel import OPTIONS, barrier, doubles_at, event, fence, floats_at, limited, words_at
from .node import LINE, aligned, bounds_of
from .rings import RATE

log = logging.getLogger("graphvoip")

# A block of memory: its size in samples, the longest delay in samples (a float64), and from FIRST on the ring itself.
FIRST = LINE  # bytes
# Of a node's state: the block that is in use, the one that is to be, how many samples came, was a warning given.
DELAY_LINE = {"block": "i8", "wanted": "i8", "at": "i8", "warned": "i8"}


class DelayLine:
    """The ring of a node with inputs `input` and `time`, an option `longest`, an event `held` and a state DELAY_LINE.

    It holds `longest`, and all that `time` is known to become: a number, a parameter, a score, arithmetic with them.
    Give `extra` samples beyond the delay; `mirror` of the first ones stand behind the last one once more.
    """

    def __init__(self, node: Any, extra: int, mirror: int = 0):
        self.node, self.extra, self.mirror = node, extra, mirror
        self.seconds, self.size = 0.0, 0
        self.blocks: list[np.ndarray] = []  # all of them: the audio thread may still be in an older one
        self.make_room()

    @property
    def nbytes(self) -> int:
        return sum(block.nbytes for block in self.blocks)

    def make_room(self) -> None:
        """Let it hold what `time` is wired to. The kernel goes over to a longer block by itself."""
        slot = self.node.slots.inputs["time"]
        known = bounds_of(self.node.wires["time"])[1]
        seconds = max(self.node.longest, min(known, slot.high) if math.isfinite(known) else 0.0)
        if seconds <= self.seconds:
            return
        self.seconds = seconds
        size = 1 << int(seconds * RATE + self.extra).bit_length()
        if size > self.size:
            block, address = aligned(FIRST + 4 * (size + self.mirror))
            block[:8].view(np.int64)[:] = self.size = size
            self.blocks.append(block)
        else:
            block, address = self.blocks[-1], self.blocks[-1].ctypes.data
        block[8:16].view(np.float64)[:] = seconds * RATE
        barrier()
        self.node.state["wanted"] = address

    def warn(self, where: str, milliseconds: int) -> None:
        """Say that `time` has been longer than the memory."""
        high = self.node.slots.inputs["time"].high
        wanted = min(high, math.ceil(milliseconds / 100) / 10)
        remedy = f"; give it longest={wanted:g}" if wanted > self.seconds else ""
        name = f"{self.node.type} '{self.node.name}'" if self.node.name else self.node.type
        log.warning(
            "%s: %s: time %g s is longer than its memory of %g s and is held there%s",
            where, name, milliseconds / 1000, self.seconds, remedy,
        )  # fmt: skip


@njit(**OPTIONS)
def block_of(state, mirror):
    """The block in use. If there is a longer one, it takes over what is in the one before."""
    block, before = state.wanted, state.block
    if block != before:
        fence()
        if before != 0:
            old, new = words_at(before, 1)[0], words_at(block, 1)[0]
            source, target = floats_at(before + FIRST, old), floats_at(block + FIRST, new + mirror)
            for k in range(1, old + 1):
                target[(state.at - k) & (new - 1)] = source[(state.at - k) & (old - 1)]
            for k in range(mirror):
                target[new + k] = target[k]
        state.block = block
    return block


@njit(**OPTIONS)
def size_and_most(block):
    """Samples of the ring, and the longest delay in samples."""
    return words_at(block, 1)[0], doubles_at(block + 8, 1)[0]


@njit(**OPTIONS)
def warn_if_held(state, time, most):
    """The event `held`, once, with the time in milliseconds, where it is longer than what is remembered."""
    limit = np.float32(most / RATE * (1 + 1e-6))
    over = 0
    for i in range(time.size):
        over += time[i] > limit
    if over > 0 and state.warned == 0 and state.held == 0:
        first = 0
        while not time[first] > limit:
            first += 1
        state.warned = 1
        state.held = event(first, np.int64(1000 * limited(time[first], 0, 1e6) + 0.5))
