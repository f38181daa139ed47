import re

import numpy as np
import pytest

from graphvoip.nodes import Constant
from graphvoip.plan import Plan


def test_it_holds_its_value(run):
    np.testing.assert_array_equal(run(Constant(value=0.3), 3)[0], np.float32(0.3))


def test_a_change_is_a_ramp_from_the_next_frame_on():
    node = Constant(value=1.0)
    plan = Plan([node])
    plan.run()
    node.set(2.0, over=0.01)
    plan.run()
    np.testing.assert_allclose(node.samples()[:80], 1 + np.arange(1, 81) / 80, atol=1e-6)
    np.testing.assert_array_equal(node.samples()[79:], 2)
    node.set(1.0)
    plan.run()
    node.set(3.0, over=0)
    assert node.samples()[-1] == 1.0
    plan.run()
    np.testing.assert_array_equal(node.samples(), 3)


def test_a_change_of_a_change_begins_where_it_was():
    node = Constant(value=0.0)
    plan = Plan([node])
    node.set(1.0, over=0.04)
    plan.run()
    node.set(0.0, over=0.02)
    plan.run()
    assert node.samples()[0] == pytest.approx(0.5 - 0.5 / 160)
    assert node.samples()[-1] == 0


def test_the_score_is_exact_to_the_sample(run):
    samples, _ = run(Constant(value=1, score=[[0.0125, 2, 0], [0.03, 4, 0.0125], [0.05, 0, 0]]), 4)
    assert [int(at) for at in np.flatnonzero(np.diff(samples))[[0, -1]] + 1] == [100, 400]
    assert samples[99:101].tolist() == [1, 2]
    np.testing.assert_allclose(samples[240:340], 2 + 2 * np.arange(1, 101) / 100, atol=1e-6)
    np.testing.assert_array_equal(samples[400:], 0)


@pytest.mark.parametrize("score", [[[1]], [["a", 1]], [[-1, 2]], [[1, 2, 3, 4]], [5], [[1, float("nan")]]])
def test_what_is_no_score_is_told(score):
    with pytest.raises(ValueError, match=r"constant: score\[0\] is .*; it is \[seconds, value\]"):
        Constant(score=score)


def test_a_score_runs_forward():
    with pytest.raises(ValueError, match="the times of its score do not rise"):
        Constant(score=[[1, 2], [0.5, 3]])


def test_its_limits_are_told():
    node = Constant(value=1.0, name="pitch")
    node.low, node.high, node.unit = 0, 10, "Hz"
    with pytest.raises(ValueError, match=r"pitch: 11 Hz is outside 0..10"):
        node.set(11)
    with pytest.raises(ValueError, match="outside"):
        node.set(float("nan"))


@pytest.mark.parametrize("value", ["loud", None, True, [1], "5", 1j])
def test_what_is_no_number_is_refused(value):
    node = Constant(value=1.0, name="pitch")
    with pytest.raises(TypeError, match=re.escape(f"pitch is {value!r}; it is a number") + "$"):
        node.set(value)
    node.low, node.high = 0, 10
    with pytest.raises(TypeError, match=re.escape(f"pitch is {value!r}; it is a number from 0 to 10") + "$"):
        node.set(value)
    with pytest.raises(TypeError, match=r"^constant is None; it is a number$"):
        Constant().set(None)
    assert node.target == 1.0


@pytest.mark.parametrize("value", [2, np.float32(2), np.int16(2), np.array(2.0)])
def test_every_kind_of_number_is_one(value):
    node = Constant(value=1.0)
    node.set(value)
    assert node.target == 2.0
