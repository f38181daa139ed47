"""Ring a handler in a test: on the virtual clock, with a caller in your hand.

    async def test_the_password_opens(phone):
        async with phone(handler) as p:
            await p.press("1234")
            assert await p.hears_tone(440)

`phone` is a pytest fixture that comes with the package; a test that uses it runs on the virtual clock by itself.
Elsewhere: `run_virtual(main())` with `from graphvoip.testing import phone, run_virtual`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from .call import Call
from .client import Exchange, Handler
from .clock import VirtualLoop, run_virtual
from .engine import Engine
from .io import NUMBER
from .io.virtual import Phone
from .line import Line

__all__ = ["Phone", "phone", "run_virtual"]


class TestPhone(Phone):
    """A Phone that knows the call on its other end."""

    __test__ = False  # not a test class, whatever its name says to pytest
    call: Call


@contextlib.asynccontextmanager
async def phone(
    handler: Handler, number: str = NUMBER, inband: bool = False, line: str | None = None
) -> AsyncIterator[TestPhone]:
    """Call a handler and hold the phone. Several at once share a clock, and can hear whether the line is busy.

    line: what is between the two, "pcmu, loss=3%, noise=-45 dB" (line.py).

    When the block ends the caller hangs up, and an exception of the handler is raised here: a broken handler fails its
    test.
    """
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise RuntimeError(
            "phone() needs the virtual clock: use it in an async test or fixture that has the fixture `phone`, or in "
            "run_virtual()"
        )
    engine = _engine(loop)
    exchange = Exchange(handler, engine)
    caller = TestPhone(number, inband=inband)
    caller.line = None if line is None else Line(line)
    await caller.open(engine, exchange.incoming)
    ((task, caller.call),) = exchange.calls.items()
    try:
        yield caller
    finally:
        caller.hangup()
        if not task.done():
            await asyncio.wait([task])
        _leave(engine)
    if caller.call.error:
        raise caller.call.error


def _engine(loop: VirtualLoop) -> Engine:
    """The engine that all phones on this loop share; it runs while there is one."""
    engine = _engines.get(loop)
    if engine is None:
        engine = _engines[loop] = Engine()
        engine.start()
    _users[engine] = _users.get(engine, 0) + 1
    return engine


def _leave(engine: Engine) -> None:
    _users[engine] -= 1
    if not _users[engine]:
        del _users[engine], _engines[engine.loop]
        engine.stop()


_engines: dict[asyncio.AbstractEventLoop, Engine] = {}
_users: dict[Engine, int] = {}
