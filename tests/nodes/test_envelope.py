import numpy as np
import pytest

from graphvoip.nodes import Envelope

POINTS = [[0, 0], [0.0125, 1], [0.1, 0.25], [0.1, 0.75], [0.2, -0.5]]  # at samples 0, 100, 800, 800, 1600


def test_it_goes_straight_from_point_to_point_and_stays_at_the_last(run):
    samples, events = run(Envelope(points=POINTS), 12)
    n = np.arange(1920)
    expected = np.interp(n, [0, 100, 799.999999, 800, 1600], [0, 1, 0.25, 0.75, -0.5])
    np.testing.assert_allclose(samples, expected, atol=1e-6)
    np.testing.assert_array_equal(samples[[0, 100, 800, 1600]], [0, 1, 0.75, -0.5])  # the same time twice is a jump
    assert events == [("done", 1600, 0)]


def test_steps_hold_each_value(run):
    samples, events = run(Envelope(points=POINTS, curve="step"), 12)
    n = np.arange(1920)
    np.testing.assert_array_equal(samples, np.select([n < 100, n < 800, n < 1600], [0, 1, 0.75], -0.5))
    assert events == [("done", 1600, 0)]


def test_exponential_has_the_same_ratio_in_the_same_time(run):
    samples, _ = run(Envelope(points=[[0, 100], [0.1, 3000], [0.2, 0], [0.3, 1]], curve="exponential"), 16)
    x = np.arange(800) / 800
    np.testing.assert_allclose(samples[:800], 100 * 30**x, rtol=3e-6)
    np.testing.assert_allclose(samples[800:1600], 3000 * (0.001**x - 0.001) / 0.999, atol=0.01)
    np.testing.assert_allclose(samples[1600:2400], (1000**x - 1) / 999, atol=1e-6)
    np.testing.assert_array_equal(samples[2400:], 1)


def test_a_loop_is_as_long_as_its_last_time(run):
    points = [[0, 1], [0.01, 2], [0.03, 0.5]]
    samples, events = run(Envelope(points=points, loop=True), 50)
    n = np.arange(8000) % 240
    np.testing.assert_allclose(samples, np.interp(n, [0, 80, 240], [1, 2, 0.5]), atol=1e-6)
    assert not events


def test_time_scale_stretches_it_to_the_sample(run):
    for scale, end in ((2, 3200), (3, 4800), (0.5, 800), (0.1, 160)):
        samples, events = run(Envelope(points=POINTS, time_scale=scale), 32)
        assert events == [("done", end, 0)]
        first = np.arange(end // 2)  # up to the jump
        np.testing.assert_allclose(samples[first], np.interp(first / scale, [0, 100, 800], [0, 1, 0.25]), atol=1e-5)
        assert samples[end // 2] == 0.75


def test_triggers_begin_it_and_a_first_point_later_is_waited_for(run, signal):
    trigger = np.zeros(3200)
    trigger[[300, 700]] = 1
    samples, events = run(Envelope(signal(trigger), points=[[0.01, 0.5], [0.06, 1]]), 20)
    np.testing.assert_array_equal(samples[:381], 0.5)
    np.testing.assert_allclose(samples[380:700], 0.5 + 0.5 * np.arange(320) / 400, atol=1e-6)
    np.testing.assert_array_equal(samples[700:781], 0.5)
    np.testing.assert_allclose(samples[780:1180], 0.5 + 0.5 * np.arange(400) / 400, atol=1e-6)
    np.testing.assert_array_equal(samples[1180:], 1)
    assert events == [("done", 1180, 0)]


def test_a_loop_survives_any_speed(run, signal):
    scale = np.random.default_rng(1).choice([np.nan, -1, 0.001, 1000, 0.3], 16000)
    points = [[0, 0], [0.000125, 1], [0.00025, -1]]
    samples, _ = run(Envelope(points=points, time_scale=signal(scale), loop=True, curve="exponential"), 100)
    assert np.abs(samples).max() <= 1


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([], "1 to 1000 points"),
        ("up", "1 to 1000 points"),
        ([[0, 0]] * 1001, "1 to 1000 points"),
        ([[0, 0], [1, 1], [0.5, 0]], r"points\[2\] is at 0.5 s, before points\[1\]"),
        ([[0, 0], [1]], r"points\[1\] is \[1\]; it is \[seconds, value\]"),
        ([[0, 0], 1], r"points\[1\] is 1; it is"),
        ([[0, "high"]], r"points\[0\]"),
        ([[-1, 0]], r"points\[0\].*seconds are 0"),
        ([[0, 0], [1, float("nan")]], r"points\[1\].*a value is within"),
    ],
)
def test_a_wrong_point_is_named(points, words):
    with pytest.raises(ValueError, match=f"^envelope: .*{words}"):
        Envelope(points=points)


def test_a_loop_without_length_is_refused():
    with pytest.raises(ValueError, match="a loop has a length"):
        Envelope(points=[[0, 1]], loop=True)
