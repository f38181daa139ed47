"""Stop Python code that holds an event loop up: by itself after too much processor time, and on Ctrl-C and SIGTERM."""

import asyncio
import contextlib
import ctypes
import linecache
import logging
import os
import queue
import signal
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

log = logging.getLogger("graphvoip")

MAX_BUSY_S = 10.0  # processor time that code may take without a sign of progress
POLL_S = 0.25  # between two looks at the processor time
REPEAT_S = 1.0  # of processor time after which code that has swallowed Blocked gets another one

STOP_TIMEOUT_S = 2.0  # in which the event loop must turn after the first signal, or its code is interrupted
EXIT_TIMEOUT_S = 5.0  # in which an interrupted program must have left its event loop, or the process is ended

_OWN = os.path.dirname(__file__) + os.sep
_LIBRARY = sysconfig.get_path("stdlib") + os.sep
COMPILING = ("numba.", "llvmlite.", "importlib._bootstrap")  # modules whose work may take as long as it takes


class Blocked(BaseException):
    """Raised in code that holds an event loop up. Not an Exception: a handler's `except Exception` lets it pass."""

    text = ""

    def __str__(self) -> str:
        return self.text


class Watchdog:
    """Raise Blocked in a thread that takes MAX_BUSY_S of processor time while progress() stays the same.

    Time in which the thread sleeps or waits (for a debugger, a download) does not count, nor does compiling.
    """

    def __init__(self, progress: Callable[[], Any]):
        self.progress = progress
        self._lock = threading.Lock()  # held while it decides; whoever stops it can rely on that

    @contextlib.contextmanager
    def watching(self, spared: FrameType | None = None) -> Iterator[None]:
        """Watch the calling thread. spared: a frame whose own code, and what it calls, may take any time."""
        over = threading.Event()
        thread = threading.get_ident()
        threading.Thread(
            target=self._watch, args=(thread, spared, over), name="graphvoip watchdog", daemon=True
        ).start()
        try:
            yield
        finally:
            with self._lock:
                over.set()

    def _watch(self, thread: int, spared: FrameType | None, over: threading.Event) -> None:
        spent, before, seen = 0.0, processor_time(thread), self.progress()
        while not over.wait(POLL_S):
            with self._lock:
                if over.is_set():
                    return
                now, progress = processor_time(thread), self.progress()
                frames = frames_above_loop(sys._current_frames().get(thread), spared)
                if progress != seen:
                    spent, seen = 0.0, progress
                elif not any(frame.f_globals.get("__name__", "").startswith(COMPILING) for frame in frames):
                    spent += now - before
                before = now
                place = place_of(frames)
                if spent >= MAX_BUSY_S and place:
                    _raise_in(thread, blocked(f"for {MAX_BUSY_S:g} s of processor time", place))
                    spent = MAX_BUSY_S - REPEAT_S


def blocked(how_long: str, place: str) -> type[Blocked]:
    """The error for code that lets no time pass: a class, because the interpreter makes the instance."""
    text = (
        f"the handler let no time pass {how_long}, and was stopped in {place}. Await something that takes time there "
        "(a sound, a key, asyncio.sleep), and do long work by await asyncio.to_thread()"
    )
    return type(Blocked.__name__, (Blocked,), {"text": text, "__module__": Blocked.__module__})


def here() -> str:
    """Name the line of the user's code that is running now."""
    return place_of(frames_above_loop(sys._getframe()))


def processor_time(thread: int) -> float:
    if hasattr(time, "pthread_getcpuclockid"):
        return time.clock_gettime(time.pthread_getcpuclockid(thread))
    return time.process_time()  # macOS


