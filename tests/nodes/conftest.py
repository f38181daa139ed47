import numpy as np
import pytest

from graphvoip.nodes import Pcm
from graphvoip.plan import Plan


@pytest.fixture
def run():
    """run(node, frames): its samples, and the events that happened as (name, sample, value)."""

    def play(node, frames=1, also=()):
        plan = Plan([node, *also])
        found, events = [], []
        for n in range(frames):
            plan.run()
            if node.slots.outputs:
                found.append(node.samples().copy())
            for token, at, value in plan.taken_events():
                if token >> 4 == node.id:
                    events.append((list(node.slots.events)[token & 15], 160 * n + at, value))
        return np.concatenate(found) if found else None, events

    return play


@pytest.fixture
def signal():
    """signal(samples): a source of them, and silence after."""
    return lambda samples: Pcm(data=np.asarray(samples, np.float32))
