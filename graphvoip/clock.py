"""The two clocks: real time for the audio thread, and an event loop on virtual time.

On the virtual clock time() is the number of frames that have run, in seconds. When every task waits, one frame runs.
asyncio.sleep, wait_for and timeout need no change, and two runs are the same.
"""

import asyncio
import logging
import selectors
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from numba import types

from .kernel import native
from .rings import FRAME, RATE
from .watchdog import Watchdog, blocked, here

log = logging.getLogger("graphvoip")

FRAMES = RATE // FRAME  # frames a second
TICK = 1_000_000_000 // FRAMES  # nanoseconds a frame
BUSY = 10_000  # steps of the event loop after which time passes though a task never sleeps, but polls
JOBS = 10_000  # that are given to threads in one frame; more of them would go on for ever
LONGEST = 12 * 3600 * FRAMES  # frames of virtual time after which a program that still waits is told so

_CLOCK = getattr(time, "CLOCK_MONOTONIC", 1)
_ABSOLUTE = 1
_clock_gettime = types.ExternalFunction("clock_gettime", types.int32(types.int32, types.uintp))
_nanosleep = types.ExternalFunction("nanosleep", types.int32(types.uintp, types.uintp))
_clock_nanosleep = types.ExternalFunction(
    "clock_nanosleep", types.int32(types.int32, types.int32, types.uintp, types.uintp)
)


@native("int64(int64[::1])")
def now(spec):
    """Nanoseconds on the monotonic clock. spec: two words of scratch memory."""
    _clock_gettime(_CLOCK, spec.ctypes.data)
    return spec[0] * 1_000_000_000 + spec[1]


@native("void(int64, int64[::1])")
def sleep_relative(due, spec):
    """Sleep until a time on the monotonic clock, where clock_nanosleep does not exist (macOS)."""
    left = due - now(spec)
    while left > 0:
        spec[0], spec[1] = left // 1_000_000_000, left % 1_000_000_000
        _nanosleep(spec.ctypes.data, 0)
        left = due - now(spec)


if sys.platform == "darwin":
    sleep_until = sleep_relative
else:

    @native("void(int64, int64[::1])")
    def sleep_until(due, spec):
        """Sleep until a time on the monotonic clock. A signal may wake us early: sleep on."""
        while now(spec) < due:
            spec[0], spec[1] = due // 1_000_000_000, due % 1_000_000_000
            _clock_nanosleep(_CLOCK, _ABSOLUTE, spec.ctypes.data, 0)


class _FrameSelector(selectors.DefaultSelector):
    """Runs a frame where the event loop would sleep."""

    loop: "VirtualLoop"
    busy = 0  # steps of the loop since the last frame
    told = False

    def select(self, timeout: float | None = None):
        self.busy += 1
        if timeout is not None and timeout <= 0 and (self.busy < BUSY or self.loop.threads):
            return super().select(0)
        if self.loop.threads:
            ready = super().select(1.0)  # time stands still while a thread works; its end wakes us
            if not ready and not self.told:
                self.told = True
                log.warning("virtual time waits for a thread; if the thread waits for the call, that is for ever")
            return ready
        self.busy = 0
        self.loop.advance()
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes frame by frame, as fast as frames can be made.

    Work in threads (asyncio.to_thread) takes no virtual time. Real sockets and subprocesses are polled, not waited for.
    Code that lets no time pass is stopped by a watchdog; the coroutine that is run itself, a test say, is not.
    """

    def __init__(self):
        selector = _FrameSelector()
        selector.loop = self
        self.frames = 0
        self.threads = 0
        self.jobs = 0  # given to threads since the last frame
        self.each_frame: list[Callable[[], Any]] = []  # what runs in a frame: the engine's step
        super().__init__(selector)
        self._clock_resolution = 1e-6  # a sleep of 0.06 s is three frames, whatever 1/50 is in binary

    def time(self) -> float:
        return self.frames / FRAMES

    def run_until_complete(self, future: Any) -> Any:
        main = future.get_coro() if isinstance(future, asyncio.Task) else future
        with Watchdog(lambda: self.frames).watching(spared=getattr(main, "cr_frame", None)):
            return super().run_until_complete(future)

    def advance(self) -> None:
        self.frames += 1
        self.jobs = 0
        if self.frames > LONGEST:
            raise RuntimeError("12 hours of virtual time have passed and the program still waits for something")
        for run in self.each_frame:
            run()

    def run_in_executor(self, executor, func, *args):
        self.jobs += 1
        if self.jobs > JOBS:
            raise blocked(f"while it gave {JOBS} jobs to threads", here())
        future = super().run_in_executor(executor, func, *args)
        self.threads += 1
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, future: Any) -> None:
        self.threads -= 1


def run_virtual(main: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on the virtual clock, like asyncio.run."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
