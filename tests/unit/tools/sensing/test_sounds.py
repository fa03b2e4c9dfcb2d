"""WAV files and microphones."""

import stat
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewright.tools.errors import EdgewrightError, InputError, TooLargeError, UnavailableError
from edgewright.tools.sensing.microphone import Microphone
from edgewright.tools.sensing.wav import read_wav, write_wav

TONE = (10_000 * np.sin(np.arange(4_800) / 7)).astype(np.int16)


def _wav(body: bytes, tag: int, channels: int, bits: int, rate: int = 48_000) -> bytes:
    frame = channels * bits // 8
    head = struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits)
    parts = (b"fmt " + struct.pack("<I", 16) + head, b"data" + struct.pack("<I", len(body)) + body)
    return b"RIFF" + struct.pack("<I", 0) + b"WAVE" + b"".join(parts)


def test_what_is_written_is_read_again():
    samples, rate = read_wav(write_wav(TONE, 48_000))
    assert rate == 48_000
    np.testing.assert_array_equal(samples, TONE)


@pytest.mark.parametrize(
    ("body", "tag", "bits"),
    [
        ((TONE.astype("<i4") << 16).tobytes(), 1, 32),
        ((TONE / 32767).astype("<f4").tobytes(), 3, 32),
        ((TONE / 32767).astype("<f8").tobytes(), 3, 64),
        (b"".join(int(v << 8).to_bytes(3, "little", signed=True) for v in TONE.tolist()), 1, 24),
    ],
)
def test_other_encodings_give_the_same_samples(body, tag, bits):
    samples, _ = read_wav(_wav(body, tag, 1, bits))
    np.testing.assert_allclose(samples, TONE, atol=1)


def test_the_first_channel_is_taken():
    stereo = np.column_stack((TONE, -TONE)).astype("<i2").tobytes()
    np.testing.assert_array_equal(read_wav(_wav(stereo, 1, 2, 16))[0], TONE)


def test_only_the_beginning_is_read():
    assert len(read_wav(write_wav(TONE, 48_000), seconds=0.05)[0]) == 2_400


def test_a_recording_that_was_stopped_is_read():
    data = bytearray(write_wav(TONE, 48_000))
    data[40:44] = b"\xff\xff\xff\xff"
    assert len(read_wav(bytes(data))[0]) == len(TONE)


@pytest.mark.parametrize(
    "data", [b"", b"RIFF\0\0\0\0WAVE", _wav(b"", 1, 1, 16), _wav(b"abc", 85, 1, 16)]
)
def test_other_files_are_refused(data):
    with pytest.raises(InputError) as raised:
        read_wav(data)
    assert raised.value.info().code == "wav_invalid"


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(data):
    for head in (b"", write_wav(TONE, 48_000)[:44], b"RIFF\0\0\0\0WAVE"):
        try:
            samples, _ = read_wav(head + data)
            assert samples.dtype == np.int16
        except EdgewrightError as error:
            assert error.info().status == 422


def test_a_window_has_a_limit(tmp_path):
    file = tmp_path / "sound.wav"
    file.write_bytes(write_wav(TONE, 48_000))
    microphone = Microphone(str(file))
    assert microphone.read(1.0).values.size_bytes == 2 * len(TONE)
    with pytest.raises(TooLargeError) as raised:
        microphone.read(1.0, max_bytes=1_000)
    assert raised.value.info().code == "window_too_large"
    assert microphone.read(0.01, max_bytes=1_000).values.size_bytes == 960


def _program(path, body):
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_a_live_microphone_plays_the_probe_and_records(tmp_path, monkeypatch):
    # The programs of ALSA, as far as they matter: a loudspeaker and a microphone joined by a file.
    _program(tmp_path / "aplay", f"/bin/cat > {tmp_path}/played")
    _program(tmp_path / "arecord", "/usr/bin/head -c 200000 /dev/zero | /usr/bin/tr '\\0' '\\1'")
    monkeypatch.setenv("PATH", str(tmp_path))
    window = Microphone("live").read(1.0)
    assert len(window.values.samples) == 48_000
    assert set(window.values.samples.tolist()) == {0x0101}


def test_a_machine_without_a_microphone_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="alsa-utils"):
        Microphone("live").read(1.0)
    _program(tmp_path / "aplay", "exec /bin/cat > /dev/null")
    _program(tmp_path / "arecord", "exit 0")
    with pytest.raises(UnavailableError) as raised:
        Microphone("live").read(0.1)
    assert raised.value.info().code == "sensor_silent"
