"""PCM: a list of samples that holds float32. Everything is compared with a list that is treated in the same way."""

import array
import copy
import json
import pickle
import sys
import tracemalloc
from collections.abc import MutableSequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphvoip import PCM, normalizePCM

values = st.floats(width=32, allow_nan=False, allow_infinity=False)
lists = st.lists(values, max_size=12)
places = st.integers(-15, 15)
bounds = st.none() | places
slices = st.builds(slice, bounds, bounds, st.sampled_from([None, 1, 2, 3, -1, -2]))

CHANGES = {
    "set": lambda x, i, v, s, more: x.__setitem__(i, v),
    "set slice": lambda x, i, v, s, more: x.__setitem__(s, more),
    "set slice to PCM": lambda x, i, v, s, more: x.__setitem__(s, type(x)(more)),
    "delete": lambda x, i, v, s, more: x.__delitem__(i),
    "delete slice": lambda x, i, v, s, more: x.__delitem__(s),
    "append": lambda x, i, v, s, more: x.append(v),
    "extend": lambda x, i, v, s, more: x.extend(more),
    "extend by itself": lambda x, i, v, s, more: x.extend(x),
    "extend by a generator": lambda x, i, v, s, more: x.extend(one for one in more),
    "insert": lambda x, i, v, s, more: x.insert(i, v),
    "pop": lambda x, i, v, s, more: x.pop(),
    "pop at": lambda x, i, v, s, more: x.pop(i),
    "remove": lambda x, i, v, s, more: x.remove(v),
    "remove what is there": lambda x, i, v, s, more: x.remove(x[i]),
    "reverse": lambda x, i, v, s, more: x.reverse(),
    "sort": lambda x, i, v, s, more: x.sort(),
    "sort by key": lambda x, i, v, s, more: x.sort(key=abs, reverse=True),
    "clear": lambda x, i, v, s, more: x.clear(),
    "add in place": lambda x, i, v, s, more: x.__iadd__(more),
    "multiply in place": lambda x, i, v, s, more: x.__imul__(i % 4),
}


def outcome(run, *given):
    """What it gives, or the kind of its error."""
    try:
        return run(*given)
    except (IndexError, ValueError, TypeError) as error:
        return type(error)


@settings(max_examples=60, deadline=None)
@given(lists, st.lists(st.tuples(st.sampled_from(sorted(CHANGES)), places, values, slices, lists), max_size=8),
       st.booleans())  # fmt: skip
def test_every_change_is_that_of_a_list_and_a_copy_does_not_see_it(start, changes, shared):
    pcm, model = PCM(start), list(start)
    copies = []
    for name, *given_ in changes:
        if shared:
            copies += [(pcm.copy(), list(model)), (np.asarray(pcm), list(model))]
        assert outcome(CHANGES[name], pcm, *given_) == outcome(CHANGES[name], model, *given_), name
        assert list(pcm) == model, name
        assert len(pcm) == len(model)
    for kept, was in copies:
        assert kept.tolist() == was


READINGS = {
    "index": lambda x, i, v, s, more: x[i],
    "slice": lambda x, i, v, s, more: list(x[s]),
    "all": lambda x, i, v, s, more: list(x[:]),
    "length": lambda x, i, v, s, more: len(x),
    "truth": lambda x, i, v, s, more: bool(x),
    "iterate": lambda x, i, v, s, more: [*x],
    "backwards": lambda x, i, v, s, more: list(reversed(x)),
    "in": lambda x, i, v, s, more: v in x,
    "one of it in": lambda x, i, v, s, more: x[i] in x,
    "find": lambda x, i, v, s, more: x.index(v),
    "find between": lambda x, i, v, s, more: x.index(x[i], i - 2, i + 2),
    "count": lambda x, i, v, s, more: x.count(v),
    "add": lambda x, i, v, s, more: list(x + more),
    "add to": lambda x, i, v, s, more: list(more + x),
    "multiply": lambda x, i, v, s, more: list(x * (i % 4)),
    "multiply by": lambda x, i, v, s, more: list((i % 4) * x),
    "equal": lambda x, i, v, s, more: (x == more, x != more, more == x, x == list(x), x == tuple(x), x == 5),
    "order": lambda x, i, v, s, more: (x < more, x <= more, x > more, x >= more, more < x, x <= list(x), x < x + more),
    "smallest": lambda x, i, v, s, more: (min(x, default=0), max(x, default=0), sum(x)),
    "sorted": lambda x, i, v, s, more: sorted(x),
    "json": lambda x, i, v, s, more: json.dumps(list(x)),
    "unpack": lambda x, i, v, s, more: (lambda first, *rest: (first, rest))(*x),
    "copy": lambda x, i, v, s, more: [list(one) for one in (x.copy(), copy.copy(x), copy.deepcopy(x))],
    "pickle": lambda x, i, v, s, more: list(pickle.loads(pickle.dumps(x))),
    "times a half": lambda x, i, v, s, more: x * 0.5,
    "plus a number": lambda x, i, v, s, more: x + 1,
    "plus a tuple": lambda x, i, v, s, more: x + tuple(more),
    "less than a number": lambda x, i, v, s, more: x < 1,
    "at a float": lambda x, i, v, s, more: x[0.5],
    "hash": lambda x, i, v, s, more: hash(x),
    "array": lambda x, i, v, s, more: np.array(x).tolist(),
    "product with an array": lambda x, i, v, s, more: (x * np.ones(len(x), np.float32)).tolist(),
    "sum with an array": lambda x, i, v, s, more: (np.ones(len(x)) + x).tolist(),
}


