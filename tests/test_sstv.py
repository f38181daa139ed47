"""Pictures by telephone: what is sent, measured tone by tone, and what is read of it on good and bad lines."""

import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.interpolate import CubicSpline
from scipy.signal import hilbert, resample_poly

import graphvoip.nodes
from graphvoip import sstv_decode, sstv_encode
from graphvoip.line import on_line
from graphvoip.sstv_modes import MODES, tones

RATE = 8000
# Seconds of the picture alone, from the standards' line lengths: N7CXI, 2000, and KB4YZ, 1999.
SECONDS = {
    "M1": 256 * 0.446446, "M2": 256 * 0.226798, "S1": 0.009 + 256 * 0.42822, "S2": 0.009 + 256 * 0.277692,
    "SDX": 0.009 + 256 * 1.0503, "R36": 240 * 0.15, "R72": 240 * 0.3, "BW8": 120 * 0.0669, "BW12": 120 * 0.1,
    "BW24": 240 * 0.1, "PD50": 128 * 0.38816, "PD90": 128 * 0.70304, "PD120": 248 * 0.50848, "PD160": 200 * 0.804416,
    "PD180": 248 * 0.75424, "PD240": 248 * 1.0, "PD290": 308 * 0.93728, "P3": 496 * 0.409375, "P5": 496 * 0.6140625,
    "P7": 496 * 0.81875, "W120": 256 * 0.47553, "W180": 256 * 0.7110225,
}  # fmt: skip
# With parity, as MMSSTV sends them.
CODES = {
    "M1": 0xAC, "M2": 0x28, "S1": 0x3C, "S2": 0xB8, "SDX": 0xCC, "R36": 0x88, "R72": 0x0C, "BW8": 0x82, "BW12": 0x86,
    "BW24": 0x0A, "PD50": 0xDD, "PD90": 0x63, "PD120": 0x5F, "PD160": 0xE2, "PD180": 0x60, "PD240": 0xE1, "PD290": 0xDE,
    "P3": 0x71, "P5": 0x72, "P7": 0xF3, "W120": 0x3F, "W180": 0xB7,
}  # fmt: skip


def frequency(samples):
    """Hz from each sample to the next."""
    return np.diff(np.unwrap(np.angle(hilbert(samples)))) * RATE / (2 * np.pi)


def tone(samples, start, seconds):
    """The mean frequency of a stretch, in Hz; its edges are left out."""
    a, b = round((start + 0.15 * seconds) * RATE), round((start + 0.85 * seconds) * RATE)
    return float(np.mean(frequency(samples[a - 60 : b + 60])[60:-60]))


