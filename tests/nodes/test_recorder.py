import numpy as np
import pytest

from graphvoip.nodes import Recorder
from graphvoip.nodes.recorder import PIECE
from graphvoip.plan import Plan


@pytest.mark.parametrize("limit", [1, 160, 161, 400])
def test_it_keeps_as_many_samples_as_it_is_told(run, signal, limit):
    data = np.arange(1, 481, dtype=np.float32)
    tape = Recorder(signal(data), limit=limit)
    _, events = run(tape, 3)
    np.testing.assert_array_equal(tape.recorded(), data[:limit])
    assert events == [("done", limit - 1, 0)]


@pytest.mark.parametrize("limit", [None, 2 * PIECE + 77])
def test_pieces_of_memory_are_asked_for_and_brought_in_time(signal, limit):
    data = np.random.default_rng(1).standard_normal(3 * PIECE).astype(np.float32)
    tape = Recorder(signal(data), limit=limit)
    plan = Plan([tape])
    asked = 0
    for _ in range(3 * PIECE // 160):
        plan.run()
        for token, _, _ in plan.taken_events():
            if token == (tape.id << 4 | list(Recorder.slots.events).index("more")):
                tape.grow()
                asked += 1
    np.testing.assert_array_equal(tape.recorded(), data[:limit])
    assert asked == 2
    assert tape.state["lost"] == 0


def test_without_memory_it_counts_and_keeps_what_it_has(signal):
    tape = Recorder(signal(np.ones(2 * PIECE + 1600, np.float32)))
    Plan([tape]).run((2 * PIECE + 1600) // 160)  # nobody grows it
    assert len(tape.recorded()) == 2 * PIECE
    assert tape.state["lost"] == 1600


def test_what_comes_from_a_line_is_kept_in_2_bytes_a_sample_and_nothing_is_lost(run, signal):
    every = (np.arange(-32768, 32768) / 32768).astype(np.float32)
    tape = Recorder(signal(every), limit=65536, shorts=True)
    run(tape, 410)
    np.testing.assert_array_equal(tape.recorded(), every)
    assert sum(piece.nbytes for piece in tape.pieces) == 2 * 65536


def test_2_bytes_a_sample_hold_what_goes_beyond_full_scale_at_its_end(run, signal):
    tape = Recorder(signal(np.array([2, -2, 0.3, 1e30], np.float32)), limit=4, shorts=True)
    run(tape, 1)
    np.testing.assert_allclose(tape.recorded(), [32767 / 32768, -1, 0.3, 32767 / 32768], atol=1 / 65536)
