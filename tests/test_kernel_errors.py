"""A kernel that cannot be compiled: one line with node, mistake, name that may be meant, place and source line."""

import json
import logging
import subprocess
import sys
import textwrap

import pytest

from graphvoip import Node, Output
from graphvoip.kernel import kernel
from graphvoip.kernel_errors import KernelError

NODES = """
import json

import numpy as np
from numba import njit

from graphvoip import Event, Node, Output, Signal, Signals, State
from graphvoip.kernel import event, kernel, nth

TABLE = {"a": 1}


def plain(x):
    return x


@njit
def helper(x):
    return x * GAIM


GAIN = 2.0


class Name(Node):
    out = Output()

    @kernel
    def process(out):
        for i in range(out.size):
            out[i] = lenght(i)


class OwnName(Node):
    out = Output()

    @kernel
    def process(out):
        total = 0.0
        for i in range(out.size):
            out[i] = totall + i
        out[0] = total


class Field(Node):
    out = Output()
    state = State(phase="f8", z="f8")

    @kernel
    def process(state, out):
        state.pahse += 0.1
        out[0] = state.phase


class NewField(Node):
    out = Output()
    state = State(phase="f8", z="f8")

    @kernel
    def process(state, out):
        state.memory = 3.0


class Happens(Node):
    out = Output()
    finished = Event()

    @kernel
    def process(state, out):
        state.finishd = event(0)


class OfNumpy(Node):
    out = Output()

    @kernel
    def process(out):
        out[:] = np.sine(0.5)


class OfArray(Node):
    input = Signal()
    out = Output()

    @kernel
    def process(input, out):
        for i in range(input.sise):
            out[i] = 0


class OfList(Node):
    inputs = Signals()
    out = Output()

    @kernel
    def process(inputs, out):
        out[:] = nth(inputs, inputs.length)


class InHelper(Node):
    out = Output()

    @kernel
    def process(out):
        out[0] = helper(0.5)


class Module(Node):
    out = Output()

    @kernel
    def process(out):
        out[0] = math.sin(0.5)


class Ours(Node):
    out = Output()

    @kernel
    def process(out):
        out[0] = sin_turns(0.5)


class Function(Node):
    out = Output()

    @kernel
    def process(out):
        out[0] = plain(1)


class Dictionary(Node):
    out = Output()

    @kernel
    def process(out):
        out[0] = TABLE["a"]


class Text(Node):
    out = Output()

    @kernel
    def process(out):
        out[0] = "text"


class Row(Node):
    out = Output()
    state = State(z=("f8", 2))

    @kernel
    def process(state, out):
        out[0] = out[1] + state


class Late(Node):
    out = Output()

    @kernel
    def process(out):
        out[0] = late
        late = 1


class Import(Node):
    out = Output()

    @kernel
    def process(out):
        import math

        out[0] = math.sin(1)


said = {}
for name, cls in list(globals().items()):
    if isinstance(cls, type) and issubclass(cls, Node) and cls is not Node:
        try:
            cls()
        except TypeError as error:
            said[name] = str(error)
print(json.dumps(said))
"""

