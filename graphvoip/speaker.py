"""What `call.say` runs: a text becomes sound while it is heard, in a thread that nobody waits for."""

import collections
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from .engine import Engine
from .feeder import raisable
from .nodes.speech import Speech
from .rings import RATE
from .tts import Utterance

AHEAD = 30 * RATE  # samples: the next part of a text is spoken when less is left to be heard
POLL = 0.05  # seconds between two looks at what is left


class Speaker:
    """Fills a node with a text's sound. on_error(speaker, exception) is called on the event loop.

    Live it has a thread of its own, which ends with the text. On the virtual clock it works in lockstep with frames.
    """

    def __init__(self, engine: Engine, node: Speech, speech: Utterance, on_error: Callable[[Any, Exception], Any]):
        self.engine, self.node, self.speech, self.on_error = engine, node, speech, on_error
        self.blocks: collections.deque[np.ndarray] = collections.deque()  # what does not fit into the ring yet
        self.more = True  # the text goes on
        self.future: Any = None
        self._end = threading.Event()

    def start(self) -> None:
        if self.engine.virtual:
            self.engine.after.append(self._step)
            self._step()
        else:
            threading.Thread(target=self._serve, name="graphvoip speaker", daemon=True).start()

    def stop(self) -> None:
        """Nobody listens any more: what speaks stops, at its next block."""
        self.speech.stopped = True
        self._end.set()
        if self.engine.virtual and self._step in self.engine.after:
            self.engine.after.remove(self._step)

    def trouble(self) -> str:
        """What went wrong without an exception, or nothing."""
        missed = int(self.node.state["missed"]) / RATE
        return f"say: {self.speech.engine} was slower than it speaks, {missed:.2f} s were silent" if missed else ""

    def _serve(self) -> None:
        while not self._end.is_set() and self._step():
            self._end.wait(POLL)

    def _step(self) -> bool:
        """Speak as much as is wanted now; False at the end."""
        try:
            self._fill()
            while self.more and not self.blocks and self.node.waiting() < AHEAD and not self._end.is_set():
                self.more = self.speech.step(self._give)
        except Exception as error:
            self._end.set()
            if not self.engine.loop.is_closed():
                self.engine.loop.call_soon_threadsafe(self.on_error, self, raisable(error))
        if not self.more and not self.blocks:
            self.node.end()
            self._end.set()
        return not self._end.is_set()

    def _give(self, block: np.ndarray) -> None:
        self.blocks.append(block)
        self._fill()

    def _fill(self) -> None:
        while self.blocks:
            size = self.node.put(self.blocks[0])
            if size < len(self.blocks[0]):
                self.blocks[0] = self.blocks[0][size:]
                return
            self.blocks.popleft()
