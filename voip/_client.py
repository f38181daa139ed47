"""runVoipClient, and how a handler gets the calls of this package."""

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any

import graphvoip
from graphvoip.call import Call
from graphvoip.feeder import raisable

from ._graph import GraphEngine
from ._keywords import also
from .dtmf import DTMF
from .iface import CallInterface


class CallKeys(DTMF):
    """The keys of a call, which end with it."""

    def __init__(self, call: Call):
        super().__init__()
        self._call = call

    def getDTMF(self, *args: Any, **given: Any) -> "asyncio.Future[str]":
        wanted = super().getDTMF(*args, **given)
        if self._call._ended.done():
            wanted.cancel()
        return wanted

    async def receive(self) -> None:
        """Tell of the call's keys until it ends, or its handler."""
        try:
            while True:
                key = await self._call.getDTMF()
                try:
                    self.onDtmfDigit(str(key))
                except Exception as error:  # of on_first: raised where the keys are awaited
                    assert self.future
                    self.future.set_exception(raisable(error))
        finally:
            if self.future:
                self.future.cancel()


class VoipCall(CallInterface):
    """A call of graphvoip with the original's methods before its own. What is set on it is set on that call."""

    call: Call
    dtmf: CallKeys
    _own = ("call", "dtmf", "engine")

    def __init__(self, call: Call):
        super().__init__(call, CallKeys(call), GraphEngine(call))

    def getRemoteUri(self) -> str:
        return self.call.getRemoteUri()

    def __getattr__(self, name: str) -> Any:
        if name in self._own:
            raise AttributeError(name)
        return getattr(self.call, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._own:
            super().__setattr__(name, value)
        else:
            setattr(self.call, name, value)

    def __repr__(self) -> str:
        return repr(self.call)


def adapted(taskFunction: Callable) -> Callable:
    """The handler for a call of graphvoip that gives it one of this package."""
    if not callable(taskFunction) or getattr(taskFunction, "adapted", False):
        return taskFunction

    @functools.wraps(taskFunction)
    def handler(call: Call) -> Any:
        interface = VoipCall(call)
        result = taskFunction(interface)
        return _served(interface, result) if inspect.isawaitable(result) else result

    setattr(handler, "adapted", True)  # noqa: B010
    return handler


async def _served(interface: VoipCall, handler: Any) -> Any:
    """Await the handler, and pass the keys to who waits for them meanwhile."""
    keys = asyncio.ensure_future(interface.dtmf.receive())
    try:
        return await handler
    finally:
        keys.cancel()


def client(run: Callable) -> Callable:
    """Decorate a runVoipClient: `handler` is another name of its argument, and whoever runs a handler that was
    written for it, the command line and tests too, finds how to adapt it."""
    run = also(handler="taskFunction")(run)
    setattr(run, "adapt", adapted)  # noqa: B010
    return run


@client
def runVoipClient(taskFunction: Callable, port: int | None = None) -> None:
    """Answer calls with taskFunction: with QUECEY_VOIP_REAL set by SIP on UDP `port` (5060), else one simulated call.

    As graphvoip.runVoipClient, but a call has the original's methods.
    """
    graphvoip.runVoipClient(adapted(taskFunction), port)
