import numpy as np
import pytest

from graphvoip.nodes import Duck, Sine


def levels(run, node, frames):
    found = [(run(node)[0], node.samples("level").copy()) for _ in range(frames)]
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))


def speech(start=2001, stop=4001, size=16000, level=0.3):
    key = np.zeros(size)
    key[start:stop] = level * np.where(np.arange(stop - start) % 5, -1, 1)
    return key


def test_the_bed_is_lower_by_the_depth_while_the_key_speaks(run, signal):
    node = Duck(Sine(freq=441), signal(speech(stop=9000)), depth_db=18)
    samples, level = levels(run, node, 100)
    sine = np.sin(2 * np.pi * 441 * np.arange(16000) / 8000)
    np.testing.assert_allclose(samples[5000:9000], 10 ** (-18 / 20) * sine[5000:9000], atol=1e-5)
    np.testing.assert_allclose(samples, sine * level, atol=1e-6)


def test_without_speech_the_bed_is_untouched_bit_for_bit(run, signal):
    bed = np.random.default_rng(1).uniform(-1, 1, 1600).astype(np.float32)
    samples, level = levels(run, Duck(signal(bed), signal(np.full(1600, 0.0099))), 10)
    np.testing.assert_array_equal(samples, bed)
    assert np.all(level == 1)


def test_attack_hold_and_release_are_kept_to_the_sample(run, signal):
    node = Duck(Sine(), signal(speech()), depth_db=120, attack=0.02, hold=0.1, release=0.2)
    _, level = levels(run, node, 100)
    assert np.all(level[:2001] == 1)
    assert level[2001] < 1
    assert np.argmax(level < np.exp(-1)) - 2001 + 1 == pytest.approx(160, abs=1)
    up = 4001 + 800  # the first sample after the hold
    assert np.all(np.diff(level[2001:up]) <= 0)
    assert level[up] > level[up - 1]
    assert np.argmax(level[up:] > 1 - np.exp(-1)) + 1 == pytest.approx(1600, abs=2)


def test_the_hold_bridges_gaps_and_no_longer_ones(run, signal):
    for gap, bridged in ((700, True), (900, False)):
        key = speech() + speech(4001 + gap, 6001 + gap)
        _, level = levels(run, Duck(Sine(), signal(key), hold=0.1, attack=0, release=0), 100)
        assert np.all(level[4001 : 4001 + gap] < 0.3) == bridged


def test_no_value_of_any_input_stays_in_it(run, signal):
    good = np.random.default_rng(1).uniform(-1, 1, 1600)
    bad = np.where(np.arange(1600) % 7 == 0, np.resize([np.nan, np.inf, -np.inf, 1e30, -1e30], 1600), 0.0)
    for name in Duck.slots.inputs:
        inputs = dict.fromkeys(("input", "key"), signal(np.tile(good, 2))) | {name: signal(np.concatenate([bad, good]))}
        samples, level = levels(run, Duck(**inputs), 20)
        assert np.all(np.isfinite(level)), name
        assert np.all(np.isfinite(samples[1600:])), name
    _, level = levels(run, Duck(0.5, signal(np.where(bad == 0, 0, bad))), 10)
    assert np.all(level == 1)  # a fault is not speech
