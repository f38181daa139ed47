"""Rendering: a patch, offline and as fast as it goes, to the samples that a caller would hear, bit for bit."""

import logging
import math
import numbers
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .graph import Graph, walk
from .node import Node, Port
from .nodes.fade import Fade
from .nodes.keypad import Keypad
from .nodes.line_out import LineOut
from .nodes.pcm import Pcm
from .nodes.recorder import Recorder
from .notes import KEYS
from .plan import run_to_event
from .recipe import Patch
from .rings import FRAME, RATE

CHUNK = 500  # frames run at once: 10 s
LONGEST = 1e6  # seconds
PATIENCE = 3600  # seconds after which a patch that is to end by itself should have ended


log = logging.getLogger("graphvoip")


def render(
    patch: "Patch | Node | Port",
    seconds: float | None = None,
    keys: str | Iterable[tuple[str, float]] = "",
    voice: Any = None,
    progress: Callable[[float], Any] | None = None,
    line: str | None = None,
    values: bool = False,
) -> np.ndarray:
    """What a caller would hear of a patch, as float32 samples at 8000 Hz, and its recorders' files.

    seconds: how long; without it, until the patch is done. keys: what the caller presses and when, "5@0.3 9@0.9".
    voice: what the caller says, samples or the name of a sound file. progress(seconds): called now and then.
    line: a telephone line between the caller and the patch, "pcmu, loss=3%" (line.py).
    values: a control signal, whose values are wanted as they are: without the fade at its start, and without the
    limiter of a call, which brings 15 dB or 440 Hz down to full scale. Without it a warning says what was limited.

    The samples are those of `call.play(patch)` on a call, before they become 16 bits. Raises ValueError if neither
    `seconds` nor an event `done` ends it, or if the patch sounds already or has ended.
    """
    rendering = Rendering(patch, seconds, keys, voice, line, values)
    heard = rendering.run(progress)
    if rendering.loudest > 1:
        log.warning(
            "render: limited: it came to %.3g, 1 is full scale; values=True gives it as it is", rendering.loudest
        )
    return heard


