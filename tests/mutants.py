"""Change each number that the documentation promises, and see whether a test fails: make mutants [WHAT=engine.py].

Every module-level number of the modules below is changed in a copy of the project, one at a time, and the tests of its
module run. What leaves them green is listed, and the status is 1.
"""

import ast
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent

# Module: the tests that must notice.
TESTS = {
    "call.py": "tests/test_numbers.py tests/test_call.py tests/test_call_listening.py",
    "digits.py": "tests/test_numbers.py tests/test_digits.py",
    "client.py": "tests/test_numbers.py tests/test_client.py",
    "engine.py": "tests/test_numbers.py tests/test_engine.py",
    "rings.py": "tests/test_numbers.py tests/test_rings.py",
    "playback.py": "tests/test_numbers.py tests/test_playback.py",
}

# What is no promise, and why.
FREE = {
    "EVENT_RING": "a buffer: a larger one holds more events, and a full one loses none",
}


def numbers(path: Path):
    """The module-level constants of a file: (name, line, the text of its number, the text of another number)."""
    for node in ast.parse(path.read_text()).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        if name.isupper() and name not in FREE:
            for part in ast.walk(node.value):
                if isinstance(part, ast.Constant) and type(part.value) in (int, float):
                    for other in (part.value * 10, part.value / 2 if isinstance(part.value, float) else part.value - 1):
                        yield name, part, repr(other)
                    break


def survives(copy: Path, module: str, part: ast.Constant, other: str) -> bool:
    """Run the tests with another number; are they green?"""
    file = copy / "graphvoip" / module
    text = file.read_text()
    lines = text.splitlines(keepends=True)
    line = lines[part.lineno - 1]
    lines[part.lineno - 1] = line[: part.col_offset] + other + line[part.end_col_offset :]
    file.write_text("".join(lines))
    for old in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        old.unlink()  # one of the same second and size would be taken for this one's
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *TESTS[module].split()],
            cwd=copy,
            env={"PYTHONPATH": str(copy), "PATH": "/usr/bin:/bin", "HOME": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            timeout=600,
            check=False,
        )
        return done.returncode == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        file.write_text(text)


def main(wanted: list[str]) -> int:
    found = 0
    with tempfile.TemporaryDirectory(prefix="graphvoip-mutants-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", ".git"))
        for module in wanted or TESTS:
            for name, part, other in numbers(copy / "graphvoip" / module):
                alive = survives(copy, module, part, other)
                found += alive
                print(f"{module}: {name} {part.value} -> {other}: {'SURVIVES' if alive else 'found'}", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
