"""The keys of one caller: type-ahead, and who waits for them.

Keys are kept from the moment the call begins until somebody asks for them, as a phone tree needs: a caller who knows
the way types ahead. Keys that a wait had taken when it timed out or was cancelled go with it: the start of a code that
was given up is not the start of the next one. Keys pressed later are the next wait's, and no key counts twice.
"""

import collections
import inspect
import numbers
from collections.abc import Callable, Collection
from typing import Any

from .digits import Digits
from .feeder import raisable
from .notes import KEYS
from .playback import Pending
from .watchdog import Blocked


class Wanted(Pending):
    """A wait for keys: a future of Digits, a string. Cancelling it drops the keys it has taken."""

    def __init__(self, n: int, allowed: Collection[str] | None, on_first: Callable[[str], Any] | None):
        super().__init__()
        self.n, self.allowed, self.on_first = n, allowed, on_first
        self.taken: list[str] = []


class Keys:
    def __init__(self):
        self.ahead: collections.deque[str] = collections.deque()  # pressed, and nobody has asked for them yet
        self.wanted: Wanted | None = None

    def want(self, n: int, filter: Any, on_first: Callable[[str], Any] | None) -> Wanted:
        if self.wanted and not self.wanted.done():
            raise RuntimeError("getDTMF waits for keys already; await or cancel that one first")
        if not isinstance(n, numbers.Integral) or isinstance(n, bool) or n < 1:
            raise ValueError(f"getDTMF: n is {n!r}; it is the number of keys, 1 or more")
        if on_first is not None and (not callable(on_first) or inspect.iscoroutinefunction(on_first)):
            raise TypeError(f"getDTMF: on_first is {on_first!r}; it is a plain function of one key")
        self.wanted = Wanted(n, _allowed(filter), on_first)
        self._serve()
        return self.wanted

    def press(self, key: str) -> None:
        self.ahead.append(key)
        self._serve()

    def flush(self) -> str:
        """Forget the keys typed ahead; they are returned."""
        keys = Digits(self.ahead)
        self.ahead.clear()
        return keys

    def _serve(self) -> None:
        wanted = self.wanted
        while self.ahead and wanted and not wanted.done():
            key = self.ahead.popleft()
            if wanted.allowed is not None and key not in wanted.allowed:
                continue
            wanted.taken.append(key)
            if len(wanted.taken) == 1 and wanted.on_first:
                try:
                    wanted.on_first(key)
                except (Exception, Blocked) as error:
                    wanted.set_exception(raisable(error))
                    return
            if len(wanted.taken) == wanted.n:
                wanted.set_result(Digits(wanted.taken))


def _allowed(filter: Any) -> frozenset[str] | None:
    """The keys that a filter lets through: a string, or any collection of keys."""
    if filter is None:
        return None
    if not isinstance(filter, (str, list, tuple, set, frozenset)) or not all(isinstance(key, str) for key in filter):
        raise TypeError(f"getDTMF: filter is {filter!r}; it is a string of keys such as '0123456789', or None for all")
    allowed = frozenset("".join(filter).upper())
    if not allowed or not allowed <= set(KEYS):
        raise ValueError(f"getDTMF: filter {filter!r} holds no key, or one that no keypad has; keys are {KEYS}")
    return allowed
