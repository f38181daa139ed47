import numpy as np

from graphvoip.nodes import Sine, Tap


def test_it_keeps_the_latest_and_leaves_the_signal_alone(run):
    tap = Tap(Sine(freq=441), seconds=0.05)
    samples, _ = run(tap, 7)
    tone = np.sin(2 * np.pi * 441 * np.arange(1120) / 8000)
    np.testing.assert_allclose(samples, tone, atol=1e-6)
    np.testing.assert_allclose(tap.latest(), tone[-400:], atol=1e-6)


def test_at_first_there_is_less(run):
    tap = Tap(Sine(freq=441))
    assert tap.latest().size == 0
    run(tap, 2)
    assert tap.latest().size == 320
