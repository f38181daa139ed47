"""Programs of others that send and read the same signals: minimodem and multimon-ng."""

import subprocess

import numpy as np
import soxr

from graphvoip import loadWAVtoPCM, savePCMtoWAV
from graphvoip.codes import STANDARDS


def _tones(name):
    standard = STANDARDS[name]
    code = ["-5", "--stopbits", str(standard.stop)] if standard.bits == 5 else ["-8"]
    return ["-M", str(standard.mark), "-S", str(standard.space), *code, str(standard.baud)]


def minimodem_reads(samples, name, folder):
    savePCMtoWAV(samples, folder / "in.wav")
    command = ["minimodem", "--rx", "-q", "-f", str(folder / "in.wav"), *_tones(name)]
    return subprocess.run(command, capture_output=True, timeout=60).stdout.decode(errors="replace").strip()


def minimodem_sends(text, name, folder):
    """At 48 kHz, where it has whole samples a bit, then at 8."""
    file = folder / "out.wav"
    command = ["minimodem", "--tx", "-q", "-R", "48000", "-f", str(file), *_tones(name)]
    subprocess.run(command, input=text.encode(), check=True, timeout=60)
    return np.array(loadWAVtoPCM(file), np.float32)


def minimodem_reads_caller_id(samples, name, folder):
    savePCMtoWAV(samples, folder / "in.wav")
    tones = ["-M", str(STANDARDS[name].mark), "-S", str(STANDARDS[name].space)]
    command = ["minimodem", "--rx", "-q", "-f", str(folder / "in.wav"), *tones, "callerid"]
    return subprocess.run(command, capture_output=True, timeout=60).stdout.decode(errors="replace")


def multimon_reads(samples, what, *options):
    """what: MORSE_CW, CLIPFSK ..."""
    raw = (soxr.resample(np.asarray(samples, np.float32), 8000, 22050).clip(-1, 1) * 32767).astype("<i2").tobytes()
    command = ["multimon-ng", "-q", "-c", "-a", what, *options, "-t", "raw", "-"]
    return subprocess.run(command, input=raw, capture_output=True, timeout=60).stdout.decode(errors="replace").strip()
