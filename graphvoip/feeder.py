"""Python functions at the end of rings: what playCustom and recordCustom run, never on the audio thread.

Live, a thread of the call's own is woken after every tick. On the virtual clock the same steps run in lockstep with the
frames, so what a function hears is heard again the same number of frames later in both.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from .engine import Engine
from .nodes.custom import Custom
from .nodes.sink import Sink
from .rings import FRAME, RATE, Wake
from .watchdog import Blocked

DELTA = 1 / RATE


class Source:
    """f(t, delta) -> sample | None, at the beginning of a Custom node."""

    def __init__(self, node: Custom, function: Callable[[float, float], Any]):
        self.node, self.function, self.made = node, function, 0

    def step(self) -> bool:
        """Make what the node wants; False when the function has ended."""
        while self.node.wants():
            block: list[float] = []
            for n in range(self.made, self.made + FRAME):
                value = self.function(n / RATE, DELTA)
                if value is None:
                    self.node.put(self._checked(block), last=True)
                    return False
                block.append(value)
            self.node.put(self._checked(block))
            self.made += FRAME
        return True

    def trouble(self) -> str:
        """What went wrong without an exception, or nothing."""
        missed = int(self.node.state["missed"]) / RATE
        return f"playCustom: the function was too slow, {missed:.2f} s were silent" if missed else ""

    def _checked(self, block: list[float]) -> np.ndarray:
        try:
            return np.array(block, np.float32).reshape(len(block))
        except (TypeError, ValueError):
            n = next(n for n, value in enumerate(block) if not isinstance(value, (int, float, np.number)))
            raise TypeError(
                f"playCustom: the function gave {block[n]!r} at {(self.made + n) / RATE:g} s; "
                "it gives a float, or None to end"
            ) from None


class Listener:
    """f(sample) -> anything, False to end; at the end of a Sink node."""

    def __init__(self, node: Sink, function: Callable[[float], Any], on_end: Callable[[], Any]):
        self.node, self.function, self.on_end = node, function, on_end

    def step(self) -> bool:
        for sample in self.node.take().tolist():
            answer = self.function(sample)
            if answer is False or (isinstance(answer, np.bool_) and not answer):
                self.on_end()
                return False
        return True

    def trouble(self) -> str:
        lost = int(self.node.state["lost"]) / RATE
        return f"recordCustom: the function was too slow, {lost:.2f} s were not heard" if lost else ""


def raisable(error: BaseException) -> Exception:
    """An exception of a user's function as a future can hold it: some have a meaning of their own to who awaits."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    if isinstance(error, Blocked):
        return RuntimeError(str(error)).with_traceback(error.__traceback__)
    raised = RuntimeError(f"a function of the call raised {error!r}")
    raised.__cause__ = error
    return raised


class Feeder:
    """Runs a call's functions: those that listen first, so that an echo is as short as it can be.

    on_error(job, exception) and a Listener's on_end are called on the event loop.
    """

    def __init__(self, engine: Engine, on_error: Callable[[Any, Exception], Any]):
        self.engine, self.on_error = engine, on_error
        self.jobs: list[Any] = []
        self.lock = threading.Lock()  # for changes of the list; a running step has its own copy
        self.running = False  # a function runs now
        self.wake: Wake | None = None
        if engine.virtual:
            engine.after.append(self.step)

    def add(self, job: Any) -> None:
        with self.lock:
            self.jobs = sorted([*self.jobs, job], key=lambda one: isinstance(one, Source))
        if self.engine.virtual:
            self._run(job)
        elif self.wake is None:
            self.wake = Wake()
            self.engine.add_wake(self.wake, after=1)
            threading.Thread(target=self._serve, args=(self.wake,), name="graphvoip feeder", daemon=True).start()
        else:
            self.wake.give()

    def remove(self, job: Any) -> None:
        with self.lock:
            self.jobs = [one for one in self.jobs if one is not job]

    def stop(self) -> None:
        """No function is called any more, except one that is running now and ends by itself."""
        with self.lock:
            self.jobs = []
        if self.engine.virtual:
            self.engine.after.remove(self.step)
        elif self.wake:
            wake, self.wake = self.wake, None
            self.engine.remove_wake(wake)
            wake.give()

    def step(self) -> None:
        for job in self.jobs:
            if job in self.jobs:  # one before it may have ended the call
                self._run(job)

    def _serve(self, wake: Wake) -> None:
        while self.wake is wake:
            self.step()
            wake.wait()

    def _run(self, job: Any) -> None:
        self.running = True
        try:
            if not job.step():
                self.remove(job)
        except (Exception, SystemExit, asyncio.CancelledError, Blocked) as error:
            self.remove(job)
            if not self.engine.loop.is_closed():
                self.engine.loop.call_soon_threadsafe(self.on_error, job, raisable(error))
        finally:
            self.running = False
