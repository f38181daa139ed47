import numpy as np

from graphvoip.nodes import Gain


def test_it_multiplies(run, signal):
    samples, _ = run(Gain(signal([1, -2, 3]), 0.5))
    np.testing.assert_array_equal(samples[:4], [0.5, -1, 1.5, 0])


def test_the_gain_may_be_a_signal(run, signal):
    samples, _ = run(Gain(signal([1, 2, 3]), signal([3, 2, 1])))
    np.testing.assert_array_equal(samples[:4], [3, 4, 3, 0])