def drawn(width, height):
    """A picture with soft and sharp parts, in colour."""
    image = Image.new("RGB", (width, height))
    x, y = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    soft = np.stack([80 + 120 * y, 150 + 60 * np.sin(5 * x), 200 - 120 * x * y], 2)
    image = Image.fromarray(soft.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.ellipse((0.55 * width, 0.2 * height, 0.85 * width, 0.6 * height), fill=(230, 190, 60))
    draw.rectangle((0.1 * width, 0.55 * height, 0.4 * width, 0.85 * height), fill=(140, 40, 50))
    return image


def psnr(sent, seen):
    sent = sent.convert("L") if seen.info["mode"].startswith("BW") else sent
    apart = np.asarray(sent.convert("RGB"), float) - np.asarray(seen, float)
    return 10 * np.log10(255**2 / np.mean(apart**2))


def with_silence(samples):
    quiet = np.zeros(4001)
    return np.concatenate([quiet, samples, quiet])


# --- What is sent -----------------------------------------------------------------------------------------------------


def test_every_mode_has_its_standard_length():
    assert set(MODES) == set(SECONDS) == set(CODES)
    for name, seconds in SECONDS.items():
        end = tones(MODES[name])[-1, 0] / RATE
        assert end == pytest.approx(0.91 + seconds + 0.004, abs=1e-4), name


@pytest.mark.parametrize("mode", ["BW8", "M2", "PD50"])
def test_no_line_drifts(mode):
    """The pulse of the last line, and of one in the middle, end where they should, to a fifth of a sample."""
    black = np.zeros((MODES[mode].height, MODES[mode].width, 3), np.uint8)
    hz = frequency(sstv_encode(black, mode).astype(float))
    pulse = MODES[mode].line[0].ms / 1000
    lines = MODES[mode].lines
    for line in (0, lines // 2, lines - 1):
        end = (0.91 + line * SECONDS[mode] / lines + pulse) * RATE
        near = hz[int(end) - 10 : int(end) + 11]
        over = int(np.argmax(near > 1350))
        crossing = int(end) - 10 + over - (near[over] - 1350) / (near[over] - near[over - 1]) + 0.5
        assert crossing == pytest.approx(end, abs=0.2)


def test_rows_go_on_into_their_gaps_and_not_into_pulses():
    """White rows of Scottie 2, between gaps of 1.5 ms of black: by 0.15 ms on each side, but a pulse begins on time."""
    white = np.full((256, 320, 3), 255, np.uint8)
    hz = frequency(sstv_encode(white, "S2").astype(float))
    green, blue = 0.0015, 0.003 + 0.088064
    for time, way, between, late in (
        (green, 1, 1900, -0.00015),
        (green + 0.088064, -1, 1900, 0.00015),
        (blue, 1, 1900, -0.00015),
        (blue + 0.088064, -1, 1750, 0),
    ):
        crossings = []
        for line in range(20, 220):
            at = (0.919 + line * 0.277692 + time) * RATE
            near = way * (hz[int(at) - 6 : int(at) + 7] - between)
            over = int(np.argmax(near > 0))
            crossings.append(int(at) - 6 + over - near[over] / (near[over] - near[over - 1]) + 0.5 - at)
        assert np.mean(crossings) == pytest.approx(late * RATE, abs=0.2)


def test_its_phase_goes_on():
    samples = sstv_encode(None, "BW8")
    assert np.abs(samples).max() == pytest.approx(0.5, abs=1e-3)
    assert np.abs(np.diff(samples)).max() < 0.5 * 2 * np.sin(np.pi * 2300 / RATE) * 1.001
    assert abs(samples[0]) < 0.001
    assert abs(samples[-1]) < 0.001


@pytest.mark.parametrize("mode", CODES)
def test_the_header_tells_the_mode(mode):
    from graphvoip.nodes import Recorder, Sstv
    from graphvoip.plan import Plan

    recorder = Recorder(Sstv(mode=mode), limit=round(0.95 * RATE))
    Plan([recorder]).run(48)
    samples = recorder.recorded().astype(float)
    expected = [(0, 0.3, 1900), (0.31, 0.3, 1900), (0.61, 0.03, 1200), (0.88, 0.03, 1200)]
    expected += [(0.64 + 0.03 * k, 0.03, 1100 if CODES[mode] >> k & 1 else 1300) for k in range(8)]
    for start, seconds, hz in expected:
        assert tone(samples, start, seconds) == pytest.approx(hz, abs=2)


def test_tones_for_a_vox_come_first():
    samples = sstv_encode(None, "BW8", vox=True).astype(float)
    wanted = [1900, 1500, 1900, 1500, 2300, 1500, 2300, 1500, 1900]
    assert [tone(samples, 0.1 * k, 0.1) for k in range(9)] == pytest.approx(wanted, abs=2)
    assert len(samples) == len(sstv_encode(None, "BW8")) + 0.8 * RATE


def test_a_name_is_sent_in_six_bits():
    samples = sstv_encode(None, "BW8", fsk_id="ab1c").astype(float)
    start = 0.91 + SECONDS["BW8"] + 0.3
    bits = [tone(samples, start + 0.022 * k, 0.022) < 2000 for k in range(8 * 6)]
    codes = [sum(bit << k for k, bit in enumerate(bits[n : n + 6])) for n in range(0, 48, 6)]
    name = [ord(letter) - 32 for letter in "AB1C"]
    assert codes == [0x20, 0x2A, *name, 0x01, name[0] ^ name[1] ^ name[2] ^ name[3]]


def test_colours_are_the_tones_of_their_channels():
    flat = np.full((256, 320, 3), (200, 100, 50), np.uint8)
    samples = sstv_encode(flat, "M2").astype(float)
    at = 0.91 + 100 * 0.226798 + 0.004862 + 0.000572
    for k, level in enumerate((100, 50, 200)):  # G B R
        start = at + k * (0.073216 + 0.000572)
        assert tone(samples, start, 0.073216) == pytest.approx(1500 + 800 * level / 255, abs=0.5)


@pytest.mark.parametrize("levels", ["full", "studio"])
def test_rows_that_share_their_colour_send_its_mean(levels):
    """Red and blue rows in turn. The equations are those of JPEG, and of the Dayton paper."""
    rows = np.zeros((256, 320, 3), np.uint8)
    rows[::2], rows[1::2] = (255, 0, 0), (0, 0, 255)
    samples = sstv_encode(rows, "PD50", levels=levels).astype(float)
    if levels == "full":
        expected = [76.2, (255.5 + 107.3) / 2, (85.0 + 255.5) / 2, 29.1]
    else:
        expected = [16 + 65.5, 128 + (112 - 18.2) / 2, 128 + (-37.8 + 112) / 2, 16 + 25.0]
    at = 0.91 + 50 * 0.38816 + 0.02208
    for k, level in enumerate(expected):
        assert tone(samples, at + k * 0.09152, 0.09152) == pytest.approx(1500 + 800 * level / 255, abs=1.5)


@pytest.mark.parametrize(("fit", "shape"), [("crop", (0, 240)), ("pad", (40, 200))])
def test_pictures_keep_their_proportions(tmp_path, fit, shape):
    """Twice as wide as high, in a frame of 4 to 3: its sides are cut off, or there are bars above and below."""
    wide = Image.new("RGB", (640, 320), (255, 255, 255))
    ImageDraw.Draw(wide).ellipse((220, 60, 420, 260), fill=(0, 0, 0))
    wide.save(tmp_path / "wide.png")
    ((seen, _, _),) = sstv_decode(sstv_encode(tmp_path / "wide.png", "R36", fit=fit))
    bright = np.asarray(seen.convert("L")) > 128
    assert (bright[:, 20].argmax(), 240 - bright[::-1, 20].argmax()) == pytest.approx(shape, abs=1)
    high, across = (~bright[shape[0] : shape[1], 160]).sum(), (~bright[120]).sum()
    assert high == pytest.approx(across, abs=3)


def test_a_picture_is_upright_and_on_white_paper(tmp_path):
    clear = Image.new("RGBA", (160, 120), (0, 0, 0, 0))
    ImageDraw.Draw(clear).rectangle((0, 0, 159, 20), fill=(0, 0, 0, 255))
    ((seen, _, _),) = sstv_decode(sstv_encode(clear, "BW8"))
    assert np.asarray(seen)[60:].mean() > 250
    assert np.asarray(seen)[:15].mean() < 5
    turned = Image.new("L", (120, 160), 255)
    ImageDraw.Draw(turned).rectangle((0, 0, 20, 159), fill=0)  # its left becomes the top
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    ((seen, _, _),) = sstv_decode(sstv_encode(tmp_path / "turned.jpg", "BW8"))
    dark = np.asarray(seen.convert("L")) < 128
    assert dark[:18].all()
    assert not dark[24:].any()


def test_what_is_no_picture_is_named(tmp_path):
    (tmp_path / "x.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"x\.png: cannot identify image"):
        sstv_encode(tmp_path / "x.png")
    with pytest.raises(ValueError, match="no mode 'M9'; there is: M1, M2"):
        sstv_encode(None, "M9")
    with pytest.raises(ValueError, match="no mode 'M9'"):
        sstv_decode([0.0], "M9")
    with pytest.raises(ValueError, match=r"image is an array of float64 \(4, 4\); it is uint8"):
        sstv_encode(np.zeros((4, 4)))
    with pytest.raises(TypeError, match="is no picture; give a Pillow image"):
        sstv_encode(object())
    with pytest.raises(ValueError, match="fsk_id has '§'"):
        sstv_encode(None, fsk_id="§")


def test_a_picture_that_is_a_program_is_not_run(tmp_path, monkeypatch):
    """EPS: Pillow would give it to Ghostscript."""
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *given, **named: pytest.fail("it was run"))
    (tmp_path / "pic.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 320 256\n%%EndComments\nshowpage\n")
    with pytest.raises(ValueError, match=r"pic\.png: cannot identify image"):
        sstv_encode(tmp_path / "pic.png")


def test_a_picture_that_is_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    Image.new("1", (10000, 5001)).save(tmp_path / "large.png")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda image: pytest.fail("it was read"))
    with pytest.raises(ValueError, match=r"large\.png: it has 10000 x 5001 pixels; 50 million are the most$"):
        sstv_encode(tmp_path / "large.png")


def test_without_pillow_the_extra_is_named(monkeypatch):
    for name in ("PIL", "PIL.Image"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"pip install 'graphvoip\[sstv\]'"):
        sstv_encode("x.png")
    assert len(sstv_encode(None, "BW8")) > 8 * RATE  # the test card needs none


def test_the_functions_are_public():
    """Also after the nodes have brought in modules with names much like theirs."""
    assert {"sstv_encode", "sstv_decode"} <= set(graphvoip.__all__)
    assert callable(graphvoip.nodes.SstvReceive)
    assert callable(graphvoip.sstv_decode)


# --- What is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "least"),
    [("BW8", 38), ("BW12", 42), ("BW24", 38), ("M2", 36), ("S2", 37), ("R36", 34), ("PD50", 35)],
)
def test_a_picture_comes_back_through_g711(mode, least):
    image = drawn(MODES[mode].width, MODES[mode].height)
    sound = on_line(with_silence(sstv_encode(image, mode, fsk_id="DL1ABC/P")), "pcmu")
    ((seen, name, start),) = sstv_decode(sound)
    assert name == mode
    assert start == pytest.approx(4001 / RATE, abs=0.003)
    assert psnr(image, seen) > least
    assert seen.info["fsk_id"] == "DL1ABC/P"
    assert seen.info["complete"]


