import numpy as np

from graphvoip.nodes import Handover, Sine


def test_one_signal_takes_over_from_the_other(run, signal):
    samples, events = run(Handover(signal(np.full(640, 1.0)), signal(np.full(640, 3.0)), over=200), 3)
    np.testing.assert_allclose(samples[:200], 1 + 2 * np.arange(1, 201) / 200, atol=1e-6)
    np.testing.assert_array_equal(samples[200:], 3)
    assert events == [("done", 199, 0)]


def test_from_a_signal_to_itself_it_is_not_there(run):
    tone = Sine(freq=441)
    samples, _ = run(Handover(tone, tone), 2)
    plain, _ = run(Sine(freq=441), 2)
    np.testing.assert_array_equal(samples, plain)


def test_a_fault_in_what_goes_is_forgotten(run, signal):
    samples, _ = run(Handover(signal(np.full(800, np.nan)), 0.5), 4)
    np.testing.assert_array_equal(samples[160:], 0.5)
