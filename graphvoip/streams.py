"""A thread that fills nodes while they play: with sound files as they are read, and long lists as they are converted.

It waits for no handler and no event loop. On the virtual clock, and offline, there is no thread: a node asks for more
with an event and is filled between two frames.
"""

import threading
from typing import Protocol

POLL = 0.1  # seconds between two looks at nodes that have enough: they have seconds in hand


class Filled(Protocol):
    """A node that holds sound ahead of what is heard."""

    def fill(self) -> bool:
        """Put the next block in, if there is room for it. True: it would take another one at once."""
        ...


class Filler:
    """Takes turns among all nodes of the process, a block each."""

    def __init__(self):
        self._nodes: list[Filled] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, node: Filled) -> None:
        with self._lock:
            self._nodes = [*self._nodes, node]
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="graphvoip filler", daemon=True)
                self._thread.start()
        self._wake.set()

    def remove(self, node: Filled) -> None:
        with self._lock:
            self._nodes = [one for one in self._nodes if one is not node]

    def _serve(self) -> None:
        while True:
            if not self._turn():
                self._wake.wait(POLL if self._nodes else None)
                self._wake.clear()

    def _turn(self) -> bool:
        """A block for each; True if one would take more at once."""
        return sum([node.fill() for node in self._nodes]) > 0


filler = Filler()
