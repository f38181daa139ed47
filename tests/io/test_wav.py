import array
import io
import math
import os
import subprocess
import sys
import threading
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from graphvoip.io.wav import load, loadWAVtoPCM, save, savePCMtoWAV


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
    assert isinstance(loaded, list)
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


def test_save_to_a_pipe():
    done = subprocess.run(
        [sys.executable, "-c", "import numpy; from graphvoip.io.wav import save; save(numpy.ones(3), '/dev/stdout')"],
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith(b"RIFF")
    assert done.stdout.endswith(b"\xff\x7f" * 3)
