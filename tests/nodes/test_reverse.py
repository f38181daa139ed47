import numpy as np
import pytest

from graphvoip.nodes import Reverse, Sine

RANDOM = np.random.default_rng(8)


@pytest.mark.parametrize("time", [0.05, 0.3, 1.0])
def test_each_piece_is_played_backwards_while_the_next_one_comes_in(run, signal, time):
    piece = round(8000 * time)
    noise = RANDOM.uniform(-1, 1, 5 * piece).astype(np.float32)
    samples, _ = run(Reverse(signal(noise), time=time), -(-4 * piece // 160))
    for n in range(1, 4):
        heard, said = samples[n * piece :][:piece], noise[(n - 1) * piece :][:piece]
        np.testing.assert_array_equal(heard[80:], said[::-1][80:])
    assert not samples[80:piece].any()


def test_the_joins_do_not_click(run):
    samples, _ = run(Reverse(Sine(freq=441), time=0.1), 200)
    samples = samples[1600:]
    assert np.abs(np.diff(samples, 2)).max() < 1.5 * (2 * np.pi * 441 / 8000) ** 2
    assert np.abs(samples).max() < 2**0.5 + 0.01


def test_noise_is_as_loud_in_the_joins(run, signal):
    samples, _ = run(Reverse(signal(RANDOM.normal(0, 0.1, 160000)), time=0.05), 1000)
    joins = samples[800:160000].reshape(-1, 400)[:, 20:60]
    assert np.std(joins) == pytest.approx(0.1, rel=0.05)


def test_mix_blends_and_a_fault_is_not_remembered(run, signal):
    noise = RANDOM.uniform(-1, 1, 1600).astype(np.float32)
    (half, _), (wet, _) = (run(Reverse(signal(noise), mix=mix, time=0.05), 10) for mix in (0.5, 1))
    np.testing.assert_allclose(half, 0.5 * noise + 0.5 * wet, atol=1e-6)
    noise[100] = np.nan
    wet, _ = run(Reverse(signal(noise), time=0.05), 10)
    assert np.all(np.isfinite(wet))
    half, _ = run(Reverse(signal(noise), time=0.05, mix=0.5), 10)
    assert list(np.flatnonzero(~np.isfinite(half))) == [100]


def test_a_piece_too_long_is_refused():
    with pytest.raises(ValueError, match=r"time 6 s is outside 0.05..5"):
        Reverse(Sine(), time=6)
