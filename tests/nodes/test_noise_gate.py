import numpy as np
import pytest

from graphvoip.nodes import NoiseGate


def gates(run, node, frames):
    """The samples, and the output `gate`."""
    found = [(run(node)[0], node.samples("gate").copy()) for _ in range(frames)]
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))


def burst(level, *, rest=0.001, start=1001, stop=3001, size=8000):
    data = (rest * np.where(np.arange(size) % 2, -1, 1)).astype(np.float32)
    data[start:stop] *= level / rest
    return data


def test_it_opens_at_the_sample_that_reaches_the_threshold_and_closes_after_the_hold(run, signal):
    for level, opens in ((0.011, True), (0.0099, False)):
        _, gate = gates(run, NoiseGate(signal(burst(level)), threshold_db=-40, hold=0.05), 50)
        expected = np.zeros(8000)
        expected[1001 : 3001 + 400] = opens
        np.testing.assert_array_equal(gate, expected)


def test_hysteresis_keeps_it_open_for_what_could_not_open_it(run, signal):
    data = burst(0.02, stop=2000)
    data[2000:4000] *= 8  # -42 dB, 2 dB below the threshold
    data[5000:7000] *= 8
    _, gate = gates(run, NoiseGate(signal(data), threshold_db=-40, hysteresis_db=3, hold=0.01), 50)
    expected = np.zeros(8000)
    expected[1001 : 4000 + 80] = 1
    np.testing.assert_array_equal(gate, expected)
    _, gate = gates(run, NoiseGate(signal(data), threshold_db=-40, hysteresis_db=1, hold=0.01), 50)
    assert np.flatnonzero(gate)[-1] == 2000 + 80 - 1


def test_open_it_passes_bit_for_bit_and_closed_it_is_down_by_its_range(run, signal):
    data = burst(0.5)
    samples, _ = gates(run, NoiseGate(signal(data), range_db=30, release=0.02), 50)
    np.testing.assert_array_equal(samples[1500:3400], data[1500:3400])
    gain = samples[7000:].astype(float) / data[7000:]
    np.testing.assert_allclose(20 * np.log10(gain), -30, atol=0.01)
    np.testing.assert_allclose(20 * np.log10(samples[800:1000] / data[800:1000]), -30, atol=0.1)


def test_attack_and_release_make_63_per_cent_in_their_time(run, signal):
    data = burst(0.5)
    samples, _ = gates(run, NoiseGate(signal(data), range_db=120, attack=0.01, release=0.1, hold=0), 50)
    gain = samples.astype(float) / data
    assert np.argmax(gain[1001:] > 1 - np.exp(-1)) + 1 == pytest.approx(80, abs=1)
    assert np.argmax(gain[3001:] < np.exp(-1)) + 1 == pytest.approx(800, abs=2)


def test_noise_goes_and_a_tone_stays(run, signal):
    t = np.arange(16000) / 8000
    noise = 0.005 * np.random.default_rng(1).uniform(-1, 1, 16000)
    samples, _ = gates(run, NoiseGate(signal(noise + 0.3 * np.sin(2 * np.pi * 441 * t) * (t > 1))), 100)
    assert np.abs(samples[4000:8000]).max() < 0.005 * 0.0011
    assert np.abs(samples[9000:]).max() == pytest.approx(0.3, abs=0.006)


def test_no_value_of_any_input_stays_in_it(run, signal):
    good = np.random.default_rng(1).uniform(-1, 1, 1600)
    bad = np.where(np.arange(1600) % 7 == 0, np.resize([np.nan, np.inf, -np.inf, 1e30, -1e30], 1600), 0.5)
    for name in NoiseGate.slots.inputs:
        inputs = {"input": signal(np.tile(good, 2))} | {name: signal(np.concatenate([bad, good]))}
        samples, _ = run(NoiseGate(**inputs), 20)
        assert np.all(np.isfinite(samples[1600:])), name
