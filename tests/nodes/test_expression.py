import numpy as np
import pytest

from graphvoip.nodes import Expression

RANDOM = np.random.default_rng(1)
A, B, C, D = RANDOM.uniform(-3, 3, (4, 1600)).astype(np.float32).astype(float)
T = np.arange(1600) / 8000

# Each against numpy in float64: the same text, but for the functions that numpy does not have by that name.
FORMULAS = {
    "a": A,
    " (a + b) * c - d / 7 ": (A + B) * C - D / 7,
    "a - b - c": A - B - C,
    "-a ** 2": -(A**2),
    "a ** 2 + a ** 3 + a ** 4": A**2 + A**3 + A**4,
    "abs(a) ** 1.3 + 2 ** b": np.abs(A) ** 1.3 + 2**B,
    "a % b + a % 0.7 + a % -0.7": A % B + A % 0.7 + A % -0.7,
    "1e-3 * a + .5": 1e-3 * A + 0.5,
    "sin(a) + 2 * cos(5 * b)": np.sin(A) + 2 * np.cos(5 * B),
    "tan(a / 2.5)": np.tan(A / 2.5),
    "tanh(a * (1 + b)) * sin(c)": np.tanh(A * (1 + B)) * np.sin(C),
    "exp(a) + exp(5 * b)": np.exp(A) + np.exp(5 * B),
    "log(abs(a)) + sqrt(abs(b))": np.log(np.abs(A)) + np.sqrt(np.abs(B)),
    "min(a, b, c) + 10 * max(a, b) + 100 * max(a, b, c, d)":
        np.minimum(np.minimum(A, B), C) + 10 * np.maximum(A, B) + 100 * np.max([A, B, C, D], 0),
    "floor(a) + 10 * round(b)": np.floor(A) + 10 * np.floor(B + 0.5),
    "clip(a, -1, b)": np.minimum(np.maximum(A, -1), B),
    "mix(a, b, c / 3)": A + (B - A) * C / 3,
    "db(10 * a)": 10 ** (A / 2),
    "midi(60 + a)": 440 * 2 ** ((A - 9) / 12),
    "sign(a) + sign(0)": np.sign(A),
    "(a < b) + 2 * (a > b) + 4 * (a <= b) + 8 * (a >= b)": np.where(A < B, 5, 10),
    "(floor(a) == floor(b)) + 2 * (floor(a) != floor(b))": np.where(np.floor(A) == np.floor(B), 1, 2),
    "(1 <= 1) + (1 >= 1) * 2 + (1 < 1) * 4 + (1 > 1) * 8": np.full(1600, 3),
    "sin(2 * pi * 441 * t)": np.sin(2 * np.pi * 441 * T),
}  # fmt: skip


def made(run, signal, formula, frames=10):
    samples, _ = run(Expression(*map(signal, (A, B, C, D)), formula=formula), frames)
    return samples


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_what_numpy_makes_of_it(run, signal, formula):
    np.testing.assert_allclose(made(run, signal, formula), FORMULAS[formula], rtol=5e-6, atol=2e-6)


def test_the_time_is_exact_after_a_minute(run):
    samples, _ = run(Expression(formula="sin(2 * pi * 1234.5 * t)"), 3000)
    t = np.arange(160 * 2999, 160 * 3000) / 8000
    np.testing.assert_allclose(samples[-160:], np.sin(2 * np.pi * 1234.5 * t), atol=1e-6)


@pytest.mark.parametrize(
    "formula",
    [
        "1 / (a - a)",
        "log(-abs(a))",
        "sqrt(-1 - a * a)",
        "(-8 - a * a) ** 0.5",
        "a % (b - b)",
        "tanh(sqrt(-1 - a * a))",
        "exp(log(-1 - a * a))",
        "sin(1 / (a - a))",
    ],
)
def test_what_is_not_finite_is_0(run, signal, formula):
    np.testing.assert_array_equal(made(run, signal, formula), 0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, 1e-40])
@pytest.mark.parametrize(
    "formula", ["a", "exp(a)", "midi(a)", "sin(a) * tan(a)", "a ** 3 % 2 - round(a)", "mix(a, 0, a)"]
)
def test_it_is_finite_whatever_comes_and_well_after_it(run, signal, formula, bad):
    data = np.where(np.arange(1600) < 700, bad, A)
    samples, _ = run(Expression(signal(data), formula=formula), 10)
    assert np.all(np.isfinite(samples))
    np.testing.assert_array_equal(samples[700:], made(run, signal, formula)[700:])


def test_32_values_and_256_steps_fit_and_one_more_does_not(run, signal):
    deep = "(1 + " * 31 + "a" + ")" * 31
    np.testing.assert_allclose(made(run, signal, deep), A + 31, rtol=1e-6)
    with pytest.raises(ValueError, match="more than 32 values wait"):
        Expression(formula=f"1 + ({deep})")
    long = "-a" + "+a" * 126
    np.testing.assert_allclose(made(run, signal, long), 125 * A, rtol=1e-6)
    with pytest.raises(ValueError, match="more than 256 steps"):
        Expression(formula=f"-({long})")


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("sinn(a)", "expression: 'sinn[(]a[)]': there is no function 'sinn'; did you mean 'sin'"),
        ("frequency * a", "'frequency' is not known; a formula has the names a b c d, and t for the time"),
        ("a * * b", "expression: 'a [*] [*] b' is no expression: invalid syntax at character 5"),
        ("(a + b", "is no expression: '[(]' was never closed at character 1"),
        ("sin", r"'sin' is a function; write sin\(x\)"),
        ("a.real", "'a.real' is not known; a formula has the names"),
        ("a if b else c", "'a if b else c' is no part of an expression; it is made of numbers"),
        ("True", "True is not a number"),
        ("1e39", "a number is too great"),
        ("1" + "0" * 400, "is too great"),
        ("log(-1)", "log[(]-1[)] is not a number"),
        ("a\0b", "is no expression"),
        ("(" * 999 + "a" + ")" * 999, "is no expression"),
        ("-" * 1500 + "a", "expression: "),
        ("a" + " " * 2000 + "b", "at most 2000"),
        ("", "is no expression"),
        (5, "formula is 5; it is a text"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(formula, words):
    with pytest.raises(ValueError, match=words):
        Expression(formula=formula)
