import numpy as np
import pytest

from graphvoip.nodes import Gain, Pcm, Sine, Trigger


def places(samples):
    return list(np.flatnonzero(samples))


def test_each_rise_above_the_threshold_is_one_sample_of_1(run):
    wave, _ = run(Sine(freq=44.1), 50)
    samples, _ = run(Trigger(Sine(freq=44.1), threshold=0.25), 50)
    above = wave > 0.25
    rises = np.flatnonzero(above & ~np.concatenate([[False], above[:-1]]))
    assert len(rises) == 45
    assert places(samples) == list(rises)
    assert set(samples) == {0, 1}


def test_the_gate_is_on_while_the_input_is_above(run):
    wave, _ = run(Sine(freq=44.1), 20)
    gate, _ = run(Gain(Trigger(Sine(freq=44.1), threshold=0.25).gate), 20)
    np.testing.assert_array_equal(gate, wave > 0.25)


def test_hysteresis_keeps_a_signal_that_trembles_from_triggering_again(run, signal):
    tremble = -np.cos(np.arange(1600) * 2 * np.pi / 800) + np.random.default_rng(1).uniform(-0.2, 0.2, 1600)
    shaky, _ = run(Trigger(signal(tremble), threshold=0), 10)
    calm, _ = run(Trigger(signal(tremble), threshold=0.0, hysteresis=0.45), 10)
    assert len(places(shaky)) > 10
    assert len(places(calm)) == 2
    gate, _ = run(Gain(Trigger(signal(tremble), threshold=0.0, hysteresis=0.45).gate), 10)
    falls = np.flatnonzero(np.diff(gate) < 0) + 1
    assert len(falls) == 2
    assert np.all(tremble[falls] <= -0.45)


def test_after_one_no_other_comes_for_a_while(run, signal):
    pulses = np.zeros(4800)
    pulses[[10, 200, 409, 410, 411, 412, 900, 1300]] = 1  # 410 is no rise, 411 and 412 are none either
    every, _ = run(Trigger(signal(pulses)), 30)
    assert places(every) == [10, 200, 409, 900, 1300]
    fewer, _ = run(Trigger(signal(pulses), gap=0.05), 30)  # 400 samples
    assert places(fewer) == [10, 900, 1300]
    exact, _ = run(Trigger(signal(pulses), gap=399 / 8000), 30)
    assert places(exact) == [10, 409, 900, 1300]


def test_it_may_carry_the_inputs_level(run, signal):
    pulses = np.zeros(480)
    pulses[100:110], pulses[200], pulses[300] = np.linspace(0.6, 2, 10), 0.75, 0.3
    samples, _ = run(Trigger(signal(pulses), value="level"), 3)
    assert places(samples) == [100, 200]
    np.testing.assert_array_equal(samples[[100, 200]], np.float32([0.6, 0.75]))
    below, _ = run(Trigger(signal(pulses - 2), threshold=-1.5, value="level"), 3)
    assert below[100] == 1  # a trigger is above 0


def test_what_is_above_from_the_start_triggers_at_the_first_sample(run):
    samples, _ = run(Trigger(1.0), 2)
    assert places(samples) == [0]


def test_a_fault_is_no_trigger(run, signal):
    samples, _ = run(Trigger(signal([0, np.inf, 0, np.nan, 0, 1e30, 0, 1, 0])))
    assert places(samples) == [7]
    samples, _ = run(Trigger(signal([0, 1, 0, 1, 0]), threshold=signal([0.5, np.nan, 0.5, 0.5])))
    assert places(samples) == [3]


def test_wrong_values_are_refused():
    for values, words in (
        ({"gap": -1}, "gap -1 s"),
        ({"value": "x"}, "none of one, level"),
        ({"hysteresis": -1}, "-1"),
    ):
        with pytest.raises(ValueError, match=words):
            Trigger(Pcm(), **values)
