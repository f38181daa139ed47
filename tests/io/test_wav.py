import array
import io
import math
import os
import re
import socket
import subprocess
import sys
import threading
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from disk import room

from graphvoip import PCM, render
from graphvoip.io.wav import load, loadWAVtoPCM, save, savePCMtoWAV
from graphvoip.nodes import Pcm
from graphvoip.patchfile import parse_patch


def sine(frequency, seconds, rate=8000):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def frequency(x):
    """The strongest, in Hz."""
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x))))
    return np.argmax(spectrum) * 8000 / len(x)


def decibels(x):
    """RMS against full scale."""
    return 20 * math.log10(np.sqrt(np.mean(np.square(x))) + 1e-12)


def test_every_16_bit_value_survives_saving_and_loading(tmp_path):
    every = (np.arange(-32768, 32768) / 32768).tolist()
    savePCMtoWAV(every, tmp_path / "a.wav")
    loaded = loadWAVtoPCM(tmp_path / "a.wav")
    assert isinstance(loaded, PCM)
    assert loaded == every
    savePCMtoWAV(loaded, tmp_path / "b.wav")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_a_saved_file_is_what_other_programs_expect(tmp_path):
    savePCMtoWAV([0, 0.5, -0.5, 1, -1, 7, -7, 0.25 / 32768, 0.75 / 32768], tmp_path / "a.wav")
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.getparams()[:4] == (1, 2, 8000, 9)
        values = array.array("h", file.readframes(9)).tolist()
    assert values == [0, 16384, -16384, 32767, -32768, 32767, -32768, 0, 1]


@pytest.mark.parametrize("kind", [tuple, np.array, lambda x: array.array("f", x), lambda x: np.array(x, np.float32)])
def test_any_sequence_is_saved(tmp_path, kind):
    savePCMtoWAV(kind([0.0, 0.5, -0.25]), str(tmp_path / "a.wav"))
    assert loadWAVtoPCM(str(tmp_path / "a.wav")) == [0, 0.5, -0.25]


def test_nothing_survives_too(tmp_path):
    savePCMtoWAV([], tmp_path / "a.wav")
    assert loadWAVtoPCM(tmp_path / "a.wav") == []


