"""Hard messages beside a call that is up, and 500 calls: what the call notices, and what they leave behind.

    python bench/torture.py [--json] [--mutations 20000] [--calls 500] [--seed 4475]

The server is a process of its own with one line, and plays each caller a tone. Torture: every message of
tests/io/torture.py once, then so many spoilt ones, one each 2 ms. Printed: the packets of the tone that are missing or
silent in its longest hole, all that are, and how much memory the line took for it. Calls: three at a time, after as
many to warm up; then 35 s of rest, for PJSIP remembers what has ended for 32 s. Printed: growth of memory and
descriptors. Killed: the seconds from kill -9 of a line to the answer of the next call on its port.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "io")]

from sip import Call, Phone  # noqa: E402
from torture import messages, mutated  # noqa: E402

HOST = "127.0.0.1"
REST_S = 35.0


def serve(port: int) -> None:
    from graphvoip.client import run
    from graphvoip.io.pjsip.trunk import Trunk
    from graphvoip.nodes import Sine

    async def sing(call) -> None:
        call.play(Sine(freq=440))
        await call.ended

    run(sing, Trunk(port, host=HOST, media_timeout=0))  # the one that listens says nothing


@contextlib.asynccontextmanager
async def server() -> AsyncIterator[tuple[int, psutil.Process]]:
    """A server: its port and its process, once it answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(sys.executable, __file__, "--serve", str(port))
    try:
        await answers(port)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        await process.wait()


async def answers(port: int) -> None:
    """Wait until the server answers."""
    async with Phone() as phone, asyncio.timeout(60):
        while True:
            ping = phone.call(port)
            ping.send("OPTIONS")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ping.answers.get(), 0.02)
                return
            ping.close()


def line_of(parent: psutil.Process) -> psutil.Process:
    return next(child for child in parent.children() if "graphvoip.io.pjsip.line" in child.cmdline())


def size(process: psutil.Process) -> tuple[float, int]:
    """Its memory in MB, and its descriptors."""
    return process.memory_info().rss / 1e6, process.num_fds()


def holes(call: Call) -> list[int]:
    """The packets that are missing or silent, hole by hole."""
    tone = [packet.stamp for packet in call.packets[5:] if len(set(packet.payload)) > 3]
    found = ((b - a & 0xFFFFFFFF) // 160 - 1 for a, b in itertools.pairwise(tone))
    return [hole for hole in found if hole > 0]


async def torture(port: int, parent: psutil.Process, packets: Iterable[bytes]) -> dict:
    line = line_of(parent)
    before = size(line)
    async with Phone() as phone:
        call = await phone.dial(port)
        await call.hears(10)
        sent = 0
        for sent, data in enumerate(packets, 1):  # noqa: B007
            phone.socket.sendto(data, (HOST, port))
            await asyncio.sleep(0.002)
        await call.hears(50)
        found = holes(call)
        heard = len(call.packets)
        await call.bye()
    return {
        "sent": sent,
        "packets heard": heard,
        "longest hole": max(found, default=0),
        "in all": sum(found),
        "line MB": round(size(line)[0] - before[0], 1),
        "restarted": line_of(parent).pid != line.pid,
    }


async def dial(port: int, count: int) -> int:
    """Make calls, three at a time; how many were answered."""
    answered, left = 0, iter(range(count))

    async def caller(phone: Phone) -> None:
        nonlocal answered
        for _ in left:
            call = await phone.dial(port)
            answered += call.code == 200
            if call.code == 200:
                await call.hears(2)
                await call.bye()
            else:
                call.close()

    async with Phone() as phone:
        await asyncio.gather(*(caller(phone) for _ in range(3)))
    return answered


async def growth(port: int, parent: psutil.Process, calls: int) -> dict:
    line = line_of(parent)
    await dial(port, calls)
    await asyncio.sleep(REST_S)
    before = size(line), size(parent)
    answered = await dial(port, calls)
    await asyncio.sleep(REST_S)
    after = size(line), size(parent)
    (line_mb, line_fds), (parent_mb, parent_fds) = (
        (b[0] - a[0], b[1] - a[1]) for a, b in zip(before, after, strict=True)
    )
    return {
        "calls": calls,
        "answered": answered,
        "line MB": round(line_mb, 1),
        "line descriptors": line_fds,
        "parent MB": round(parent_mb, 1),
        "parent descriptors": parent_fds,
        "restarted": line_of(parent).pid != line.pid,
    }


async def killed(port: int, parent: psutil.Process) -> dict:
    line = line_of(parent)
    line.kill()
    begun = time.monotonic()
    await answers(port)
    async with Phone() as phone:
        call = await phone.dial(port)
        seconds = time.monotonic() - begun
        await call.bye()
    return {"answered": call.code == 200, "after s": round(seconds, 2)}


async def measure(options: argparse.Namespace) -> dict:
    results = {}
    async with server() as (port, parent):
        results["calls"] = await growth(port, parent, options.calls)
    async with server() as (port, parent):
        results["killed"] = await killed(port, parent)
        results["messages"] = await torture(port, parent, messages().values())
        results["mutations"] = await torture(port, parent, mutated(options.seed, options.mutations))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--mutations", type=int, default=20_000)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--seed", type=int, default=4475)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    with contextlib.suppress(AttributeError, OSError):  # the outside world does not wait for us
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(10))
    results = asyncio.run(measure(options))
    if options.json:
        print(json.dumps(results))
        return
    for name, values in results.items():
        print(f"{name:10}" + "  ".join(f"{what}: {value}" for what, value in values.items()))


if __name__ == "__main__":
    main()