class Rendering:
    """A graph like a call's: keypad and voice, what plays, its fade, and what leaves."""

    loudest = 0.0  # what came to the limiter of the call; beyond 1 it turned it down

    def __init__(
        self, patch: Any, seconds: float | None, keys: Any, voice: Any, line: str | None = None, values: bool = False
    ):
        if not isinstance(patch, (Patch, Node, Port)):
            raise TypeError(f"render: {patch!r} is not a patch or a node")
        if seconds is not None and not (isinstance(seconds, numbers.Real) and 0 < seconds <= LONGEST):
            raise ValueError(f"render: seconds is {seconds!r}; it is a number above 0, up to {LONGEST:g}")
        presses = [(math.ceil(at * RATE / FRAME - 1e-9), key) for key, at in key_times(keys)]
        self.presses = sorted(presses, key=lambda one: one[0])  # those of one moment stay in their order
        self.keypad, self.voice = Keypad(), Pcm(data=as_on_a_line(voice))
        if values and line is not None:
            raise ValueError("render: values are not sound, they cannot go over a line; leave out one of the two")
        between = None if line is None else _line(line)
        said = between.node(self.voice, 0) if between else self.voice
        if isinstance(patch, Patch):
            patch.bind(voice=said.port(), keys=self.keypad.port("pressed"))
        self.done = patch.done if isinstance(patch, Patch) else _done_of(patch)
        if seconds is None and self.done is None:
            raise ValueError(
                "render: nothing ends it; say how many seconds, or give the patch an event that is its end"
            )
        if self.done and self.done[0].ended:
            raise ValueError("render: it has come to its end; build another one")
        self.frames = math.ceil((PATIENCE if seconds is None else seconds) * RATE / FRAME)
        self.samples = None if seconds is None else round(seconds * RATE)
        self.fade = Fade(patch, over=0 if values else FRAME)
        self.out = self.fade if values else LineOut(self.fade)
        self.recorder = Recorder(between.node(self.out, 1) if between else self.out)
        sinks = patch.sinks if isinstance(patch, Patch) else []
        self.graph = Graph("render")
        self.keypad.home = self.voice.home = self.graph
        for root in (self.keypad, self.recorder, *sinks):
            self.graph.add(root)
        self.dirty = True
        self.graph.on_touch = self._touched
        self.graph.listen(self.recorder, "more", lambda sample, value: self.recorder.grow())
        if self.done:
            self.graph.listen(self.done[0], self.done[1], lambda sample, value: self._end())
        nodes: list[Any] = [node for node in walk(self.graph.roots) if node.in_python]
        self.steps = [node.step for node in nodes]

    def _touched(self, graph: Graph) -> None:
        self.dirty = True

    def _end(self) -> None:
        """It is done: one frame more, in which it fades if it has not fallen silent by itself."""
        assert self.done
        self.done[0].ended = True
        self.fade.end()
        self.frames = min(self.frames, int(self.graph.clock[0]) + 1)

    def run(self, progress: Callable[[float], Any] | None = None) -> np.ndarray:
        try:
            while (at := int(self.graph.clock[0])) < self.frames:
                self._press(at)
                if self.dirty:
                    self.graph.compile()
                    self.dirty = False
                self._run(self._size(at))
                if progress:
                    progress(int(self.graph.clock[0]) * FRAME / RATE)
            if self.samples is None and not (self.done and self.done[0].ended):
                raise ValueError(f"render: it is not done after {PATIENCE} s; say how many seconds")
            heard = self.recorder.recorded()
            self.loudest = float(self.out.state["loudest"]) if isinstance(self.out, LineOut) else 0.0
        finally:
            self.graph.clear()
        return heard[: self.samples]

    def _press(self, at: int) -> None:
        while self.presses and self.presses[0][0] <= at:
            self.keypad.press(self.presses.pop(0)[1])

    def _size(self, at: int) -> int:
        if self.steps:
            return 1
        return min(CHUNK, self.frames - at, self.presses[0][0] - at if self.presses else CHUNK)

    def _run(self, frames: int) -> None:
        plan = self.graph.plan
        assert plan
        before = int(self.graph.clock[0])
        ran = run_to_event(plan.address, frames)
        for step in self.steps:
            step()
        for token, at, value in plan.taken_events():
            self.graph.hear(token, (before + ran - 1) * FRAME + at, value)
        self.keypad.feed()


def key_times(keys: Any) -> list[tuple[str, float]]:
    """(key, seconds) of "5@0.3 9@0.9", or of such pairs. ValueError names the one that is wrong."""
    pairs = (
        [tuple(one.split("@", 1)) for one in keys.split()] if isinstance(keys, str) else [tuple(one) for one in keys]
    )
    found = []
    for pair in pairs:
        try:
            key, at = str(pair[0]).upper(), float(pair[1])
        except (IndexError, TypeError, ValueError):
            key, at = "", 0.0
        if len(key) != 1 or key not in KEYS or not 0 <= at <= LONGEST:
            shown = "@".join(map(str, pair))
            raise ValueError(f"keys: {shown!r} is no key and time; write 5@0.3 for key 5 at 0.3 s, the keys are {KEYS}")
        found.append((key, at))
    return found


def as_on_a_line(voice: Any) -> np.ndarray:
    """A voice as it comes from a line: 16 bits."""
    if voice is None:
        return np.zeros(0, np.float32)
    node = Pcm(data=voice)
    return (np.rint(node.data * np.float32(32768)).clip(-32768, 32767) / 32768).astype(np.float32)


def _line(text: str) -> Any:
    from .line import Line

    return Line(text)


def _done_of(heard: "Node | Port") -> Any:
    node = heard.port().node
    return (node, "done") if "done" in node.slots.events else None
