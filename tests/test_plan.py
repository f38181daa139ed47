"""Graph -> plan: the order, the loops, the delay of one sample, one frame in one piece or in many."""

import gc
import itertools
import weakref

import numpy as np
import pytest

from graphvoip.nodes import Gain, Mix, Pcm, Sine
from graphvoip.plan import Plan, describe, run_plan


def run(plan, node, frames=3):
    """The samples of some frames."""
    found = []
    for _ in range(frames):
        plan.run()
        found.append(node.samples().copy())
    return np.concatenate(found)


def test_sources_run_before_what_they_feed():
    a, b = Sine(), Sine()
    mix = Mix(Gain(a, 0.5), Gain(b, 0.5))
    assert describe(Plan([Gain(mix)]))["order"] == ["sine", "gain", "sine", "gain", "mix", "gain"]


def test_a_shared_source_runs_once(sine):
    source = Sine(freq=441)
    mix = Mix(source, Gain(source, 1.0))
    np.testing.assert_allclose(run(Plan([mix]), mix), 2 * sine(441, 0.06), atol=1e-5)


def test_a_loop_has_one_sample_of_delay_across_frames():
    # y[n] = x[n] + 0.9 y[n-1]
    impulse = Pcm(data=np.eye(1, 480, 0, dtype=np.float32)[0])
    feedback = Gain(0.0, 0.9)
    total = Mix(impulse, feedback)
    feedback.input = total
    plan = Plan([total])
    assert describe(plan)["loops"] == [["gain", "mix"]]
    assert describe(plan)["delayed wires"] == 1
    np.testing.assert_allclose(run(plan, total), 0.9 ** np.arange(480), atol=1e-6)


def test_a_node_may_listen_to_itself():
    # y[n] = 1 + y[n-1]
    count = Mix(1.0)
    count.inputs = [1.0, count]
    np.testing.assert_array_equal(run(Plan([count]), count), np.arange(1, 481))


def test_two_loops_that_share_a_node_and_what_comes_after():
    # y[n] = x[n] + 0.5 y[n-1] + 0.25 z[n-1] with z[n] = 0.5 y[n]; the closing wires are the delayed ones
    x = Pcm(data=np.eye(1, 320, 0, dtype=np.float32)[0])
    a, b, c = Gain(0.0, 0.5), Gain(0.0, 0.5), Gain(0.0, 0.25)
    y = Mix(x, a, c)
    a.input, b.input, c.input = y, y, b
    after = Gain(y, 2.0)
    got = run(Plan([after]), after, 2)
    expected = np.zeros(320)
    for n in range(320):
        last = expected[n - 1] if n else 0.0
        expected[n] = (n == 0) + 0.5 * last + 0.25 * 0.5 * last
    np.testing.assert_allclose(got, 2 * expected, rtol=1e-5, atol=1e-9)


def test_the_same_graph_makes_the_same_plan_every_time():
    def build():
        feedback = Gain(0.0, 0.5)
        mix = Mix(*[Gain(Sine(freq=100 + i), 0.1) for i in range(20)], feedback)
        feedback.input = Gain(mix, 0.5)
        return describe(Plan([mix, Sine()]))

    assert build() == build()


@pytest.mark.parametrize("edges", [(0, 160), (0, 1, 160), (0, 80, 160), (0, 53, 54, 159, 160), range(161)])
def test_a_frame_in_pieces_is_the_same_frame(edges):
    def build():
        feedback = Gain(0.0, 0.7)
        mix = Mix(Gain(Sine(freq=441.3), 0.2), Sine(freq=Sine(freq=3, amp=50), amp=0.1), feedback)
        feedback.input = mix
        return Plan([mix]), mix

    (whole, expected), (pieces, got) = build(), build()
    for _ in range(5):
        whole.run()
        for start, stop in itertools.pairwise(edges):
            run_plan(pieces.address, start, stop)
        assert np.abs(expected.samples() - got.samples()).max() < 1e-6  # -120 dBFS


def test_a_number_is_a_flat_signal():
    flat = Gain(Pcm(data=np.ones(480, np.float32)), 441.0)
    by_signal, by_number = Sine(freq=flat), Sine(freq=441.0)
    one, other = run(Plan([by_signal]), by_signal), run(Plan([by_number]), by_number)
    assert np.abs(one - other).max() < 1e-6


def test_state_survives_a_new_plan(sine):
    source = Sine(freq=441)
    first = Plan([source])
    one = run(first, source)
    two = run(Plan([Gain(source), source]), source)
    np.testing.assert_allclose(np.concatenate([one, two]), sine(441, 0.12), atol=1e-6)


def test_a_plan_keeps_its_nodes_and_nothing_else_does():
    node = Gain(Sine(), 0.123456)
    alive = weakref.ref(node)
    plan = Plan([node])
    del node
    gc.collect()
    assert alive() is not None
    plan.run()
    del plan
    gc.collect()
    assert alive() is None


def test_an_empty_graph_is_a_plan():
    plan = Plan([])
    plan.run(3)
    assert plan.clock[0] == 3
