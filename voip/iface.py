"""What a handler is given: one object before the keys and the sound of a call."""

from collections.abc import Callable
from typing import Any


def delegate_method(delegate_to: str, method_name: str) -> Callable:
    """A method that calls the method of this name of the attribute `delegate_to`."""

    def method(self: Any, *args: Any, **given: Any) -> Any:
        return getattr(getattr(self, delegate_to), method_name)(*args, **given)

    method.__name__ = method_name
    return method


class CallInterface:
    """A call, its keys (a DTMF) and its sound (an AudioEngine) as one."""

    def __init__(self, call: Any, dtmf: Any, engine: Any):
        self.call, self.dtmf, self.engine = call, dtmf, engine

    getDTMF = delegate_method("dtmf", "getDTMF")
    playPCM = delegate_method("engine", "playPCM")
    playTone = delegate_method("engine", "playTone")
    playCustom = delegate_method("engine", "playCustom")
    recordPCM = delegate_method("engine", "recordPCM")
    recordCustom = delegate_method("engine", "recordCustom")

    def getRemoteUri(self) -> str:
        """Who calls: '"5556667777" <sip:5556667777@localhost>'."""
        return self.call.remoteUri
