"""The keys of a call: those that come while somebody waits for them."""

import asyncio
from collections.abc import Callable, Container
from typing import Any


class DTMF:
    """Who waits for keys. There is no type-ahead: a key that nobody waits for is lost."""

    def __init__(self):
        self.future: asyncio.Future[str] | None = None
        self.keys = ""
        self.n: float = 1
        self.filter: Container[str] | None = None
        self.on_first: Callable[[str], Any] | None = None

    def getDTMF(
        self,
        n: float = 1,
        filter: Container[str] | None = None,
        on_first: Callable[[str], Any] | None = None,
    ) -> "asyncio.Future[str]":
        """Wait for n keys that are in the filter; a future of a string. on_first(key) is called at the first one."""
        if self.future and not self.future.done():
            raise RuntimeError("getDTMF waits for keys already; await or cancel that one first")
        self.future = asyncio.Future()
        self.keys, self.n, self.filter, self.on_first = "", n, filter, on_first
        return self.future

    def onDtmfDigit(self, digit: str) -> None:
        """Tell of a key that was pressed."""
        if self.future is None or self.future.done():
            return
        if self.filter is not None and digit not in self.filter:
            return
        if not self.keys and self.on_first is not None:
            self.on_first(digit)
        self.keys += digit
        if len(self.keys) >= self.n and not self.future.done():
            self.future.set_result(self.keys)
