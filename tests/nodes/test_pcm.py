import numpy as np
import pytest

from graphvoip.nodes import Pcm


@pytest.mark.parametrize("length", [1, 160, 161, 500])
def test_once_it_plays_its_samples_and_is_done_with_the_last(run, length):
    data = np.arange(1, length + 1, dtype=np.float32)
    samples, events = run(Pcm(data=data), 4)
    np.testing.assert_array_equal(samples[:length], data)
    assert not np.any(samples[length:])
    assert events == [("done", length - 1, 0)]


@pytest.mark.parametrize("length", [1, 7, 160, 333])
def test_in_a_loop_there_is_no_seam_and_no_end(run, length):
    data = np.arange(1, length + 1, dtype=np.float32)
    samples, events = run(Pcm(data=data, loop=True), 5)
    np.testing.assert_array_equal(samples, np.tile(data, 800 // length + 1)[:800])
    assert events == []


@pytest.mark.parametrize("loop", [False, True])
def test_no_samples_are_silence_that_is_done_at_once(run, loop):
    samples, events = run(Pcm(data=[], loop=loop), 2)
    assert not np.any(samples)
    assert events == [("done", 0, 0)]
