"""All that touches the world: one module a far end. None of them knows a node.

A *device* (virtual.py, sound_card.py, pjsip/) makes *legs*. A leg is the far end of one call: a line ring for the
sound, two callbacks for what the far end does, and hangup for what we do.
"""

from collections.abc import Callable
from typing import Any, Protocol

from ..rings import LineRing

NUMBER = "5556667777"  # who calls, on a simulated phone
PORT = 5060  # SIP over UDP
LIMIT = 10  # calls at once, unless told otherwise


def uri_of(number: str) -> str:
    """A caller's number as a SIP phone shows it."""
    return f'"{number}" <sip:{number}@localhost>'


class DeviceError(RuntimeError):
    """A far end that cannot be had: one line, with the remedy."""


class Leg:
    """The far end of one call.

    The device calls on_digit and on_end on the event loop; the call that owns the leg sets them.
    """

    def __init__(self, uri: str, ring: LineRing):
        self.source = ""  # the address that the call came from, if there is one: harder to forge than the name
        self.uri = uri  # '"5556667777" <sip:5556667777@localhost>'
        self.ring = ring
        self.events = False  # telephone events have been agreed on: its keys come so, and send_key sends ours
        self.tones = True  # its keys may come as tones in the sound; False once that is known not to be so
        self.on_digit: Callable[[str, str], Any] = lambda digit, how: None  # how: "event", "info", "keyboard" ...
        self.on_end: Callable[[str], Any] = lambda reason: None  # the far end is gone, at most once

    def send_key(self, key: str, seconds: float) -> None:
        """Send a key, held for so long, as a telephone event. Only where events have been agreed on."""
        raise NotImplementedError

    def hangup(self) -> None:
        """End the call from our side. Frames already in the ring are sent first; on_end is not called."""
        raise NotImplementedError


class Device(Protocol):
    """Where calls come from.

    One with a true attribute `unattended` has nobody beside it: a program that stays blocked ends by itself.
    """

    name: str
    limit: int  # calls at once, the true figure

    async def open(self, engine: Any, incoming: Callable[[Leg], bool]) -> None:
        """Start. incoming(leg) takes a call and says True, or says False: busy (SIP: 486)."""

    async def closed(self) -> None:
        """Wait until no more calls can come: a simulated far end has had its call. A server waits for ever."""

    async def close(self) -> None:
        """Stop; end what is left."""
