"""Folders of files that can be made again, so that none of them is ever why something fails.

A file ends in a checksum of its name and its contents: one that is damaged counts as missing, is removed and made anew.
It is put in its place whole, so that several processes may write it at once. What no folder takes is made again by the
next process. Both are logged, once a process.
"""

import hashlib
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from .files import replace

MARK = b"graphvoip1"  # before the checksum
SEAL = len(MARK) + 32  # bytes at the end of each file
UNFINISHED = 3600  # seconds after which a file that is being written is one that nobody will finish

log = logging.getLogger("graphvoip")


def user_folder(name: str) -> Path | None:
    """This user's folder for caches, or None: $XDG_CACHE_HOME/graphvoip/NAME, ~/.cache without that."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        home = Path.home()
    except RuntimeError:  # a user without one
        home = None
    if os.path.isabs(base):
        return Path(base) / "graphvoip" / name
    return home / ".cache" / "graphvoip" / name if home and home.is_dir() else None


class DiskCache:
    """Files by name, in the first of some folders that takes them; they are read from all of these.

    what: its contents, and remedy: what to do if no folder takes them, for messages. limit: bytes of a folder; what has
    not been used for longest goes. mode: of a folder that is made.
    """

    def __init__(self, what: str, folders: Callable[[], list[Path]], limit: int, remedy: str, mode: int = 0o777):
        self.what, self.folders, self.limit, self.remedy, self.mode = what, folders, limit, remedy, mode
        self._logged: set[str] = set()

    def load(self, name: str) -> bytes | None:
        """The contents of a file that is whole, or None."""
        for folder in self.folders():
            path = folder / name
            try:
                raw = path.read_bytes()
            except OSError:  # not there, or not to be read
                continue
            if not _is_whole(name, raw):
                self.discard(path, "damaged")
                continue
            try:
                os.utime(path)  # it has been used
            except OSError:
                pass
            return raw[:-SEAL]
        return None

    def save(self, name: str, data: bytes) -> None:
        """Keep a file, in the first folder that takes it."""
        try:
            folder = self._first(lambda folder: replace(folder / name, [data, _seal(name, data)]))
        except OSError as error:
            self._log_once(f"{self.what} cannot be kept: {error}. {self.remedy}", f"{error}")
            return
        self._make_room(folder)

    def discard(self, path: Path, why: str) -> None:
        """Remove a file that is of no use, if it is there."""
        if not path.exists():
            return
        self._log_once(f"{path}: {why}, made anew; 'graphvoip doctor' looks through the others", str(path.parent))
        try:
            path.unlink()
        except OSError:
            pass

    def place(self) -> Path:
        """The folder that takes new files. OSError says why there is none."""

        def probe(folder: Path) -> None:
            file = folder / f".{os.urandom(4).hex()}"
            replace(file, [MARK * 400])  # more than fits beside the name: a full disk must notice
            file.unlink()

        return self._first(probe)

    def repair(self) -> list[Path]:
        """Remove what is damaged or was never finished; which files they were."""
        removed = []
        for path in self.files():
            try:
                if path.name.startswith("."):
                    useless = time.time() - path.stat().st_mtime > UNFINISHED
                else:
                    useless = not _is_whole(path.name, path.read_bytes())
                if useless:
                    path.unlink()
                    removed.append(path)
            except OSError:
                continue
        return removed

    def files(self) -> list[Path]:
        """All that it has."""
        found = []
        for folder in self.folders():
            try:
                found += sorted(path for path in folder.iterdir() if path.is_file())
            except OSError:
                continue
        return found

    def _first(self, use: Callable[[Path], None]) -> Path:
        """The first folder in which something can be done."""
        reasons = []
        for folder in self.folders():
            try:
                folder.mkdir(mode=self.mode, parents=True, exist_ok=True)
                use(folder)
            except OSError as error:
                reasons.append(f"{folder}: {error.strerror}")
                continue
            return folder
        raise OSError(", ".join(reasons) or "this user has no home folder")

    def _make_room(self, folder: Path) -> None:
        found = []
        for path in self.files():
            try:
                stat = path.stat()
            except OSError:  # another process was faster
                continue
            if path.parent == folder:
                found.append((stat.st_mtime, stat.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self.limit:
                break
            try:
                path.unlink()
            except OSError:
                continue
            total -= size

    def _log_once(self, text: str, about: str) -> None:
        log.log(logging.DEBUG if about in self._logged else logging.WARNING, "%s", text)
        self._logged.add(about)


def _seal(name: str, data: bytes) -> bytes:
    return MARK + hashlib.sha256(name.encode() + data).digest()


def _is_whole(name: str, raw: bytes) -> bool:
    return raw[-SEAL:] == _seal(name, raw[:-SEAL])
