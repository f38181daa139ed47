"""Microseconds a frame (160 samples at 8000 Hz) of five patches: ours, plain numpy, C, and other programs if installed.

    python bench/peers.py [--json] [--repeats 7] [--peers-python /path/to/python]

The patches are in bench/peers/, once for each program. All take turns in one run, and the fastest of each counts: this
asks what a program can do, and not what else the machine did. It is processor time. Programs that render from the
command line are run for two durations, and the difference counts: their start is left out. Before that each renders
4 s, and its peak and level are compared with ours.

P3 is touch tones and noise; P3+ also looks for the tones, for which the other programs have no ready part.
SignalFlow and DawDreamer (for Faust) are Python modules: --peers-python names an interpreter that has them.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measure
import numpy as np
import soundfile
from peers import csound, host, ours, plain, puredata, supercollider
from peers.patches import FRAME, NAMES, RATE

PATCHES = (*NAMES[:3], "P3+", *NAMES[3:])
COMPARED = 4  # seconds that should have the same level
SHORT = 20  # seconds, the shorter duration
BARS = {
    "SuperCollider": dict.fromkeys(("P1", "P2", "P5"), 1.0) | {"P4": 0.8},
    "csound": dict.fromkeys(NAMES, 1.5),
    "SignalFlow": dict.fromkeys(NAMES, 3.0),
    "C": dict.fromkeys(PATCHES, 0.5),
}


class Missing(Exception):
    """A peer is not installed; the text says how it would be."""


class CommandLine:
    """A program that renders for a given time and ends."""

    budget = 0.3  # s of a run that is timed

    def __init__(self, module: Any, folder: Path):
        if not module.find():
            raise Missing(module.INSTALL)
        self.module, self.folder, self.starts = module, folder, dict[str, float]()

    def sound(self, name: str, seconds: float) -> np.ndarray:
        """Pure Data writes WAV files, the others raw samples."""
        file = self.folder / "sound.wav"
        self.run(self.module.command(name, seconds, self.folder, file))
        heard = np.fromfile(file, np.float32)
        if file.read_bytes()[:4] == b"RIFF":
            heard = soundfile.read(file, dtype="float32")[0]
        return heard[: round(seconds * RATE)]

    def time(self, name: str, frames: int) -> float:
        start = self.run(self.module.command(name, SHORT, self.folder, None))
        self.starts[name] = min(start, self.starts.get(name, start))
        seconds = SHORT + frames * FRAME / RATE
        return self.run(self.module.command(name, seconds, self.folder, None)) - self.starts[name]

    def run(self, command: list[str]) -> float:
        """Processor time, in seconds."""
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                said.seek(0)
                raise RuntimeError(f"{' '.join(command)}:\n{said.read().decode(errors='replace')}")
        return used.ru_utime + used.ru_stime


class Module:
    """A Python module in an interpreter of its own: peers/worker.py."""

    budget = 0.1  # s of a run that is timed

    def __init__(self, python: str, name: str, install: str):
        command = [python, "-m", "peers.worker", name]
        folder = Path(__file__).parent
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, cwd=folder, text=True, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
        )
        if not self.process.stdout.readline():
            raise Missing(install)

    def ask(self, *order: Any) -> Any:
        print(measure.json.dumps(order), file=self.process.stdin, flush=True)
        return measure.json.loads(self.process.stdout.readline())

    def sound(self, name: str, seconds: float) -> np.ndarray:
        return np.array(self.ask("sound", name, seconds), np.float32)

    def time(self, name: str, frames: int) -> float:
        return self.ask("time", name, frames)


def find(python: str, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """All that can take part, ours first, and a line for each that cannot."""
    makers: dict[str, Callable[[], Any]] = {
        "graphvoip": ours.Peer,
        "numpy": plain.Peer,
        "C": lambda: host.Peer(folder),
        "C -ffast-math": lambda: host.Peer(folder, "-ffast-math"),
        "SuperCollider": lambda: CommandLine(supercollider, folder),
        "csound": lambda: CommandLine(csound, folder),
        "Pure Data": lambda: CommandLine(puredata, folder),
        "SignalFlow": lambda: Module(python, "flow", "pip install signalflow, in the Python of --peers-python"),
        "Faust": lambda: Module(python, "faust", "pip install dawdreamer, in the Python of --peers-python"),
    }
    found, missing = {}, []
    for name, make in makers.items():
        try:
            found[name] = make()
        except Missing as how:
            missing.append(f"{name} is not here: {how}")
    return found, missing


def runs(peer: Any, patch: str) -> bool:
    return patch in NAMES or not isinstance(peer, (CommandLine, Module))


def levels(peers: dict[str, Any]) -> list[dict[str, Any]]:
    """Peak and level of ours, and by how many percent each peer differs in one of them."""
    rows = []
    for patch in NAMES:
        row: dict[str, Any] = {"patch": patch}
        for name, peer in peers.items():
            sound = peer.sound(patch, COMPARED).astype(float)
            found = np.array([np.abs(sound).max(), np.sqrt((sound**2).mean())])
            if name == "graphvoip":
                ours = found
                row |= {"peak": float(ours[0]), "rms": float(ours[1])}
            else:
                row[name] = float(100 * np.abs(found / ours - 1).max())
        rows.append(row)
    return rows


def enough(peer: Any, patch: str) -> int:
    """How many frames take long enough to be timed."""
    frames, seconds = 20, 0.0
    while (seconds := peer.time(patch, frames)) < peer.budget:
        frames = round(frames * min(10, max(2, 1.2 * peer.budget / max(seconds, 1e-6))))
    return frames


def speeds(peers: dict[str, Any], repeats: int) -> dict[str, dict[str, tuple[float, float]]]:
    """Of each patch and peer the fastest and the median microseconds a frame."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for patch in PATCHES:
        taking = {name: peer for name, peer in peers.items() if runs(peer, patch)}
        frames, times = {}, {name: [] for name in taking}
        for name, peer in taking.items():
            frames[name] = enough(peer, patch)
        for _ in range(repeats):
            for name, peer in taking.items():
                times[name].append(peer.time(patch, frames[name]) / frames[name] * 1e6)
        found[patch] = {name: (min(one), statistics.median(one)) for name, one in times.items()}
    return found


