"""Four calls at once over real SIP and RTP, while the handlers' process is busy: what the callers notice of it.

    python bench/sip.py [--json] [--seconds 10]

The server is a process of its own and echoes every caller; a thread in it hogs the interpreter in each of these ways.
The callers are the plain-Python telephones of the tests, with real-time priority if the system lets us, so that what is
late is the server. They send at four phases of its tick, 5 ms apart. What is printed, in ms:

interval    between RTP packets as they arrive, by the kernel's time stamps
round trip  from the sending of a packet to the arrival of the one that has its first samples in it; PJSIP's jitter
            buffer and its concealment of losses (5 ms) are part of it
"""

import argparse
import asyncio
import contextlib
import gc
import itertools
import json
import os
import random
import socket
import statistics
import sys
import threading
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "io")]

from sip import Call, Phone  # noqa: E402

HOST = "127.0.0.1"
CALLS = 4


# --- The server ---


def spin() -> None:
    sum(i for i in range(100_000))


def hogs() -> dict:
    numbers = {str(i): list(range(50)) for i in range(40_000)}
    objects = [[object() for _ in range(1000)] for _ in range(1000)]
    return {
        "idle": None,
        "Python loop": spin,
        "json.dumps": lambda: json.dumps(numbers),
        "gc of a million objects": lambda: (gc.collect(), len(objects)),
    }


CASES = ("idle", "Python loop", "json.dumps", "gc of a million objects")


def serve(port: int) -> None:
    """Echo. Each line that comes in names the hog that runs from now on."""
    from graphvoip.client import run
    from graphvoip.io.pjsip.trunk import Trunk

    work, case = hogs(), ["idle"]
    changed = threading.Event()

    def hog() -> None:
        while True:
            if work[case[0]]:
                work[case[0]]()
            else:
                changed.wait()
                changed.clear()

    def listen() -> None:
        for line in sys.stdin:
            case[0] = line.strip()
            changed.set()
            print(case[0], flush=True)
        os._exit(0)

    async def echo(call) -> None:
        await call.play(call.voice, fade=0)

    for task in (hog, listen):
        threading.Thread(target=task, daemon=True).start()
    run(echo, Trunk(port, host=HOST))


# --- The callers ---


def noise(packets: int) -> list[bytes]:
    return [bytes(random.choices(range(0x80, 0xFF), k=160)) for _ in range(packets)]


def round_trips(call: Call) -> list[float]:
    """Seconds, for every packet that came back whole."""
    heard = b"".join(packet.payload for packet in call.packets)
    places = [(sent, heard.find(payload)) for sent, payload in call.sent]
    return [call.packets[place // 160].time - sent for sent, place in places if place >= 0]


def summary(values: list[float]) -> dict[str, float]:
    values = sorted(1000 * value for value in values)
    p99 = values[min(len(values) - 1, int(0.99 * len(values)))]
    figures = {"min": values[0], "mean": statistics.fmean(values), "p99": p99, "max": values[-1]}
    return {name: round(value, 2) for name, value in figures.items()}


async def measure(port: int, seconds: float) -> dict:
    async with Phone() as phone:
        calls = [await phone.dial(port) for _ in range(CALLS)]
        assert [call.code for call in calls] == [200] * CALLS
        await asyncio.gather(*(call.hears(25) for call in calls))  # setting up is not counted
        starts = [len(call.packets) for call in calls]
        count = round(50 * seconds)
        await asyncio.gather(*(call.talk(noise(count), 0.005 * k + 0.0025) for k, call in enumerate(calls)))
        await asyncio.gather(*(call.hears(5) for call in calls))
        packets = [call.packets[start:] for call, start in zip(calls, starts, strict=True)]
        pairs = [pair for one in packets for pair in itertools.pairwise(one)]
        trips = [trip for call in calls for trip in round_trips(call)]
        for call in calls:
            await call.bye()
    return {
        "interval": summary([b.time - a.time for a, b in pairs]),
        "round trip": summary(trips),
        "packets": len(pairs),
        "lost": sum((b.number - a.number - 1) & 0xFFFF for a, b in pairs),
        "not echoed": CALLS * count - len(trips),
    }


async def bench(seconds: float) -> dict:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(10))
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, "--server", str(port)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdin
    assert server.stdout
    results = {}
    await ready(port)
    for case in CASES:
        server.stdin.write(f"{case}\n".encode())
        await server.stdout.readline()
        line = psutil.Process(server.pid).children()[0]
        before, began = sum(line.cpu_times()[:2]), asyncio.get_running_loop().time()
        results[case] = await measure(port, seconds)
        used = sum(line.cpu_times()[:2]) - before
        results[case]["line's CPU, % of a core"] = round(100 * used / (asyncio.get_running_loop().time() - began), 1)
    server.stdin.close()
    await server.wait()
    return results


async def ready(port: int) -> None:
    """Wait until a first call has been heard: its kernels may have to be compiled."""
    async with asyncio.timeout(60), Phone() as phone:
        while True:
            call = phone.call(port)
            call.send("OPTIONS")
            try:
                await asyncio.wait_for(call.answers.get(), 0.1)
                break
            except TimeoutError:
                call.close()
        call = await phone.dial(port)
        await call.hears(10)
        await call.bye()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--server", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.server:
        serve(options.server)
        return
    results = asyncio.run(bench(options.seconds))
    if options.json:
        print(json.dumps(results, indent=1))
        return
    for case, figures in results.items():
        print(case)
        for name, value in figures.items():
            print(
                f"    {name:24}", ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
            )


if __name__ == "__main__":
    main()
