import numpy as np
import pytest

from graphvoip.nodes import Clock, Mix, Sequencer

STEP = 100


def triggers(count):
    """A trigger every 100 samples, from sample 50 on."""
    samples = np.zeros(count * STEP + STEP)
    samples[50 : count * STEP : STEP] = 1
    return samples


def played(run, signal, count, port="out", **values):
    """The output at the middle between triggers: before the first one, then after each."""
    node = Sequencer(signal(triggers(count)), **values)
    samples, _ = run(Mix(node.port(port)), 2 * count)
    return samples[: (count + 1) * STEP : STEP]


def test_each_trigger_is_a_step_at_its_sample(run, signal):
    samples, _ = run(Sequencer(signal(triggers(4)), values=[1, 2.5, -3]), 3)
    expected = np.repeat([1, 1, 2.5, -3, 1], [50, 100, 100, 100, 130])
    np.testing.assert_array_equal(samples, expected.astype(np.float32))


@pytest.mark.parametrize(
    ("order", "steps"),
    [
        ("forward", [0, 0, 1, 2, 3, 0, 1, 2, 3, 0]),
        ("backward", [0, 3, 2, 1, 0, 3, 2, 1, 0, 3]),
        ("pendulum", [0, 0, 1, 2, 3, 2, 1, 0, 1, 2]),
    ],
)
def test_the_orders(run, signal, order, steps):
    np.testing.assert_array_equal(played(run, signal, 9, values=[0, 1, 2, 3], order=order)[1:], steps[1:])
    np.testing.assert_array_equal(played(run, signal, 9, "index", values=[5, 6, 7, 8], order=order), steps)
    np.testing.assert_array_equal(played(run, signal, 9, values=[7], order=order), 7)


def test_random_takes_all_steps_equally_often_and_by_its_seed(run, signal):
    values = list(range(5))
    one, again, other = (played(run, signal, 2000, values=values, order="random", seed=seed)[1:] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert 0.7 < np.mean(one != other) < 0.9
    counts = np.bincount(one.astype(int), minlength=5)
    assert np.abs(counts - 400).max() < 5 * np.sqrt(2000 * 0.2 * 0.8)


def test_notes_are_equal_tempered(run, signal):
    notes = ["A4", "C4", "F#3", "Gb3", "Bb2", "C-1", "B9"]
    expected = 440 * 2 ** (np.array([0, -9, -15, -15, -23, -69, 62]) / 12)
    np.testing.assert_allclose(played(run, signal, 7, values=notes)[1:], expected, rtol=1e-7)


def test_at_a_rest_the_gate_is_off_and_the_value_stays(run, signal):
    np.testing.assert_array_equal(played(run, signal, 5, values=[None, 2, None, 3])[0:], [2, 2, 2, 2, 3, 3])
    np.testing.assert_array_equal(played(run, signal, 5, "gate", values=[None, 2, None, 3]), [0, 0, 1, 0, 1, 0])
    np.testing.assert_array_equal(played(run, signal, 3, "gate", values=[None]), 0)


def test_each_note_is_a_rise_of_the_gate(run, signal):
    node = Sequencer(signal(triggers(4)), values=[1, 2, None])
    samples, _ = run(Mix(node.gate), 3)
    expected = np.zeros(480)
    expected[50:150], expected[151:250], expected[350:] = 1, 1, 1
    np.testing.assert_array_equal(samples, expected)


def test_length_ends_the_gate(run, signal):
    node = Sequencer(signal(triggers(3)), length=0.005)
    samples, _ = run(Mix(node.gate), 3)
    expected = np.zeros(480)
    for at in (50, 150, 250):
        expected[at : at + 40] = 1
    np.testing.assert_array_equal(samples, expected)


def test_reset_makes_the_next_step_the_first(run, signal):
    reset = np.zeros(1000)
    reset[[220, 550]] = 1  # between two triggers, and at one
    node = Sequencer(signal(triggers(8)), signal(reset), values=[1, 2, 3, 4])
    samples, _ = run(node, 5)
    np.testing.assert_array_equal(samples[100:800:STEP], [1, 2, 1, 2, 3, 1, 2])


def test_wrong_values_are_refused():
    for values, words in (
        ([], "list of 1 to 4096"),
        ("C4", "list of 1 to 4096"),
        ([1, "H4"], r"values\[1\] is 'H4'; a note is a letter and an octave"),
        ([True], r"values\[0\] is True"),
        ([float("nan")], r"values\[0\] is nan"),
        ([[1]], r"values\[0\] is \[1\]"),
    ):
        with pytest.raises(ValueError, match=words):
            Sequencer(Clock(), values=values)
    with pytest.raises(ValueError, match="did you mean 'pendulum'"):
        Sequencer(Clock(), order="pendulums")
