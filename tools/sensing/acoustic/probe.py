"""The inaudible sound that a smart speaker repeats to sense a person."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Probe:
    """A chirp that is repeated without a gap.

    It is designed by its spectrum, flat between two frequencies that adults do not hear, so that
    no repetition clicks.

    Attributes:
        sample_rate: Samples a second.
        period_s: Length of one chirp; the range is unambiguous up to half the way of sound in it.
        low_hz: Lowest frequency.
        high_hz: Highest frequency.
    """

    sample_rate: int = 48_000
    period_s: float = 0.04
    low_hz: float = 18_000.0
    high_hz: float = 22_000.0

    @property
    def samples(self) -> int:
        """Samples of one chirp."""
        return round(self.period_s * self.sample_rate)

    @property
    def centre_hz(self) -> float:
        """The middle of the band."""
        return (self.low_hz + self.high_hz) / 2

    @cached_property
    def bins(self) -> slice:
        """The places of the band in the spectrum of one chirp."""
        step = 1 / self.period_s
        return slice(round(self.low_hz / step), round(self.high_hz / step) + 1)

    @cached_property
    def spectrum(self) -> NDArray[np.complex128]:
        """The chirp's spectrum within the band; all lines are equally strong."""
        count = self.bins.stop - self.bins.start
        index = np.arange(count) - (count - 1) / 2
        # A quadratic phase spreads the energy over nearly the whole period.
        spread = np.exp(-1j * np.pi * index**2 / count * 0.95)
        return np.asarray(spread, dtype=np.complex128)

    def waveform(self) -> NDArray[np.float64]:
        """Return one chirp, at most 1 in size [samples]."""
        lines = np.zeros(self.samples // 2 + 1, dtype=np.complex128)
        lines[self.bins] = self.spectrum
        wave = np.fft.irfft(lines, self.samples)
        return np.asarray(wave / np.abs(wave).max())
