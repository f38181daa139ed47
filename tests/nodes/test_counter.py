import numpy as np
import pytest

from graphvoip.nodes import Counter, Pcm


def pulses(*places, count=800):
    made = np.zeros(count)
    made[list(places)] = 1
    return made


def test_it_is_the_number_of_triggers_up_to_now(run, signal):
    trigger = (np.random.default_rng(1).random(3200) < 0.1).astype(float)
    trigger[1000:1200] = 0.2  # a gate is one trigger
    samples, events = run(Counter(signal(trigger)), 20)
    rises = (trigger > 0) & (np.concatenate([[0], trigger[:-1]]) <= 0)
    np.testing.assert_array_equal(samples, np.cumsum(rises))
    assert samples[-1] > 100
    assert not events


def test_beyond_high_it_begins_again_and_says_so(run, signal):
    samples, events = run(Counter(signal(pulses(*range(10, 800, 100))), low=2, high=6, step=2), 5)
    steps = np.array([2, 4, 6, 2, 4, 6, 2, 4, 6])
    np.testing.assert_array_equal(samples, steps[(np.arange(800) + 90) // 100])
    assert events == [("wrapped", 210, 0), ("wrapped", 510, 0)]


def test_it_counts_down_too(run, signal):
    samples, events = run(Counter(signal(pulses(100, 200, 300, 400)), low=1, high=3, step=-1), 5)
    np.testing.assert_array_equal(samples[[99, 100, 200, 300, 400]], [3, 2, 1, 3, 2])
    assert events == [("wrapped", 300, 0)]


def test_reset_brings_it_back_and_goes_before_a_trigger(run, signal):
    node = Counter(signal(pulses(10, 20, 30, 200, 300)), signal(pulses(150, 200)), low=5, high=100)
    samples, events = run(node, 5)
    np.testing.assert_array_equal(samples[[9, 10, 30, 149, 150, 199, 200, 299, 300]], [5, 6, 8, 8, 5, 5, 5, 5, 6])
    assert not events


def test_wrong_values_are_refused():
    for values, words in (
        ({"low": 3, "high": 3}, "low 3 is not below high 3"),
        ({"step": 0}, "step is 0"),
        ({"step": 0.5}, "not a whole number"),
        ({"high": 1e9}, "outside -1e\\+06..1e\\+06"),
    ):
        with pytest.raises(ValueError, match=words):
            Counter(Pcm(), **values)