def tables(found: dict[str, dict[str, tuple[float, float]]], names: list[str]) -> dict[str, list[dict[str, Any]]]:
    def row(patch: str, value: Callable[[str], Any]) -> dict[str, Any]:
        return {"patch": patch} | {name: value(name) if name in found[patch] else "" for name in names}

    def times(patch: str, name: str) -> float:
        return found[patch][name][0] / found[patch]["graphvoip"][0]

    bars = []
    for name, wanted in BARS.items():
        for patch, bar in wanted.items():
            if name in names:
                got = times(patch, name)
                bars.append({"peer": name, "patch": patch, "times ours": got, "bar": bar, "met": got >= bar})
    return {
        "microseconds a frame, the fastest": [row(patch, lambda name, p=patch: found[p][name][0]) for patch in found],
        "microseconds a frame, the median": [row(patch, lambda name, p=patch: found[p][name][1]) for patch in found],
        "times as long as ours": [row(patch, lambda name, p=patch: times(p, name)) for patch in found],
        "bars": bars,
    }


def main(repeats: int, python: str) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        peers, missing = find(python, Path(folder))
        same = {"levels: ours, and how far the others are from them in percent": levels(peers)}
        return same | tables(speeds(peers, repeats), list(peers)), missing


if __name__ == "__main__":
    options = measure.arguments(__doc__, repeats=7, **{"peers-python": sys.executable})
    results, missing = main(options.repeats, options.peers_python)
    measure.show(results, options.json)
    for line in missing:
        print(line, file=sys.stderr)
