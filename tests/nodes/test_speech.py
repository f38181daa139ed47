import numpy as np

from graphvoip.nodes import Speech
from graphvoip.nodes.speech import SIZE


def blocks(seed=1):
    random = np.random.default_rng(seed)
    while True:
        yield random.uniform(-1, 1, random.integers(1, 3000)).astype(np.float32)


def test_blocks_of_any_length_are_heard_one_after_the_other(run):
    """More than the ring holds: it goes round."""
    node, source = Speech(), blocks()
    given, heard, rest = [], [], next(source)
    while sum(map(len, heard)) < SIZE + 40_000:
        while node.waiting() < 160:
            size = node.put(rest)
            given.append(rest[:size])
            rest = rest[size:] if size < len(rest) else next(source)
        heard.append(run(node)[0])
    np.testing.assert_array_equal(np.concatenate(heard), np.concatenate(given)[: sum(map(len, heard))])
    assert node.state["missed"] == 0


def test_a_full_ring_takes_no_more_and_loses_nothing(run):
    node = Speech()
    samples = np.random.default_rng(1).uniform(-1, 1, 2 * SIZE).astype(np.float32)
    size = node.put(samples)
    assert 0 < size < SIZE
    assert node.put(samples) == 0
    found, _ = run(node, 50)
    assert node.put(samples[size:]) == 50 * 160
    np.testing.assert_array_equal(np.concatenate([found, run(node, 3200)[0]]), samples[: 3250 * 160])


def test_it_waits_for_the_first_block_and_counts_what_is_missing_later(run):
    node = Speech()
    assert not np.any(run(node, 5)[0])
    assert node.state["missed"] == 0
    node.put(np.ones(200, np.float32))
    samples, events = run(node, 2)
    np.testing.assert_array_equal(samples, np.arange(320) < 200)
    assert node.state["missed"] == 120
    assert events == []


def test_it_is_done_with_its_last_sample(run):
    node = Speech()
    node.put(np.ones(200, np.float32))
    node.end()
    samples, events = run(node, 4)
    assert events == [("done", 199, 0)]
    assert not np.any(samples[200:])
    assert node.state["missed"] == 0


def test_a_text_of_no_sound_is_done_at_once(run):
    node = Speech()
    node.end()
    assert run(node, 2)[1] == [("done", 0, 0)]
