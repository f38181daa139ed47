"""A private PulseAudio with a null sink, so that the sound path is tried for real and headless.

What is played to the sink `phone` can be heard at its monitor, and our microphone is that monitor, too.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from graphvoip.rings import RATE

CONFIG = """
pcm_type.pulse { lib "libasound_module_pcm_pulse.so" }
pcm.!default { type pulse handle_underrun 1 hint { show on description "The private server" } }
pcm.pulse { type pulse handle_underrun 1 hint { show on description "The same" } }
ctl_type.pulse { lib "libasound_module_ctl_pulse.so" }
ctl.!default { type pulse }
"""
SINK = "module-null-sink sink_name={} rate=8000 channels=1 format=s16le norewinds=1"


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition; an AssertionError when it has not come true by then."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


class Pulse:
    """One server, in a directory of its own. environment: what a program needs to use it as its sound card."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.socket = folder / "native"
        (folder / "asound.conf").write_text(CONFIG)
        self.environment = {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder),
            "PULSE_SERVER": f"unix:{self.socket}",
            "PULSE_SOURCE": "phone.monitor",
            "ALSA_CONFIG_PATH": str(folder / "asound.conf"),
            "JACK_NO_START_SERVER": "1",
        }
        self.start()

    def start(self) -> None:
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disallow-exit", "--use-pid-file=no"]
        command += ["--disable-shm=yes", "--realtime=no", "--high-priority=no", "--log-level=error"]
        command += ["-L", f"module-native-protocol-unix auth-anonymous=1 socket={self.socket}"]
        command += ["-L", SINK.format("phone")]
        self.socket.unlink(missing_ok=True)
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, env=os.environ | self.environment, stdout=log, stderr=log)
        until(lambda: self.process.poll() is not None or "phone" in self.ask("list", "short", "sinks"))
        assert self.process.poll() is None, (self.folder / "log").read_text()

    def ask(self, *words: str) -> str:
        """What pactl says."""
        command = ["pactl", *words]
        return subprocess.run(command, env=os.environ | self.environment, capture_output=True, text=True).stdout

    def load_sink(self, name: str) -> str:
        """Add a sink; the number of its module."""
        return self.ask("load-module", *SINK.format(name).split())

    def stop(self, how: int = signal.SIGKILL) -> None:
        self.process.send_signal(how)
        self.process.wait(10)

    @contextlib.contextmanager
    def recording(self, sink: str = "phone") -> Iterator[Callable[[], np.ndarray]]:
        """Record the monitor of a sink meanwhile; gives a function that tells what was heard so far, as int16."""
        path = self.folder / f"{sink}.raw"
        command = ["parec", "-d", f"{sink}.monitor", "--raw", f"--rate={RATE}", "--channels=1", "--format=s16le"]
        with open(path, "wb") as file:
            process = subprocess.Popen([*command, "--latency-msec=20"], env=os.environ | self.environment, stdout=file)
        try:
            until(lambda: path.stat().st_size > 0)
            yield lambda: np.frombuffer(path.read_bytes()[: path.stat().st_size // 2 * 2], np.int16)
        finally:
            process.terminate()
            process.wait(10)
