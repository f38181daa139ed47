"""The sound of a call, and what stops a recording."""

import asyncio
import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ._keywords import also

if TYPE_CHECKING:
    from graphvoip import RecordController

__all__ = ["AudioEngine", "RecordController"]


def __getattr__(name: str) -> Any:
    if name != "RecordController":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from graphvoip import RecordController

    return RecordController


class AudioEngine:
    """Sounds and recordings, sample by sample in Python, for a program that brings its own frames.

    The calls that runVoipClient answers have one with the same methods, which edits their graph.
    """

    def __init__(self, clockRate: float):
        self.clockRate = clockRate
        self.nextDeadline: int | None = None  # when the next frame is due, on the clock of time.time_ns
        self._playing: list[tuple[asyncio.Future, Iterator[float]]] = []
        self._recording: list[tuple[asyncio.Future, Callable[[float], Any]]] = []

    @also(samples="pcm")
    def playPCM(self, pcm: Sequence[float], loop: bool = False) -> asyncio.Future:
        """Play samples, once or in a loop."""
        return self._begin(self._playing, _looped(pcm) if loop else iter(pcm))

    @also(f="func")
    def playCustom(self, func: Callable[[float, float], float | None]) -> asyncio.Future:
        """Play what func(t, delta) gives, sample by sample, until it gives None."""
        times = (n / self.clockRate for n in itertools.count())
        made = (func(t, 1 / self.clockRate) for t in times)
        return self._begin(self._playing, itertools.takewhile(lambda sample: sample is not None, made))

    @also(frequency="pitch", seconds="duration")
    def playTone(self, pitch: float, duration: float) -> asyncio.Future:
        """Play a sine of so many seconds."""
        return self.playCustom(lambda t, delta: None if t > duration else math.sin(2 * math.pi * pitch * t))

    def recordPCM(self, controller: Any = None, maxlen: float | None = None) -> "asyncio.Future[list[float]]":
        """Record until controller.stopped is true, or so many samples."""
        if controller is None and maxlen is None:
            raise ValueError("recordPCM: nothing would end it; give a RecordController, or maxlen in samples")
        kept: list[float] = []

        def take(sample: float) -> list[float] | None:
            kept.append(sample)
            full = maxlen and len(kept) >= maxlen
            return kept if full or (controller and controller.stopped) else None

        return self._begin(self._recording, take)

    @also(f="func")
    def recordCustom(self, func: Callable[[float], Any]) -> asyncio.Future:
        """Call func(sample) for every sample until it gives something that equals False."""
        return self._begin(self._recording, lambda sample: True if func(sample) == False else None)  # noqa: E712

    def onFrameRequested(self, num_samples: int) -> list[float] | None:
        """Give the next samples to be heard; None if they are asked for before they are due."""
        now = time.time_ns()
        if self.nextDeadline is not None and now < self.nextDeadline:
            return None
        frame = int(1e9 * num_samples / self.clockRate)
        self.nextDeadline = (now if self.nextDeadline is None else self.nextDeadline) + frame
        samples = [self._mixed() for _ in range(num_samples)]
        self._playing = [one for one in self._playing if not one[0].done()]
        return samples

    def onFrameReceived(self, samples: Sequence[float]) -> None:
        """Take samples that were heard."""
        for sample in samples:
            for future, take in self._recording:
                result = None if future.done() else take(sample)
                if result is not None:
                    future.set_result(result)
        self._recording = [one for one in self._recording if not one[0].done()]

    def _begin(self, jobs: list, job: Any) -> asyncio.Future:
        future = asyncio.Future()
        jobs.append((future, job))
        return future

    def _mixed(self) -> float:
        total = 0.0
        for future, samples in self._playing:
            sample = None if future.done() else next(samples, None)
            if sample is not None:
                total += sample
            elif not future.done():
                future.set_result(True)
        return min(max(-1.0, total), 1.0)


def _looped(pcm: Sequence[float]) -> Iterator[float]:
    while len(pcm):
        yield from pcm
