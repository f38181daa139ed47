import numpy as np

from graphvoip.nodes import Mix


def test_it_sums_any_number(run, signal):
    samples, _ = run(Mix(signal([1, 2]), 0.5, signal([0, 4]), signal([8])))
    np.testing.assert_array_equal(samples[:3], [9.5, 6.5, 0.5])


def test_of_nothing_it_is_silent(run):
    np.testing.assert_array_equal(run(Mix())[0], np.zeros(160))


def test_one_signal_may_come_twice(run, signal):
    one = signal([1, 2])
    np.testing.assert_array_equal(run(Mix(one, one))[0][:3], [2, 4, 0])
