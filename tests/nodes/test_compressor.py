import numpy as np
import pytest

from graphvoip.nodes import Compressor, Sine


def decibels(x):
    return 20 * np.log10(x)


def curve(level, threshold, ratio, knee):
    """Giannoulis, Massberg and Reiss 2012, equation 4: the level that comes out, in dB."""
    if 2 * (level - threshold) < -knee:
        return level
    if 2 * abs(level - threshold) <= knee and knee > 0:
        return level + (1 / ratio - 1) * (level - threshold + knee / 2) ** 2 / (2 * knee)
    return threshold + (level - threshold) / ratio


@pytest.mark.parametrize("ratio", [1.5, 4, 1000])
@pytest.mark.parametrize("knee", [0, 6, 20])
def test_the_static_curve_holds_within_a_fifth_of_a_decibel(run, ratio, knee):
    for level in (-40, -26, -22, -20, -18, -14, -3):
        sine = Sine(freq=1234.5, amp=10 ** (level / 20))
        samples, _ = run(Compressor(sine, threshold_db=-20, ratio=ratio, knee_db=knee, release=0.2), 200)
        heard = decibels(np.sqrt(2 * np.mean(np.square(samples[16000:], dtype=float))))
        assert heard == pytest.approx(curve(level, -20, ratio, knee), abs=0.2)


def test_below_the_threshold_it_passes_bit_for_bit(run, signal):
    data = np.random.default_rng(1).uniform(-0.05, 0.05, 1600).astype(np.float32)
    samples, _ = run(Compressor(signal(data)), 10)
    np.testing.assert_array_equal(samples, data)


def test_attack_and_release_make_63_per_cent_of_a_change_in_their_time(run, signal):
    """From below the threshold to 18 dB of reduction and back: a level that stays, so nothing ripples."""
    data = np.repeat([0.05, 10 ** (4 / 20), 0.05], 8000)
    node = Compressor(signal(data), threshold_db=-20, ratio=4, knee_db=0, attack=0.02, release=0.3)
    found = []
    for _ in range(150):
        run(node)
        found.append(node.samples("reduction").copy())
    reduction = np.concatenate(found)
    assert reduction[8000 + 4000] == pytest.approx(18, abs=0.01)
    attack = np.argmax(reduction[8000:] > 18 * (1 - np.exp(-1))) + 1
    assert attack == pytest.approx(0.02 * 8000, abs=1)
    release = np.argmax(reduction[16000:] < 18 * np.exp(-1)) + 1
    assert release == pytest.approx((0.3 + 0.02) * 8000, rel=0.02)  # after the smoothing of the attack


def test_makeup_is_a_gain_and_reduction_says_what_was_taken(run):
    node = Compressor(Sine(freq=441, amp=0.5), threshold_db=-26, ratio=4, makeup_db=9)
    samples, _ = run(node, 100)
    sine = 0.5 * np.sin(2 * np.pi * 441 * np.arange(99 * 160, 100 * 160) / 8000)
    gain = 10 ** ((9 - node.samples("reduction").astype(float)) / 20)
    np.testing.assert_allclose(samples[-160:], sine * gain, atol=1e-5)
    assert node.samples("reduction").mean() == pytest.approx(15, abs=0.3)


def test_no_value_of_any_input_stays_in_it(run, signal):
    good = np.random.default_rng(1).uniform(-1, 1, 1600)
    bad = np.where(np.arange(1600) % 7 == 0, np.resize([np.nan, np.inf, -np.inf, 1e30, -1e30], 1600), good)
    for name in Compressor.slots.inputs:
        inputs = {"input": signal(np.tile(good, 2))} | {name: signal(np.concatenate([bad, good]))}
        samples, _ = run(Compressor(**inputs), 20)
        assert np.all(np.isfinite(samples[1600:])), name
        assert np.abs(samples[3000:]).max() > 1e-6, name
