import numpy as np
import pytest

from graphvoip.nodes import Keymap, Mix


def presses(size=4800, **keys):
    """Events: at100="5" is a press of 5 at sample 100."""
    samples = np.zeros(size)
    for at, key in keys.items():
        samples[int(at[2:])] = ord(key)
    return samples


def test_a_key_is_its_pitch_from_the_sample_of_the_press(run, signal):
    node = Keymap(signal(presses(at7="5", at321="*", at900="1")), map={"1": 262, "5": 330.5, "*": "A4"})
    samples, _ = run(node, 10)
    np.testing.assert_array_equal(samples, np.repeat([262, 330.5, 440, 262], [7, 314, 579, 700]))
    node = Keymap(signal(presses(at7="5", at321="*", at900="1")), map={"1": 262, "5": 330.5, "*": "A4"})
    index, _ = run(Mix(node.index), 10)
    np.testing.assert_array_equal(index, np.repeat([0, 1, 2, 0], [7, 314, 579, 700]))


def test_without_a_map_it_is_a_major_scale_from_c4(run, signal):
    keys = np.zeros(1920)
    keys[80::160] = [ord(key) for key in "123456789*0#"]
    samples, _ = run(Keymap(signal(keys)), 12)
    semitones = np.log2(samples[159::160] / 261.6255653) * 12
    np.testing.assert_allclose(semitones, [0, 2, 4, 5, 7, 9, 11, 12, 14, 16, 17, 19], atol=1e-5)


def test_the_gate_is_on_for_hold_seconds(run, signal):
    samples, _ = run(Mix(Keymap(signal(presses(at50="1", at2000="9"))).gate), 30)
    expected = np.zeros(4800)
    expected[50 : 50 + 1600], expected[2000 : 2000 + 1600] = 1, 1
    np.testing.assert_array_equal(samples, expected)


def test_each_press_is_a_rise_also_while_the_gate_is_on(run, signal):
    node = Keymap(signal(presses(1600, at50="1", at100="2", at130="2", at131="3")), hold=0.01)
    samples, _ = run(Mix(node.gate), 10)
    expected = np.zeros(1600)
    expected[50:211] = 1
    expected[[100, 130]] = 0
    # Two presses within two samples: the second finds the gate off, so it stands.
    np.testing.assert_array_equal(samples, expected)


def test_other_keys_and_what_is_no_key_are_ignored(run, signal):
    events = presses(1600, at10="2")
    events[100:110] = np.nan, np.inf, -np.inf, 1e30, -50, 0.3, 127, 128, 300, ord("1")
    node = Keymap(signal(events), map={"2": 500, "3": 600})
    samples, _ = run(node, 10)
    np.testing.assert_array_equal(samples, 500)
    gate, _ = run(Mix(Keymap(signal(events), map={"2": 500}, hold=0.005).gate), 10)
    np.testing.assert_array_equal(np.flatnonzero(gate), np.arange(10, 50))


def test_the_velocity_is_1(run, signal):
    samples, _ = run(Mix(Keymap(signal(presses(at50="1"))).velocity), 2)
    np.testing.assert_array_equal(samples, 1)


def test_wrong_maps_are_refused():
    for values, words in (
        ({"x": 262}, "keymap: map has key 'x'; keys are 0-9 [*] # A-D"),
        ({1: 262}, "map has key 1; keys"),
        ({"12": 262}, "map has key '12'"),
        ({"1": "H2"}, "map has 'H2' on key '1'; it is 0 to 4000 Hz, or a note"),
        ({"1": 5000}, "map has 5000 on key '1'"),
        ({"1": None}, "map has None on key '1'"),
        ({"1": "B9"}, "map has 'B9' on key '1'"),
        ({}, "one key or more"),
        ([262], "one key or more"),
    ):
        with pytest.raises(ValueError, match=words):
            Keymap(map=values)
    with pytest.raises(ValueError, match="hold 0 s is outside"):
        Keymap(hold=0)
