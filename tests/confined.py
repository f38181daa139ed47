"""Run a command that may write nowhere but in a temporary folder of its own: python tests/confined.py pytest ...

The folder is the command's TMPDIR and HOME, and is removed after it. Linux (Landlock) keeps the command, and all that
it starts, from writing anywhere else: a test that does fails there and then with "Permission denied". Bytecode, kernels
and what pytest remembers stay in the checkout.
"""

import ctypes
import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the numbers of Landlock's system calls
ABI, PATH_BENEATH, NO_NEW_PRIVS = 1, 1, 38
WRITE_FILE, REMOVE_TO_SYMLINK, REFER, TRUNCATE = 1 << 1, 0b1_1111_1111 << 4, 1 << 13, 1 << 14

libc = ctypes.CDLL(None, use_errno=True)


class PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("access", ctypes.c_uint64), ("folder", ctypes.c_int32)]


def checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def version() -> int:
    """Return Landlock's version: 0 where there is none, or one that cannot rename from folder to folder."""
    found = libc.syscall(CREATE_RULESET, None, 0, ABI)
    if found < 0 and ctypes.get_errno() not in (errno.ENOSYS, errno.EOPNOTSUPP):
        checked(found)
    return found if found >= 2 else 0


def allow_writing_in(folders: list[Path]) -> None:
    """Deny this process, and all that it starts, to write anywhere but beneath these folders, for good."""
    access = ctypes.c_uint64(WRITE_FILE | REMOVE_TO_SYMLINK | REFER | (TRUNCATE if version() >= 3 else 0))
    rules = checked(libc.syscall(CREATE_RULESET, ctypes.byref(access), 8, 0))
    for folder in folders:
        beneath = PathBeneath(access.value, os.open(folder, os.O_PATH))
        checked(libc.syscall(ADD_RULE, rules, PATH_BENEATH, ctypes.byref(beneath), 0))
        os.close(beneath.folder)
    checked(libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0))
    checked(libc.syscall(RESTRICT_SELF, rules, 0))
    os.close(rules)


def caches() -> list[Path]:
    """Make the folders in which Python, numba, pytest and hypothesis keep what they need not make again."""
    top = [ROOT / name for name in ("graphvoip", "voip", "tests", "examples", "docs", "bench")]
    sources = {path.parent for folder in top for path in folder.rglob("*.py")}
    folders = [source / "__pycache__" for source in sources] + [ROOT / ".pytest_cache", ROOT / ".hypothesis"]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    return folders


def main(command: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="graphvoip-tests-", ignore_cleanup_errors=True) as name:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}
        environment |= {"TMPDIR": name, "HOME": name}
        folders = [Path(name), Path("/dev"), Path("/proc"), *caches()]
        confine = (lambda: allow_writing_in(folders)) if sys.platform == "linux" and version() else None
        if not confine:
            print("this kernel has no Landlock: where the tests write is not watched")
        return subprocess.run(command, env=environment, preexec_fn=confine).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
