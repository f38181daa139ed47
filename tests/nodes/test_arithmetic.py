"""add, subtract, multiply, divide: one line each, and one test."""

import numpy as np
import pytest

from graphvoip.nodes import Add, Divide, Multiply, Subtract


@pytest.mark.parametrize(
    ("kind", "operator"), [(Add, np.add), (Subtract, np.subtract), (Multiply, np.multiply), (Divide, np.divide)]
)
def test_sample_by_sample(run, signal, kind, operator):
    rng = np.random.default_rng(1)
    a, b = rng.uniform(-1, 1, 320).astype(np.float32), rng.uniform(0.1, 1, 320).astype(np.float32)
    np.testing.assert_allclose(run(kind(signal(a), signal(b)), 2)[0], operator(a, b), rtol=1e-6)


def test_what_is_divided_by_nothing_is_nothing(run, signal):
    np.testing.assert_array_equal(run(Divide(1.0, signal(np.zeros(160))))[0], 0)
