"""The measure itself: what it takes for lost."""

import numpy as np
import pytest
from positions import breaks, locatable, positions

SENT = locatable(1.0)


@pytest.mark.parametrize(
    ("heard", "count"),
    [
        (SENT, 0),
        (0.5 * np.concatenate([np.zeros(777), SENT, np.zeros(500)]), 0),
        (np.concatenate([SENT[:4000], SENT[4001:]]), 0),  # a sample less: two clocks that differ
        (np.concatenate([SENT[:4000], SENT[4160:]]), 1),
        (np.concatenate([SENT[:4000], SENT[4008:]]), 1),
        (np.concatenate([SENT[:4000], np.zeros(160), SENT[4000:]]), 1),
        (np.concatenate([SENT[:1600], SENT[1760:4000], np.zeros(900), SENT[4000:]]), 2),
        (np.concatenate([SENT[:1600], np.zeros(640), SENT[2240:]]), 1),
        (np.concatenate([SENT[:4000], SENT[3840:]]), 1),
        (SENT[:-200], 1),
        (SENT[200:], 1),
        (np.zeros(9000), 1),
    ],
)
def test_breaks_are_counted(heard, count):
    assert breaks(positions(heard, SENT)) == count
