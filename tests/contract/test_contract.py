"""What holds for every node of the palette. Written once; a new node is under it by existing.

    python tests/contract/test_contract.py

feeds junk to all of them without pytest, for a run in which machine code checks its indices (NUMBA_BOUNDSCHECK=1).
"""

import itertools
import json
import math
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rig import TYPES, Rig, gives_sound_always, inputs_of, is_sound, limits, lively, noise, usual, usually, worst

from graphvoip.kernel import HUGE, kernel, words_at
from graphvoip.node import Node, Option, Output, Signal, Sound, State, types
from graphvoip.nodes import Mix, Recorder, Sine
from graphvoip.palette import GROUPS, entry, example, example_source, words_of
from graphvoip.plan import Plan
from graphvoip.rings import FRAME, RATE

PIECES = {"1+159": (0, 1, 160), "77+83": (0, 77, 160), "160 x 1": tuple(range(161))}
LEAST_NORMAL = np.finfo(np.float32).smallest_normal


# --- The same sound, however it is run --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TYPES)
def test_two_fresh_nodes_agree_bit_for_bit(name):
    for inputs in (usually(name, 1280), lively(name, 1280)):
        (one, said), (other, too) = (Rig(name, inputs).frames(8) for _ in range(2))
        np.testing.assert_array_equal(one, other)
        assert said == too


def agree(name, inputs, edges, options=None, frames=8):
    (whole, said), (pieces, too) = (Rig(name, inputs, options).frames(frames, e) for e in ((0, FRAME), edges))
    for slot, a, b in zip(types[name].slots.outputs, whole, pieces, strict=True):
        np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b), slot)
        kept = np.isfinite(a)
        apart = np.where(kept, a, 0).astype(float) - np.where(kept, b, 0)
        assert worst(apart) < 1e-6 * max(1, worst(a[kept])), f"{slot} at sample {np.argmax(np.abs(apart))}"
    assert said == too


@pytest.mark.parametrize("edges", PIECES.values(), ids=PIECES)
@pytest.mark.parametrize("name", TYPES)
def test_a_frame_in_pieces_agrees_to_120_db_and_so_do_events(name, edges):
    agree(name, dict.fromkeys(inputs_of(name), noise(1280)), edges)
    agree(name, usually(name, 1280), edges)
    agree(name, lively(name, 3200), edges, frames=20)


@pytest.mark.parametrize("name", TYPES)
def test_state_survives_a_new_plan(name):
    inputs = lively(name, 1280, 2)
    straight = Rig(name, inputs).frames(8)[0]
    rig = Rig(name, inputs)
    first = rig.frames(4)[0]
    rig.plan = Plan([rig.node, Mix(0.0)])
    np.testing.assert_array_equal(straight, np.concatenate([first, rig.frames(4)[0]], axis=1))


# --- Any input --------------------------------------------------------------------------------------------------------

START, END, AFTER = 100, 400, 103  # samples from which and to which junk comes, and frames in all
JUNK = {
    "silence": [0.0],
    "noise": noise(300),
    "full scale": [1.0, -1.0],
    "1e30": [1e30],
    "-1e30": [-1e30],
    "not a number": [np.nan],
    "infinity": [np.inf],
    "-infinity": [-np.inf],
    "denormal": [1e-40],
    "all in turn": [np.nan, 1.0, 1e30, -np.inf, 0.0, -1e30, 1e-40, np.inf, -1.0, 440.0],
}


def junk(slot, kind):
    """300 samples of this kind of junk; the ends of the slot's own range, and what is beyond them, are kinds too."""
    if kind in JUNK:
        return np.resize(np.asarray(JUNK[kind], np.float32), END - START)
    low, high = (slot.low, slot.high) if isinstance(slot, Signal) else (-math.inf, math.inf)
    low, high = low if math.isfinite(low) else -1.0, high if math.isfinite(high) else 1.0
    value = {"low end": low, "high end": high, "too low": low - 1 - abs(low), "too high": high + 1 + abs(high)}[kind]
    return np.full(END - START, value, np.float32)


KINDS = (*JUNK, "low end", "high end", "too low", "too high")