def _raise_in(thread: int, error: type[Blocked]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def frames_above_loop(frame: FrameType | None, spared: FrameType | None = None) -> list[FrameType]:
    """What the event loop runs now, innermost first; nothing if that is none of our business."""
    found = []
    while frame and frame.f_code.co_name != "run_forever":
        if frame is spared:
            return []
        found.append(frame)
        frame = frame.f_back
    return found if frame else []


def place_of(frames: list[FrameType]) -> str:
    """Name the innermost line of the user's own code, which is what the outermost foreign frame belongs to; or ""."""
    theirs = [frame for frame in frames if not _is_ours(frame.f_code.co_filename)]
    if not theirs:
        return ""
    folder = os.path.dirname(theirs[-1].f_code.co_filename)
    frame = next(frame for frame in theirs if os.path.dirname(frame.f_code.co_filename) == folder)
    code, line = frame.f_code, frame.f_lineno
    text = linecache.getline(code.co_filename, line, frame.f_globals).strip()
    return f"{code.co_filename}, line {line}, in {code.co_name}" + (f": {text}" if text else "")


def _is_ours(file: str) -> bool:
    library = file.startswith(_LIBRARY) and "-packages" not in file  # site-packages lie in the library's own folder
    return library or file.startswith((_OWN, "<frozen"))


class Stopping:
    """Let Ctrl-C and SIGTERM end a program in good order, and in any case.

    The first one cancels the task that `attach` was called in. The second one, or the first one where the event loop
    does not turn because its code is busy, raises KeyboardInterrupt in that code; then the program leaves with status
    130 (143). One that swallows this is ended from outside.
    """

    def __init__(self):
        self.count = 0
        self.number = 0
        self.status = 0  # that the program ends with, if that is not the signal's
        self._before: dict[int, Any] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task | None = None
        self._turned = threading.Event()  # the event loop has seen the first signal
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()  # those that came; 0: the program goes on

    def __enter__(self) -> "Stopping":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                    self._before[number] = signal.signal(number, self._caught)
        if self._before:
            threading.Thread(target=self._supervise, name="graphvoip signals", daemon=True).start()
        return self

    def attach(self) -> None:
        """Name the current task as the one that the first signal cancels."""
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()

    def __exit__(self, *exception: Any) -> None:
        self._signals.put(0)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self.count > 1:
            raise SystemExit(self.status or 128 + self.number)

    def give_up(self, status: int) -> None:
        """End the program with this status, from another thread: interrupt its code, as a second signal does."""
        if not self._before:  # the signals are somebody else's
            os._exit(status)
        if self.count:
            return  # it is being ended
        self.count, self.status = 1, status
        self._turned.set()
        self._signals.put(signal.SIGTERM)
        signal.pthread_kill(threading.main_thread().ident or 0, next(iter(self._before)))

    def _caught(self, number: int, frame: FrameType | None) -> None:
        self.count, self.number = self.count + 1, number
        self._signals.put(number)
        if self.count == 1 and self._loop:
            self._loop.call_soon_threadsafe(self._cancel)
            return
        if self.count == 2 and (place := place_of(frames_above_loop(frame))):
            log.warning("stopped in %s", place)
        raise KeyboardInterrupt

    def _cancel(self) -> None:
        self._turned.set()
        if self._task:
            self._task.cancel()

    def _supervise(self) -> None:
        """Repeat a signal that is not answered, and end the process if that does not help."""
        first = None
        while first is None:
            # Taking the interpreter's lock now and then makes it look for signals: one that comes at the wrong moment
            # is not seen by a busy loop until the lock changes hands.
            with contextlib.suppress(queue.Empty):
                first = self._signals.get(timeout=POLL_S)
        if not first:
            return
        turned = self._turned.wait(STOP_TIMEOUT_S)
        if not turned:
            signal.pthread_kill(threading.main_thread().ident or 0, first)
        with contextlib.suppress(queue.Empty):
            if not self._signals.get(timeout=None if turned else EXIT_TIMEOUT_S):
                return
            if not self._signals.get(timeout=EXIT_TIMEOUT_S):
                return
        os._exit(self.status or 128 + first)
