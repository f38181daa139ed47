"""What the README says before the first call: the commands, the extras, and a machine that lacks something."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from confined import version
from packaging.requirements import Requirement

from graphvoip.io.pjsip.trunk import remedy

ROOT = Path(__file__).parent.parent
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
MACHINES = [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("darwin", "x86_64")]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


@pytest.mark.parametrize("machine", MACHINES, ids="-".join)
@pytest.mark.parametrize("python", PYTHONS)
def test_extra_sip_asks_for_pjsip_only_where_it_comes_prebuilt(python, machine):
    """pip fails as a whole where one of the packages has no wheel and does not build."""
    system, processor = machine
    marker = Requirement(EXTRAS["sip"][0]).marker
    assert marker
    environment = {"python_version": python, "sys_platform": system, "platform_machine": processor}
    prebuilt = python in ("3.11", "3.12") and machine in (("linux", "x86_64"), ("darwin", "arm64"))
    assert marker.evaluate(environment) == prebuilt
    text = remedy(system, processor, tuple(map(int, python.split("."))))
    if prebuilt:
        assert text == "SIP needs PJSIP, and there is no pjsua2 here: pip install 'graphvoip[sip]'"
    else:
        assert text == (
            "SIP needs PJSIP, which comes prebuilt for Python 3.11 and 3.12 on Linux x86-64 and macOS arm64: "
            f"got Python {python} on {system} {processor}. Use one of those, or build it: pip install pjsua2-python"
        )


def test_without_venv_make_names_the_package_and_stops(tmp_path):
    """Debian's Python comes without venv: nothing is begun then."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "ensurepip.py").write_text("raise ImportError('as on Debian')\n")
    command = ["make", "demo", f"PYTHON={sys.executable}"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "without")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    said, failed = done.stderr.splitlines()
    assert said == f"{sys.executable} lacks venv: sudo apt install python3-venv"
    assert "Error 1" in failed
    assert not (tmp_path / ".venv").exists()
    assert not (tmp_path / "demo.wav").exists()


@pytest.mark.skipif(not version(), reason="this kernel has no Landlock")
def test_confined_command_writes_only_in_its_own_folder(tmp_path):
    """What `make test` runs the tests by."""
    (tmp_path / "kept").write_text("kept")
    script = (
        "import os, pathlib, tempfile\n"
        'for act in (\'open("new", "w")\', \'os.remove("kept")\', \'os.mkdir("folder")\', \'open("kept", "a")\'):\n'
        "    try: eval(act)\n"
        "    except PermissionError: print('denied', act[:5])\n"
        "handle, name = tempfile.mkstemp()\n"
        "home = pathlib.Path.home()\n"
        "os.rename(name, home / 'mine')\n"
        "print(home == pathlib.Path(tempfile.gettempdir()))\n"
        "print(home)\n"
    )
    command = [sys.executable, ROOT / "tests" / "confined.py", sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    *denied, same, home = done.stdout.splitlines()
    assert denied == ["denied open(", "denied os.re", "denied os.mk", "denied open("]
    assert same == "True"
    assert not Path(home).exists()
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_confined_command_hands_on_its_exit_code():
    command = [sys.executable, ROOT / "tests" / "confined.py", "sh", "-c", "exit 3"]
    assert subprocess.run(command, timeout=60).returncode == 3