def noisy(samples, db):
    random = np.random.default_rng(3)
    return samples + random.normal(0, 0.5 / np.sqrt(2) * 10 ** (-db / 20), len(samples))


def detuned(samples, hz):
    return np.real(hilbert(samples) * np.exp(2j * np.pi * hz / RATE * np.arange(len(samples))))


def slower(samples, ppm):
    fine = CubicSpline(np.arange(4 * len(samples)) / 4, resample_poly(samples, 4, 1))
    return fine(np.arange(int(len(samples) * (1 + 1e-6 * ppm))) / (1 + 1e-6 * ppm))


def lossy(samples):
    """One frame of 20 ms in a hundred is silence."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).copy()
    frames[np.random.default_rng(7).random(len(frames)) < 0.01] = 0
    return frames.ravel()


@pytest.mark.parametrize(
    ("worse", "least"),
    [
        (lambda x: detuned(x, 50), 33),
        (lambda x: detuned(x, -50), 33),
        (lambda x: slower(x, 200), 33),
        (lambda x: slower(x, -200), 33),
        (lossy, 32),
        (lambda x: noisy(x, 20), 29),
        (lambda x: lossy(noisy(detuned(slower(x, 200), -50), 20)), 28),
        (lambda x: noisy(x, 5), 19),
    ],
    ids=["+50 Hz", "-50 Hz", "+200 ppm", "-200 ppm", "1 % lost", "20 dB", "all of it", "5 dB"],
)
def test_a_picture_comes_back_over_a_bad_line(worse, least):
    image = drawn(320, 240)
    sound = on_line(worse(with_silence(sstv_encode(image, "R36"))), "pcmu")
    ((seen, name, _),) = sstv_decode(sound)
    assert name == "R36"
    assert psnr(image, seen) > least


def test_how_far_off_the_sender_was_is_told():
    sound = slower(detuned(with_silence(sstv_encode(drawn(320, 240), "BW24")), 37), -120)
    ((seen, _, _),) = sstv_decode(sound)
    assert seen.info["hz"] == pytest.approx(37, abs=1)
    assert seen.info["ppm"] == pytest.approx(-120, abs=3)


@pytest.mark.parametrize("mode", ["BW24", "R36", "S2"])
def test_from_the_middle_of_a_picture_when_told_the_mode(mode):
    image = drawn(MODES[mode].width, MODES[mode].height)
    sound = on_line(sstv_encode(image, mode), "pcmu")[round(0.4 * SECONDS[mode] * RATE) :]
    assert sstv_decode(sound) == []
    ((seen, name, start),) = sstv_decode(sound, mode)
    rows = seen.info["rows"]
    assert (name, seen.info["complete"]) == (mode, False)
    assert 0.55 * image.height < rows < 0.65 * image.height
    assert start < 2 * SECONDS[mode] / MODES[mode].lines
    assert psnr(image.crop((0, image.height - rows + 2, image.width, image.height)), cropped(seen, 2, rows)) > 30
    assert not np.asarray(seen)[rows:].any()


def cropped(seen, first, last):
    found = seen.crop((0, first, seen.width, last))
    found.info = seen.info
    return found


def test_packets_that_are_gone_move_what_follows_and_no_more():
    """Three packets are missing without a trace: the picture goes on where it should."""
    image = drawn(320, 256)
    sound = with_silence(sstv_encode(image, "M2"))
    cuts = [round(share * len(sound)) for share in (0.3, 0.5, 0.52)]
    ((seen, _, _),) = sstv_decode(np.delete(sound, np.concatenate([np.arange(cut, cut + 160) for cut in cuts])))
    assert psnr(image, seen) > 30


def test_all_pictures_of_a_recording_are_found_one_after_the_other():
    image = drawn(320, 240)
    small = sstv_encode(image.resize((160, 120)), "BW8")
    cut_off = sstv_encode(image, "R36")[: 12 * RATE]
    found = sstv_decode(np.concatenate([cut_off, small, np.zeros(3000), small]))
    assert [mode for _, mode, _ in found] == ["R36", "BW8", "BW8"]
    starts = np.array([start for _, _, start in found])
    assert starts == pytest.approx([0, 12, 12 + (len(small) + 3000) / RATE], abs=0.003)
    assert 65 < found[0][0].info["rows"] < 80
    assert psnr(image.resize((160, 120)), found[2][0]) > 38


def test_nothing_is_found_where_there_is_none():
    random = np.random.default_rng(1)
    assert sstv_decode([]) == []
    assert sstv_decode([0.0] * 100) == []
    for sound in (np.zeros(RATE), random.normal(0, 0.3, 60 * RATE), np.sin(np.arange(20 * RATE) * 1.49)):
        assert sstv_decode(sound) == []
        assert sstv_decode(sound, "M1") == []


# --- Others -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "least"), [("R36", 31), ("PD50", 34.6), ("PD90", 37.7), ("M1", 40), ("S1", 39.5)])
def test_the_decoder_sstv_reads_what_we_send(mode, least):
    sstv = pytest.importorskip("sstv")
    image = drawn(MODES[mode].width, MODES[mode].height)
    sound = on_line(with_silence(sstv_encode(image, mode)), "pcmu")
    (seen,) = sstv.decode(resample_poly(sound, 6, 1).astype(np.float32), 48000)
    seen.info["mode"] = mode
    assert psnr(image, seen) > least


def test_we_read_what_the_encoder_pysstv_sends():
    color = pytest.importorskip("pysstv.color")
    image = drawn(320, 240)
    sound = np.fromiter(color.Robot36(image, RATE, 16).gen_values(), float) * 0.4
    ((seen, mode, _),) = sstv_decode(on_line(with_silence(sound), "pcmu"))
    assert mode == "R36"
    assert psnr(image, seen) > 30


def test_edges_are_read_whether_or_not_the_sender_goes_on_into_gaps():
    """We do, pysstv does not. What is beside a row leaks into neither picture."""
    color = pytest.importorskip("pysstv.color")
    image = Image.new("RGB", (320, 256), (200, 220, 180))
    theirs = np.fromiter(color.MartinM1(image, RATE, 16).gen_values(), float) * 0.4
    for sound in (sstv_encode(image, "M1"), theirs):
        ((seen, _, _),) = sstv_decode(on_line(with_silence(sound), "pcmu"))
        apart = np.asarray(seen, float).mean(0) - [200, 220, 180]
        assert np.abs(apart[[0, -1]]).max() < 12
