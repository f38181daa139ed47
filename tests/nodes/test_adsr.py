import numpy as np
import pytest

from graphvoip.nodes import Adsr, Sine


def gate(*notes, count=4800):
    """A gate from sample to sample with a value."""
    made = np.zeros(count)
    for first, end, value in notes:
        made[first:end] = value
    return made


def test_linear_stages_begin_and_end_at_their_samples(run, signal):
    """The gate rises at sample 101 and falls at 2005; attack 100 samples, decay 400, release 800."""
    node = Adsr(signal(gate((101, 2005, 1))), attack=0.0125, decay=0.05, sustain=0.5, release=0.1, curve="linear")
    samples, events = run(node, 30)
    np.testing.assert_array_equal(samples[:102], 0)  # the first sample of the gate still has the level before
    np.testing.assert_allclose(samples[101:201], np.arange(100) / 100, atol=1e-7)
    assert samples[200] < 1
    assert samples[201] == 1  # 100 samples after the rise
    np.testing.assert_allclose(samples[201:601], 1 - 0.5 * np.arange(400) / 400, atol=1e-7)
    assert samples[600] > 0.5
    np.testing.assert_array_equal(samples[601:2006], 0.5)  # the sample of the fall still has it
    np.testing.assert_allclose(samples[2005:2805], 0.5 - 0.5 * np.arange(800) / 800, atol=1e-7)
    assert samples[2804] > 0
    np.testing.assert_array_equal(samples[2805:], 0)
    assert events == [("done", 2805, 0)]


def test_exponential_stages_fall_60_db_and_end_exactly_at_their_targets(run, signal):
    node = Adsr(signal(gate((101, 2005, 1))), attack=0.0125, decay=0.05, sustain=0.25, release=0.1)
    samples, events = run(node, 30)
    np.testing.assert_allclose(samples[101:201], np.arange(100) / 100, atol=1e-7)  # an attack is straight

    def fall(count):
        return (0.001 ** (np.arange(count) / count) - 0.001) / 0.999

    np.testing.assert_allclose(samples[201:601], 0.25 + 0.75 * fall(400), atol=1e-6)
    np.testing.assert_array_equal(samples[601:2006], 0.25)
    np.testing.assert_allclose(samples[2005:2805], 0.25 * fall(800), atol=1e-6)
    assert samples[2804] > 0
    np.testing.assert_array_equal(samples[2805:], 0)
    assert events == [("done", 2805, 0)]


@pytest.mark.parametrize("curve", ["linear", "exponential"])
def test_gates_that_come_and_go_at_any_stage_do_not_click(run, signal, curve):
    notes = [(50, 90, 1), (100, 101, 1), (150, 700, 0.4), (703, 1500, 1), (1700, 1701, 1)]
    node = Adsr(signal(gate(*notes)), attack=0.0125, decay=0.05, sustain=0.5, release=0.1, curve=curve)
    samples, events = run(node, 30)
    fastest = 0.01 if curve == "linear" else 6.91 / 400  # an exponential decay begins that fast
    assert np.abs(np.diff(samples)).max() < 1.01 * fastest
    assert samples[90] == pytest.approx(0.4, abs=1e-6)  # 40 of the attack's 100 samples
    assert samples[250] == pytest.approx(0.4, abs=1e-6)  # the attack of the third note takes its whole time
    assert samples[803] == 1
    assert len(events) == 1  # all the other releases were cut short
    assert events[0][1] == 1701 + 800


def test_the_gates_value_at_the_rise_scales_it_and_is_at_most_1(run, signal):
    for value, peak in ((0.3, 0.3), (1, 1), (53, 1), (np.inf, 1)):
        wave = gate((0, 4000, value))
        wave[10:4000] *= 0.7  # what it does later does not matter
        samples, _ = run(Adsr(signal(wave), attack=0.01, decay=0.02, sustain=0.5), 20)
        assert samples.max() == np.float32(peak)
        assert samples[80] == np.float32(peak)
        np.testing.assert_allclose(samples[240:3200], peak / 2, rtol=1e-6)


def test_stages_without_a_length_are_jumps(run, signal):
    node = Adsr(signal(gate((33, 300, 1))), attack=0, decay=0, sustain=0.5, release=0)
    samples, events = run(node, 3)
    np.testing.assert_array_equal(samples, np.where((np.arange(480) >= 33) & (np.arange(480) < 300), 0.5, 0))
    assert events == [("done", 300, 0)]


def test_times_are_taken_when_their_stage_begins(run, signal):
    release = np.full(4800, 9.0)
    release[1000] = 0.01  # where the gate falls
    node = Adsr(signal(gate((0, 1000, 1))), attack=0.01, decay=0.01, release=signal(release))
    _, events = run(node, 30)
    assert events == [("done", 1080, 0)]


def test_a_note_that_begins_with_the_graph_and_one_that_never_comes(run, signal):
    samples, events = run(Adsr(1.0, attack=0.01, sustain=1), 2)
    assert (samples[0], samples[40], samples[80]) == (0, pytest.approx(0.5), 1)
    assert not events
    samples, events = run(Adsr(0.0), 2)
    assert not samples.any()
    assert not events


def test_wrong_values_are_refused():
    for values, words in (({"sustain": 2}, "outside 0..1"), ({"attack": -1}, "attack -1 s"), ({"curve": "x"}, "none")):
        with pytest.raises(ValueError, match=words):
            Adsr(Sine(), **values)
