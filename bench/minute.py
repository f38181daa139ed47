"""Seconds for a minute of a call on the virtual clock, and for calls in a row, with what they leave in memory.

    python bench/minute.py [--json] [--calls 1000] [--repeats 7]

What is left is counted from the end of the first tenth of the calls: caches are full by then.
"""

import asyncio
import gc
import statistics
import time

import measure
import psutil

from graphvoip.testing import phone, run_virtual

SECONDS = 60


async def menu(call):
    """A phone tree: tones as prompts, keys with a timeout, something recorded."""
    while True:
        await call.playTone(440, 0.5)
        try:
            key = await asyncio.wait_for(call.getDTMF(filter="123"), 3)
        except TimeoutError:
            continue
        for _ in range(int(key)):
            await call.playTone(880, 0.2)
        await call.recordPCM(maxlen=8000)


async def minute() -> float:
    begin = time.perf_counter()
    async with phone(menu) as caller:
        while caller.time < SECONDS:
            await caller.wait(5)
            await caller.press("123"[int(caller.time) % 3])
    return time.perf_counter() - begin


async def short(call):
    await call.playTone(440, 0.1)
    await call.getDTMF()


async def calls(count: int) -> tuple[float, float, int]:
    """The seconds that they took, and how many megabytes and objects are more at the end than after a tenth of them."""
    process, before = psutil.Process(), (0.0, 0)
    begin = time.perf_counter()
    for n in range(count):
        if n == count // 10:
            before = alive(process)
        async with phone(short) as caller:
            await caller.wait(0.2)
            await caller.press("1")
            await caller.hung_up()
    spent = time.perf_counter() - begin
    after = alive(process)
    return spent, after[0] - before[0], after[1] - before[1]


def alive(process: psutil.Process) -> tuple[float, int]:
    gc.collect()
    return process.memory_info().rss / 1e6, len(gc.get_objects())


if __name__ == "__main__":
    options = measure.arguments(__doc__, calls=1000, repeats=7)
    run_virtual(minute())
    found = [run_virtual(minute()) for _ in range(options.repeats)]
    spent, megabytes, objects = run_virtual(calls(options.calls))
    measure.show(
        {
            "a minute of a menu on the virtual clock": [
                {"what": "one minute", "s": statistics.median(found), "fastest": min(found), "bar": 0.5}
            ],
            "short calls in a row": [
                {
                    "calls": options.calls,
                    "ms a call": spent / options.calls * 1e3,
                    "megabytes left": megabytes,
                    "objects left": objects,
                }
            ],
        },
        options.json,
    )
