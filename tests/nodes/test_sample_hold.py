import numpy as np

from graphvoip.nodes import SampleHold


def test_it_holds_the_value_of_each_triggers_sample(run, signal):
    random = np.random.default_rng(1)
    data, trigger = random.uniform(-1, 1, 3200).astype(np.float32), (random.random(3200) < 0.02).astype(np.float32)
    trigger[0] = 0
    trigger[500:700] = np.linspace(0.1, 3, 200)  # a gate is one trigger
    samples, _ = run(SampleHold(signal(data), signal(trigger)), 20)
    rises = (trigger > 0) & (np.concatenate([[0], trigger[:-1]]) <= 0)
    expected, held = [], np.float32(0)
    for x, rise in zip(data, rises, strict=True):
        held = x if rise else held
        expected.append(held)
    assert 20 < rises.sum() < 100
    np.testing.assert_array_equal(samples, expected)
    assert not samples[: np.argmax(rises)].any()


def test_a_fault_is_held_as_0(run, signal):
    data = np.full(160, 0.5)
    data[[20, 40, 60]] = np.nan, np.inf, 1e30
    trigger = np.zeros(160)
    trigger[[10, 20, 30, 40, 50, 60, 70]] = 1
    samples, _ = run(SampleHold(signal(data), signal(trigger)))
    np.testing.assert_array_equal(
        samples[10:80].reshape(7, 10), np.tile([[0.5], [0], [0.5], [0], [0.5], [0], [0.5]], 10)
    )


def test_a_constant_trigger_takes_the_first_sample(run, signal):
    samples, _ = run(SampleHold(signal(np.linspace(0.25, 1, 160)), 1.0))
    np.testing.assert_array_equal(samples, 0.25)
