"""What comes by a wire does what the number does, or is told: for every input of every node, over its range."""

import math
import re

import numpy as np
import pytest
from rig import TYPES, Rig, inputs_of, is_sound, usually

from graphvoip.node import types
from graphvoip.nodes import Constant, Pcm
from graphvoip.rings import FRAME

# Where a wire may bring more than a number: frequency modulation goes beyond half the sampling rate, and must.
BEYOND = {("sine", "freq")}
PARAMETERS = [(name, slot.name) for name in TYPES for slot in inputs_of(name).values() if not is_sound(slot)]


def values(slot):
    """The default, the ends of the range, and what lies between them, evenly and by octaves."""
    found = [slot.default, *filter(math.isfinite, (slot.low, slot.high))]
    if math.isfinite(slot.low) and math.isfinite(slot.high):
        found += [slot.low + share * (slot.high - slot.low) for share in (0.02, 0.1, 0.3, 0.7, 0.97)]
    else:
        found += [2.5, 0.25] + [-0.7] * (slot.low == -math.inf)
    return [float(value) for value in dict.fromkeys(found)]


def frames(slot, value):
    """Frames in which a time would be over, so that what it does is heard."""
    return 40 + (math.ceil(50 * value) if slot.unit == "s" and value <= 100 else 0)


def wires(value, default, count):
    return {
        "a signal": Pcm(data=np.full(count * FRAME, value, np.float32)),
        "a parameter": Constant(value=value),
        "a score": Constant(value=default, score=[[0, value, 0]]),
        "arithmetic": Constant(value=value / 2) * 2,
    }


@pytest.mark.parametrize(("name", "key"), PARAMETERS)
def test_a_wire_does_what_the_number_does_or_is_told(name, key):
    slot = inputs_of(name)[key]
    for value in values(slot):
        count = frames(slot, value)
        number, events = Rig(name, usually(name, FRAME * count, **{key: value})).frames(count)
        for kind, wire in wires(value, slot.default, count).items():
            heard, too = Rig(name, usually(name, FRAME * count, **{key: wire})).frames(count)
            if kind == "a signal" and any(event == "held" for event, _, _ in too):
                continue  # told: nobody can know how long a time will be that a signal brings
            np.testing.assert_array_equal(number, heard, f"{key} at {value:g} by {kind}")
            if slot.unit != "events":  # keys may still come by a wire, and by a number none: that one is done
                assert events == too, (value, kind)


def test_only_the_memory_of_delays_has_to_be_told_of():
    """The exception above is none for anything else."""
    assert [name for name in TYPES if "held" in types[name].slots.events] == ["delay", "echo"]


@pytest.mark.parametrize(("name", "key"), [one for one in PARAMETERS if one not in BEYOND])
def test_what_a_wire_brings_beyond_the_range_is_held_at_its_end(name, key):
    slot, count = inputs_of(name)[key], 40
    for end, way in ((slot.low, -1), (slot.high, 1)):
        if not math.isfinite(end):
            continue
        for far in (0.3, 7.3):
            value = end + way * far * max(1, abs(end))
            at_end, beyond = (
                Rig(name, usually(name, FRAME * count, **{key: np.full(FRAME * count, one)})).frames(count)[0]
                for one in (end, value)
            )
            level = max(1.0, float(np.abs(at_end).max(initial=0)))
            np.testing.assert_allclose(beyond, at_end, rtol=0, atol=1e-5 * level, err_msg=f"{key} at {value:g}")


@pytest.mark.parametrize(("name", "key"), PARAMETERS)
def test_a_number_out_of_range_is_refused_whatever_brings_it(name, key):
    slot = inputs_of(name)[key]
    for value in [slot.low - 1, slot.high + 1]:
        if math.isfinite(value):
            for wire in (value, Constant(value=value), Constant(value=slot.default, score=[[1, value]])):
                with pytest.raises(ValueError, match=re.escape(f"{name}: {key} {value:g}")):
                    types[name](**{key: wire})
