"""What the benches share: repeated timing on a noisy machine, tables, and JSON."""

import argparse
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any


def arguments(doc: str | None, **options: Any) -> argparse.Namespace:
    """Parse --json, and options with these defaults (of their types)."""
    parser = argparse.ArgumentParser(description=(doc or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    for name, default in options.items():
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"default {default}")
    return parser.parse_args()


def alternate(repeats: int, *runs: tuple[Callable[[], Any], int]) -> list[tuple[float, float]]:
    """Time several (run, how many units one run is) in turn, so that a busy moment hits them all.

    Of each: the fastest and the median time of a unit, in microseconds.
    """
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats):
        for found, (run, units) in zip(times, runs, strict=True):
            begin = time.perf_counter()
            run()
            found.append((time.perf_counter() - begin) / units * 1e6)
    return [(min(found), statistics.median(found)) for found in times]


def process(command: Sequence[Any], folder: Any, **environment: str) -> tuple[float, float]:
    """Run a process to its end: the seconds that it took, and its processor time.

    folder: where Python keeps the bytecode of its modules, as it does for a user; an environment may forbid it.
    """
    bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder)}
    begin = time.perf_counter()
    run = subprocess.Popen(
        [str(word) for word in command],
        env=os.environ | bytecode | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(run.pid, 0)
    took = time.perf_counter() - begin
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode:
        raise subprocess.CalledProcessError(run.returncode, command)
    return took, used.ru_utime + used.ru_stime


def text(value: Any) -> str:
    """Three digits of a number are all that a noisy machine can tell."""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


def table(rows: list[dict[str, Any]]) -> None:
    """Print rows with the same keys."""
    cells = [list(rows[0]), *([text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for first, *rest in cells:
        right = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
        print(first.ljust(widths[0]), *right, sep="  ")


def show(tables: dict[str, list[dict[str, Any]]], as_json: bool) -> None:
    """Print tables by their titles."""
    if as_json:
        print(json.dumps(tables, indent=1))
        return
    for title, rows in tables.items():
        print(title)
        table(rows)
        print()
