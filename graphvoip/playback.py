"""What plays on a call: futures that know how to fade, and the handle of a patch."""

import asyncio
import difflib
import numbers
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from .node import Node
from .nodes.fade import Fade
from .recipe import Patch
from .rings import FRAME, RATE

if TYPE_CHECKING:
    from .call import Call

FADE = FRAME / RATE  # seconds in which something that is cut off fades away: one frame
LONGEST = 1e6  # seconds that anything may last


class Pending(asyncio.Future):
    """A future of a call. It knows whether somebody waits for it: if nobody does, a failure ends the handler."""

    awaited = False

    def add_done_callback(self, fn: Callable, *, context: Any = None) -> None:
        self.awaited = True
        super().add_done_callback(fn, context=context)

    def then(self, run: Callable[[], Any]) -> None:
        """What the call itself does when it is done."""
        super().add_done_callback(lambda future: run())


def take_futures(loop: asyncio.AbstractEventLoop) -> None:
    """Let create_task and TaskGroup take the futures of calls, as await does.

    asyncio makes tasks of coroutines only, and what the methods of a call return has begun, so it is a future. (To call
    it a coroutine as well would be no way: asyncio.wait refuses those.)
    """
    before = loop.get_task_factory()
    if isinstance(before, _TaskFactory):
        return
    loop.set_task_factory(
        _TaskFactory(before or (lambda loop, coro, **options: asyncio.Task(coro, loop=loop, **options)))
    )


class _TaskFactory:
    def __init__(self, make: Callable):
        self.make = make

    def __call__(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> Any:
        if not asyncio.isfuture(coro):
            return self.make(loop, coro, **options)
        if isinstance(coro, Pending):
            coro.awaited = True
        task = self.make(loop, _await(coro), **options)
        task.add_done_callback(lambda task: task.cancelled() and coro.cancel())  # it may never have begun to wait
        return task


async def _await(future: asyncio.Future) -> Any:
    return await future


class Playback(Pending):
    """Something that plays. Await it until its last sample has left; cancel() it to cut it off with a fade of 20 ms."""

    _own: ClassVar[set[str]] = {"node", "awaited"}

    def __init__(self, call: "Call", node: Node, fade: Fade | None = None):
        super().__init__(loop=call.engine.loop)
        self.node = node
        self._call, self._fade = call, fade

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in self._own:
            raise AttributeError(
                f"{type(self).__name__} has no '{name}'; change the node that plays: node.{name} = ..."
            )
        super().__setattr__(name, value)

    def stop(self, fade: float = FADE) -> None:
        """End it with a fade of so many seconds; then the future resolves as if it had ended by itself."""
        check_number("stop", "fade", fade, LONGEST)
        if not self._call._here():
            self._call._on_loop(lambda: self.stop(fade))
        elif not self.done():
            self._call._fade_out(self, fade)

    def cancel(self, msg: Any = None) -> bool:
        if not self._call._here():
            self._call._on_loop(self.cancel)
            return True
        cancelled = super().cancel(msg)
        if cancelled:
            self._call._fade_out(self, FADE)
        return cancelled

    def _finish(self) -> None:
        if not self.done():
            self.set_result(True)


class Synth(Playback):
    """A patch that plays. Its parameters are attributes: `synth.index = 6` goes there within 20 ms.

    Await it until its event `done`; stop() or cancel() it before.
    """

    _own: ClassVar[set[str]] = {*Playback._own, "patch"}
    patch: Patch
    _ends: set[Any]  # the ends of its nodes that have been, for a reload may make one of them its own

    def __init__(self, call: "Call", patch: Patch, fade: Fade | None = None):
        super().__init__(call, patch.port().node, fade)
        self.patch = patch
        self._ends = set()

    def set(self, name: str, value: float, over: float = FADE) -> None:
        """Set a parameter ("index"), or a number of any node in it ("ding.freq"), within so many seconds.

        Raises ValueError for a name that there is not, and for a value out of its range.
        """
        if not self._call._here():
            self.patch.check(name, value, over)  # here, where somebody hears of it
            self._call._on_loop(lambda: self.patch.set(name, value, over))
        else:
            self.patch.set(name, value, over)

    def reload(self, patch: Patch) -> None:
        """Let another patch take its place without a gap: nodes of the same name and type go on as they are."""
        if not isinstance(patch, Patch):
            raise TypeError(f"reload: {patch!r} is not a patch")
        if self.done():
            raise ValueError(f"reload: {self.patch.name} has ended; play the new one")
        self._call._reload(self, patch)

    def __getattr__(self, name: str) -> float:
        patch = None if name.startswith("_") or name == "patch" else self.patch
        if patch is None or name not in patch.params:
            raise AttributeError(f"{type(self).__name__} has no attribute '{name}'{_near(name, patch)}")
        return patch.params[name].target

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or name in self._own:
            super().__setattr__(name, value)
        elif name in self.patch.params:
            self.set(name, value)
        else:
            raise AttributeError(f"{self.patch.name} has no parameter '{name}'{_near(name, self.patch)}")


def _near(name: str, patch: Patch | None) -> str:
    near = difflib.get_close_matches(name, patch.params if patch else (), 1)
    return f"; did you mean '{near[0]}'?" if near else f"; it has {', '.join(patch.params) or 'none'}" if patch else ""


def check_number(what: str, name: str, value: Any, top: float) -> None:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= float(value) <= top:
        raise ValueError(f"{what}: {name} is {value!r}; it is a number from 0 to {top:g}")
