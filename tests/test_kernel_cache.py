"""Machine code on the disk: whatever becomes of the files and folders, what is asked for runs."""

import compileall
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import graphvoip
from graphvoip.disk_cache import DiskCache

ROOT = Path(graphvoip.__file__).parent
COMPILING = "graphvoip: compiling sound kernels that are new to this machine, each once; a few seconds"

HALF = """
from graphvoip import Node, Output
from graphvoip.kernel import kernel
from graphvoip.plan import Plan

class Half(Node):
    out = Output()
    @kernel
    def process(out):
        out[:] = 0.5

node = Half()
Plan([node]).run()
print(node.samples()[0])
"""


def started(*arguments, home=None, cache=None, path=None, cwd=None, **options):
    """A process of Python in an environment of its own: nothing names a folder but these."""
    mine = ("NUMBA_", "GRAPHVOIP_", "XDG_", "PYTHON", "HOME")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    environment |= {"HOME": str(home or "/nonexistent")}
    environment |= {"NUMBA_CACHE_DIR": str(cache)} if cache else {}
    environment |= {"PYTHONPATH": str(path)} if path else {}
    return subprocess.Popen([sys.executable, *map(str, arguments)], cwd=cwd, env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)  # fmt: skip


def done(*arguments, **options):
    """What it prints, and the lines that it says besides. It must succeed."""
    process = started(*arguments, **options)
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out.strip(), err.strip().splitlines()


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A cache that has all that the program needs."""
    folder = tmp_path_factory.mktemp("warm")
    assert done("-c", HALF, cache=folder) == ("0.5", [COMPILING])
    assert done("-c", HALF, cache=folder) == ("0.5", [])
    return folder


@pytest.fixture
def cache(warm, tmp_path):
    return shutil.copytree(warm, tmp_path / "cache")


def entries(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


DAMAGE = {
    "empty": lambda data: b"",
    "a byte": lambda data: data[:1],
    "cut in half": lambda data: data[: len(data) // 2],
    "the last byte is missing": lambda data: data[:-1],
    "longer": lambda data: data + b"x",
    "a bit at the start": lambda data: flipped(data, 0),
    "a bit in the middle": lambda data: flipped(data, len(data) // 2),
    "a bit of the checksum": lambda data: flipped(data, len(data) - 1),
    "something else": lambda data: os.urandom(len(data)),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_as_good_as_none_is_removed_and_logged_once(kind, tmp_path, caplog):
    cache = DiskCache("things", lambda: [tmp_path], 1 << 20, "")
    for name in "ab":
        cache.save(name, b"12345678" * 100)
        (tmp_path / name).write_bytes(DAMAGE[kind]((tmp_path / name).read_bytes()))
        assert cache.load(name) is None
    assert caplog.messages == [f"{tmp_path}/a: damaged, made anew; 'graphvoip doctor' looks through the others"]
    assert not entries(tmp_path)
    cache.save("a", b"12345678")
    assert cache.load("a") == b"12345678"


@pytest.mark.parametrize("kind", ["empty", "cut in half", "a bit in the middle"])
def test_damaged_machine_code_is_logged_once_and_made_anew(cache, kind):
    files = entries(cache)
    assert len(files) >= 3
    for file in files:
        file.write_bytes(DAMAGE[kind](file.read_bytes()))
    out, lines = done("-c", HALF, cache=cache)
    assert out == "0.5"
    assert sorted(lines)[1:] == [COMPILING]
    assert re.fullmatch(r"/.*: damaged, made anew; 'graphvoip doctor' looks through the others", sorted(lines)[0])
    assert Path(sorted(lines)[0].split(": ")[0]) in files
    assert done("-c", HALF, cache=cache) == ("0.5", [])
    assert entries(cache) == files


def test_machine_code_under_another_name_is_damaged(cache):
    first, second, *_ = entries(cache)
    shutil.copy(first, second)
    assert len(done("-c", HALF, cache=cache)[1]) == 2
    assert done("-c", HALF, cache=cache) == ("0.5", [])


def test_a_whole_file_that_is_no_machine_code_is_made_anew(cache):
    for file in entries(cache):
        DiskCache("", lambda: [file.parent], 1 << 30, "").save(file.name, b"something else")  # noqa: B023
    out, (line, compiling) = done("-c", HALF, cache=cache)
    assert (out, compiling) == ("0.5", COMPILING)
    assert line.endswith(": not loaded (UnpicklingError), made anew; 'graphvoip doctor' looks through the others")
    assert done("-c", HALF, cache=cache) == ("0.5", [])


def test_a_folder_in_the_place_of_a_file_is_no_reason_to_fail(cache):
    for file in entries(cache):
        file.unlink()
        (file / "below").mkdir(parents=True)
    out, (compiling, line) = done("-c", HALF, cache=cache)
    assert (out, compiling) == ("0.5", COMPILING)
    assert line.startswith(f"compiled kernels cannot be kept: {cache}/graphvoip: Is a directory. Every start")


@pytest.mark.parametrize(("where", "why"), [("file/below", "Not a directory"), ("/proc/below", "No such file"),
                                            ("/sys/below", "Operation not permitted|Read-only|Perm")])  # fmt: skip
def test_where_nothing_can_be_written_it_is_compiled_in_memory_and_logged_once(tmp_path, where, why):
    (tmp_path / "file").write_text("in the way")
    out, lines = done("-c", HALF, cache=tmp_path / where)
    assert out == "0.5"
    assert lines[0] == COMPILING
    assert re.fullmatch(
        rf"compiled kernels cannot be kept: {tmp_path / where}/graphvoip: ({why}).*\. Every start compiles them anew; "
        r"let NUMBA_CACHE_DIR name a folder that can be written\.", lines[1])  # fmt: skip
    assert len(lines) == 2


def full_disk(size=4096):
    """For a child: no file may grow beyond that, as on a disk that has no more room."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk_is_no_reason_to_fail_and_leaves_no_half_files(tmp_path):
    out, lines = done("-c", HALF, cache=tmp_path, preexec_fn=full_disk())
    assert out == "0.5"
    assert lines[0] == COMPILING
    assert lines[1].startswith(f"compiled kernels cannot be kept: {tmp_path}/graphvoip: File too large. Every start")
    assert len(lines) == 2
    assert not entries(tmp_path)
    done("-c", HALF, cache=tmp_path)
    assert done("-c", HALF, cache=tmp_path, preexec_fn=full_disk()) == ("0.5", [])  # nothing needs to be written


