"""The import rule of docs/architecture.md, and what `import graphvoip` may cost."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import graphvoip

ROOT = Path(graphvoip.__file__).parent
HEAVY = [
    "numpy",
    "numba",
    "scipy",
    "scipy.signal",
    "networkx",
    "pjsua2",
    "matplotlib",
    "soundfile",
    "asyncio",
    "pyaudio",
]


def imported(path):
    """The project's own modules that a file imports, by their full names, wherever in the file."""
    package = ("graphvoip", *path.relative_to(ROOT).parent.parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            module = ".".join([*base, *filter(None, [node.module])])
            found |= {module} if node.module else {f"{module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("graphvoip"):
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.startswith("graphvoip")}
    return found


def files(folder):
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize(
    "path", [path for path in files("nodes") if path.name != "__init__.py"], ids=lambda path: path.stem
)
def test_nodes_know_only_what_a_node_is(path):
    tools = {"node", "kernel", "dsp", "delay_lines", "rings", "streams", "files"}
    tables = {"expression", "notes", "progress", "codes", "sstv_modes", "sstv_decoder", "sstv_receiver"}
    assert imported(path) <= {f"graphvoip.{name}" for name in tools | tables}


ENGINE = """files disk_cache kernel_cache kernel_errors node kernel dsp delay_lines streams notes progress codes bus
            expression graph plan engine clock rings sstv_modes sstv_decoder sstv_receiver"""


@pytest.mark.parametrize("name", ENGINE.split())
def test_the_engine_knows_no_node_no_call_and_no_far_end(name):
    for module in imported(ROOT / f"{name}.py") - {"graphvoip.io.wav"}:  # a slot for sounds reads files
        assert not module.startswith(("graphvoip.nodes", "graphvoip.call", "graphvoip.client", "graphvoip.io")), module


@pytest.mark.parametrize("path", files("io"), ids=lambda path: path.stem)
def test_far_ends_know_no_node_and_no_call(path):
    for module in imported(path):
        assert not module.startswith(("graphvoip.nodes", "graphvoip.node", "graphvoip.call", "graphvoip.client")), (
            module
        )


@pytest.mark.parametrize("package", ["graphvoip", "voip"])
def test_importing_the_package_loads_nothing_heavy(package):
    code = f"import sys, {package}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def scipy_imports(tree):
    return [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("scipy"))
        or (isinstance(node, ast.Import) and any(name.name.startswith("scipy") for name in node.names))
    ]


@pytest.mark.parametrize("path", files("."), ids=lambda path: str(path.relative_to(ROOT)))
def test_scipy_is_imported_only_where_it_is_used(path):
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    inside = {id(one) for function in functions for one in scipy_imports(function)}
    assert [one.lineno for one in scipy_imports(tree) if id(one) not in inside] == []


A_CALL = """
from graphvoip.client import run
from graphvoip.io.virtual import Phone
async def handler(call):
    await call.playTone(440, .1)
    assert await call.getDTMF(2) == "42"
failed = run(handler, Phone(script="wait 1; keys 42; wait 1; hangup"))
assert failed is None
"""
CHIME = str(ROOT.parent / "patches" / "chime.json")
RENDER = f"from graphvoip import load_patch, render\nrender(load_patch({CHIME!r})(), 1)"
BUILD = "from graphvoip.nodes import dtmf, call_progress, beep, answering, line_in, line_out, phone_band"


@pytest.mark.parametrize("code", ["import graphvoip", RENDER, BUILD, A_CALL], ids=["import", "render", "nodes", "call"])
def test_no_start_waits_for_scipy(code):
    """numba takes scipy's bare package, which costs 10 ms; its parts cost from 0.3 s to a second."""
    parts = ["scipy.signal", "scipy.ndimage", "scipy.fft", "scipy.special", "scipy.linalg", "scipy.interpolate"]
    code += f"\nimport sys; print([name for name in {parts} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("code", "module"),
    [
        ("from graphvoip.listen import tones; tones(np.sin(np.arange(800)))", "scipy.signal"),
        (
            "from graphvoip.telegraph import morse_encode, morse_decode; morse_decode(morse_encode('E E E'))",
            "scipy.signal",
        ),
        (
            "from graphvoip.sstv import sstv_encode, sstv_decode\n"
            "sstv_decode(sstv_encode(np.zeros((8, 8, 3), np.uint8), 'BW8'))",
            "scipy.ndimage",
        ),
    ],
    ids=["tones", "morse", "picture"],
)
def test_what_works_offline_stands_on_scipy(code, module):
    code = f"import sys\nimport numpy as np\n{code}\nprint({module!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_optional_packages_are_not_needed_for_the_virtual_phone():
    code = """
import sys
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("pjsua2", "pyaudio", "matplotlib", "espeakng_loader", "pytest"):
            raise ImportError(name)
sys.meta_path.insert(0, Gone())
from graphvoip.client import run
from graphvoip.io.virtual import Phone
async def handler(call):
    await call.playTone(440, .1)
run(handler, Phone())
print("fine")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "fine", done.stderr


def test_every_public_name_is_there_and_documented():
    for name in graphvoip.__all__:
        assert getattr(graphvoip, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = graphvoip.nothing
