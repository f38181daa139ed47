import numpy as np

from graphvoip.nodes import LineIn
from graphvoip.plan import Plan
from graphvoip.rings import DEPTH, IN_MISSED, IN_SKIPPED, LineRing


def frame(n):
    return np.full(160, n, np.int16).tobytes()


def test_frames_come_in_order_and_silence_when_there_is_none():
    ring, heard = LineRing(), []
    node = LineIn(ring=ring)
    plan = Plan([node])
    for n in range(1, 7):
        if n != 3:
            ring.send(frame(n))
        plan.run()
        heard.append(round(float(node.samples()[0]) * 32768))
    assert heard == [1, 2, 0, 4, 5, 6]
    assert ring.words[IN_MISSED] == 1


def test_full_scale_and_every_level_is_exact():
    ring = LineRing()
    node = LineIn(ring=ring)
    values = np.array([-32768, -1, 0, 1, 32767] * 32, np.int16)
    ring.send(values.tobytes())
    Plan([node]).run()
    np.testing.assert_array_equal(node.samples(), values / np.float32(32768))


def test_after_a_standstill_the_newest_frame_is_heard():
    ring = LineRing()
    node = LineIn(ring=ring)
    plan = Plan([node])
    for n in range(1, DEPTH):
        ring.send(frame(n))
    plan.run()
    assert round(float(node.samples()[0]) * 32768) == DEPTH - 1
    assert ring.words[IN_SKIPPED] == DEPTH - 2


def test_a_wait_that_never_goes_away_is_cut():
    ring = LineRing()
    node = LineIn(ring=ring)
    plan = Plan([node])
    ring.send(frame(0))
    lags = []
    for n in range(1, 600):
        ring.send(frame(n))
        plan.run()
        lags.append(n - round(float(node.samples()[0]) * 32768))
    assert lags[0] == 1
    assert lags[-1] == 0
    assert ring.words[IN_SKIPPED] == 1


def test_frames_of_an_earlier_call_are_not_heard():
    ring = LineRing()
    ring.send(frame(1))
    ring.send(frame(2))
    ring.open()
    node = LineIn(ring=ring)
    plan = Plan([node])
    plan.run()
    assert not np.any(node.samples())
    ring.send(frame(3))
    plan.run()
    assert round(float(node.samples()[0]) * 32768) == 3


def test_without_a_ring_it_is_silent(run):
    assert not np.any(run(LineIn(), 2)[0])
