"""Calls by SIP, whatever QUECEY_VOIP_REAL says."""

from collections.abc import Callable

import graphvoip

from ._client import adapted, client
from ._gone import gone

__all__ = ["runVoipClient"]

_WHY = "PJSIP runs in a process of its own, and its classes are there; give runVoipClient a handler"
Account = gone(__name__, "Account", _WHY)
AudioMediaPort = gone(__name__, "AudioMediaPort", _WHY)
Call = gone(__name__, "Call", _WHY)


@client
def runVoipClient(taskFunction: Callable, port: int | None = None) -> None:
    """Answer calls with taskFunction on UDP `port` (5060) until it is stopped."""
    graphvoip.runVoipClient(adapted(taskFunction), port, "pjsip")
