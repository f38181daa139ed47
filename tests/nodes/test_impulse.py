import numpy as np
import pytest

from graphvoip.nodes import Impulse, Sine


@pytest.mark.parametrize("frequency", [1, 3, 7.7, 100, 441, 1234.5, 3999, 4000])
def test_each_click_is_at_the_sample_nearest_to_its_time_for_a_minute(run, frequency):
    samples, _ = run(Impulse(freq=frequency, amp=0.5), 3000)
    frequency = float(np.float32(frequency))
    times = np.arange(int(61 * frequency)) * 8000 / frequency
    expected = np.floor(times + 0.5)
    ties = np.abs(times % 1 - 0.5) < 1e-6  # both samples are as near
    at = np.flatnonzero(samples)
    assert np.all(samples[at] == 0.5)
    assert len(at) == np.count_nonzero(expected < 480000)
    differs = at != expected[: len(at)]
    assert np.all(ties[: len(at)][differs])
    assert np.all(np.abs(at - times[: len(at)]) < 0.5 + 1e-6)


def test_0_hz_is_one_click_at_the_start(run):
    samples, _ = run(Impulse(freq=0), 10)
    assert samples[0] == 1
    assert not samples[1:].any()


def test_a_frequency_that_moves_makes_as_many_clicks_as_its_sum(run, signal):
    sweep = np.linspace(5, 500, 16000)
    samples, _ = run(Impulse(freq=signal(sweep)), 100)
    turns = np.concatenate([[0], np.cumsum(sweep / 8000)[:-1]])
    at = np.flatnonzero(samples)
    assert len(at) == np.floor(turns[-1] + sweep[-1] / 16000) + 1
    assert np.abs(turns[at] - np.arange(len(at))).max() < 0.5 * 500 / 8000 + 1e-3


def test_each_click_has_the_level_of_its_sample(run):
    (clicks, _), (level, _) = (run(node, 20) for node in (Impulse(freq=441, amp=Sine(freq=7)), Sine(freq=7)))
    at = np.arange(0, 170) * 8000 / 441
    at = np.floor(at + 0.5).astype(int)
    np.testing.assert_array_equal(clicks[at], level[at])
    assert np.count_nonzero(clicks) <= len(at) + 10
