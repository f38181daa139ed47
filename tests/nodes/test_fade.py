import numpy as np
import pytest

from graphvoip.nodes import Fade, Pcm
from graphvoip.plan import Plan


def test_untouched_it_changes_nothing(run, signal):
    noise = np.random.default_rng(1).standard_normal(480)
    samples, events = run(Fade(signal(noise)), 3)
    np.testing.assert_array_equal(samples, noise.astype(np.float32))
    assert events == []


@pytest.mark.parametrize("over", [1, 160, 300])
def test_in_over_so_many_samples(run, over):
    samples, _ = run(Fade(1.0, over=over), 3)
    np.testing.assert_allclose(samples, np.minimum(1, np.arange(1, 481) / over), atol=1e-6)


def test_out_from_the_next_frame_and_then_it_is_done():
    fade = Fade(1.0)
    plan = Plan([fade])
    plan.run()
    fade.end(200)
    found, events = [], []
    for n in range(3):
        plan.run()
        found.append(fade.samples().copy())
        events += [(160 * n + at) for _, at, _ in plan.taken_events()]
    np.testing.assert_allclose(np.concatenate(found), np.maximum(0, 1 - np.arange(1, 481) / 200), atol=1e-6)
    assert events == [199]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e7])
def test_what_is_not_finite_is_silent_from_that_frame_on_and_named_once(bad):
    data = np.ones(800, np.float32)
    data[200] = bad
    fade = Fade(Pcm(data=data))
    plan = Plan([fade])
    levels, events = [], []
    for _ in range(5):
        plan.run()
        levels.append(float(np.abs(fade.samples()).max()))
        events += [token & 15 for token, _, _ in plan.taken_events() if token >> 4 == fade.id]
    assert levels == [1, 0, 0, 0, 0]
    assert events == [list(Fade.slots.events).index("fault")]
