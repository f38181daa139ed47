"""A node of the palette under test: its rig, and what is put into its inputs."""

import itertools
import math
import zlib

import numpy as np

import graphvoip.node
from graphvoip.node import LEAD, Signals, Sound, types
from graphvoip.nodes import Pcm, Recorder
from graphvoip.palette import palette
from graphvoip.plan import Plan, run_plan
from graphvoip.rings import FRAME

TYPES = sorted(palette())
GUARD = 16  # floats after a buffer that nobody may write
MARK = np.float32(1234.5)


class Rig:
    """A node with these signals (or numbers) at its inputs, a plan of it, and marks around its output buffers."""

    def __init__(self, name, inputs, options=None, seed=3):
        cls = types[name]
        values = dict(options or {})
        for slot, option in cls.slots.options.items():
            if slot not in values and (isinstance(option, Sound) or (name, slot) == ("pcm", "data")):
                values[slot] = np.random.default_rng(seed).uniform(-1, 1, 1280).astype(np.float32)
        for slot, data in inputs.items():
            wire = Pcm(data=np.asarray(data, np.float32)) if np.ndim(data) else data
            values[slot] = [wire, wire] if isinstance(cls.slots.inputs[slot], Signals) else wire
        graphvoip.node.FRAME = FRAME + GUARD
        try:
            self.node = cls(**values)
        finally:
            graphvoip.node.FRAME = FRAME
        self.guarded = dict(self.node._buffers)
        for slot, buffer in self.guarded.items():
            buffer[: LEAD - 1] = buffer[LEAD + FRAME :] = MARK
            self.node._buffers[slot] = buffer[: LEAD + FRAME]
        self.plan = Plan([self.node])

    def frames(self, count, edges=(0, FRAME)):
        """Run it frame by frame in these pieces: a row for each output, and the events as (name, sample, value)."""
        found, events, names = [], [], list(self.node.slots.events)
        for n in range(count):
            for start, stop in itertools.pairwise(edges):
                run_plan(self.plan.address, start, stop)
            found.append([self.node.samples(port).copy() for port in self.node.slots.outputs])
            for token, at, value in self.plan.taken_events():
                if token >> 4 == self.node.id:
                    events.append((names[token & 15], FRAME * n + at, value))
        self.check()
        outputs = np.array(found, np.float32).reshape(count, len(self.node.slots.outputs), FRAME)
        return outputs.swapaxes(0, 1).reshape(-1, count * FRAME), events

    def render(self, count):
        """The same in one native call, as a call runs it: numbers too small to be normal are zero."""
        recorders = [Recorder(self.node.port(port), limit=count * FRAME) for port in self.node.slots.outputs]
        Plan([self.node, *recorders]).run(count)
        self.check()
        return np.array([recorder.recorded() for recorder in recorders]).reshape(-1, count * FRAME)

    def check(self):
        """Nothing has been written beside the frame; the float before it is the plan's."""
        for slot, buffer in self.guarded.items():
            edges = np.concatenate([buffer[: LEAD - 1], buffer[LEAD + FRAME :]])
            assert np.all(edges == MARK), f"{self.node.type} writes beside its output '{slot}'"


def inputs_of(name):
    return types[name].slots.inputs


def is_sound(slot):
    """Must it be wired? Then it is what the node works on; the others are its parameters."""
    return isinstance(slot, Signals) or slot.default is None


def gives_sound_always(name):
    """Sources and control nodes make their own signal: no parameter breaks it, not even while it comes."""
    sound_in = any(map(is_sound, inputs_of(name).values()))
    return types[name].group in ("sources", "control") and not sound_in


def noise(count, seed=1):
    return np.random.default_rng(seed).uniform(-1, 1, count).astype(np.float32)


def usual(slot, count):
    """What a node is given where nothing else is said: noise to work on, parameters at their defaults."""
    return noise(count) if is_sound(slot) else slot.default


def limits(slot):
    """A low and a high value of a parameter: the ends of its range, or something about its default."""
    low = slot.low if math.isfinite(slot.low) else min(-1.0, slot.default)
    return low, slot.high if math.isfinite(slot.high) else max(1.0, 2 * slot.default)


def lively(name, count, seed=1):
    """Inputs that do something: bursts of noise, gates, key presses, parameters that step about in their ranges."""
    found = {}
    for slot in inputs_of(name).values():
        random = np.random.default_rng([seed, zlib.crc32(slot.name.encode())])
        holds = np.repeat(np.arange(count), random.integers(15, 250, count))[:count]
        if is_sound(slot):
            found[slot.name] = noise(count, seed) * random.choice([0.0, 0.1, 1.0], count)[holds]
        elif slot.unit in ("gate", "trigger"):
            found[slot.name] = random.choice([0.0, 0.7, 1.0], count)[holds]
        elif slot.unit == "events":
            steps = np.diff(holds, prepend=0) * (np.arange(count) % 3 == 0)
            found[slot.name] = steps * random.choice([ord(key) for key in "0123456789*#ABCD"], count)
        else:
            low, high = limits(slot)
            even = low + (high - low) * random.random(count)
            spread = low * (high / low) ** random.random(count) if 0 < low < high else even
            found[slot.name] = spread[holds]
    return found


def usually(name, count, **others):
    return {slot.name: usual(slot, count) for slot in inputs_of(name).values()} | others


def worst(found):
    """The greatest magnitude; not a number if one of them is none."""
    return float(np.abs(found).max(initial=0))