def test_the_array_is_the_list(tmp_path):
    savePCMtoWAV(sine(440, 0.1), tmp_path / "a.wav")
    x = load(tmp_path / "a.wav")
    assert x.dtype == np.float32
    assert x.tolist() == loadWAVtoPCM(tmp_path / "a.wav")


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_a_tone_at_another_rate_stays_itself(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    stereo = np.stack([sine(1000, 2, 44100), sine(1000, 2, 44100)], axis=1)
    soundfile.write(path, stereo, 44100)
    x = np.array(loadWAVtoPCM(path))
    assert len(x) == pytest.approx(16000, abs=1)
    assert frequency(x) == pytest.approx(1000, abs=1)
    assert decibels(x[800:-800]) == pytest.approx(decibels(sine(1000, 1)), abs=0.1)
    if kind in ("wav", "flac"):  # nothing is lost but the ends, where a filter rings
        assert decibels((x - sine(1000, 2))[400:-400]) < -85


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 48000, 96000])
def test_every_rate_gives_the_right_length(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", sine(1000, 0.5, rate), rate)
    x = load(tmp_path / "a.wav")
    assert len(x) == pytest.approx(4000, abs=1)
    assert frequency(x) == pytest.approx(1000, abs=2)


def test_what_a_telephone_cannot_carry_goes_and_does_not_fold_back(tmp_path):
    soundfile.write(tmp_path / "a.wav", sine(5000, 2, 44100), 44100, subtype="FLOAT")
    x = load(tmp_path / "a.wav")
    assert decibels(x[400:-400]) < -120


def test_channels_become_their_mean(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.array([[0.5, 0.25, 0], [-0.5, 0.5, 0.75]]), 8000, subtype="FLOAT")
    assert loadWAVtoPCM(tmp_path / "a.wav") == [0.25, 0.25]


def test_a_loaded_file_stays_in_range(tmp_path):
    soundfile.write(tmp_path / "a.wav", [0, 3.0, -2.0], 8000, subtype="FLOAT")
    assert loadWAVtoPCM(tmp_path / "a.wav") == [0, 1, -1]
    square = np.sign(sine(300, 0.5, 44100))  # overshoots when its harmonics go
    soundfile.write(tmp_path / "b.wav", square, 44100)
    assert np.abs(load(tmp_path / "b.wav")).max() == 1


@pytest.mark.parametrize("kind", ["MP3", "OGG", "FLAC"])
def test_a_long_file_has_no_seams(kind):
    """It is read in blocks: each begins where the last ended, also in formats where a place is hard to find."""
    t = np.arange(6 * 44100) / 44100
    file = io.BytesIO()
    soundfile.write(file, 0.5 * np.sin(2 * np.pi * (300 * t + 50 * t * t)), 44100, format=kind)
    levels = [decibels(piece) for piece in load(io.BytesIO(file.getvalue()))[400:-400].reshape(-1, 80)]
    assert max(levels) - min(levels) < 3.5


def test_flac_from_a_pipe_says_no_length(tmp_path):
    soundfile.write(tmp_path / "a.flac", sine(1000, 2, 44100), 44100)
    data = bytearray((tmp_path / "a.flac").read_bytes())
    data[21] &= 0xF0  # 36 bits of its header: the number of samples, or 0
    data[22:26] = bytes(4)
    assert len(load(io.BytesIO(data))) == 16000


def test_file_objects():
    file = io.BytesIO()
    savePCMtoWAV([0, 0.5, -0.5], file)
    assert loadWAVtoPCM(io.BytesIO(file.getvalue())) == [0, 0.5, -0.5]
    with pytest.raises(TypeError, match="open it in binary mode, 'rb'"):
        loadWAVtoPCM(io.StringIO("RIFF"))  # type: ignore[arg-type]


def test_a_pipe():
    file = io.BytesIO()
    savePCMtoWAV(sine(440, 1), file)
    read, write = os.pipe()

    def feed():
        with open(write, "wb") as sink:
            sink.write(file.getvalue())

    thread = threading.Thread(target=feed)
    thread.start()
    with open(read, "rb") as source:
        assert len(loadWAVtoPCM(source)) == 8000
    thread.join()


def test_a_wrong_length_in_the_header_does_not_matter():
    file = io.BytesIO()
    savePCMtoWAV(sine(440, 1), file)
    data = bytearray(file.getvalue())
    data[4:8], data[40:44] = (0x7FFFF024).to_bytes(4, "little"), (0x7FFFF000).to_bytes(4, "little")  # as espeak writes
    x = load(io.BytesIO(data))
    assert (len(x), frequency(x)) == (8000, 440)
    assert len(load(io.BytesIO(data[: 44 + 2 * 4000]))) == 4000  # cut off: what is there is loaded


def in_header(data, at, value, order="little"):
    return data[:at] + value.to_bytes(4, order) + data[at + 4 :]


def written(kind, seconds=1.0):
    file = io.BytesIO()
    soundfile.write(file, sine(440, seconds), 8000, format=kind, subtype="PCM_16")
    return file.getvalue()


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
@pytest.mark.parametrize("riff", [0, 36, 0xFFFFFFFF])
def test_a_wav_of_no_stated_length_is_read_to_its_end(riff, length):
    """Programs that write to a pipe cannot go back to the header: Asterisk and browsers leave 0, ffmpeg 0xFFFFFFFF."""
    data = in_header(in_header(written("WAV"), 4, riff), 40, length)
    x = load(io.BytesIO(data))
    assert (len(x), frequency(x)) == (8000, 440)


def test_other_files_of_no_stated_length_are_read_to_their_end():
    rifx = io.BytesIO()
    soundfile.write(rifx, sine(440, 1), 8000, format="WAV", subtype="PCM_16", endian="BIG")
    assert rifx.getvalue()[:4] == b"RIFX"
    with_list = written("WAV")[:12] + b"LIST\x05\x00\x00\x00INFO1\x00" + written("WAV")[12:]  # as ffmpeg writes it
    caf = written("CAF")
    at = caf.index(b"data") + 4
    for data in (
        in_header(rifx.getvalue(), 40, 0),
        in_header(with_list, 54, 0),
        in_header(written("AU"), 8, 0),
        in_header(written("AU"), 8, 0xFFFFFFFF),
        in_header(in_header(caf, at, 0xFFFFFFFF), at + 4, 0xFFFFFFFF),  # -1, which the format allows
    ):
        x = load(io.BytesIO(data))
        assert (len(x), frequency(x)) == (8000, 440)


def test_a_wav_without_sound_has_none():
    """A length of 0 that is meant: what comes after it is a chunk, not sound."""
    empty = io.BytesIO()
    savePCMtoWAV([], empty)
    data = empty.getvalue()
    assert len(data) == 44
    assert len(load(io.BytesIO(data))) == 0
    assert len(load(io.BytesIO(data + b"LIST\x04\x00\x00\x00INFO"))) == 0
    assert len(load(io.BytesIO(data[:4] + b"\x30\x00\x00\x00" + data[8:] + b"id3 \x03\x00\x00\x00abc\x00"))) == 0
    assert len(load(io.BytesIO(written("AU", 0)))) == 0


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_what_is_no_file_is_refused_at_once(tmp_path, kind):
    """Opening a named pipe waits for somebody to write to it; /dev/zero has no end."""
    path = tmp_path / "x.wav"
    server = socket.socket(socket.AF_UNIX)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        server.bind(f"{path}")
    else:
        path.symlink_to("/dev/zero")
    says = "a pipe that nobody writes to" if kind == "pipe" else "a device or socket, not a sound file"
    with server, pytest.raises(ValueError, match=rf"x\.wav: {says}"):
        loadWAVtoPCM(path)


def test_a_pipe_by_its_name_is_read_while_somebody_writes():
    """sox ... | python x.py with loadWAVtoPCM("/dev/stdin")."""
    file = io.BytesIO()
    savePCMtoWAV(sine(440, 1), file)
    script = "from graphvoip import loadWAVtoPCM; print(len(loadWAVtoPCM('/dev/stdin')))"
    done = subprocess.run([sys.executable, "-c", script], input=file.getvalue(), capture_output=True, check=True)
    assert done.stdout == b"8000\n"


# --- Files without a header ------------------------------------------------------------------------------------------

BARE = Path(__file__).with_name("headerless")  # what sox and ffmpeg wrote, see the README there


@pytest.mark.parametrize(
    ("kind", "seconds", "error"),
    [("ulaw", 0.25, -40), ("alaw", 0.25, -40), ("gsm", 0.26, -30), ("vox", 0.25, -30), ("sln", 0.25, -90),
     ("sln16", 0.25, -90), ("g722", 0.25, -50)],
)  # fmt: skip
def test_telephone_files_without_a_header(kind, seconds, error):
    """A tone of 500 Hz at -6 dBFS. error: the most that is left when it is taken away, in dB full scale."""
    x = load(BARE / f"tone.{kind}")
    assert len(x) == round(8000 * seconds)
    assert frequency(x[400:1600]) == pytest.approx(500, abs=4)
    middle, t = x[400:1600].astype(float), np.arange(1200) / 8000
    basis = np.stack([np.sin(2 * np.pi * 500 * t), np.cos(2 * np.pi * 500 * t)], axis=1)
    parts = np.linalg.lstsq(basis, middle, rcond=None)[0]
    assert 20 * math.log10(math.hypot(*parts)) == pytest.approx(-6, abs=0.5)
    assert decibels(middle - basis @ parts) < error
    assert loadWAVtoPCM(BARE / f"tone.{kind}") == x.tolist()


@pytest.mark.parametrize(
    ("kinds", "data", "samples"),
    [
        ("ulaw ul ulw mu pcmu UL", b"\xff\x7f\x80\x00\xf0", [0, 0, 32124, -32124, 120]),
        ("alaw al alw pcma", b"\xd5\x55\xaa\x2a", [8, -8, 32256, -32256]),
        ("sln raw", b"\x00\x00\xff\x7f\x00\x80\x01\x00\x09", [0, 32767, -32768, 1]),
    ],
)
def test_samples_of_a_code_are_those_of_g_711(tmp_path, kinds, data, samples):
    for kind in kinds.split():
        (tmp_path / f"x.{kind}").write_bytes(data)
        assert loadWAVtoPCM(tmp_path / f"x.{kind}") == [sample / 32768 for sample in samples]


@pytest.mark.parametrize(
    ("kind", "rate"),
    [("sln12", 12000), ("sln16", 16000), ("sln24", 24000), ("sln32", 32000), ("sln44", 44100), ("sln48", 48000),
     ("sln96", 96000), ("sln192", 192000)],
)  # fmt: skip
def test_linear_files_say_their_rate_in_their_name(tmp_path, kind, rate):
    (tmp_path / f"x.{kind}").write_bytes((sine(1000, 0.5, rate) * 32767).astype("<i2").tobytes())
    x = load(tmp_path / f"x.{kind}")
    assert len(x) == pytest.approx(4000, abs=1)
    assert frequency(x) == pytest.approx(1000, abs=2)


def test_a_header_counts_more_than_a_name(tmp_path):
    for kind in ("ulaw", "raw", "pcm"):
        savePCMtoWAV([0, 0.5, -0.5], tmp_path / f"x.{kind}")
        assert loadWAVtoPCM(tmp_path / f"x.{kind}") == [0, 0.5, -0.5]


def test_a_name_that_does_not_say_what_is_in_it(tmp_path):
    (tmp_path / "x.pcm").write_bytes(bytes(100))
    with pytest.raises(ValueError, match=r"x\.pcm: \.pcm does not say how samples are coded; rename the file"):
        loadWAVtoPCM(tmp_path / "x.pcm")


def test_a_patch_may_have_files_without_a_header(tmp_path):
    (tmp_path / "x.ulaw").write_bytes((BARE / "tone.ulaw").read_bytes())
    pcm = {"graphvoip": 1, "nodes": {"a": {"type": "pcm", "data": "x.ulaw"}}, "out": "a"}
    heard = render(parse_patch(pcm, tmp_path)())[160:2000]  # after the fade of its first frame
    assert (heard == load(BARE / "tone.ulaw")[160:]).all()
    (tmp_path / "x.ulaw").write_bytes(b"\xff" * (601 * 8000))
    with pytest.raises(ValueError, match=r"x\.ulaw is 601 s long; a sound in a patch has at most 600 s"):
        parse_patch(pcm, tmp_path)


def test_files_without_a_header_may_be_anything():
    random = np.random.default_rng(3)
    for kind in ("ulaw", "alaw", "gsm", "vox", "sln", "sln16", "g722"):
        for size in (1, 2, 33, 34, 1001):
            file = io.BytesIO(random.bytes(size))
            file.name = f"x.{kind}"
            assert np.abs(load(file)).max(initial=0) <= 1


def test_saving_to_a_pipe_and_through_a_link(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    received = []
    thread = threading.Thread(target=lambda: received.append((tmp_path / "pipe").read_bytes()))
    thread.start()
    savePCMtoWAV([0, 0.5], tmp_path / "pipe")
    thread.join()
    assert loadWAVtoPCM(io.BytesIO(received[0])) == [0, 0.5]

    (tmp_path / "link.wav").symlink_to("target.wav")
    savePCMtoWAV([0, 0.5], tmp_path / "link.wav")
    assert (tmp_path / "link.wav").is_symlink()
    assert loadWAVtoPCM(tmp_path / "target.wav") == [0, 0.5]


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.wav"
    savePCMtoWAV([0.5], path)
    with pytest.raises(ValueError, match=r"^savePCMtoWAV: sample 1 is nan; samples are finite floats"):
        savePCMtoWAV([0, math.nan], path)
    # A real failure to write: no file may be larger than 100 bytes.
    script = (
        "import resource, signal, sys; from graphvoip.io.wav import savePCMtoWAV\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "savePCMtoWAV([0.0] * 8000, sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True)
    assert "OSError: [Errno 27] File too large" in done.stderr
    assert loadWAVtoPCM(path) == [0.5]
    assert list(tmp_path.iterdir()) == [path]


def test_saving_where_there_is_no_directory(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"a\.wav: no directory .*/missing to save it in$"):
        savePCMtoWAV([0], tmp_path / "missing" / "a.wav")
    with pytest.raises(IsADirectoryError):
        savePCMtoWAV([0], tmp_path)


@pytest.mark.parametrize("data", [b"hello, I am a text", bytes(1000), b"RIFF\x00\x00", b"ID3 but no more", b"fLaC"])
def test_what_is_no_sound_is_said_with_the_remedy(tmp_path, monkeypatch, data):
    monkeypatch.chdir(tmp_path)
    Path("x.wav").write_bytes(data)
    with pytest.raises(ValueError, match=r"^x\.wav: not a sound file .*; convert it with: ffmpeg -i x\.wav ") as caught:
        loadWAVtoPCM("x.wav")
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=r"^<BytesIO>: not a sound file"):
        loadWAVtoPCM(io.BytesIO(data))


def test_a_patch_is_no_sound_and_how_it_is_played_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bell.json").write_text('{"graphvoip": 1, "nodes": {"a": {"type": "sine"}}, "out": "a"}')
    remedy = (
        r"; a patch is played by call\.play\(load_patch\('bell\.json'\)\(\)\), and rendered by: graphvoip render bell"
    )
    for load_sound in (loadWAVtoPCM, load, lambda path: Pcm(file=path)):
        with pytest.raises(ValueError, match=remedy):
            load_sound("bell.json")


def test_missing_empty_and_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("x.wav").touch()
    with pytest.raises(ValueError, match=r"^x\.wav: empty, 0 bytes; not a sound file$"):
        loadWAVtoPCM("x.wav")
    with pytest.raises(FileNotFoundError, match=r"^y\.wav: no such sound file in /.*"):
        loadWAVtoPCM("y.wav")
    with pytest.raises(IsADirectoryError, match=r"a directory, not a sound file$"):
        loadWAVtoPCM(tmp_path)
    with pytest.raises(TypeError):
        loadWAVtoPCM(None)  # type: ignore[arg-type]


def test_a_file_with_a_sample_that_is_not_finite(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.array([0, np.nan]), 8000, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"a\.wav: sample 1 is nan"):
        loadWAVtoPCM(tmp_path / "a.wav")


def test_random_bytes_are_a_value_error_at_worst():
    """Damaged files of every kind: never another exception, a crash, or memory without end."""
    random = np.random.default_rng(2)
    for kind in ("WAV", "FLAC", "OGG", "MP3", "AIFF"):
        file = io.BytesIO()
        soundfile.write(file, sine(1000, 0.2), 8000, format=kind)
        for _ in range(30):
            data = bytearray(file.getvalue())
            for at in random.integers(0, len(data), 5):
                data[at] = random.integers(256)
            for at in random.integers(0, 60, 2):  # the header, above all
                data[at] = random.integers(256)
            try:
                x = load(io.BytesIO(data[: random.integers(1, len(data) + 1)]))
            except ValueError:
                continue
            assert np.abs(x).max(initial=0) <= 1


@pytest.mark.parametrize("path", ["assets/password_correct.wav", "assets/my_sound.wav", "graphvoip/assets/busy.wav"])
def test_our_own_sounds(path):
    x = load(Path(__file__).parents[2] / path)
    assert 0.5 < len(x) / 8000 < 5
    assert 20 * math.log10(np.abs(x).max()) == pytest.approx(-3, abs=0.1)
    assert -22 < decibels(x) < -12


# --- save -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "A.WAV"])
def test_save_writes_what_a_call_sends(tmp_path, name):
    x = np.array([0, 0.5, -0.5, 1, -1, 7, -7, 0.25 / 32768, 0.75 / 32768, 1.5 / 32768, 2.5 / 32768], np.float32)
    save(x, tmp_path / name)
    data, rate = soundfile.read(tmp_path / name, dtype="int16")
    assert rate == 8000
    assert data.tolist() == [0, 16384, -16384, 32767, -32768, 32767, -32768, 0, 1, 2, 2]


def test_save_is_savePCMtoWAV(tmp_path):
    x = sine(440, 0.1).astype(np.float32)
    save(x, tmp_path / "a.wav")
    savePCMtoWAV(x, tmp_path / "b.wav")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_floats_are_kept_as_they_are(tmp_path, size):
    x = (3 * np.random.default_rng(1).standard_normal(size)).astype(np.float32)
    save(x, tmp_path / "a.wav", bits=32)
    info = soundfile.info(tmp_path / "a.wav")
    assert (info.subtype, info.samplerate, info.channels, info.frames) == ("FLOAT", 8000, 1, size)
    assert (soundfile.read(tmp_path / "a.wav", dtype="float32")[0] == x).all()


@pytest.mark.parametrize(("name", "bits"), [("a.wav", 16), ("a.wav", 32), ("a.flac", 16)])
@pytest.mark.parametrize("rate", [4000, 16000, 44100, 48000])
def test_another_rate(tmp_path, name, bits, rate):
    save(sine(440, 1).astype(np.float32), tmp_path / name, rate, bits)
    x, found = soundfile.read(tmp_path / name)
    assert found == rate
    assert abs(len(x) - rate) <= 1
    middle = slice(rate // 10, -rate // 10)
    wanted = sine(440, 1, rate)[: len(x)]
    assert np.abs(x[: len(wanted)] - wanted)[middle].max() < 2e-4


def test_two_saves_are_the_same(tmp_path):
    for name in ("a", "b"):
        for kind, bits in ((".wav", 16), (".wav", 32), (".flac", 16)):
            save(sine(440, 0.1).astype(np.float32), tmp_path / f"{name}{bits}{kind}", 16000, bits)
    for kind in ("16.wav", "32.wav", "16.flac"):
        assert (tmp_path / f"a{kind}").read_bytes() == (tmp_path / f"b{kind}").read_bytes()


@pytest.mark.parametrize(
    ("name", "rate", "bits", "says"),
    [
        ("a.mp3", 8000, 16, "a.mp3: its name must end in .wav or .flac"),
        ("a", 8000, 16, "a: its name must end in .wav or .flac"),
        ("a.flac", 8000, 32, "a.flac: FLAC has no samples of 32 bits"),
        ("a.wav", 8000, 24, "a sample has 16 or 32 bits, not 24"),
        ("a.wav", 999, 16, "a rate of 999 Hz is outside 1000..192000"),
    ],
)
def test_what_cannot_be_saved(tmp_path, name, rate, bits, says):
    with pytest.raises(ValueError, match=says):
        save(np.zeros(8, np.float32), tmp_path / name, rate, bits)
    assert not any(tmp_path.iterdir())


def test_a_file_too_long_for_a_wav(tmp_path, monkeypatch):
    monkeypatch.setattr("graphvoip.io.wav.LARGEST", 100)
    with pytest.raises(ValueError, match="more than 4 GB"):
        save(np.zeros(51, np.float32), tmp_path / "a.wav")


@pytest.mark.parametrize(("kind", "most"), [("pcm", 0.2), ("list", 3.1)])
def test_saving_a_long_sound_takes_no_memory_for_it_twice(tmp_path, kind, most):
    """In bytes for each byte of the sound as float32: a list is converted, a PCM is written as it is."""
    sound = PCM(np.sin(np.arange(300 * 8000, dtype=np.float32) / 3))
    given = sound if kind == "pcm" else sound.tolist()
    savePCMtoWAV(PCM([0.5]), tmp_path / "first.wav")  # what is imported for it counts no more
    tracemalloc.start()
    savePCMtoWAV(given, tmp_path / "a.wav")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < most * 4 * len(sound)
    np.testing.assert_allclose(load(tmp_path / "a.wav"), sound, atol=1 / 32768)


def test_save_to_a_pipe():
    done = subprocess.run(
        [sys.executable, "-c", "import numpy; from graphvoip.io.wav import save; save(numpy.ones(3), '/dev/stdout')"],
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith(b"RIFF")
    assert done.stdout.endswith(b"\xff\x7f" * 3)


# --- A disk that takes nothing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_a_full_disk_is_told_with_the_file_and_an_older_one_stays(tmp_path, name):
    (tmp_path / name).write_bytes(b"an older one")
    with room(), pytest.raises(OSError, match=re.escape(f"[Errno 27] File too large: '{tmp_path / name}'")):
        save(np.random.default_rng(1).uniform(-1, 1, 8000).astype(np.float32), tmp_path / name)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"an older one"]


def test_saving_on_a_full_disk_names_the_file(tmp_path):
    with room(), pytest.raises(OSError, match=re.escape(f"[Errno 27] File too large: '{tmp_path}/a.wav'")):
        savePCMtoWAV([0.5] * 8000, tmp_path / "a.wav")
    with pytest.raises(OSError, match=re.escape("[Errno 28] No space left on device: '/dev/full'")):
        savePCMtoWAV([0.5] * 8000, "/dev/full")
    assert not list(tmp_path.iterdir())
