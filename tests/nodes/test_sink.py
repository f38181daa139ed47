import numpy as np

from graphvoip.nodes import Sink
from graphvoip.plan import Plan


def test_it_gives_every_sample_once(signal):
    data = np.arange(1600, dtype=np.float32)
    sink = Sink(signal(data))
    plan = Plan([sink])
    got = []
    for frames in (1, 3, 0, 6):
        plan.run(frames)
        got.append(sink.take())
    np.testing.assert_array_equal(np.concatenate(got), data)
    assert [len(block) for block in got] == [160, 480, 0, 960]


def test_what_does_not_fit_is_counted_and_what_is_there_is_kept(signal):
    data = np.arange(160 * 70, dtype=np.float32)
    sink = Sink(signal(data))
    Plan([sink]).run(70)
    np.testing.assert_array_equal(sink.take(), data[: 160 * 64])
    assert sink.state["lost"] == 6 * 160
