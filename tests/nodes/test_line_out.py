import numpy as np
import pytest

from graphvoip.nodes import LineOut, Pcm
from graphvoip.plan import Plan, run_plan
from graphvoip.rings import LineRing


def sent(*signals, frames=1):
    """What the far end gets, as 16-bit samples."""
    ring = LineRing()
    plan = Plan([LineOut(*(Pcm(data=np.asarray(one, np.float32)) for one in signals), ring=ring)])
    found = []
    for _ in range(frames):
        plan.run()
        found.append(np.frombuffer(ring.receive(), np.int16))
    return np.concatenate(found)


def test_sixteen_bit_sound_passes_bit_for_bit():
    values = np.arange(-32768, 32768, 41, dtype=np.int16)
    np.testing.assert_array_equal(sent(values / 32768, frames=11)[: len(values)], values)


def test_rounding_is_to_the_nearest():
    assert sent(np.array([0.4, 0.6, -0.4, -0.6, 100.5]) / 32768)[:5].tolist() == [0, 1, 0, -1, 100]


def test_the_sum_of_all_that_plays():
    assert sent([0.25, 0.5], [0.25, -0.25])[:3].tolist() == [16384, 8192, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_what_is_not_finite_is_silent_and_the_rest_is_heard(bad):
    got = sent([0.25, bad, 0.25], [0.25, 0.25, 0.25])
    assert got[:4].tolist() == [16384, 8192, 16384, 0]


def test_too_loud_is_turned_down_at_once_and_let_go_again(sine):
    loud = np.concatenate([2 * sine(441, 0.5), 0.5 * sine(441, 1.0)])
    got = sent(loud, frames=75) / 32768
    assert np.abs(got).max() <= 1
    assert np.abs(got[2000:4000]).max() > 0.9
    np.testing.assert_allclose(got[8000:], loud[8000:], atol=1 / 32768)  # half a second later it has let go


def test_a_frame_in_pieces_is_one_frame():
    ring = LineRing()
    plan = Plan([LineOut(Pcm(data=np.arange(160, dtype=np.float32) / 1000), ring=ring)])
    for start in range(0, 160, 40):
        assert ring.waiting() == 0
        run_plan(plan.address, start, start + 40)
    assert ring.waiting() == 1
    np.testing.assert_array_equal(
        np.frombuffer(ring.receive(), np.int16), np.rint(np.arange(160, dtype=np.float32) / 1000 * 32768)
    )


def test_it_never_waits_for_a_reader(run):
    ring = LineRing()
    run(LineOut(0.5, ring=ring), 100)
    assert ring.waiting() == 100
    assert ring.receive() is not None
    assert ring.waiting() == 0  # the reader skipped to the newest