def with_junk(name, where, kind):
    """Inputs: the usual, then junk at one input (or at all of them), then the usual."""
    found = {}
    for slot in inputs_of(name).values():
        data = np.full(AFTER * FRAME, usual(slot, AFTER * FRAME), np.float32)
        if where in (slot.name, "all"):
            data[START:END] = junk(slot, kind)
        found[slot.name] = data
    return found


def survival(name):
    """Feed every kind of junk; yields what is wrong."""
    limit = 1e3 if types[name].group in ("sources", "filters", "dynamics", "time") else 1e5  # Hz are not levels
    for where in (*inputs_of(name), "all"):
        for kind in KINDS:
            found = Rig(name, with_junk(name, where, kind)).render(AFTER)
            what = f"{kind} at {where}:"
            if gives_sound_always(name) and not np.isfinite(found).all():
                yield f"{what} not finite at sample {np.argmin(np.isfinite(found).all(axis=0))}"
            elif not np.isfinite(found[:, END:]).all():
                how_long = "for a while" if np.isfinite(found[:, -1]).all() else "for ever"
                yield f"{what} not finite after it, {how_long}"
            elif worst(found[:, -20 * FRAME :]) > limit:
                yield f"{what} {worst(found[:, -20 * FRAME :]):.3g} after two seconds"


@pytest.mark.parametrize("name", TYPES)
def test_any_input_is_survived_and_forgotten(name):
    assert not list(survival(name))


@pytest.mark.parametrize("name", [name for name in TYPES if name != "fade"])  # that one cuts a whole piece, and stays
def test_pieces_agree_while_junk_comes(name):
    for where, kind in itertools.product((*inputs_of(name), "all"), ("all in turn", "not a number", "1e30")):
        agree(name, with_junk(name, where, kind), (0, 77, FRAME), frames=4)


@pytest.mark.parametrize("name", [name for name in TYPES if types[name].group in ("filters", "dynamics", "time")])
def test_what_comes_back_after_junk_is_what_a_fresh_node_makes(name):
    """Its level after 13 s, within a factor of four: nothing sticks."""
    frames = 750
    inputs = {slot.name: usual(slot, frames * FRAME) for slot in inputs_of(name).values()}
    fresh = np.std(Rig(name, inputs).render(frames)[:, -100 * FRAME :], axis=1)
    for where in inputs_of(name):
        spoilt = dict(inputs)
        spoilt[where] = np.full(frames * FRAME, inputs[where], np.float32)
        spoilt[where][START:END] = junk(inputs_of(name)[where], "all in turn")
        after = np.std(Rig(name, spoilt).render(frames)[:, -100 * FRAME :], axis=1)
        assert np.all(after <= 4 * fresh + 1e-3), (where, after, fresh)
        assert np.all(after >= fresh / 4 - 1e-3), (where, after, fresh)


@pytest.mark.parametrize("name", TYPES)
def test_sound_in_and_parameters_within_their_ranges_give_bounded_sound(name):
    count = 200
    parameters = [slot for slot in inputs_of(name).values() if not is_sound(slot)]
    settled = [{}]
    for slot in parameters:
        settled += [{slot.name: value} for value in limits(slot)]
    settled += [{slot.name: limits(slot)[end] for slot in parameters} for end in (0, 1)]
    for seed in range(4):
        random = np.random.default_rng(seed)
        settled.append({slot.name: random.uniform(*limits(slot)) for slot in parameters})
    cases = [usually(name, count * FRAME, **case) for case in settled]
    for what in ("silence", "full scale", "denormal"):
        data = np.resize(np.asarray(JUNK[what], np.float32), count * FRAME)
        cases.append({slot.name: data if is_sound(slot) else slot.default for slot in inputs_of(name).values()})
    for case in cases:
        found = Rig(name, case).render(count)
        shown = {slot: "a signal" if np.ndim(value) else value for slot, value in case.items()}
        assert np.isfinite(found).all(), shown
        assert worst(found) < 1e4, shown
    for seed in range(3):  # a filter whose corner jumps may ring loudly for a moment, but what it makes is sound
        assert worst(Rig(name, lively(name, count * FRAME, seed)).render(count)) < HUGE


