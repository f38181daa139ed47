import numpy as np

from graphvoip.nodes import Custom
from graphvoip.plan import Plan


def test_it_plays_what_it_is_given_and_is_silent_while_there_is_nothing(run):
    node = Custom()
    plan = Plan([node])
    heard = []
    for n in range(6):
        if n in (1, 2, 4):
            node.put(np.full(160, n, np.float32))
        plan.run()
        heard.append(node.samples()[0])
    assert heard == [0, 1, 2, 0, 4, 0]
    assert node.state["missed"] == 320  # silence before the first sample is no fault


def test_it_wants_to_be_two_frames_ahead():
    node = Custom()
    plan = Plan([node])
    asked = []
    for _ in range(4):
        asked.append(0)
        while node.wants():
            node.put(np.zeros(160, np.float32))
            asked[-1] += 1
        plan.run()
    assert asked == [2, 1, 1, 1]


def test_its_last_sample_is_its_end(run):
    node = Custom()
    node.put(np.ones(160, np.float32))
    node.put(np.ones(41, np.float32), last=True)
    assert not node.wants()
    samples, events = run(node, 3)
    assert np.flatnonzero(samples)[-1] == 200
    assert events == [("done", 200, 0)]
    assert node.state["missed"] == 0


def test_an_end_without_a_sample(run):
    node = Custom()
    node.put(np.zeros(0, np.float32), last=True)
    samples, events = run(node, 2)
    assert not np.any(samples)
    assert [name for name, _, _ in events] == ["done"]
