import numpy as np
import pytest

from graphvoip.nodes import Sampler

SOUND = np.random.default_rng(1).uniform(-1, 1, 1000).astype(np.float32)


def cubic(data, at):
    """data at any place, by the cubic Hermite curve, 0 beyond its ends."""
    k = np.floor(at).astype(int)
    f = at - k
    padded = np.pad(data.astype(float), 8)
    a, b, c, d = (padded[np.clip(k + 8 + j, 0, len(padded) - 1)] for j in (-1, 0, 1, 2))
    return b + f * ((c - a) / 2 + f * (a - 2.5 * b + 2 * c - d / 2 + f * ((d - a) / 2 + 1.5 * (b - c))))


def test_at_rate_1_it_is_the_sound_bit_for_bit_at_once_and_then_silent(run):
    samples, events = run(Sampler(data=SOUND), 10)
    np.testing.assert_array_equal(samples, np.pad(SOUND, (0, 600)))
    assert events == [("done", 999, 0)]


def test_at_rate_minus_1_it_is_the_sound_backwards_bit_for_bit(run):
    samples, events = run(Sampler(data=SOUND, rate=-1), 10)
    np.testing.assert_array_equal(samples, np.pad(SOUND[::-1], (0, 600)))
    assert events == [("done", 999, 0)]


@pytest.mark.parametrize(("rate", "last"), [(0.75, 1333), (2.5, 399), (-0.3, 3333)])
def test_at_any_rate_it_is_the_cubic_curve_through_the_sound(run, rate, last):
    samples, events = run(Sampler(data=SOUND, rate=rate, amp=0.5), 25)
    at = np.arange(last + 1) * float(np.float32(rate)) + (999 if rate < 0 else 0)
    np.testing.assert_allclose(samples[: last + 1], 0.5 * cubic(SOUND, at), atol=1e-6)
    assert not samples[last + 1 :].any()
    assert events == [("done", last, 0)]


def test_a_rate_that_moves_is_followed_sample_by_sample_forwards_and_back(run, signal):
    rate = 4 * np.cos(np.arange(1600) / 100).astype(np.float32)
    samples, events = run(Sampler(data=SOUND, rate=signal(rate), begin=0.0625), 10)
    at = 500 + np.concatenate([[0], np.cumsum(rate.astype(float))[:-1]])
    np.testing.assert_allclose(samples, cubic(SOUND, at), atol=1e-5)
    assert not events


def test_a_trigger_starts_it_and_again_and_without_one_it_waits(run, signal):
    trigger = np.zeros(1600)
    trigger[[100, 101, 102, 400, 1500]] = 1
    samples, events = run(Sampler(data=SOUND, trigger=signal(trigger)), 10)
    expected = np.zeros(1600, np.float32)
    expected[100:400], expected[400:1400], expected[1500:] = SOUND[:300], SOUND, SOUND[:100]
    np.testing.assert_array_equal(samples, expected)
    assert events == [("done", 1399, 0)]


def test_begin_counts_from_where_it_starts(run):
    for rate, expected in ((1, SOUND[400:]), (-1, SOUND[599::-1])):
        samples, _ = run(Sampler(data=SOUND, rate=rate, begin=0.05), 10)
        np.testing.assert_array_equal(samples, np.pad(expected, (0, 1000)))
    samples, events = run(Sampler(data=SOUND, begin=99))
    assert samples[0] == SOUND[-1]
    assert events == [("done", 0, 0)]


def test_a_loop_goes_on_without_a_gap_and_never_ends(run):
    for rate, start, turn in ((1, SOUND[:800], SOUND[160:800]), (-1, SOUND[:159:-1], SOUND[799:159:-1])):
        samples, events = run(Sampler(data=SOUND, rate=rate, loop=True, loop_start=0.02, loop_end=0.1), 50)
        np.testing.assert_array_equal(samples, np.concatenate([start, np.tile(turn, 13)])[:8000])
        assert not events


@pytest.mark.parametrize("rate", [0.3, -1.7, 8, -8])
def test_where_a_loop_begins_again_the_curve_goes_through(run, rate):
    """A sine of whole turns as the loop: at any rate and for long it is a sine."""
    data = np.sin(2 * np.pi * 5 * np.arange(800) / 800).astype(np.float32)
    samples, _ = run(Sampler(data=data, rate=rate, loop=True, loop_start=0.02, loop_end=0.08), 500)
    at = np.arange(80000) * float(np.float32(rate)) + (799 if rate < 0 else 0)
    inside = (at > 1) & (at < 798) | (np.arange(80000) > 800 / abs(rate))
    np.testing.assert_allclose(samples[inside], np.sin(2 * np.pi * at / 160)[inside], atol=1e-4)


def test_a_loop_of_one_sample_stays_on_it_at_any_rate(run):
    samples, _ = run(Sampler(data=SOUND, rate=7.3, loop=True, loop_start=0.05, loop_end=0.050125), 10)
    np.testing.assert_array_equal(samples[100:], np.full(1500, SOUND[400]))


def test_faults_in_a_sound_are_silent_and_no_sound_is_done_at_once(run):
    data = SOUND.copy()
    data[[3, 7, 9]] = np.nan, np.inf, -1e30
    samples, _ = run(Sampler(data=data, rate=0.5), 1)
    assert np.all(np.isfinite(samples))
    assert samples[6] == samples[14] == samples[18] == 0
    samples, events = run(Sampler(), 2)
    assert not samples.any()
    assert events == [("done", 0, 0)]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"loop_end": 1}, "sampler: loop_end 1 s is beyond the end of the sound, 0.125 s"),
        ({"loop_start": 0.125}, "sampler: loop_start 0.125 s is not before the loop's end, 0.125 s"),
        ({"loop_start": -1}, "loop_start -1 s is outside"),
        ({"rate": 9}, "rate 9 x is outside -8..8"),
        ({"data": [[1.0]]}, "data has 2 dimensions"),
    ],
)
def test_a_loop_outside_its_sound_and_a_rate_out_of_range_are_refused(values, words):
    with pytest.raises(ValueError, match=words):
        Sampler(**{"data": SOUND} | values)
