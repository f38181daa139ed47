"""Between two clocks: a far end that has a clock of its own, a sound card say, joined to the graph's 20 ms frames.

A card that says 8000 Hz runs at 8000.4 or at 7999. Frames dropped or repeated every few minutes would click, so the
difference is taken up a sample at a time: a small queue of samples lies between the two, and when it holds too much or
too little on average, a block of 160 is made of 161 or of 159 by band-limited interpolation. With clocks that agree,
every sample passes unchanged.

Nothing here knows a card, and the clock is handed in, so that hours can be tried in seconds.
"""

import functools
import math
import time
from collections.abc import Callable

import numpy as np

from ..rings import FRAME, IN_LOST, IN_MISSED, IN_READ, IN_WRITTEN, OUT_LOST, OUT_WRITTEN, RATE, SILENCE, LineRing

HALF = 8  # samples that the interpolation looks back and ahead: 1 ms
MARGIN = 80  # samples, 10 ms: how much too early or too late either side may be
PATIENT = 160  # samples by which the margin may grow when it was not enough
SLOW = 1 / 64  # of each block in the average level: a time constant of 1.3 s
BAND = 32  # samples, 4 ms: a level that is off by no more is left alone, and so is the sound
GAIN = 0.008  # samples put right a block, for each sample that the level is off beyond that: a time constant of 2.5 s
FRAME_SECONDS = FRAME / RATE


@functools.cache
def interpolation(taken: int, given: int) -> tuple[np.ndarray, int]:
    """The matrix that makes `given` samples of `taken`, and how many samples more it needs on either side.

    Each row is a sinc under a Kaiser window, cut off at the lower of the two rates.
    """
    stretch = abs(taken - given) == 1  # the rates are as good as the same: nothing to cut off
    ratio = 1.0 if stretch else max(1.0, taken / given)
    half = math.ceil(HALF * ratio)
    cutoff = 1.0 if stretch else 0.92 / ratio
    distance = np.arange(-half, taken + half) - (np.arange(given) * taken / given)[:, None]
    window = np.i0(7.0 * np.sqrt(np.maximum(0, 1 - (distance / half) ** 2))) * (abs(distance) < half)
    rows = np.sinc(cutoff * distance) * window
    return (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32), half


