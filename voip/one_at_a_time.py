"""One caller at a time."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ._keywords import also

BUSY = Path("assets/experiment_busy.wav")  # what other callers hear, if the script has it


@also(handler="func")
def one_at_a_time(func: Callable) -> Callable:
    """Decorate a handler for one caller at a time; another one hears that the line is busy."""
    import asyncio

    lock = asyncio.Lock()

    @functools.wraps(func)
    async def wrapped(call: Any) -> Any:
        if lock.locked():
            await call.playPCM(_busy())
            return None
        async with lock:
            return await func(call)

    return wrapped


def _busy() -> list[float]:
    import graphvoip

    from .pcm import loadWAVtoPCM

    return loadWAVtoPCM(BUSY if BUSY.is_file() else Path(graphvoip.__file__).with_name("assets") / "busy.wav")
