"""Arithmetic over names: what is read, how it is spelled, and that nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphvoip.expression import Function, Name, Number, Operation, names, parse, text, value_of


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("0.4 * (ding * hit1 + dong * hit2)", "0.4 * (ding * hit1 + dong * hit2)"),
        ("a-(b-c)", "a - (b - c)"),
        ("a-b-c", "a - b - c"),
        ("a/(b/c)", "a / (b / c)"),
        ("(a*b)/c", "a * b / c"),
        ("-x", "-x"),
        ("-(a+b)*2", "-(a + b) * 2"),
        ("+x", "x"),
        ("note . gate*2.50", "note.gate * 2.5"),
        ("db(-6) * a", "db(-6) * a"),
        ("midi( 69 )", "midi(69)"),
        ("2*3+1", "2 * 3 + 1"),
        ("((((a))))", "a"),
        ("(a**b)**c", "(a ** b) ** c"),
        ("a**b**-c", "a ** b ** (-c)"),
        ("-a**2", "-a ** 2"),
        ("(-a)**2+(-2)**b", "(-a) ** 2 + (-2) ** b"),
        ("(a<b)*(b>=c)", "(a < b) * (b >= c)"),
        ("a+1==b%2", "a + 1 == b % 2"),
        ("(a<b)!=c", "(a < b) != c"),
        ("tanh(1.5*a.band)/max(a,b,2)", "tanh(1.5 * a.band) / max(a, b, 2)"),
        ("2*pi*a", "2 * pi * a"),
    ],
)
def test_an_expression_has_one_spelling(written, spelled):
    assert text(parse(written)) == spelled
    assert parse(spelled) == parse(written)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2*3+1", 7),
        ("db(-20)", 0.1),
        ("midi(69)/2", 220),
        ("-(1-3)", 2),
        ("db(10*2)", 10),
        ("-db(-20)", -0.1),
        ("sin(pi/2)+cos(0)*2", 3),
        ("max(1,2,3)**2%5", 4),
        ("clip(9,0,1)+sign(-3)", 0),
        ("mix(2,4,.5)", 3),
        ("round(2.5)-floor(-.5)", 4),
        ("(1<2)+(2!=2)", 1),
        ("sqrt(abs(-9))", 3),
        ("tan(0)+exp(0)+log(1)", 1),
    ],
)
def test_numbers_come_to_a_number(written, value):
    assert value_of(parse(written)) == pytest.approx(value)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "is no expression"),
        ("a +", "is no expression"),
        ("((((", "is no expression"),
        ("a b", "is no expression"),
        ("a * * b", "'a * * b' is no expression: invalid syntax at character 5"),
        ("a.b.c", "'a.b.c' is no part of an expression; it is made of numbers, names, name.port"),
        ("a // b", "'a // b' is no part of an expression"),
        ("a and b", "'a and b' is no part of an expression"),
        ("a < b < c", "'a < b < c' compares twice; write (a < b) * (b < c)"),
        ("sinn(a)", "there is no function 'sinn'; did you mean 'sin'?"),
        ("gain(a)", "there is no function 'gain'; there are sin cos"),
        ("clip(a, 1)", "'clip(a, 1)' does not fit; it is clip(x, low, high)"),
        ("max(a)", "'max(a)' does not fit; it is max(x, y, ...)"),
        ("sin(x=a)", "it is sin(x)"),
        ("log(-1)", "log(-1) is not a number"),
        ("(-8) ** 0.5", "a part of it is not a number"),
        ("0 ** -1", "it divides by zero"),
        ("a % 0", "it divides by zero"),
        ("a if b else c", "it is made of numbers"),
        ("[1]", "it is made of numbers"),
        ("'text'", "it is made of numbers"),
        ("True", "True is not a number"),
        ("1e999", "too great"),
        ("db(9999)", "db(9999) is too great"),
        ("1 / 0", "it divides by zero"),
        ("a / 0", "it divides by zero"),
        ("__import__('os').system('true')", "it is made of numbers"),
        ("a" * 3000, "has 3000 characters; an expression has at most 2000"),
        ("a+" * 300 + "a", "nested more than 200 deep"),
        ("(lambda: 1)()", "it is made of numbers"),
        ("a\0b", "is no expression"),
    ],
)
def test_anything_else_is_refused_in_one_line(written, says):
    with pytest.raises(ValueError, match=r".") as caught:
        parse(written)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 250
    assert "\n" not in str(caught.value)


def test_the_names_in_it_in_their_order():
    assert list(names(parse("b * a.gate + 3 * b"))) == [Name("b"), Name("a", "gate"), Name("b")]


TREES = st.recursive(
    st.one_of(
        st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: Number(round(x, 3) + 0.0)),
        st.builds(Name, st.sampled_from(["a", "b", "note"]), st.sampled_from([None, "gate"])),
    ),
    lambda inner: st.one_of(
        st.builds(Operation, st.sampled_from(["+", "-", "*", "<", "<=", ">", ">=", "==", "!="]), inner, inner),
        st.builds(lambda a, b: Operation("/", a, Operation("+", b, Name("b"))), inner, inner),
        st.builds(lambda a: Operation("**", a, Name("note")), inner),
        st.builds(lambda a: Function("tanh", (Operation("%", a, Name("a")),)), inner),
    ),
    max_leaves=20,
)


@given(TREES)
def test_what_is_spelled_is_read_again(tree):
    spelled = text(tree)
    assert text(parse(spelled)) == spelled
    assert list(names(parse(spelled))) == list(names(tree))


@given(st.text(alphabet="abn.gate()+-*/%<>= sinmaxclpdb 0123456789_,'\"[]{}:=<>@!%^&|~\n\t\\", max_size=40))
def test_any_text_is_an_expression_or_a_clear_error(written):
    try:
        tree = parse(written)
    except ValueError:
        return
    assert text(parse(text(tree))) == text(tree)