@pytest.mark.parametrize("name", [name for name in TYPES if any(map(is_sound, inputs_of(name).values()))])
def test_a_tail_has_no_denormal_numbers(name):
    data = np.zeros(525 * FRAME, np.float32)
    data[:4000] = noise(4000)
    found = Rig(name, {slot.name: data for slot in inputs_of(name).values() if is_sound(slot)}).render(525)
    assert not np.any((found != 0) & (np.abs(found) < LEAST_NORMAL))


# --- Inputs, pieces and options made by hypothesis --------------------------------------------------------------------

samples = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e30, -1e30, 1e6, 999999.0, 1e-40, -1e-40, 53.0]),
    st.floats(width=32),
    st.floats(-1, 1, width=32),
    st.floats(0, 4000, width=32),
)
signals = st.lists(st.tuples(samples, st.integers(1, 200)), min_size=1, max_size=12).map(
    lambda runs: np.resize(np.repeat(*zip(*runs, strict=True)), 4 * FRAME).astype(np.float32)
)
edges = st.sets(st.integers(1, FRAME - 1), max_size=12).map(lambda inner: (0, *sorted(inner), FRAME))
quick = settings(max_examples=12, deadline=None, derandomize=True, database=None)


def values_of(option):
    """Values that an option may be given, or None where only its node knows."""
    if option.choices:
        return st.sampled_from(option.choices)
    if isinstance(option, Sound):
        return signals.map(lambda data: data[: int(7919 * float(abs(np.nan_to_num(data[0])))) % data.size])
    if isinstance(option.default, bool):
        return st.booleans()
    if math.isfinite(option.low) and isinstance(option.default, (int, float)):
        high = option.high if math.isfinite(option.high) else option.low + 1000
        if isinstance(option.default, int):
            return st.integers(math.ceil(option.low), math.floor(high))
        return st.floats(option.low, high)
    return None


@st.composite
def made(draw, name):
    """(inputs, options) for a node of this type."""
    kinds = {slot: values_of(option) for slot, option in types[name].slots.options.items()}
    chosen = {slot: draw(kind) for slot, kind in kinds.items() if kind is not None and draw(st.booleans())}
    return {slot: draw(signals) for slot in inputs_of(name)}, chosen


@pytest.mark.parametrize("name", TYPES)
def test_whatever_comes_in_nothing_is_written_where_it_must_not_be(name):
    @quick
    @given(case=made(name), edges=edges)
    def run(case, edges):
        inputs, options = case
        said = ""
        try:
            rig = Rig(name, inputs, options)
        except ValueError as error:  # two options that do not go together: it says so, in a line
            said = str(error)
        else:
            rig.frames(4, edges)
        assert re.fullmatch(rf"({name}: .+)?", said)

    run()


@pytest.mark.parametrize("name", TYPES)
def test_any_pieces_agree(name):
    @quick
    @given(edges=edges, seed=st.integers(0, 1000))
    def run(edges, seed):
        agree(name, lively(name, 640, seed), edges, frames=4)

    run()


class Broken(Node):
    """Reads beyond its memory on purpose, to see that the check of indices sees it."""

    out = Output()
    state = State(address="i8")

    def start(self):
        self.memory_ = np.zeros(64, np.int64)
        self.state["address"] = self.memory_.ctypes.data

    @kernel
    def process(state, out):
        memory = words_at(state.address, 32)
        for i in range(out.size):
            out[i] = memory[i % 33]


def test_no_index_leaves_its_array(request):
    """In a process of its own, where machine code looks at every index. It says the type before it runs it."""
    where = request.config.cache.mkdir("checked_kernels")
    env = os.environ | {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(where)}
    done = subprocess.run([sys.executable, __file__], env=env, capture_output=True, text=True, timeout=600)
    parts = re.split(r"^node (\w+)\n", done.stderr, flags=re.M)[1:]
    said = dict(zip(parts[::2], parts[1::2], strict=True))
    assert done.returncode == 0, done.stderr[-2000:]
    assert "IndexError" in said.pop("broken")
    assert list(said) == TYPES
    assert not [name for name, text in said.items() if "Error" in text or "ignored" in text]


