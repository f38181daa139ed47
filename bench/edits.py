"""Milliseconds of an edit of a graph of 100 nodes that sounds, and what its frames notice.

    python bench/edits.py [--json] [--seconds 4]

An edit is all that happens on the event loop: the new nodes, the new plan and its publication, in processor time. Each
kind is made every 45 ms while the engine runs the graph: what it needs is in no cache by then, and takes two to three
times the time of edits in a row. When the new signal has taken over from the old one, a frame later, there is one plan
more: `later`. `late` are frames that began more than 5 ms after their time.
"""

import asyncio
import random
import time
from collections.abc import Callable

import measure
import numpy as np

from graphvoip.engine import TOO_LATE, Engine
from graphvoip.graph import Graph, walk
from graphvoip.nodes import Gain, Mix, Sine

EVERY = 0.045  # s from edit to edit: by then the one before has settled
BAR = 0.5  # ms


class Piece:
    """49 sines, each with its gain, a mix and a gain: 100 nodes."""

    def __init__(self, engine: Engine):
        self.gains = [Gain(Sine(freq=200.0 + 50 * k), 1 / 49) for k in range(49)]
        self.mix = Mix(*self.gains)
        self.last = Gain(self.mix, 0.5)
        self.graph = Graph("bench")
        engine.add(self.graph)
        self.graph.add(self.last)
        assert len(list(walk([self.last]))) == 100

    def nothing(self) -> None:
        """The plan alone."""
        self.graph.touch()

    def number(self) -> None:
        """A gain moves to its new value within a frame."""
        random.choice(self.gains).gain = random.uniform(0.01, 0.02)

    def rewire(self) -> None:
        """A new sine takes over from an old one."""
        random.choice(self.gains).input = Sine(freq=random.uniform(200, 3000))

    def insert(self) -> None:
        """A new node between two others, or out again."""
        source = self.last.input.node
        self.last.input = self.mix if source is not self.mix else Gain(self.mix, 0.9)

    def mixed(self) -> None:
        """Of the inputs of the mix one is new."""
        new = Gain(Sine(freq=random.uniform(200, 3000)), 1 / 49)
        self.gains[random.randrange(49)] = new
        self.mix.inputs = self.gains

    def ten(self) -> None:
        """Ten numbers at once are one plan."""
        for gain in random.sample(self.gains, 10):
            gain.gain = random.uniform(0.01, 0.02)


async def timed(
    engine: Engine, edit: Callable[[], None], seconds: float, every: float
) -> tuple[list[float], list[float]]:
    """The milliseconds of each edit with its plan, and of each plan that comes of it later."""
    edits: list[float] = []
    later: list[float] = []
    flush = engine._flush

    def flushed() -> None:
        if engine._dirty:
            begin = time.thread_time()
            flush()
            later.append(1e3 * (time.thread_time() - begin))

    engine._flush = flushed  # type: ignore[method-assign]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.thread_time()
        edit()
        flush()
        edits.append(1e3 * (time.thread_time() - begin))
        await asyncio.sleep(every)
    await asyncio.sleep(0.1)
    del engine._flush
    return edits, later


async def main(seconds: float) -> list[dict]:
    engine = Engine()
    engine.start()
    piece = Piece(engine)
    await asyncio.sleep(0.5)
    rows = []
    for what, edit in {
        "none, only the plan, in a row": piece.nothing,
        "a number": piece.number,
        "ten numbers at once": piece.ten,
        "a source": piece.rewire,
        "a source, every 2 ms": piece.rewire,
        "a node in between": piece.insert,
        "an input of a mix of 49": piece.mixed,
    }.items():
        before = engine.stats()
        every = 0.002 if "2 ms" in what else 0 if "in a row" in what else EVERY
        took, later = await timed(engine, edit, seconds, every)
        after = engine.stats()
        late = engine.lateness[np.arange(before.frames, after.frames) % engine.lateness.size]
        rows.append(
            {
                "edit": what,
                "edits": len(took),
                "ms": float(np.median(took)),
                "fastest": min(took),
                "p99": float(np.percentile(took, 99)),
                "bar": BAR,
                "later ms": float(np.median(later or [0.0])),
                "frames": after.frames - before.frames,
                "late": int((late > TOO_LATE).sum()),
                "latest ms": float(late.max()) / 1e6,
            }
        )
    engine.stop()
    return rows


if __name__ == "__main__":
    options = measure.arguments(__doc__, seconds=4.0)
    measure.show({"edits of a graph of 100 nodes": asyncio.run(main(options.seconds))}, options.json)
