"""Microseconds a frame (160 samples, 20 ms) of every node of the palette, at work.

    python bench/palette.py [--json] [--repeats 9] [--frames 1000]

Noise is at the inputs that a node works on, parameters are at their defaults; `moving` has every parameter stepping
about within its range ten times a second, as when each is wired to a slow sequence. What the noise itself costs, 0.1 us
for a source, is in both figures.
"""

import math

import measure
import numpy as np

from graphvoip.node import Node, Signal, Signals, Sound
from graphvoip.nodes import Pcm
from graphvoip.palette import palette
from graphvoip.plan import Plan
from graphvoip.rings import RATE

NOISE = np.random.default_rng(1).uniform(-0.5, 0.5, 2 * RATE).astype(np.float32)
STEP = RATE // 10


def moving(slot: Signal) -> np.ndarray:
    """Two seconds of a parameter that steps; gates and triggers go on and off."""
    if slot.unit in ("gate", "trigger"):
        values = np.arange(20) % 2
    elif slot.unit == "events":
        values = np.full(20, 53.0)
    else:
        low = slot.low if math.isfinite(slot.low) else 0.5 * slot.default
        high = slot.high if math.isfinite(slot.high) else 2 * slot.default
        values = low + (high - low) * np.random.default_rng(2).random(20)
    found = np.repeat(values, STEP).astype(np.float32)
    if slot.unit == "events":
        found[np.arange(found.size) % STEP > 0] = 0
    return found


def at_work(cls: type[Node], moves: bool) -> Node:
    values = {}
    for name, slot in cls.slots.inputs.items():
        if isinstance(slot, Signals):
            values[name] = [Pcm(data=NOISE, loop=True), 0.5, 0.5]
        elif slot.default is None:
            values[name] = Pcm(data=NOISE, loop=True)
        elif moves:
            values[name] = Pcm(data=moving(slot), loop=True)
    for name, option in cls.slots.options.items():
        if isinstance(option, Sound) or (cls, name) == (Pcm, "data"):
            values[name] = NOISE
    if "loop" in cls.slots.options:
        values["loop"] = True
    return cls(**values)


def cost(cls: type[Node], repeats: int, frames: int) -> dict:
    plans = [Plan([at_work(cls, moves)]) for moves in (False, True)]
    for plan in plans:
        plan.run(100)
    still, steps = measure.alternate(repeats, *[(lambda plan=plan: plan.run(frames), frames) for plan in plans])
    return {
        "node": cls.type, "group": cls.group, "us": still[1], "fastest": still[0], "moving": steps[1],
        "state bytes": cls.dtype.itemsize,
    }  # fmt: skip


if __name__ == "__main__":
    options = measure.arguments(__doc__, repeats=9, frames=1000)
    rows: dict[str, list[dict]] = {}
    for cls in palette().values():
        rows.setdefault(cls.group, []).append(cost(cls, options.repeats, options.frames))
    measure.show({f"microseconds a frame: {group}": found for group, found in rows.items()}, options.json)