ABOVE = "at the top of the file"
EXPECTED = {
    "Name": ("there is no 'lenght'; did you mean 'len'?", "out[i] = lenght(i)"),
    "OwnName": ("there is no 'totall'; did you mean 'total'?", "out[i] = totall + i"),
    "Field": ("state has no field 'pahse'; did you mean 'phase'?", "state.pahse += 0.1"),
    "NewField": ("state has no field 'memory'; it has phase, z.", "state.memory = 3.0"),
    "Happens": ("state has no field 'finishd'; did you mean 'finished'?", "state.finishd = event(0)"),
    "OfNumpy": ("np has no 'sine'; did you mean 'sin'?", "out[:] = np.sine(0.5)"),
    "OfArray": ("input is an array of samples, it has no 'sise'; did you mean 'size'?", "for i in range(input.sise):"),
    "OfList": (
        "inputs is a list of signals, it has no 'length'; it has addresses, start, size.",
        "out[:] = nth(inputs, inputs.length)",
    ),
    "Module": (f"there is no 'math'; write 'import math' {ABOVE}.", "out[0] = math.sin(0.5)"),
    "Ours": (
        f"there is no 'sin_turns'; write 'from graphvoip.kernel import sin_turns' {ABOVE}.",
        "out[0] = sin_turns(0.5)",
    ),
    "Function": (
        "'plain' is a Python function, which a kernel cannot call; put numba's @njit above it.",
        "out[0] = plain(1)",
    ),
    "Dictionary": (
        "'TABLE' is a dict, which a kernel cannot read; a number, a tuple or an array it can.",
        'out[0] = TABLE["a"]',
    ),
}
LINES = [line.strip() for line in NODES.splitlines()]


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What building each of the nodes says."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "mine.py").write_text(NODES)
    done = subprocess.run([sys.executable, "mine.py"], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_misspelt_name_is_one_line_with_its_place(said, name):
    mistake, source = EXPECTED[name]
    assert said[name] == f"{name}.process: {mistake} In mine.py:{LINES.index(source) + 1}: {source}"


def test_a_misspelt_name_in_a_helper_is_named_there(said):
    place = f"mine.py:{LINES.index('return x * GAIM') + 1}, helper: return x * GAIM"
    assert said["InHelper"] == f"InHelper.process: there is no 'GAIM'; did you mean 'GAIN'? In {place}"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("Text", 'out[0] = "text"'),
        ("Row", "out[0] = out[1] + state"),
        ("Late", "out[0] = late"),
        ("Import", "import math"),
    ],
)
def test_what_numba_refuses_is_one_line_with_its_place(said, name, source):
    line = LINES.index(source, LINES.index(f"class {name}(Node):")) + 1
    assert said[name].startswith(f"{name}.process: ")
    assert said[name].endswith(f" In mine.py:{line}: {source}")
    assert "\n" not in said[name]
    assert len(said[name]) < 250


def test_what_numba_says_itself_is_logged_for_those_who_look_closely(caplog):
    class Wrong(Node):
        """Not a kernel."""

        out = Output()

        @kernel
        def process(out):
            out[0] = "text"

    with caplog.at_level(logging.INFO, "graphvoip"), pytest.raises(KernelError):
        Wrong()
    assert not caplog.records
    with caplog.at_level(logging.DEBUG, "graphvoip"), pytest.raises(KernelError):
        Wrong()
    assert "No implementation of function" in caplog.text


TYPED = """
from graphvoip import Node, Output, State
from graphvoip.kernel import kernel
class Half(Node):
    out = Output()
    state = State(phase="f8")
    @kernel
    def process(state, out):
        {}
try:
    Half()
except TypeError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("out[0] = state.phse", "state has no field 'phse'; did you mean 'phase'? In <string>:7"),
        (
            "out[0] = sin_turns(1)",
            f"there is no 'sin_turns'; write 'from graphvoip.kernel import sin_turns' {ABOVE}. In",
        ),
    ],
)
def test_where_there_is_no_source_the_name_is_told_all_the_same(line, says):
    done = subprocess.run([sys.executable, "-c", TYPED.format(line)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"Half.process: {says}")
    assert len(done.stdout.splitlines()) == 1


def test_commands_say_one_line(graphvoip, tmp_path):
    (tmp_path / "wavy.py").write_text(
        textwrap.dedent("""
        from graphvoip import Node, Output, State, patch
        from graphvoip.kernel import kernel
        class Wave(Node):
            "A wave."
            out = Output()
            state = State(phase="f8")
            @kernel
            def process(state, out):
                out[0] = state.phse
        @patch
        def wavy():
            return Wave()
        async def handler(call):
            call.play(Wave())
        """)
    )
    says = "Wave.process: state has no field 'phse'; did you mean 'phase'? In wavy.py:10: out[0] = state.phse"
    result = graphvoip("render", "wavy.py")
    assert (result.exit_code, result.stderr) == (1, f"graphvoip: wavy.py: {says}\n")
    result = graphvoip("call", "wavy.py")
    assert (result.exit_code, result.stderr) == (1, f"graphvoip: the handler failed: {says}\n")