def to_int16(samples: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


class Resampler:
    """Blocks of `taken` samples to blocks of `given`, 1 ms later, without a seam.

    soxr's streams would be the obvious choice, but they hand out their samples in lumps of 35 to 130 ms. Only its
    quickest setting does not, and that one filters nothing: 6 kHz in the room becomes 2 kHz on the phone.
    """

    def __init__(self, taken: int, given: int):
        self.matrix, half = interpolation(taken, given)
        self.taken = taken
        self.kept = np.zeros(2 * half, np.float32)

    def __call__(self, block: np.ndarray) -> np.ndarray:
        span = np.concatenate((self.kept, block), dtype=np.float32)
        self.kept = span[self.taken :]
        return to_int16(self.matrix @ span)


class Beat:
    """When the graph makes its frames: every 20 ms, at a time that is found by watching the ring.

    A frame that is seen has been made by then, and some are seen just after that: the least of the times is the beat.
    """

    def __init__(self, ring: LineRing, clock: Callable[[], float] = time.monotonic):
        self.words, self.clock = ring.words, clock
        self.origin = math.inf  # when frame 0 was made, or would have been: at the latest, as far as we know
        self.seen = self.words[OUT_WRITTEN]
        self.found = False  # the graph runs

    def look(self) -> None:
        """To be called every millisecond while the graph starts: the cards look at their own times only."""
        if self.words[OUT_WRITTEN] != self.seen:
            self.seen = self.words[OUT_WRITTEN]
            self.since()
            self.found = True

    def since(self) -> float:
        """Frames since the graph's last, 0 to 1."""
        made = self.words[OUT_WRITTEN]  # before the clock is read: a time that is too late does no lasting harm
        origin = self.clock() - made * FRAME_SECONDS
        over = (origin - self.origin) / FRAME_SECONDS
        if not 0 <= over < math.inf:
            self.origin, over = origin, 0.0
        elif over >= 1.5:  # the graph has given frames up: a whole number of them
            self.origin += math.floor(over) * FRAME_SECONDS
        return min(over, 1.0)

    def until(self) -> float:
        """Seconds until a moment after the graph's next frame."""
        return (1 - self.since()) * FRAME_SECONDS + 0.001


class Elastic:
    """A queue of samples that gives blocks of 160 and keeps its level by making some of them of 159 or 161."""

    def __init__(self, target: int):
        self.target = target  # samples; for how many there are to be, see steer
        self.most = target + PATIENT
        self.average = float(target)
        self.debt = 0.0  # samples too many that have not been taken away yet
        self.stretched = self.resets = 0
        self.queue = np.zeros(2 * HALF, np.int16)  # HALF behind, what waits, HALF ahead

    def __len__(self) -> int:
        return len(self.queue) - 2 * HALF

    def put(self, samples: np.ndarray) -> None:
        self.queue = np.concatenate((self.queue, samples))

    def steer(self, level: float, first: bool = False) -> bool:
        """Told once a block how many samples there are between the two clocks, here and elsewhere.

        True if something was lost: samples were dropped, or silence added.
        """
        self.average += SLOW * (level - self.average)
        off, now_off = self.average - self.target, level - self.target
        lasting = abs(off) > FRAME and abs(now_off) > FRAME and off * now_off > 0
        if first or lasting:  # something has happened, a pause or a burst after it
            self.reset(round(now_off))
        elif abs(off) > BAND:
            self.debt = max(-1.5, min(1.5, self.debt + GAIN * math.copysign(abs(off) - BAND, off)))
        return lasting and not first

    def reset(self, surplus: int) -> None:
        """Drop so many samples, or add silence, at once."""
        self.resets += 1
        self.average, self.debt = float(self.target), 0.0
        if surplus < 0:
            self.queue = np.concatenate((self.queue[:HALF], np.zeros(-surplus, np.int16), self.queue[HALF:]))
        elif surplus:
            self.queue = self.queue[min(surplus, len(self)) :]

    def ready(self) -> bool:
        return len(self) > FRAME

    def take(self) -> np.ndarray:
        """The next 160 samples, once ready."""
        step = (self.debt >= 1) - (self.debt <= -1)
        if step:
            self.stretched += 1
            self.debt -= step
            block = to_int16(interpolation(FRAME + step, FRAME)[0] @ self.queue[: FRAME + step + 2 * HALF])
        else:
            block = self.queue[HALF : HALF + FRAME]
        self.queue = self.queue[FRAME + step :]
        return block

    def late(self) -> None:
        """There was less than a block when one was due: keep a little more from now on."""
        self.target = min(self.target + FRAME // 8, self.most)

    def rest(self) -> np.ndarray:
        """All that is left."""
        rest, self.queue = self.queue[HALF:], np.zeros(2 * HALF, np.int16)
        return rest


class FromGraph:
    """What the graph plays, in blocks at the card's own pace."""

    def __init__(self, ring: LineRing, beat: Beat):
        self.ring, self.beat = ring, beat
        # Asked just before the graph's next frame, a block and the margin must be there.
        self.elastic = Elastic(FRAME + FRAME + MARGIN)
        self.begun = False

    def block(self) -> np.ndarray:
        """160 samples for the card; silence while the graph has none."""
        elastic = self.elastic
        if not (self.begun or self.beat.found):
            return np.zeros(FRAME, np.int16)
        while self.ring.waiting() > 0 or (self.begun and not elastic.ready()):
            frame = self.ring.receive()
            if frame is None:
                elastic.late()
                return np.zeros(FRAME, np.int16)
            elastic.put(np.frombuffer(frame, np.int16))
        lost = elastic.steer(len(elastic) + FRAME * self.beat.since(), first=not self.begun)
        self.ring.words[OUT_LOST] += lost
        self.begun = True
        return elastic.take()

    def rest(self) -> np.ndarray:
        """What is left when the graph has stopped."""
        while self.ring.waiting() > 0:
            self.elastic.put(np.frombuffer(self.ring.receive() or SILENCE, np.int16))
        return self.elastic.rest()


class ToGraph:
    """What the card hears, in frames at the graph's pace.

    The ring holds one frame at a time, so that the graph never has one to skip; the rest waits here.
    """

    def __init__(self, ring: LineRing, beat: Beat):
        self.ring, self.beat = ring, beat
        # One block to send, and enough that one comes in time for the graph's next frame.
        self.elastic = Elastic(FRAME + MARGIN)
        self.begun = False
        self.missed = 0

    def put(self, samples: np.ndarray) -> None:
        """One block from the card, just heard."""
        words, elastic = self.ring.words, self.elastic
        if not self.beat.found:
            return  # the graph does not run yet, and is not to hear what was said before
        elastic.put(samples)
        in_ring = max(0, words[IN_WRITTEN] - words[IN_READ])
        if self.begun and self.missed != words[IN_MISSED]:
            elastic.late()
        words[IN_LOST] += elastic.steer(len(elastic) + FRAME * (in_ring - self.beat.since()), first=not self.begun)
        self.begun, self.missed = True, words[IN_MISSED]

    def send(self) -> float:
        """Send a frame if it is time; 0, or the seconds after which to try again."""
        words = self.ring.words
        while self.elastic.ready():
            if words[IN_WRITTEN] > words[IN_READ]:
                return self.beat.until()
            self.ring.send(self.elastic.take().tobytes())
        return 0.0
