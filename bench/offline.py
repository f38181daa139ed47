"""Rendering to a file: how many times faster than real time, and the whole process for a patch of 10 s.

    python bench/offline.py [--json] [--seconds 1000] [--repeats 7]

The patches are those of bench/peers/. Rendering is all of `render` and a 16-bit WAV file. The processes are those of a
user at a prompt, with the machine code on the disk.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import measure
from peers import ours
from peers.patches import NAMES

from graphvoip import render, savePCMtoWAV

ROOT = Path(__file__).parent.parent
PATCHES = ("chime.json", "keypad_fm.json")


def rendered(name: str, seconds: float, file: Path) -> tuple[float, float]:
    """The seconds that it took, wall and processor."""
    node = ours.build(name)
    begin, spent = time.perf_counter(), time.process_time()
    savePCMtoWAV(render(node, seconds=seconds), file)
    return time.perf_counter() - begin, time.process_time() - spent


def offline(name: str, seconds: float, repeats: int, folder: Path) -> dict:
    rendered(name, 1, folder / "short.wav")
    found = [rendered(name, seconds, folder / "long.wav") for _ in range(repeats)]
    fastest, processor = (min(times) for times in zip(*found, strict=True))
    return {
        "patch": name,
        "times real time": seconds / fastest,
        "median": seconds / statistics.median(wall for wall, _ in found),
        "by processor time": seconds / processor,
        "bar": 2500 if name == "P1" else "",
    }


def process(patch: str, repeats: int, folder: Path) -> dict:
    words = ["render", ROOT / "patches" / patch, "--seconds", "10", "-o", folder / "patch.wav"]
    command = [sys.executable, "-m", "graphvoip", *words]
    measure.process(command, folder)  # what is not compiled yet is compiled now
    wall, processor = zip(*(measure.process(command, folder) for _ in range(repeats)), strict=True)
    return {
        "process": f"graphvoip render {patch} --seconds 10",
        "s": statistics.median(wall),
        "fastest": min(wall),
        "processor s": min(processor),
        "bar": 1.0,
    }


def main(seconds: float, repeats: int) -> dict[str, list[dict]]:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as name:
        folder = Path(name)
        return {
            f"{seconds:g} s to a WAV file": [offline(patch, seconds, repeats, folder) for patch in NAMES],
            "whole processes": [process(patch, repeats, folder) for patch in PATCHES],
        }


if __name__ == "__main__":
    options = measure.arguments(__doc__, seconds=1000.0, repeats=7)
    measure.show(main(options.seconds, options.repeats), options.json)
