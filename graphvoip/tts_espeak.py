"""espeak-ng, as a command or as a library. Both give their sound while they make it."""

import ctypes
import functools
import getopt
import importlib.metadata
import os
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from .tts_engines import Engine, Sink, Slow, file_version, run

INSTALL = "sudo apt install espeak-ng (macOS: brew install espeak-ng), or pip install 'graphvoip[tts]'"
MBROLA = ("/usr/share/mbrola", "/usr/local/share/mbrola")
VARIANTS = ", and variants of them such as en+f3"

# The library's numbers, from its speak_lib.h.
_SYNCHRONOUS, _DONT_EXIT = 2, 0x8000
_CHARACTERS = 1
_UTF8, _SSML, _PHONEMES, _END_PAUSE = 0x1, 0x10, 0x100, 0x1000
_FLAGS = _UTF8 | _PHONEMES | _END_PAUSE  # what the command sets
_PARAMETERS = {"-s": (1, 175), "-a": (2, 100), "-p": (3, 50), "-g": (7, 0)}  # option: number, default
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)

_one_at_a_time = threading.Lock()  # the library has one voice, one set of parameters and one callback a process


class Espeak(Engine):
    name = "espeak-ng"
    first = part = 1000  # it streams: the first part need not be short
    ssml = ["-m"]

    def command(self) -> str | None:
        return shutil.which("espeak-ng") or shutil.which("espeak")

    def version(self) -> str:
        command = self.command()
        if command:
            return file_version(command)
        _library()
        return f"library {importlib.metadata.version('espeakng-loader')}"

    def voices(self) -> list[str]:
        command = self.command()
        return _mbrola() + (_voices_of_command(command) if command else _voices_of_library())

    def voice(self, name: str) -> list[str]:
        return ["-v", name]

    def speed(self, factor: float) -> list[str]:
        return ["-s", f"{175 * factor:.0f}"]

    def package(self, voice: str) -> str:
        """Of a voice of MBROLA; those of espeak-ng itself are all there."""
        found, command = re.match(r"mb[-/](?:mb-)?([a-z]{2}\d)", voice), self.command()
        if not found or (command and f"mb-{found[1]} " not in _mbrola_voices_of_command(command)):
            return ""
        return f"mbrola mbrola-{found[1]} (in Debian's contrib and non-free)"

    def check_voice(self, name: str) -> None:
        """By speaking nothing: of the names that it takes it lists only some."""
        command = self.command()
        if command:
            said = subprocess.run([command, "-q", "--stdin", "-v", name], input=b"", capture_output=True).stderr
            self._check(said.decode(errors="replace"), name)
            return
        with _one_at_a_time:
            unknown = _library()[0].espeak_SetVoiceByName(name.encode())
        if unknown:
            self.no_voice(name, VARIANTS)

    def _check(self, said: str, voice: str) -> None:
        if "voice does not exist" in said or "mbrola voice" in said.lower():
            self.no_voice(voice, VARIANTS)

    def speak(self, text: str, opts: list[str], sink: Sink, seconds: float) -> None:
        data = text.encode("utf-8", "replace").replace(b"\0", b" ")  # both stop at a zero
        command = self.command()
        if command:
            self._by_command(command, data, opts, sink, seconds)
        else:
            self._by_library(data, opts, sink, seconds)

    def _by_command(self, command: str, text: bytes, opts: list[str], sink: Sink, seconds: float) -> None:
        # On its standard input a text may begin with "-" and be longer than arguments may.
        sound = _Wav(sink)
        said = run([command, "--stdin", "--stdout", *opts], text, sink, seconds, sound.heard)
        if sink.stopped() or sound.rate:
            return
        self._check(said, _voice_in(opts))
        name = os.path.basename(command)  # it ends as if all were well for an option that it does not know
        raise ValueError(f"{name} {' '.join(opts)}: {said or 'it gave no sound'}; see {name} --help")

    def _by_library(self, text: bytes, opts: list[str], sink: Sink, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        voice, parameters, flags = _library_options(opts)
        slow = False
        with _one_at_a_time:
            library, rate = _library()
            if library.espeak_SetVoiceByName(voice.encode()):
                self.no_voice(voice, VARIANTS)
            for number, value in parameters.items():
                library.espeak_SetParameter(number, value, 0)

            @_CALLBACK
            def collect(address: int | None, count: int, events: Any) -> int:
                nonlocal slow
                slow = time.monotonic() > deadline
                if address and count and not slow:
                    return not sink.put(np.frombuffer(ctypes.string_at(address, 2 * count), np.int16), rate)
                return slow  # true ends it

            library.espeak_SetSynthCallback(collect)
            size = ctypes.c_size_t(len(text) + 1)
            failed = library.espeak_Synth(text, size, 0, _CHARACTERS, 0, flags, None, None)
        if slow:
            raise Slow
        if failed:
            raise RuntimeError(f"the espeak-ng library failed with code {failed}")


class _Wav:
    """A WAV file that is read from a pipe, so that its sound is there while it is made."""

    HEADER = 44

    def __init__(self, sink: Sink):
        self.sink, self.rest, self.rate = sink, b"", 0

    def heard(self, data: bytes) -> bool:
        self.rest += data
        if not self.rate:
            if len(self.rest) < self.HEADER or not self.rest.startswith(b"RIFF"):
                return True
            self.rate = int.from_bytes(self.rest[24:28], "little")
            self.rest = self.rest[self.HEADER :]
        whole = len(self.rest) & ~1
        samples, self.rest = np.frombuffer(self.rest[:whole], "<i2"), self.rest[whole:]
        return not samples.size or self.sink.put(samples, self.rate)


def _voice_in(opts: list[str]) -> str:
    """The voice that the options name."""
    found = re.findall(r"(?:^|\0)-v\0?([^\0]+)", "\0".join(opts))
    return found[-1] if found else "en"


@functools.cache
def _voices_of_command(command: str) -> list[str]:
    lines = subprocess.run([command, "--voices"], capture_output=True, text=True).stdout.splitlines()[1:]
    return [line.split()[1] for line in lines if len(line.split()) > 1]


@functools.cache
def _mbrola_voices_of_command(command: str) -> str:
    """A table of those that it can use, whether they are here or not."""
    return subprocess.run([command, "--voices=mb"], capture_output=True, text=True).stdout


class _Voice(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("languages", ctypes.c_char_p), ("identifier", ctypes.c_char_p)]


def _voices_of_library() -> list[str]:
    """Called while nobody else uses the library."""
    library, _ = _library()
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    table, found = library.espeak_ListVoices(None), []
    while table[len(found)]:  # each begins with a byte of priority
        found.append(table[len(found)].contents.languages[1:].decode())
    return [language for language in found if language not in ("variant", "mbrola")]


def _mbrola() -> list[str]:
    """The voices of MBROLA that are here, as espeak-ng calls them."""
    if not shutil.which("mbrola"):
        return []
    return sorted(f"mb-{one.name}" for folder in MBROLA for one in Path(folder).glob("*") if one.name != "voices")


def _library_options(opts: list[str]) -> tuple[str, dict[int, int], int]:
    """The voice, every parameter's value (what an earlier text set must not stay), and the flags."""
    try:
        given = dict(getopt.gnu_getopt(opts, "v:s:a:p:g:m")[0])
    except getopt.GetoptError as error:
        raise ValueError(
            f"{error}: the espeak-ng library takes -v -s -p -a -g -m; for others install the command: {INSTALL}"
        ) from None
    voice, flags = given.pop("-v", "en"), _FLAGS | (_SSML if "-m" in given else 0)
    given.pop("-m", None)
    for option, value in given.items():
        if not value.strip().isdecimal():
            raise ValueError(f"{option} takes a whole number, not {value!r}")
    return voice, {number: int(given.get(option, default)) for option, (number, default) in _PARAMETERS.items()}, flags


@functools.cache
def _library() -> tuple[Any, int]:
    """The library, ready, and its rate in Hz."""
    try:
        import espeakng_loader
    except ImportError:
        raise RuntimeError(f"espeak-ng is not installed; {INSTALL}") from None
    try:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path()
    except (OSError, RuntimeError) as error:
        raise RuntimeError(f"the espeak-ng library does not load: {error}; {INSTALL}") from None
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT)
    if rate <= 0:  # its buffer for a path holds 160 characters or so
        raise RuntimeError(f"the espeak-ng library cannot read its data in {data}; {INSTALL}")
    return library, rate