@settings(max_examples=100, deadline=None)
@given(lists, places, values, slices, lists, st.booleans())
def test_whatever_is_read_is_what_a_list_gives(start, i, v, s, more, shared):
    pcm = PCM(start)
    if shared:
        np.asarray(pcm)
    for name, read in READINGS.items():
        found, wanted = outcome(read, pcm, i, v, s, more), outcome(read, start, i, v, s, more)
        assert found == wanted, name
    assert pcm == start
    assert all(type(one) is float for one in (*pcm, *pcm[:1], *pcm.tolist()))


@given(lists, lists)
def test_two_compare_as_two_lists(a, b):
    assert (PCM(a) == PCM(b), PCM(a) < PCM(b), PCM(a) <= PCM(b), PCM(a) > PCM(b)) == (a == b, a < b, a <= b, a > b)
    assert PCM(a) + PCM(b) == a + b


@pytest.mark.parametrize("kind", [list, tuple, iter, np.array, lambda x: np.array(x, np.float32), PCM,
                                  lambda x: array.array("f", x), lambda x: array.array("d", x),
                                  lambda x: (one for one in x)])  # fmt: skip
def test_it_is_made_of_anything_that_has_numbers(kind):
    pcm = PCM(kind([0.5, -0.25, 1.0]))
    assert pcm == [0.5, -0.25, 1]
    pcm += kind([2.0])
    pcm[1:2] = kind([3.0, 4.0])
    assert pcm == [0.5, 3, 4, 1, 2]


def test_it_is_a_mutable_sequence_and_is_empty_without_values():
    assert isinstance(PCM(), MutableSequence)
    assert PCM() == []
    assert not PCM()


@pytest.mark.parametrize("bad", ["text", [None], ["1"], 5, None, [[0.5]]])
def test_what_is_no_number_is_refused_and_nothing_is_changed(bad):
    with pytest.raises(TypeError):
        PCM(bad)
    pcm = PCM([1, 2])
    with pytest.raises(TypeError):
        pcm[:] = bad
    with pytest.raises(TypeError):
        pcm.append([bad])
    assert pcm == [1, 2]


def test_16_bit_sound_is_not_guessed_at():
    with pytest.raises(ValueError, match=r"^PCM: samples are floats in \[-1, 1\], not integers; divide .* by 32768$"):
        PCM(np.zeros(3, np.int16))


def test_its_repr_is_short():
    assert repr(PCM([0, 0.1, -1])) == "PCM([0, 0.1, -1])"
    assert repr(PCM([0.1] * 20000)) == "<PCM of 20000 samples, 2.5 s>"


def test_an_array_of_it_is_no_copy_and_cannot_be_written_to():
    pcm = PCM([0.5] * 100)
    x = np.asarray(pcm)
    assert x.dtype == np.float32
    assert np.shares_memory(x, np.asarray(pcm.copy()))
    assert np.shares_memory(x, np.asarray(PCM(x)))
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 1
    written = np.array(pcm)
    written[0] = 1
    assert np.asarray(pcm, np.float64).dtype == np.float64
    pcm[0] = 0.25
    assert x[0] == 0.5
    assert pcm[0] == 0.25


def test_an_array_that_may_be_written_to_is_copied():
    x = np.zeros(3, np.float32)
    pcm = PCM(x)
    x[:] = 1
    assert pcm == [0, 0, 0]


def test_a_sample_takes_4_bytes_and_what_is_shared_none():
    tracemalloc.start()
    try:
        pcm = PCM(np.zeros(1_000_000))
        before = tracemalloc.get_traced_memory()[0]
        copies = [pcm.copy() for _ in range(20)] + [pickle.loads(pickle.dumps(PCM(np.zeros(10))))]
        shared = tracemalloc.get_traced_memory()[0] - before
        copies[0][0] = 1
        changed = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert before < 4_400_000
    assert shared < 20_000
    assert 4_000_000 < changed < 4_400_000


def test_a_change_of_one_sample_copies_once():
    pcm = PCM(np.zeros(1_000_000))
    np.asarray(pcm)
    blocks = sys.getallocatedblocks()
    for n, value in enumerate(pcm):
        pcm[n] = value + 1
        if n == 999:
            break
    assert sum(pcm) == 1000
    assert sys.getallocatedblocks() - blocks < 100


def test_the_name_of_a_file_is_no_sound_and_how_to_load_it_is_said():
    for make in (PCM, normalizePCM):
        with pytest.raises(TypeError, match=r"not str; load the file by loadWAVtoPCM\('x\.wav'\)$"):
            make("x.wav")
