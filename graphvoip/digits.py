"""Keys as they come and as they are sent: which way, when, and each of them once."""

import collections
import math
from collections.abc import Callable, Iterable
from typing import Any

from .notes import KEYS
from .playback import Pending

WITHIN = 0.6  # seconds within which the same key, come another way, is the same press
PAUSE = 1.0  # seconds of a comma


class Key(str):
    """One key that was pressed. how: the way it came, "event", "info", "tones" or "keyboard"; time: when, seconds."""

    how: str
    time: float

    def __new__(cls, key: str, how: str = "", time: float = 0.0) -> "Key":
        self = super().__new__(cls, key)
        self.how, self.time = how, time
        return self


class Digits(str):
    """Keys in a row: a plain string that knows more. `how` and `times` say of each which way it came, and when."""

    how: tuple[str, ...]
    times: tuple[float, ...]

    def __new__(cls, keys: Iterable[str] = ()) -> "Digits":
        keys = list(keys)
        self = super().__new__(cls, "".join(keys))
        self.how = tuple(getattr(key, "how", "") for key in keys)
        self.times = tuple(getattr(key, "time", 0.0) for key in keys)
        return self


class Press:
    """One press of a key. ways: those it has come so far; since, until: from when to when, as far as is known."""

    def __init__(self, key: str, way: str, since: float, until: float):
        self.key, self.ways, self.since, self.until = key, {way}, since, until


class Presses:
    """One press is one key, whichever ways it comes: as an event, as INFO, as tones in the sound, in any order.

    A phone that sends two ways sends each press both ways. So a key is a press that is known already if that one has
    not come this way yet: two equal keys in a row stay two.
    """

    def __init__(self):
        self.known: collections.deque[Press] = collections.deque()
        self.sounding: Press | None = None  # whose tones are still heard

    def is_new(self, key: str, way: str, now: float, since: float | None = None) -> bool:
        """A key has come, whose tones began at `since`. Is it another press?"""
        since = now if since is None else since
        while self.known and self.known[0].until < now - 2 * WITHIN:
            self.known.popleft()
        for press in self.known:
            near = press.since - WITHIN <= now and since <= press.until + WITHIN
            if press.key == key and way not in press.ways and near:
                press.ways.add(way)
                press.since = min(press.since, since)
                break
        else:
            press = Press(key, way, since, now)
            self.known.append(press)
        if way == "tones":  # INFO may come when the key is let go
            self.released(now)
            press.until, self.sounding = math.inf, press
        return press.ways == {way}

    def released(self, now: float) -> None:
        """The tones have ended."""
        if self.sounding:
            self.sounding.until, self.sounding = now, None


class Dialling(Pending):
    """Keys that are being sent as telephone events. Await it until the last has been; stop() or cancel() it before."""

    def __init__(self, call: Any, send: Callable[[str, float], Any], text: str, on: float, off: float):
        super().__init__(loop=call.engine.loop)
        self._call, self._send, self._left = call, send, list(text)
        self._on, self._off = on, off
        self._next()

    def _next(self) -> None:
        if self.done():
            return
        if not self._left:
            self.set_result(None)
            return
        key = self._left.pop(0)
        if key == ",":
            self.get_loop().call_later(PAUSE, self._next)
        else:
            self._send(key, self._on)
            self.get_loop().call_later(self._on + self._off, self._next)

    def stop(self, fade: float = 0.0) -> None:
        """Send no more; the future resolves."""
        self._call._on_loop(lambda: self.done() or self.set_result(None))

    def cancel(self, msg: Any = None) -> bool:
        if not self._call._here():
            self._call._on_loop(self.cancel)
            return True
        return super().cancel(msg)


def dialled(text: str) -> str:
    """What is to be sent, without blanks and dashes. ValueError names what is no key."""
    if not isinstance(text, str):
        raise TypeError(f"sendDTMF: {text!r} is no string of keys such as '123#'")
    text = "".join(letter for letter in text.upper() if letter not in " -")
    for letter in text:
        if letter not in KEYS + ",":
            raise ValueError(f"sendDTMF: {letter!r} is no key; there are {KEYS} and , for a pause")
    return text
