"""Where calls meet handlers: runVoipClient, the choice of a far end, limits, one_at_a_time."""

import asyncio
import functools
import inspect
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from . import shadow
from .call import STUBBORN, Call, prepare
from .clock import VirtualLoop
from .engine import Engine
from .heartbeat import Heartbeat
from .io import LIMIT, NUMBER, PORT, Device, DeviceError, Leg, uri_of
from .preflight import missing_for
from .watchdog import Stopping

log = logging.getLogger("graphvoip")

Handler = Callable[[Call], Awaitable[Any]]

DEVICES = ("virtual", "pyaudio", "pjsip")
WINDOWS = (
    "device {!r} is not supported on Windows yet: expected Linux or macOS. Use WSL 2, or GRAPHVOIP_DEVICE=virtual."
)

# While the command line imports a file: the handlers that runVoipClient is given in it, for it is not to run them then.
importing: list[Handler] | None = None


class Exchange:
    """Takes calls and runs a handler for each. One caller's trouble is never another's."""

    def __init__(self, handler: Handler, engine: Engine, limit: int = LIMIT):
        if not callable(handler):
            raise TypeError(f"the handler is {handler!r}; it is a function: async def handler(call)")
        self.handler, self.engine, self.limit = as_written(handler), engine, limit
        shadow.warn(shadow.imported(), log.warning)
        self.calls: dict[asyncio.Task, Call] = {}
        self.closing = False
        self.error: BaseException | None = None  # what the last handler that failed has raised

    def incoming(self, leg: Leg) -> bool:
        """Take the call of this leg, or say False: all lines are busy."""
        if self.closing:
            return False
        if len(self.calls) >= self.limit:
            log.warning("busy: %d calls at once, and %s calls", self.limit, leg.uri)
            return False
        call = Call(leg, self.engine)
        log.info("%s: from %s%s", call.id, leg.uri, f" at {leg.source}" if leg.source else "")
        task = self.engine.loop.create_task(call._run(self.handler), name=call.id)
        call._task = task
        self.calls[task] = call
        task.add_done_callback(self._over)
        return True

    def _over(self, task: asyncio.Task) -> None:
        call = self.calls.pop(task)
        if not task.cancelled():
            task.exception()
        self.error = call.error or self.error
        log.info("%s: ended after %.1f s, %s", call.id, call.time, call._ended.result() if call._ended.done() else "?")

    async def close(self) -> None:
        """End all calls, and take no more; the handlers' `finally` has run when this returns, or has had 10 s."""
        self.closing = True
        for call in list(self.calls.values()):
            call._end("the server stops", ours=True)
        if self.calls:
            await asyncio.wait(list(self.calls), timeout=STUBBORN)
        for task, call in self.calls.items():
            log.warning("%s: its handler is given up", call.id)
            task.cancel()


async def serve(handler: Handler, device: Device, limit: int = LIMIT) -> BaseException | None:
    """Answer the calls of a device, until it has no more or until this is cancelled.

    Gives what the last handler that failed has raised, or None.
    """
    prepare()
    engine = Engine()
    exchange = Exchange(handler, engine, limit)
    engine.start()
    try:
        await device.open(engine, exchange.incoming)
        await device.closed()
        if exchange.calls:
            await asyncio.wait(list(exchange.calls))
        return exchange.error
    finally:
        await exchange.close()
        await device.close()
        engine.stop()


def run(handler: Handler, device: Device, limit: int = LIMIT) -> BaseException | None:
    """serve, on the clock that the device wants. Ctrl-C and SIGTERM end it in good order, and a second one at once.

    Gives what the last handler that failed has raised, if the far end came to its end by itself.
    """
    for line in missing_for(handler):
        log.warning("%s", line)

    virtual = device.name == "virtual"

    async def main() -> BaseException | None:
        stopping.attach()
        if virtual:
            return await serve(handler, device, limit)
        prepare()  # which takes its time, before anybody calls
        end = stopping.give_up if getattr(device, "unattended", False) else None
        with Heartbeat(end).watching():
            return await serve(handler, device, limit)

    with Stopping() as stopping:
        try:
            with asyncio.Runner(loop_factory=VirtualLoop if virtual else None) as runner:
                return runner.run(main())
        except (KeyboardInterrupt, asyncio.CancelledError):
            log.info("stopped")
    return None


