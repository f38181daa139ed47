"""The sound of a call, kept to its end: the last ten minutes at most in memory, what was before in a file."""

import tempfile
from typing import IO

from ..rings import RATE

KEPT = 600 * 2 * RATE  # bytes in memory, ten minutes


class Tape:
    """16-bit samples, one after the other; any part can be read again. Its length is in bytes.

    The file has no name, and so goes when we go.
    """

    def __init__(self):
        self.recent = bytearray()
        self.file: IO[bytes] | None = None
        self.filed = 0  # bytes in the file

    def __len__(self) -> int:
        return self.filed + len(self.recent)

    def append(self, data: bytes) -> None:
        self.recent += data
        if len(self.recent) >= KEPT:
            file = self.file = self.file or tempfile.TemporaryFile()  # noqa: SIM115 - it is open as long as this lives
            file.seek(self.filed)
            file.write(self.recent)
            self.filed += len(self.recent)
            self.recent.clear()

    def read(self, at: int = 0, size: int | None = None) -> bytes:
        """So many bytes from there on, all that there are by default."""
        end = len(self) if size is None else at + size
        if at >= self.filed or not self.file:
            return bytes(self.recent[at - self.filed : end - self.filed])
        self.file.seek(at)
        return self.file.read(min(end, self.filed) - at) + self.recent[: max(0, end - self.filed)]

    def __del__(self):
        if self.file:
            self.file.close()
