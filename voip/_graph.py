"""The sound of a call: the methods of AudioEngine as edits of the call's graph."""

import asyncio
import functools
import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

from graphvoip import RecordController
from graphvoip.call import Call
from graphvoip.playback import LONGEST
from graphvoip.rings import FRAME, RATE

from ._keywords import also
from .engine import AudioEngine

BLOCK = 10 * RATE  # samples that are made a list at once


class GraphEngine(AudioEngine):
    def __init__(self, call: Call):
        super().__init__(RATE)
        self._call = call

    @also(samples="pcm")
    def playPCM(self, pcm: Sequence[float], loop: bool = False) -> asyncio.Future:
        return self._call.playPCM(pcm, bool(loop))

    @also(f="func")
    def playCustom(self, func: Callable[[float, float], float | None]) -> asyncio.Future:
        return self._call.playCustom(func)

    @also(frequency="pitch", seconds="duration")
    def playTone(self, pitch: float, duration: float) -> asyncio.Future:
        heard = abs((pitch + RATE / 2) % RATE - RATE / 2)  # as any sine that is sampled at this rate
        return self._call.playTone(heard, max(0, duration) if duration < LONGEST else LONGEST)

    def recordPCM(
        self, controller: Any = None, maxlen: float | None = None, silence: float | None = None
    ) -> "asyncio.Future[list[float]]":
        if controller is not None and controller.stopped:
            maxlen, controller = 1, None  # it is noticed at the first sample
        limit = _limit(maxlen)
        stopper = controller if isinstance(controller, RecordController) else None
        if stopper is None and (controller is not None or (maxlen is not None and limit is None)):
            stopper = RecordController()
        recording = self._call.recordPCM(stopper, limit, silence)
        if controller is not None and stopper is not None and controller is not stopper:
            self._watch(controller, stopper, recording)
        return _as_list(recording)

    def _watch(self, controller: Any, stopper: RecordController, recording: asyncio.Future) -> None:
        """Look once a frame whether somebody's own kind of controller has stopped."""
        if controller.stopped:
            stopper.stop()
        elif not recording.done():
            self._call.engine.loop.call_later(FRAME / RATE, self._watch, controller, stopper, recording)

    @also(f="func")
    def recordCustom(self, func: Callable[[float], Any]) -> asyncio.Future:
        if not callable(func) or inspect.iscoroutinefunction(func):
            return self._call.recordCustom(func)  # which says what is wrong

        @functools.wraps(func)
        def heard(sample: float) -> bool:
            return not func(sample) == False  # noqa: E712, SIM201

        return self._call.recordCustom(heard)

    def onFrameRequested(self, num_samples: int) -> list[float] | None:
        raise NotImplementedError(_NO_FRAMES)

    def onFrameReceived(self, samples: Sequence[float]) -> None:
        raise NotImplementedError(_NO_FRAMES)


_NO_FRAMES = (
    "the frames of a call do not pass through Python here: play with playCustom, listen with recordCustom, "
    "or drive an AudioEngine(8000) of your own"
)


def _limit(maxlen: float | None) -> int | None:
    """The number of samples at which a recording has at least maxlen; None for no limit, which 0 is too."""
    if not maxlen or not maxlen < LONGEST * RATE:
        return None
    return max(1, math.ceil(maxlen))


def _as_list(recording: asyncio.Future) -> "asyncio.Future[list[float]]":
    async def listed() -> list[float]:
        pcm, found = await recording, []
        for start in range(0, len(pcm), BLOCK):
            if start:
                await asyncio.sleep(0)  # an hour is a second's work: other calls come in between
            found.extend(pcm[start : start + BLOCK])
        return found

    task = asyncio.ensure_future(listed())
    task.add_done_callback(lambda done: recording.cancel())  # it was cancelled, perhaps before it had begun
    return task