def as_written(handler: Handler) -> Handler:
    """The handler as the runVoipClient of its own file runs it: that of another package may bring its own calls."""
    names = getattr(inspect.unwrap(handler), "__globals__", {})
    run = names.get("runVoipClient") or getattr(names.get("voip"), "runVoipClient", None)
    adapt = getattr(run, "adapt", None)
    return adapt(handler) if adapt else handler


def runVoipClient(handler: Handler, port: int | None = None, device: str | None = None) -> None:
    """Answer calls with `async def handler(call)`.

    On a simulated phone (the sound card, or else a scripted caller on a virtual clock) there is one call, and this
    returns when it is over. With QUECEY_VOIP_REAL set it is a SIP server on UDP `port` (5060) and runs until it is
    stopped. `device`, or else GRAPHVOIP_DEVICE, names the far end: virtual, pyaudio, pjsip, or simulated, the better of
    the first two. The first argument of your script is the caller's number. A handler that returns, or raises, ends its
    call; one that raises on a simulated phone ends the program with status 1.
    """
    if importing is not None:
        importing.append(handler)
        return
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        failed = run(handler, choose_device(port, device))
    except DeviceError as error:
        sys.exit(f"graphvoip: {error}")
    if failed:
        sys.exit(1)  # its traceback is in the log


def choose_device(port: int | None = None, name: str | None = None, number: str | None = None) -> Device:
    """The far end that the environment asks for, or the best there is."""
    if port is not None and (not isinstance(port, int) or not 0 < port < 65536):
        raise DeviceError(f"port is {port!r}; it is a number from 1 to 65535")
    name = (
        name
        or os.environ.get("GRAPHVOIP_DEVICE")
        or ("pjsip" if os.environ.get("QUECEY_VOIP_REAL", "0") != "0" else None)
    )
    number = number or (sys.argv[1] if len(sys.argv) > 1 else NUMBER)
    if sys.platform == "win32" and name in ("pyaudio", "pjsip"):
        raise DeviceError(WINDOWS.format(name))
    if name in (None, "simulated"):
        name = _simulated()
    if name == "pjsip":
        from .io.pjsip.trunk import Trunk

        return Trunk(PORT if port is None else port)
    if name == "pyaudio":
        from .io.sound_card import SoundCard

        return SoundCard(uri_of(number))
    if name == "virtual":
        from .io.virtual import Phone

        return Phone(number, script=os.environ.get("GRAPHVOIP_SCRIPT"))
    raise DeviceError(f"GRAPHVOIP_DEVICE is {name!r}; it is one of {', '.join(DEVICES)}")


def _simulated() -> str:
    """The sound card if there is one, else the scripted caller, which is said."""
    lacking = _no_sound_card()
    if not lacking:
        return "pyaudio"
    log.info("%s: a scripted caller listens, for up to 60 s", lacking)
    if "GRAPHVOIP_SCRIPT" not in os.environ:
        log.info("what it does instead is yours to say: GRAPHVOIP_SCRIPT='wait 1; keys 1234' (docs/testing.md)")
    return "virtual"


def _no_sound_card() -> str:
    """Why there is no sound card to call from; nothing, if there is one."""
    if sys.platform != "win32":
        from .io import sound_card

        try:
            if any(card.inputs or card.outputs for card in sound_card.devices()):
                return ""
        except sound_card.NotInstalled:
            pass
        except DeviceError as error:
            return str(error)
    return "no sound card here"


def one_at_a_time(handler: Handler) -> Handler:
    """Decorates a handler for one caller at a time; another one hears that the line is busy."""
    lock = asyncio.Lock()

    @functools.wraps(handler)
    async def alone(call: Call) -> Any:
        if lock.locked():
            from .io.wav import load

            return await call.playPCM(load(Path(__file__).with_name("assets") / "busy.wav"))
        async with lock:
            return await handler(call)

    return alone
