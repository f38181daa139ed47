"""Ways in which a handler keeps the interpreter to itself: nothing of Python runs beside them."""

import gc
import json
import os
import time
from collections.abc import Callable

import numpy as np

from graphvoip import savePCMtoWAV

NUMBERS = 2_000_000


def spin() -> None:
    end = time.monotonic() + 0.9
    while time.monotonic() < end:
        pass


def dump() -> Callable[[], object]:
    numbers = list(range(NUMBERS))
    return lambda: json.dumps(numbers)


def collect() -> Callable[[], object]:
    heap = [[] for _ in range(NUMBERS)]
    return lambda: gc.collect() + len(heap)


def save() -> Callable[[], object]:
    sound = np.sin(np.arange(5 * 60 * 8000)).tolist()
    return lambda: savePCMtoWAV(sound, os.devnull)


# By name, a function that makes one: what it works on is made before anything is measured.
HOGS: dict[str, Callable[[], Callable[[], object]]] = {
    "idle": lambda: lambda: time.sleep(0),
    "Python loop": lambda: spin,
    "json.dumps": dump,
    "gc.collect": collect,
    "savePCMtoWAV": save,
}
