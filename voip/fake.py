"""A simulated call, whatever QUECEY_VOIP_REAL says."""

import os
from collections.abc import Callable

import graphvoip

from ._client import adapted, client
from ._gone import gone

__all__ = ["runVoipClient"]

FakeCall = gone(__name__, "FakeCall", "give runVoipClient a handler, or ring it in a test with graphvoip.testing.phone")


@client
def runVoipClient(taskFunction: Callable, port: int | None = None) -> None:
    """Run taskFunction on the sound card if there is one, else with a scripted caller (GRAPHVOIP_SCRIPT)."""
    asked = os.environ.get("GRAPHVOIP_DEVICE", "pjsip")
    graphvoip.runVoipClient(adapted(taskFunction), None, "simulated" if asked == "pjsip" else asked)
