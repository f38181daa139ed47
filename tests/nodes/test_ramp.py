import numpy as np
import pytest

from graphvoip.nodes import Ramp


def test_it_begins_at_once_and_reaches_its_end_to_the_sample(run):
    samples, events = run(Ramp(-0.25, 0.75, time=0.05), 5)
    np.testing.assert_allclose(samples[:400], -0.25 + np.arange(400) / 400, atol=1e-7)
    assert samples[0] == -0.25
    assert samples[399] < 0.75
    np.testing.assert_array_equal(samples[400:], np.float32(0.75))
    assert events == [("done", 400, 0)]


def test_an_exponential_ramp_has_the_same_ratio_in_the_same_time(run):
    for begin, end in ((200, 3000), (3000, 200), (-1, -0.001), (440, 440.1)):
        samples, events = run(Ramp(begin, end, time=0.1, curve="exponential"), 6)
        a, b = float(np.float32(begin)), float(np.float32(end))
        np.testing.assert_allclose(samples[:800], a * (b / a) ** (np.arange(800) / 800), rtol=3e-6)
        np.testing.assert_array_equal(samples[800:], np.float32(end))
        assert events == [("done", 800, 0)]


def test_an_exponential_ramp_from_or_to_0_covers_60_db_and_through_0_it_is_linear(run):
    up, _ = run(Ramp(0, 1, time=0.1, curve="exponential"), 6)
    down, _ = run(Ramp(1, 0, time=0.1, curve="exponential"), 6)
    x = np.arange(800) / 800
    np.testing.assert_allclose(up[:800], (1000**x - 1) / 999, atol=1e-6)
    np.testing.assert_allclose(down[:800], (0.001**x - 0.001) / 0.999, atol=1e-6)
    assert up[0] == 0
    assert down[800] == 0
    through, _ = run(Ramp(-1, 1, time=0.1, curve="exponential"), 6)
    np.testing.assert_allclose(through[:800], -1 + 2 * x, atol=1e-6)


def test_each_trigger_begins_it_with_the_values_of_that_sample(run, signal):
    trigger = np.zeros(1600)
    trigger[[37, 200]] = 1  # the second one comes in the middle of the first
    trigger[900:1000] = 0.1
    begin = np.where(np.arange(1600) < 150, 5.0, 1.0)
    end = np.where(np.arange(1600) < 500, 2.0, -3.0)
    samples, events = run(Ramp(signal(begin), signal(end), 0.04, signal(trigger)), 10)
    way = np.arange(320) / 320
    np.testing.assert_array_equal(samples[:37], 5)
    np.testing.assert_allclose(samples[37:200], 5 - 3 * way[:163], atol=1e-6)
    np.testing.assert_allclose(samples[200:520], 1 + way, atol=1e-6)
    np.testing.assert_array_equal(samples[520:900], 2)
    np.testing.assert_allclose(samples[900:1220], 1 - 4 * way, atol=1e-6)
    np.testing.assert_array_equal(samples[1220:], -3)
    assert events == [("done", 520, 0), ("done", 1220, 0)]


def test_no_time_is_a_jump(run):
    samples, events = run(Ramp(3, 7, time=0), 1)
    np.testing.assert_array_equal(samples, 7)
    assert events == [("done", 0, 0)]


def test_a_minute_ends_at_its_sample(run):
    samples, events = run(Ramp(0, 60, time=60), 3001)
    assert events == [("done", 480000, 0)]
    np.testing.assert_allclose(samples[:480000], np.arange(480000) / 8000, rtol=1e-6)


def test_wrong_values_are_refused():
    with pytest.raises(ValueError, match="time -1 s is outside"):
        Ramp(time=-1)
    with pytest.raises(ValueError, match="none of linear, exponential"):
        Ramp(curve="log")
