"""Seconds to start, each in fresh processes: the import, the first frame, and the first frame on a machine that is new.

    python bench/startup.py [--json] [--repeats 7]

warm: the machine code is on disk, as from the second run on. cold: it is not, and the engine and every kernel are
compiled; a program compiles only those that it uses.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

import measure

FIRST_FRAME = """
from graphvoip.engine import Engine
from graphvoip.nodes import Tone
from graphvoip.plan import Plan
tone = Tone(freq=440, seconds=1)
Plan([tone]).run()
assert tone.samples().any()
"""
EVERYTHING = """
import graphvoip.engine
from graphvoip.nodes import Tone
from graphvoip.node import types
for cls in types.values():
    cls.process.compile(cls)
"""


def seconds(program: str, cache: str = "") -> float:
    environment = os.environ | ({"NUMBA_CACHE_DIR": cache} if cache else {})
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


def cold() -> float:
    with tempfile.TemporaryDirectory() as cache:
        return seconds(EVERYTHING, cache)


def row(what: str, bar: float | str, found: list[float]) -> dict:
    return {"what": what, "s": statistics.median(found), "fastest": min(found), "bar": bar}


def main(repeats: int) -> list[dict]:
    again = range(repeats)
    python = [seconds("pass") for _ in again]
    numba = [seconds("import numba") for _ in again]
    imports = [seconds("import graphvoip") for _ in again]
    seconds(FIRST_FRAME)
    warm = [seconds(FIRST_FRAME) for _ in again]
    return [
        row("Python itself", "", python),
        row("import numba, which imports numpy", "", numba),
        row("import graphvoip", 0.15, imports),
        row("warm: to the first frame", 0.8, warm),
        row("cold: all kernels and the engine compiled", 8.0, [cold() for _ in range(max(1, repeats // 2))]),
    ]


if __name__ == "__main__":
    options = measure.arguments(__doc__, repeats=7)
    measure.show({"seconds, whole processes": main(options.repeats)}, options.json)
