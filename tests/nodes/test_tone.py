import numpy as np
import pytest

from graphvoip.nodes import Tone


@pytest.mark.parametrize("length", [1, 2, 50, 159, 160, 161, 401])
def test_it_is_as_long_as_it_should_be_to_the_sample(run, length):
    samples, events = run(Tone(freq=441, seconds=length / 8000), 4)
    assert events == [("done", length - 1, 0)]
    assert not np.any(samples[length:])


def test_between_its_edges_it_is_a_sine(run, sine):
    samples, _ = run(Tone(freq=441.3, seconds=0.1), 5)
    np.testing.assert_allclose(samples[32:-32], sine(441.3, 0.1)[32:-32], atol=1e-6)


def test_its_edges_do_not_click(run):
    samples, _ = run(Tone(freq=441, seconds=0.0977), 6)  # ends at full swing, were it not softened
    slope = 2 * np.pi * 441 / 8000
    assert np.abs(np.diff(np.concatenate([[0], samples]))).max() < 1.05 * slope


@pytest.mark.parametrize(("freq", "seconds"), [(-1, 1), (4001, 1), (440, -0.1), (440, float("inf")), (float("nan"), 1)])
def test_out_of_range(freq, seconds):
    with pytest.raises(ValueError, match="tone: "):
        Tone(freq=freq, seconds=seconds)
