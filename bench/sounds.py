"""Long sounds: the memory that they take, and how long the event loop is held while they begin and end.

    python bench/sounds.py [--json] [--repeats 3]

The event loop is held while one of its steps runs: what other calls wait for. Calls are live, but for the recording of
ten minutes, which is made on the virtual clock. A key of another call is answered when its getDTMF has resolved.
"""

import asyncio
import multiprocessing
import tempfile
import time
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import measure
import numpy as np
import psutil

from graphvoip import PCM, RecordController, loadWAVtoPCM
from graphvoip.client import Exchange
from graphvoip.engine import Engine
from graphvoip.io import Leg
from graphvoip.nodes import Pcm
from graphvoip.rings import LineRing
from graphvoip.testing import phone, run_virtual

TEN_MINUTES = 600 * 8000
CALLS = 20


class Loose(Leg):
    """A far end that nobody holds."""

    def hangup(self) -> None:
        pass


async def with_calls(run: Callable[[Callable], Awaitable[Any]]) -> Any:
    """run(call), where call(handler) begins a live call and gives its leg and the Call."""
    engine = Engine()
    engine.start()
    exchanges = []

    def call(handler: Callable) -> tuple[Leg, Any]:
        exchange = Exchange(handler, engine)
        exchanges.append(exchange)
        leg = Loose("sip:bench@localhost", LineRing())
        exchange.incoming(leg)
        return leg, next(iter(exchange.calls.values()))

    try:
        return await run(call)
    finally:
        for exchange in exchanges:
            await exchange.close()
        engine.stop()


async def longest_step(seconds: float) -> tuple[float, float]:
    """The longest time for which nothing else could run, and the most processor time of one step, in ms."""
    steps = [(time.perf_counter(), time.thread_time())]
    end = steps[0][0] + seconds
    while steps[-1][0] < end:
        await asyncio.sleep(0)
        steps.append((time.perf_counter(), time.thread_time()))
    held, worked = np.diff(steps, axis=0).max(axis=0)
    return 1e3 * held, 1e3 * worked


async def held_by(sound: Callable[[], Any]) -> tuple[float, float]:
    async def run(call: Callable) -> tuple[float, float]:
        played = sound()

        async def handler(call: Any) -> None:
            await (call.play(played) if isinstance(played, Pcm) else call.playPCM(played))

        call(handler)
        return await longest_step(2)

    return await with_calls(run)


async def twenty(sound: Any) -> dict[str, float]:
    """Twenty calls begin one sound, and a key of another call comes."""

    async def run(call: Callable) -> dict[str, float]:
        async def plays(call: Any) -> None:
            await call.playPCM(sound)

        async def answers(call: Any) -> None:
            await call.getDTMF()
            call.answered = time.perf_counter()

        leg, other = call(answers)
        await asyncio.sleep(0.1)
        before = psutil.Process().memory_info().rss
        for _ in range(CALLS):
            call(plays)
        pressed = time.perf_counter()
        leg.on_digit("5", "event")
        await asyncio.sleep(2)
        grown = psutil.Process().memory_info().rss - before
        return {"ms to the key's answer": 1e3 * (other.answered - pressed), "MB more": grown / 1e6}

    return await with_calls(run)


def recording() -> tuple[float, float]:
    """The step in which a recording of ten minutes ends: wall and processor, in ms."""
    found = []

    async def handler(call: Any) -> None:
        controller = RecordController()
        future = call.recordPCM(controller)
        await asyncio.sleep(600)
        begin, spent = time.perf_counter(), time.thread_time()
        controller.stop()
        found.append((1e3 * (time.perf_counter() - begin), 1e3 * (time.thread_time() - spent)))
        await future

    async def main() -> None:
        async with phone(handler) as caller:
            await caller.hung_up(within=700)

    run_virtual(main())
    return found[0]


def memory_of(load: str, path: Path) -> dict[str, Any]:
    """What a fresh process takes for it."""
    queue = multiprocessing.get_context("spawn").Queue()
    process = multiprocessing.get_context("spawn").Process(target=_load, args=(load, path, queue))
    process.start()
    found = queue.get()
    process.join()
    return found


def _load(load: str, path: Path, queue: Any) -> None:
    import resource

    loadWAVtoPCM("assets/my_sound.wav")
    Pcm(file="assets/my_sound.wav")
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    kept = Pcm(file=path) if load == "Pcm(file=...)" else loadWAVtoPCM(path)
    spent = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    queue.put({"two hours": load, "MB at most": peak / 1e3, "s": spent})
    del kept


def saved(path: Path, seconds: int) -> Path:
    random = np.random.default_rng(0)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        for _ in range(0, seconds, 60):
            file.writeframes(random.integers(-9000, 9000, 60 * 8000).astype("<i2").tobytes())
    return path


if __name__ == "__main__":
    options = measure.arguments(__doc__, repeats=3)
    with tempfile.TemporaryDirectory() as folder:
        long = saved(Path(folder) / "long.wav", 7200)
        memory = [memory_of(load, long) for load in ("loadWAVtoPCM", "Pcm(file=...)")]
        pcm = PCM(np.full(TEN_MINUTES, 0.25))
        numbers = np.random.default_rng(0).uniform(-0.5, 0.5, TEN_MINUTES).tolist()
        sounds = {
            "nothing": lambda: PCM(),
            "playPCM of a PCM of ten minutes": lambda: pcm,
            "playPCM of a list of ten minutes": lambda: numbers,
            "playPCM of a numpy array of ten minutes": lambda: np.array(pcm),
            "Pcm(file=...) of two hours": lambda: Pcm(file=long),
        }
        asyncio.run(held_by(sounds["nothing"]))
        found = {name: [asyncio.run(held_by(sound)) for _ in range(options.repeats)] for name, sound in sounds.items()}
        found["the end of a recordPCM of ten minutes"] = [recording() for _ in range(options.repeats)]
        held = [
            {"step": name, "ms, the best run": best, "ms of processor time": worked}
            for name, (best, worked) in ((name, map(min, zip(*runs, strict=True))) for name, runs in found.items())
        ]
        begun = [{"sound": "a PCM of ten minutes, 19 MB", **asyncio.run(twenty(pcm))}]
    measure.show(
        {
            "memory of two hours": memory,
            "the longest step of the event loop": held,
            f"{CALLS} calls begin one sound": begun,
        },
        options.json,
    )
