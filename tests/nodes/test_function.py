"""The rest of what a function does is in test_playback.py: it needs a call."""

import numpy as np
import pytest

from graphvoip.nodes import Function, Sine
from graphvoip.plan import Plan


def test_a_function_that_is_late_is_silent_for_as_long_and_that_is_counted():
    node = Function(Sine(freq=441), f=lambda x, t: x)
    plan = Plan([node])
    for frame in range(12):
        plan.run()
        if frame not in (3, 4, 5, 6):  # nobody runs the function for 80 ms
            node.step()
        silent = np.abs(node.samples()).max() == 0
        assert silent == (frame in (0, 1, 5, 6, 7)), frame
    assert node.trouble() == "function: it was too slow, 0.06 s were silent"


def test_a_function_that_was_away_for_long_goes_on_with_what_is_new():
    node = Function(Sine(freq=441), f=lambda x, t: t)
    plan = Plan([node])
    for _ in range(200):
        plan.run()
    node.step()
    for _ in range(3):
        plan.run()
        node.step()
    assert node.samples()[0] == pytest.approx((202 - 2) * 0.02)


def test_without_a_function_the_signal_is_only_late(run):
    node = Function(Sine(freq=441))
    plan, found = Plan([node]), []
    for _ in range(4):
        plan.run()
        node.step()
        found.append(node.samples().copy())
    samples = np.concatenate(found)
    np.testing.assert_allclose(samples[320:], np.sin(2 * np.pi * 441 * np.arange(320) / 8000), atol=1e-6)