@pytest.fixture
def installed(tmp_path):
    """A copy of the package whose folder takes neither bytecode nor machine code, not even from root."""
    site = tmp_path / "site"
    shutil.copytree(ROOT, site / "graphvoip", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [site / "graphvoip", *filter(Path.is_dir, (site / "graphvoip").rglob("*"))]:
        (folder / "__pycache__").write_text("in the way")
    return site


def test_a_package_that_cannot_be_written_uses_the_folder_of_the_user(installed, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    assert done("-c", HALF, path=installed, home=home, cwd=tmp_path) == ("0.5", [COMPILING])
    assert done("-c", HALF, path=installed, home=home, cwd=tmp_path) == ("0.5", [])
    assert {file.parent for file in entries(home)} == {home / ".cache" / "graphvoip" / "kernels"}


def test_without_a_home_it_is_compiled_in_memory(installed, tmp_path):
    out, (compiling, line) = done("-c", HALF, path=installed, home=tmp_path / "none", cwd=tmp_path)
    assert (out, compiling) == ("0.5", COMPILING)
    own = installed / "graphvoip" / "__pycache__" / "kernels"
    assert line.startswith(f"compiled kernels cannot be kept: {own}: Not a directory. Every start compiles them anew")
    assert not (tmp_path / "none").exists()


def test_machine_code_that_comes_with_the_package_is_read_where_nothing_can_be_written(warm, tmp_path):
    site, home = tmp_path / "site", tmp_path / "home"
    home.mkdir()
    shutil.copytree(ROOT, site / "graphvoip", ignore=shutil.ignore_patterns("__pycache__"))
    kernels = site / "graphvoip" / "__pycache__" / "kernels"
    shutil.copytree(warm / "graphvoip", kernels)
    assert done("-c", HALF, path=site, home=home, cwd=tmp_path, preexec_fn=full_disk(1)) == ("0.5", [])


def test_an_installation_without_sources_runs(tmp_path):
    site = tmp_path / "site"
    shutil.copytree(ROOT, site / "graphvoip", ignore=shutil.ignore_patterns("__pycache__"))
    assert compileall.compile_dir(site, quiet=2, legacy=True)
    for source in site.rglob("*.py"):
        source.unlink()
    (tmp_path / "a.json").write_text('{"graphvoip": 1, "nodes": {"a": {"type": "sine"}}, "out": "0.5 * a"}')
    command = ("-m", "graphvoip", "render", "a.json")
    assert done(*command, "-o", "a.wav", path=site, cwd=tmp_path)[1] == [COMPILING]
    assert done(*command, "-o", "b.wav", path=site, cwd=tmp_path)[1] == []
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert "sine" in done("-m", "graphvoip", "nodes", path=site, cwd=tmp_path)[0]


def test_processes_that_compile_the_same_at_once_do_not_harm_each_other(warm, tmp_path):
    together = [started("-c", HALF, cache=tmp_path) for _ in range(3)]
    for process in together:
        assert process.communicate() == ("0.5\n", COMPILING + "\n")
    assert done("-c", HALF, cache=tmp_path) == ("0.5", [])
    assert [file.name for file in entries(tmp_path)] == [file.name for file in entries(warm)]  # and nothing half done


HAMMER = """
import sys
from pathlib import Path
from graphvoip.disk_cache import DiskCache
cache = DiskCache("", lambda: [Path(sys.argv[1])], 1 << 30, "")
for n in range(300):
    cache.save("x", sys.argv[2].encode() * (1 + 100 * n))
    data = cache.load("x")
    assert len(set(data)) == 1 and len(data) % 100 == 1, data
"""


def test_a_reader_never_sees_half_of_what_another_process_writes(tmp_path):
    together = [started("-c", HAMMER, tmp_path, letter) for letter in "abc"]
    for process in together:
        assert process.communicate() == ("", "")
    assert [file.name for file in entries(tmp_path)] == ["x"]


TYPED = HALF.replace("    out = Output()", "    out = Output()\n    state = State(a='f8', b='f8')\n"
                     "    def start(self):\n        self.state['a'], self.state['b'] = 0.25, 0.75\n"
                     ).replace("process(out)", "process(state, out)").replace("0.5", "state.{}"
                     ).replace("Node, Output", "Node, Output, State")  # fmt: skip


def test_kernels_that_differ_in_a_name_only_are_not_taken_for_one_another(tmp_path):
    """Typed at a prompt there is no source, and the bytecode of both is the same."""
    assert done("-c", TYPED.format("a"), cache=tmp_path) == ("0.25", [COMPILING])
    assert done("-c", TYPED.format("b"), cache=tmp_path) == ("0.75", [COMPILING])
    assert done("-c", TYPED.format("a"), cache=tmp_path) == ("0.25", [])


def test_what_others_import_compiles_nothing_anew(cache):
    """numpy.random is there only when somebody has asked for it."""
    program = HALF.replace("out[:] = 0.5", "out[:] = np.float32(0.5)").replace(
        "\nfrom", "\nimport numpy as np\nfrom", 1
    )
    program = (
        program.replace("process(out)", "process(state, out)")
        .replace("    out = Output()", "    out = Output()\n    state = State(random='u8')")
        .replace("np.float32(0.5)", "np.float32(0.5 * (state.random > 0))")
        .replace("Node, Output", "Node, Output, State")
    )
    assert done("-c", program, cache=cache) == ("0.5", [COMPILING])
    assert done("-c", "import numpy.random" + program, cache=cache) == ("0.5", [])
