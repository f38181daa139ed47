import numpy as np
import pytest

from graphvoip.nodes import Pcm, Select, Sine

RANDOM = np.random.default_rng(1)
INPUTS = RANDOM.uniform(-1, 1, (4, 1600)).astype(np.float32)
INDEX = np.repeat(RANDOM.integers(0, 4, 40), 40)


def test_the_index_chooses_at_the_sample_without_a_fade(run, signal):
    samples, _ = run(Select(signal(INDEX), *map(signal, INPUTS), fade=0), 10)
    np.testing.assert_array_equal(samples, INPUTS[INDEX, np.arange(1600)])


def test_a_number_chooses_from_the_first_sample_bit_for_bit(run, signal):
    for index, chosen in ((0, 0), (2.99, 2), (1.0, 1), (-7, 0), (4, 3), (1e6, 3)):
        samples, _ = run(Select(index, *map(signal, INPUTS)), 10)
        np.testing.assert_array_equal(samples, INPUTS[chosen])


def test_with_wrap_it_counts_on_from_the_first(run, signal):
    for index, chosen in ((4, 0), (6.5, 2), (-1, 3), (-4, 0), (400001, 1)):
        samples, _ = run(Select(index, *map(signal, INPUTS), wrap=True), 10)
        np.testing.assert_array_equal(samples, INPUTS[chosen])


def test_a_change_is_a_straight_crossfade_of_5_ms(run, signal):
    index = np.where(np.arange(1600) < 333, 1, 3)
    samples, _ = run(Select(signal(index), *map(signal, INPUTS)), 10)
    gain = np.clip((np.arange(1600) - 332) / 40, 0, 1)
    np.testing.assert_allclose(samples, INPUTS[1] * (1 - gain) + INPUTS[3] * gain, atol=1e-6)
    np.testing.assert_array_equal(samples[372:], INPUTS[3, 372:])


def test_changes_within_a_fade_do_not_click_and_end_at_the_last(run, signal):
    """Three constants: the level can only move by the distance to the one that is chosen over the fade's length."""
    index = np.where(np.arange(1600) < 1000, np.arange(1600) // 17 % 3, 2)
    levels = [signal(np.full(1600, level)) for level in (0.1, -0.8, 0.7)]
    samples, _ = run(Select(signal(index), *levels, fade=0.01), 10)
    assert np.abs(np.diff(samples)).max() < 1.5 / 80 * 1.3
    assert samples.min() > -0.8 - 1e-6
    assert samples.max() < 0.7 + 1e-6
    np.testing.assert_array_equal(samples[1100:], np.float32(0.7))


def test_the_sum_of_the_gains_is_always_1(run, signal):
    ones = [signal(np.ones(1600)) for _ in range(5)]
    index = np.random.default_rng(2).uniform(-1, 6, 1600)
    samples, _ = run(Select(signal(index), *ones), 10)
    np.testing.assert_allclose(samples, 1, atol=1e-6)


def test_a_fault_in_an_input_is_heard_only_while_it_is_chosen(run, signal):
    index = np.where((np.arange(1600) > 300) & (np.arange(1600) < 500), 1, 0)
    faulty = np.full(1600, np.nan)
    samples, _ = run(Select(signal(index), signal(INPUTS[0]), signal(faulty)), 10)
    np.testing.assert_array_equal(samples[:300], INPUTS[0, :300])
    np.testing.assert_array_equal(samples[540:], INPUTS[0, 540:])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("wrap", [False, True])
def test_no_index_breaks_it(run, signal, bad, wrap):
    index = np.where(np.arange(1600) % 300 < 100, bad, 1)
    samples, _ = run(Select(signal(index), *map(signal, INPUTS), wrap=wrap), 10)
    assert np.abs(samples).max() <= 1


def test_fewer_inputs_than_before_and_none_at_all_are_well(run):
    node = Select(3, *(Pcm(data=np.full(3200, level)) for level in (0.1, 0.2, 0.3, 0.4)))
    assert run(node)[0][-1] == np.float32(0.4)
    node.inputs = node.inputs[:2]
    assert run(node)[0][-1] == np.float32(0.2)
    node.inputs = []
    np.testing.assert_array_equal(run(node)[0], 0)


def test_too_many_inputs_and_wrong_options_are_refused():
    with pytest.raises(ValueError, match="it has 65 inputs; 64 are the most"):
        Select(0, *[Sine()] * 65)
    with pytest.raises(ValueError, match="fade 11 s is outside"):
        Select(0, Sine(), fade=11)
