"""Seconds to start, each in fresh processes: the import, the first frame, and the first frame on a machine that is new.

    python bench/startup.py [--json] [--repeats 7]

warm: the machine code is on disk, as from the second run on. cold: it is not, and all that a call is made of is
compiled, the engine too. What else of the palette a program uses is compiled when it is first used.
"""

import statistics
import sys
import tempfile
from pathlib import Path

import measure

FIRST_FRAME = """
from graphvoip.engine import Engine
from graphvoip.nodes import Tone
from graphvoip.plan import Plan
tone = Tone(freq=440, seconds=1)
Plan([tone]).run()
assert tone.samples().any()
"""
CALL = f"""
from graphvoip.call import prepare
prepare()
{FIRST_FRAME}
"""


def row(what: str, bar: float | str, found: list[tuple[float, float]]) -> dict:
    wall, processor = zip(*found, strict=True)
    return {"what": what, "s": statistics.median(wall), "fastest": min(wall), "processor s": min(processor), "bar": bar}


def main(repeats: int, folder: Path) -> list[dict]:
    def warm(program: str) -> list[tuple[float, float]]:
        command = [sys.executable, "-c", program]
        measure.process(command, folder)
        return [measure.process(command, folder) for _ in range(repeats)]

    def cold() -> tuple[float, float]:
        with tempfile.TemporaryDirectory() as cache:
            return measure.process([sys.executable, "-c", CALL], folder, NUMBA_CACHE_DIR=cache)

    return [
        row("Python itself", "", warm("pass")),
        row("import numba, which imports numpy", "", warm("import numba")),
        row("import graphvoip", 0.15, warm("import graphvoip")),
        row("warm: to the first frame", 0.8, warm(FIRST_FRAME)),
        row("warm: all that a call needs", "", warm(CALL)),
        row("cold: all that a call needs, compiled", 8.0, [cold() for _ in range(max(1, repeats // 2))]),
    ]


if __name__ == "__main__":
    options = measure.arguments(__doc__, repeats=7)
    with tempfile.TemporaryDirectory() as folder:
        measure.show({"seconds, whole processes": main(options.repeats, Path(folder))}, options.json)
