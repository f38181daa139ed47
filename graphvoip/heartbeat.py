"""Watch an event loop from beside it: name the code that blocks it, and end a server that stays blocked.

Two threads look. One is Python: it can see which line blocks, and interrupt it. The other is machine code: it never
needs the GIL, so it also ends a process whose GIL is held in C for good (a regular expression that never matches, say).

Both count their own turns rather than trust a clock. So time in which the machine or the process slept is no block.
"""

import asyncio
import contextlib
import faulthandler
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

import numpy as np
from numba import types

from .clock import now, sleep_until
from .kernel import native
from .watchdog import COMPILING, frames_above_loop, place_of, processor_time

log = logging.getLogger("graphvoip")

BEAT_S = 0.05  # between two beats of the loop, and between two looks at them
BLOCKED_S = 0.25  # without a beat, after which the log names the code that runs
END_S = 10.0  # without a beat, after which a server ends
STATUS = 70  # of a server that has ended itself so: EX_SOFTWARE of sysexits.h

DEBUGGERS = ("pdb", "bdb", "pydevd", "_pydevd", "debugpy", "code", "IPython")  # modules in which a person may think

STOP, ALIVE, SHOW, GUARD_WORDS = range(4)
_GUARD_TURNS = round(END_S / BEAT_S)
_GUARD_TICK = round(BEAT_S * 1e9)
_SHOW = int(signal.SIGXCPU)  # faulthandler writes all stacks when it comes

_exit = types.ExternalFunction("_exit", types.void(types.int32))
_raise = types.ExternalFunction("raise", types.int32(types.int32))


@native("void(int64[::1], int64[::1])")
def guard(words, spec):
    """End the process when words[ALIVE] stands still for END_S, that is when no Python runs at all."""
    seen, turns = words[ALIVE], 0
    while words[STOP] == 0:
        sleep_until(now(spec) + _GUARD_TICK, spec)
        turns = turns + 1 if words[ALIVE] == seen else 0
        seen = words[ALIVE]
        if turns >= _GUARD_TURNS:
            if words[SHOW] != 0:
                _raise(words[SHOW])
            _exit(STATUS)


class Heartbeat:
    """Watches the event loop that watching() is entered on.

    end: ends the program with the status that it is given. Without it blocks are only logged.
    """

    def __init__(self, end: Callable[[int], None] | None = None):
        self.end = end
        self.beats = 0
        self.words = np.zeros(GUARD_WORDS, np.int64)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the running loop, whose thread is the calling one."""
        self.loop, self.thread, self.over = asyncio.get_running_loop(), threading.get_ident(), threading.Event()
        self._beat()
        threads = [threading.Thread(target=self._watch, name="graphvoip heartbeat", daemon=True)]
        if self.end:
            with contextlib.suppress(OSError, ValueError, AttributeError):  # no stderr that has a descriptor
                faulthandler.register(_SHOW, file=sys.stderr, all_threads=True)
                self.words[SHOW] = _SHOW
            scratch = np.zeros(2, np.int64)
            threads.append(threading.Thread(target=guard, args=(self.words, scratch), daemon=True))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            self.words[STOP] = 1
            self.timer.cancel()
            for thread in threads:
                thread.join()
            if self.words[SHOW]:
                faulthandler.unregister(_SHOW)

    def _beat(self) -> None:
        self.beats += 1
        self.timer = self.loop.call_later(BEAT_S, self._beat)

    def _watch(self) -> None:
        seen, block = self.beats, Block()
        looked, worked = time.monotonic(), processor_time(self.thread)
        while not self.over.wait(BEAT_S):
            self.words[ALIVE] += 1
            before, looked = looked, time.monotonic()
            spent, worked = worked, processor_time(self.thread)
            # The GIL held in C keeps us from looking: then its processor time counts.
            passed = max(min(looked - before, 2 * BEAT_S), worked - spent)
            if self.beats != seen:
                block.over()
                seen, block = self.beats, Block()
            elif frames := callback_of(self.thread):
                block.lasts(passed, frames, self.loop)
                if self.end and block.counted >= END_S:
                    log.error(
                        "%s has blocked the event loop for %g s, the server ends with status %d: %s",
                        *(block.who, END_S, STATUS, block.place),
                    )
                    self.end(STATUS)
                    return


class Block:
    """A time in which the event loop does not turn."""

    def __init__(self):
        self.seconds = 0.0
        self.counted = 0.0  # of them, those that are nobody's right
        self.who = self.place = ""

    def lasts(self, seconds: float, frames: list[FrameType], loop: asyncio.AbstractEventLoop) -> None:
        """Count some more seconds, in which these frames were running."""
        self.seconds += seconds
        if not any(runs_in(frame, *COMPILING, *DEBUGGERS) for frame in frames):
            self.counted += seconds
        if self.seconds >= BLOCKED_S and not self.who:
            self.who, self.place = who_runs(loop), where(frames)
            hint = "do long work by await asyncio.to_thread()"
            log.warning("%s blocks the event loop, and so all calls (%s): %s", self.who, hint, self.place)

    def over(self) -> None:
        if self.who:
            log.warning("%s blocked the event loop for %.1f s: %s", self.who, self.seconds, self.place)


def callback_of(thread: int) -> list[FrameType]:
    """What the loop of a thread runs, innermost first; nothing while it waits or chooses what to run next."""
    frames = frames_above_loop(sys._current_frames().get(thread))
    names = [(frame.f_globals.get("__name__"), frame.f_code.co_name) for frame in frames]
    runner = ("asyncio.events", "_run")
    return frames[: names.index(runner)] if runner in names else []


def who_runs(loop: asyncio.AbstractEventLoop) -> str:
    """The id of the call whose task runs, or the task's name."""
    task = asyncio.current_task(loop)
    return task.get_name() if task else "a callback"


def where(frames: list[FrameType]) -> str:
    """Name the line that blocks, and the kernel that it waits for, if it is that."""
    place = place_of(frames)
    if not place:
        code = frames[0].f_code
        place = f"{code.co_filename}, line {frames[0].f_lineno}, in {code.co_name}"
    compiler = [frame for frame in frames if runs_in(frame, "graphvoip.kernel") and "cls" in frame.f_locals]
    return place + (f" (compiling {compiler[0].f_locals['cls'].__name__}, once on this machine)" if compiler else "")


def runs_in(frame: FrameType, *modules: str) -> bool:
    """Whether a frame is of one of these modules or packages, which may end in a dot."""
    name = frame.f_globals.get("__name__", "")
    return any(name == module or name.startswith(module.rstrip(".") + ".") for module in modules)
