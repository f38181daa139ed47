"""How late the audio thread is while Python hogs the interpreter: 50 live calls of 20 nodes each.

    python bench/audio_thread.py [--json] [--seconds 4] [--calls 50]

The work is done on the event loop's thread, so handlers and loop stand still meanwhile. `late` counts frames that began
more than 5 ms after their time; `skipped` are frames given up. In the last case a handler blocks the loop for a second,
again and again. At the end all that every call has sent is compared with the tone that it should be: a `broken` one has
a gap.
"""

import asyncio
import gc
import json
import random
import time

import measure
import numpy as np

from graphvoip.call import Call
from graphvoip.engine import TOO_LATE, Engine
from graphvoip.io import Leg
from graphvoip.nodes import Gain, Recorder, Sine
from graphvoip.rings import FRAME, OUT_WRITTEN, RATE, LineRing

TONE, LEVEL = 441.0, 0.99**14


class Loose(Leg):
    """A far end that nobody reads: its ring goes round."""

    def hangup(self) -> None:
        pass


def ring_up(engine: Engine) -> tuple[Call, Leg, Recorder]:
    """A call with keypad, line_in, line_out, a sine behind 14 gains and a fade, and a recorder of what is sent."""
    leg = Loose("sip:bench@localhost", LineRing())
    call = Call(leg, engine)
    sound = Sine(freq=TONE)
    for _ in range(14):
        sound = Gain(sound, 0.99)
    call.play(sound, fade=0)
    call._graph.add(tape := Recorder(call._out))
    call._graph.listen(tape, "more", lambda sample, value: tape.grow())
    return call, leg, tape


def hogs() -> dict:
    """What hogs the interpreter, each for a moment; the loop runs in between."""
    big = {str(n): list(range(50)) for n in range(40_000)}
    heap = [[object() for _ in range(1000)] for _ in range(1000)]
    numbers = [random.random() for _ in range(2_000_000)]
    return {
        "idle": lambda: time.sleep(0.01),
        "Python loop": lambda: sum(n for n in range(100_000)),
        "json.dumps, 2 million numbers": lambda: json.dumps(big),
        "gc of a million objects": lambda: gc.collect() + len(heap),
        "sort of two million": lambda: sorted(numbers),
        "handler blocks for a second": lambda: time.sleep(1),
    }


async def main(calls: int, seconds: float) -> dict:
    engine = Engine()
    engine.start()
    lines = [ring_up(engine) for _ in range(calls)]
    await asyncio.sleep(1)
    rows = []
    for name, work in hogs().items():
        before, end = engine.stats(), time.monotonic() + seconds
        while time.monotonic() < end:
            work()
            await asyncio.sleep(0)
        after = engine.stats()
        late = engine.lateness[np.arange(before.frames, after.frames) % engine.lateness.size] / 1e6
        rows.append(
            {
                "what Python does": name,
                "frames": len(late),
                "p50 ms": float(np.median(late)),
                "p99 ms": float(np.percentile(late, 99)),
                "max ms": float(late.max()),
                "late": int((late > TOO_LATE / 1e6).sum()),
                "skipped": after.skipped - before.skipped,
            }
        )
    await asyncio.sleep(0.2)
    engine.stop()  # nothing moves any more while it is compared
    broken = sum(not whole(*line) for line in lines)
    return {
        "lateness of the audio thread": rows,
        "what was sent": [{"calls": calls, "frames each": int(lines[0][0]._graph.clock[0]), "broken": broken}],
    }


def whole(call: Call, leg: Leg, tape: Recorder) -> bool:
    """Is every frame in the ring, and what was sent one tone from its beginning to its end?"""
    samples, frames = tape.recorded(), int(call._graph.clock[0])
    first = np.flatnonzero(samples)[0] - 1  # a sine begins with 0
    tone = LEVEL * np.sin(2 * np.pi * TONE / RATE * np.arange(len(samples) - first))
    return (
        leg.ring.words[OUT_WRITTEN] == frames
        and len(samples) == FRAME * frames
        and bool(np.abs(samples[first:] - tone).max() < 1e-4)
    )


if __name__ == "__main__":
    options = measure.arguments(__doc__, seconds=4.0, calls=50)
    measure.show(asyncio.run(main(options.calls, options.seconds)), options.json)
