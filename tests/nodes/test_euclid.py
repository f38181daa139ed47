import numpy as np
import pytest

from graphvoip.nodes import Clock, Euclid

# From Toussaint, "The Euclidean algorithm generates traditional musical rhythms", 2005.
KNOWN = {(3, 8): "x..x..x.", (5, 8): "x.xx.xx.", (2, 5): "x.x..", (4, 12): "x..x..x..x..", (7, 12): "x.xx.x.xx.x.",
         (5, 12): "x..x.x..x.x.", (7, 16): "x..x.x.x..x.x.x.", (9, 16): "x.xx.x.x.xx.x.x.", (5, 16): "x..x..x..x..x...",
         (13, 24): "x.xx.x.x.x.x.xx.x.x.x.x.", (4, 9): "x.x.x.x..", (5, 9): "x.x.x.x.x", (5, 7): "x.xx.xx",
         (3, 4): "x.xx", (3, 7): "x.x.x.."}  # fmt: skip


def steps(run, signal, count, **values):
    """What becomes of so many triggers, one every 10 samples: a word of x and . ; an array has a value for each."""
    triggers = np.zeros(count * 10)
    triggers[::10] = 1
    node = Euclid(signal(triggers), **{k: signal(np.repeat(v, 10)) if np.ndim(v) else v for k, v in values.items()})
    samples, _ = run(node, -(-count * 10 // 160))
    assert not samples[np.arange(len(samples)) % 10 > 0].any()
    return "".join("x" if x else "." for x in samples[: count * 10 : 10])


@pytest.mark.parametrize(("hits", "n"), KNOWN)
def test_the_rhythms_are_those_of_the_literature(run, signal, hits, n):
    assert steps(run, signal, 3 * n, hits=hits, steps=n) == 3 * KNOWN[hits, n]


def test_without_options_it_is_the_tresillo(run):
    samples, _ = run(Euclid(Clock(tempo=120)), 100)
    np.testing.assert_array_equal(np.flatnonzero(samples), [0, 3000, 6000, 8000, 11000, 14000])


@pytest.mark.parametrize("n", [1, 2, 7, 13, 16, 31, 63, 64])
def test_any_number_of_hits_is_spread_evenly(run, signal, n):
    """Up to its rotation there is one even rhythm: a hit where the line of slope hits / n passes a whole number."""
    for hits in range(n + 1):
        word = steps(run, signal, n, hits=hits, steps=n)
        line = "".join("x" if i * hits % n < hits else "." for i in range(n))
        assert word in line + line
        assert word[0] == ("x" if hits else ".")
    assert steps(run, signal, n, hits=64, steps=n) == "x" * n


def test_rotate_makes_it_later(run, signal):
    for rotate in (-9, -8, -1, 0, 1, 3, 64):
        word = "".join(np.roll(list(KNOWN[3, 8]), rotate))
        assert steps(run, signal, 16, rotate=rotate) == 2 * word


def test_the_numbers_may_move_and_are_looked_at_when_a_step_comes(run, signal):
    hits = np.repeat([3, 5, 0.4, 2.6], 8)
    assert steps(run, signal, 32, hits=hits) == KNOWN[3, 8] + KNOWN[5, 8] + "........" + KNOWN[3, 8]
    assert steps(run, signal, 12, hits=2, steps=np.repeat([8, 3], [7, 5])) == "x...x..x.xx."


def test_reset_begins_anew_and_a_hit_keeps_length_and_velocity(run, signal):
    gates = np.zeros(1600)
    for start in range(0, 1600, 100):
        gates[start : start + 40] = 0.7
    reset = np.zeros(1600)
    reset[[250, 500]] = 1
    samples, _ = run(Euclid(signal(gates), reset=signal(reset), hits=1, steps=4), 10)
    hits = np.isin(np.arange(1600) // 100, [0, 3, 5, 9, 13])
    np.testing.assert_array_equal(samples, np.where(hits, gates, 0).astype(np.float32))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, -1e30])
def test_no_number_breaks_it(run, signal, bad):
    for slot in ("hits", "steps", "rotate"):
        values = np.where(np.arange(160) < 80, bad, {"hits": 3, "steps": 8, "rotate": 0}[slot])
        triggers = np.ones(1600)
        triggers[::10] = 0
        reset = np.arange(1600) == 800
        node = Euclid(signal(triggers), reset=signal(reset), **{slot: signal(np.repeat(values, 10))})
        samples, _ = run(node, 10)
        assert set(np.unique(samples)) <= {0, 1}
        assert "".join("x" if x else "." for x in samples[805::10]) == 10 * KNOWN[3, 8]


def test_values_out_of_range_are_refused():
    for values in ({"hits": 65}, {"steps": 0}, {"rotate": 65}):
        with pytest.raises(ValueError, match="is outside"):
            Euclid(Clock(), **values)
