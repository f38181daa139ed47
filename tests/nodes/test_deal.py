import numpy as np
import pytest

from graphvoip.nodes import Deal


def dealt(run, signal, events, voices):
    """events: (sample, value) pairs; for every voice what it was given, as such pairs."""
    data = np.zeros(1600)
    for at, value in events:
        data[at] = value
    found = []
    for k in range(voices):
        samples, _ = run(Deal(signal(data), index=k, voices=voices), 10)
        found.append([(int(at), float(samples[at])) for at in np.flatnonzero(samples)])
    return found


def test_events_go_round_and_each_is_given_once(run, signal):
    events = [(10, 1), (20, 2), (300, 3), (500, 4)]
    assert dealt(run, signal, events, 3) == [[(10, 1), (500, 4)], [(20, 2)], [(300, 3)]]


def test_what_a_voice_has_comes_to_it_again(run, signal):
    events = [(10, 1), (20, 2), (30, 1), (40, 3), (50, 2)]
    assert dealt(run, signal, events, 3) == [[(10, 1), (30, 1)], [(20, 2), (50, 2)], [(40, 3)]]


def test_the_oldest_is_stolen(run, signal):
    events = [(10, 1), (20, 2), (30, 1), (40, 3)]
    assert dealt(run, signal, events, 2) == [[(10, 1), (30, 1)], [(20, 2), (40, 3)]]


def test_two_at_neighbouring_samples(run, signal):
    assert dealt(run, signal, [(159, 1), (160, 2), (161, 3)], 3) == [[(159, 1)], [(160, 2)], [(161, 3)]]


def test_a_voice_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="deal: index 4 of 4 voices; it counts from 0"):
        Deal(index=4, voices=4)
