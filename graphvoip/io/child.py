"""A child process that carries sound between its far end and the rings that it shares with us.

What holds the GIL here, or blocks the event loop, does not touch it. It is told and heard in lines of JSON.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Child:
    """Runs one of our modules. Its argument: `option` with the numbers of the descriptors in `shared` and of its pipe.

    hear: called with each message of it. lost: called with its exit status when it is gone; a signal's is negative.
    """

    def __init__(
        self,
        module: str,
        option: dict[str, Any],
        shared: dict[str, int],
        hear: Callable[[dict[str, Any]], None],
        lost: Callable[[int], None],
    ):
        self.hear, self.lost, self.text = hear, lost, b""
        self.pipe, theirs = socket.socketpair()
        with theirs:
            descriptors = shared | {"pipe": theirs.fileno()}
            self.process = subprocess.Popen(
                command(module, option | descriptors),
                pass_fds=list(descriptors.values()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # PJSIP greets there before one can ask it not to
                env=environment(),
            )
        self.pipe.setblocking(False)
        asyncio.get_running_loop().add_reader(self.pipe, self._read)

    def tell(self, **message: Any) -> None:
        try:
            self.pipe.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            pass  # it died; the pipe says so in a moment

    def kill(self) -> None:
        self.process.kill()

    def _read(self) -> None:
        """Messages of the process. Each has a turn of its own, so that none suffers from another's error."""
        loop = asyncio.get_running_loop()
        try:
            data = self.pipe.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        *messages, self.text = (self.text + data).split(b"\n")
        for message in messages:
            loop.call_soon(self.hear, json.loads(message))
        if not data:
            loop.remove_reader(self.pipe)
            loop.call_soon(self._gone)

    def _gone(self) -> None:
        self.pipe.close()
        self.process.kill()  # in case it has only closed the pipe
        self.lost(self.process.wait())


def command(module: str, option: dict[str, Any]) -> list[str]:
    return [sys.executable, "-P", "-m", module, json.dumps(option)]


def environment() -> dict[str, str]:
    """Ours, in which a child finds this package however we have found it ourselves."""
    path = filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")])
    return os.environ | {"PYTHONPATH": os.pathsep.join(path)}


def shared_memory(size: int) -> int:
    """A descriptor of memory without a name, so that nothing is left behind whoever dies."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("graphvoip")
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, size)
    return fd
