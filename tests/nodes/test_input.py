import numpy as np

from graphvoip.nodes import Input


def test_it_leaves_the_signal_alone(run, signal):
    noise = np.random.default_rng(1).uniform(-1, 1, 320).astype(np.float32)
    np.testing.assert_array_equal(run(Input(signal(noise)), 2)[0], noise)


def test_without_a_wire_it_is_silent(run):
    np.testing.assert_array_equal(run(Input(kind="events"))[0], 0)