def main():
    types["broken"] = Broken
    for name in ["broken", *TYPES]:
        print(f"node {name}", file=sys.stderr, flush=True)
        for where, kind in itertools.product([*inputs_of(name), "all"], KINDS):
            rig = Rig(name, with_junk(name, where, kind))
            rig.frames(4)
            rig.frames(2, (0, 1, 77, FRAME))
        for seed in range(3):
            Rig(name, lively(name, 100 * FRAME, seed)).render(100)


# --- What a class says of itself --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TYPES)
def test_it_has_a_place_in_the_palette_and_says_what_it_does(name):
    cls = types[name]
    assert cls.group in GROUPS
    assert cls.__doc__, "no docstring"
    assert cls.__doc__.split("\n")[0].endswith("."), "the first line of its docstring is a sentence"
    page = entry(cls)
    for slot in [*page["inputs"], *page["options"], *page["outputs"][1:], *page["events"]]:
        assert slot["doc"], f"{slot['name']} has no doc"


@pytest.mark.parametrize("name", TYPES)
def test_it_is_known_by_other_words_too(name):
    words = words_of(types[name])
    assert words, "known_as has no word"
    assert len(set(words)) == len(words)
    assert all(word == word.lower() and word != name for word in words)


@pytest.mark.parametrize("name", TYPES)
def test_its_slots_have_units_and_sensible_ranges(name):
    cls = types[name]
    for slot in cls.slots.inputs.values():
        if not is_sound(slot):
            assert slot.unit, f"{slot.name} has no unit"
    for slot in [*inputs_of(name).values(), *cls.slots.options.values()]:
        if isinstance(slot, (Signal, Option)) and isinstance(slot.default, (int, float)):
            assert slot.low <= slot.default <= slot.high, f"{slot.name} is not in its own range"
        if isinstance(slot, Option) and slot.choices:
            assert slot.default in slot.choices


@pytest.mark.parametrize("name", TYPES)
def test_no_word_of_its_state_has_the_name_of_a_slot(name):
    slots = types[name].slots
    fields = {field for value in vars(types[name]).values() if isinstance(value, State) for field in value.fields}
    assert not fields & set(slots.inputs | slots.options | slots.outputs | slots.events)


@pytest.mark.parametrize("name", TYPES)
def test_its_schema_and_its_page_are_json(name):
    schema = json.loads(json.dumps(types[name].schema(), allow_nan=False))
    for slot, value in schema["properties"].items():
        default = value.get("default")
        if isinstance(default, (int, float)) and not isinstance(default, bool):
            assert value.get("minimum", default) <= default <= value.get("maximum", default), slot
        assert default is None or default in value.get("enum", [default]), slot
    assert json.loads(json.dumps(entry(types[name]), allow_nan=False)) == entry(types[name])


@pytest.mark.parametrize("name", [name for name in TYPES if types[name].group != "call"])
def test_its_example_sounds(name):
    port = example(types[name])
    recorder = Recorder(port, limit=2 * RATE)
    Plan([recorder]).run(100)
    found = recorder.recorded()
    assert np.isfinite(found).all()
    if types[name].group not in ("control", "analysis", "arithmetic", "graph"):
        assert 0.01 < worst(found) < 1.5, example_source(types[name])


@pytest.mark.parametrize(
    ("doc", "words"),
    [
        ("It has none.", "Quiet: its docstring has no example"),
        ("One.\n\n>>> a = Sine()\n", "Quiet: its example does not end in an expression"),
        ("One.\n\n>>> 1 + 1\n", "Quiet: its example ends in 2"),
    ],
)
def test_a_docstring_without_an_example_is_named(doc, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        example(type("Quiet", (), {"__doc__": doc}))


def test_an_example_may_have_several_lines_and_uses_the_palette():
    doc = "One.\n\n>>> a = Sine(freq=1000)\n>>> Gain(\n...     a, 0.5)\n"
    port = example(type("Loud", (), {"__doc__": doc}))
    Plan([port.node]).run()
    expected = Sine(freq=1000)
    Plan([expected]).run()
    np.testing.assert_array_equal(port.node.samples(), expected.samples() * np.float32(0.5))


if __name__ == "__main__":
    main()
