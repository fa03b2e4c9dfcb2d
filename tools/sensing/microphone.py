"""The microphone: a WAV file, or ALSA or PulseAudio where they are present."""

from __future__ import annotations

import shutil
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np

from edgewright.tools.contracts.views import SensorView
from edgewright.tools.errors import TooLargeError, UnavailableError
from edgewright.tools.sensing.acoustic.probe import Probe
from edgewright.tools.sensing.protocol import MAX_WINDOW_BYTES, Audio, Privacy, Window
from edgewright.tools.sensing.wav import read_wav
from edgewright.tools.storage.reading import read_file

LIVE = "live"
_RATE = 48_000
#: Programs that record and play raw samples: PulseAudio's first, since it holds ALSA's device.
_RECORDERS = (
    ("parec", ("--raw", "--format=s16le", "--channels=1", f"--rate={_RATE}")),
    ("arecord", ("-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(_RATE))),
)
_PLAYERS = (
    ("pacat", ("--raw", "--format=s16le", "--channels=1", f"--rate={_RATE}")),
    ("aplay", ("-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", str(_RATE))),
)
_LOUDNESS = 0.5
#: Extra time for a device to start.
_START_S = 5.0


class Microphone:
    """A microphone; implements ``Sensor``.

    Args:
        source: Path of a WAV file, or ``live`` for this machine's microphone. A live one plays the
            inaudible probe on the loudspeaker while it records.
        name: Name of the sensor.
    """

    kind = "microphone"
    privacy: Privacy = "content"

    def __init__(self, source: str, name: str = "microphone") -> None:
        self.name = name
        self._source = source

    def view(self) -> SensorView:
        """Return what it is."""
        return SensorView(
            kind=self.kind,
            name=self.name,
            rate_hz=float(_RATE),
            unit="16-bit sample",
            privacy=self.privacy,
            source="live" if self._source == LIVE else "file",
        )

    def read(
        self, seconds: float, *, max_bytes: int = MAX_WINDOW_BYTES, item: str | None = None
    ) -> Window:
        """Record, or read the beginning of the file."""
        if self._source == LIVE:
            if seconds * _RATE * 2 > max_bytes:
                raise _too_long(max_bytes)
            audio = Audio(_recorded(seconds), _RATE)
        else:
            # A file may hold more than the window: more channels, more bits, more time.
            data = read_file(Path(self._source), 16 * max_bytes)
            audio = Audio(*read_wav(data, seconds=seconds))
        if audio.size_bytes > max_bytes:
            raise _too_long(max_bytes)
        length = len(audio.samples) / audio.sample_rate
        return Window(sensor=self.name, kind=self.kind, seconds=length, values=audio)


def _recorded(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Record from this machine's microphone while the loudspeaker plays the probe."""
    recorder = _program(_RECORDERS, "no microphone")
    player = _program(_PLAYERS, "no loudspeaker")
    count = round(seconds * _RATE)
    probe = Probe(sample_rate=_RATE)
    period = (probe.waveform() * _LOUDNESS * 32767).astype("<i2")
    sound = np.resize(period, count + _RATE).tobytes()
    # Fixed programs and arguments, found on the path.
    playing = subprocess.Popen(  # noqa: S603
        player, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        recording = subprocess.Popen(  # noqa: S603
            recorder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            return _exchange(playing, recording, sound, count, seconds)
        finally:
            _end(recording)
    finally:
        _end(playing)


def _exchange(
    playing: subprocess.Popen[bytes],
    recording: subprocess.Popen[bytes],
    sound: bytes,
    count: int,
    seconds: float,
) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    assert recording.stdout is not None
    feeding = threading.Thread(target=_feed, args=(playing, sound), daemon=True)
    feeding.start()
    late = threading.Timer(seconds + _START_S, recording.kill)
    late.start()
    try:
        data = recording.stdout.read(2 * count)
    finally:
        late.cancel()
    if len(data) < 2 * count:
        raise UnavailableError(
            "the microphone gave no sound; check that a device is connected and not muted",
            code="sensor_silent",
        )
    return np.frombuffer(data, "<i2").astype(np.int16)


def _end(program: subprocess.Popen[bytes]) -> None:
    program.kill()
    program.wait()
    for pipe in (program.stdin, program.stdout):
        if pipe is not None:
            with suppress(OSError):  # what was not played yet
                pipe.close()


def _feed(playing: subprocess.Popen[bytes], sound: bytes) -> None:
    """Write the sound to the player; it blocks while the sound is played."""
    assert playing.stdin is not None
    with suppress(OSError, ValueError):  # the player was ended; the recording is what counts
        playing.stdin.write(sound)
        playing.stdin.close()


def _program(programs: tuple[tuple[str, tuple[str, ...]], ...], lacking: str) -> list[str]:
    for name, arguments in programs:
        if path := shutil.which(name):
            return [path, *arguments]
    names = " or ".join(name for name, _ in programs)
    raise UnavailableError(
        f"{lacking} can be used here: install {names} (packages pulseaudio-utils, alsa-utils), "
        "or name a WAV file as the source",
        code="sensor_missing",
    )


def _too_long(max_bytes: int) -> TooLargeError:
    return TooLargeError(
        f"the window would have more than {max_bytes} bytes; read fewer seconds",
        code="window_too_large",
    )
