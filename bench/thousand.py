"""A thousand calls that sound in one process on one core, while Python hogs the interpreter.

    python bench/thousand.py [--json] [--calls 1000] [--seconds 4] [--patch P2]

Each call has a patch of bench/peers/ to itself; P2 is 8 voices of FM, 45 nodes. The far ends are left out: this is what
the audio thread can do. It and all of Python share one core. `late` counts frames that began more than 5 ms after their
time, `busy ms` is what the thread computes in a frame of 20 ms, and `stolen ms` what the host of a virtual machine took
away meanwhile.
"""

import asyncio
import gc
import os
import time
from pathlib import Path

import measure
import numpy as np
from audio_thread import hogs
from peers import ours

from graphvoip.engine import TOO_LATE, Engine
from graphvoip.graph import Graph, walk
from graphvoip.node import Node


def ring_up(engine: Engine, patch: str, n: int) -> Node:
    heard = ours.build(patch)
    graph = Graph(f"call {n}")
    engine.add(graph)
    graph.add(heard)
    return heard


def stolen(core: int) -> float:
    """The seconds that the host of a virtual machine has given to others while this core had work."""
    try:
        lines = Path("/proc/stat").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(f"cpu{core} ")).split()[8]) / 100
    except (OSError, StopIteration, IndexError):
        return 0.0


async def main(calls: int, seconds: float, patch: str) -> dict:
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    engine = Engine()
    engine.start()
    begin = time.perf_counter()
    heard = []
    for n in range(calls):
        heard.append(ring_up(engine, patch, n))
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    built = time.perf_counter() - begin
    assert engine._thread
    clock = time.pthread_getcpuclockid(engine._thread.ident)
    gc.collect()
    await asyncio.sleep(1)
    rows = []
    for name, work in hogs().items():
        before, spent, gone = engine.stats(), time.clock_gettime(clock), stolen(core)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            work()
            await asyncio.sleep(0)
        after, spent = engine.stats(), time.clock_gettime(clock) - spent
        frames = after.frames - before.frames
        late = engine.lateness[np.arange(before.frames, after.frames) % engine.lateness.size] / 1e6
        rows.append(
            {
                "what Python does": name,
                "frames": frames,
                "busy ms": 1e3 * spent / frames,
                "p50 ms": float(np.median(late)),
                "p99 ms": float(np.percentile(late, 99)),
                "max ms": float(late.max()),
                "late": int((late > TOO_LATE / 1e6).sum()),
                "skipped": after.skipped - before.skipped,
                "bar": 0,
                "stolen ms": 1e3 * (stolen(core) - gone),
            }
        )
    frames = {int(graph.clock[0]) for graph in engine.graphs.values()}
    broken = sum(not node.is_finite() for node in heard)
    nodes = len(list(walk([heard[0]])))
    engine.stop()
    setup = {"calls": calls, "nodes each": nodes, "s to build": built, "broken": broken, "frames": max(frames)}
    return {"lateness": rows, "calls": [setup]}


if __name__ == "__main__":
    options = measure.arguments(__doc__, calls=1000, seconds=4.0, patch="P2")
    measure.show(asyncio.run(main(options.calls, options.seconds, options.patch)), options.json)
