"""What capacity is planned for: users, a model, and the hardware of each tier."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from edgewright.tools.errors import InputError
from edgewright.tools.storage.reading import decode, read_file

_MAX_BYTES = 100_000


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gpu(_Part):
    """A GPU, or any other processor that runs the model.

    Attributes:
        memory_gb: Its memory, in gigabytes.
        tflops: Peak arithmetic, in 10^12 operations a second.
        gb_per_s: Rate at which it reads its memory.
        watts: Power while it computes.
        idle_watts: Power while it waits.
    """

    memory_gb: float = Field(gt=0)
    tflops: float = Field(gt=0)
    gb_per_s: float = Field(default=float("inf"), gt=0)
    watts: float = Field(default=0.0, ge=0)
    idle_watts: float = Field(default=0.0, ge=0)


@cache
def gpus() -> dict[str, Gpu]:
    """Return the known GPUs by name."""
    text = (files("edgewright.tools.capacity") / "gpus.yaml").read_text("utf-8")
    return {name: Gpu.model_validate(each) for name, each in yaml.safe_load(text).items()}


def _named(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if (known := gpus().get(value)) is None:
        raise ValueError(f"{value!r} is not known; name one of {', '.join(gpus())}, or its figures")
    return known


NamedGpu = Annotated[Gpu, BeforeValidator(_named)]


class Cut(_Part):
    """A place where the model can be cut between device and server, for the simulation.

    Attributes:
        share: Share of the arithmetic before it.
        kb: Kilobytes of encoded features.
    """

    share: float = Field(gt=0, lt=1)
    kb: float = Field(gt=0)


class Demand(_Part):
    """What one request asks of a model.

    Attributes:
        gflops: Arithmetic of a request, in 10^9 operations.
        memory_gb: Memory that a request occupies, weights included.
        read_gb: Memory that is read for it: weights that do not fit a cache, once a token.
        input_kb: Kilobytes that are sent, as an encoded image, for example.
        output_kb: Kilobytes of the answer.
        scv: Squared coefficient of variation of the service times: 1 for exponential ones, as in
            M/M/c; 0 for constant ones.
        cuts: Where it can be cut, in the model's order.
    """

    gflops: float = Field(gt=0)
    memory_gb: float = Field(default=1.0, gt=0)
    read_gb: float = Field(default=0.0, ge=0)
    input_kb: float = Field(default=12.0, ge=0)
    output_kb: float = Field(default=1.0, ge=0)
    scv: float = Field(default=1.0, ge=0, le=100)
    cuts: tuple[Cut, ...] = Field(default=(), max_length=100)

    @model_validator(mode="after")
    def _order(self) -> Demand:
        shares = [cut.share for cut in self.cuts]
        if shares != sorted(set(shares)):
            raise ValueError("'cuts' must be in the model's order, each share larger than the last")
        return self


class Tier(_Part):
    """A tier of servers.

    Attributes:
        gpu: Its GPUs: a name of ``gpus.yaml``, or figures.
        gpus_per_server: GPUs of a server.
        servers: Servers at each site; None plans as many as are needed.
        sites: Places that have a queue of their own, with equal shares of the requests.
        share: Share of all requests that the tier serves; None is an equal part of what the other
            tiers leave.
        arrivals_per_s: Requests a second for all sites together, instead of ``share``.
        rtt_ms: Round-trip time from the user.
        rate_kb_per_s: Rate of the link to it; None leaves sending out.
        efficiency: Share of the GPU's peak arithmetic and reading rate that the model reaches.
    """

    gpu: NamedGpu
    gpus_per_server: int = Field(default=1, ge=1, le=10_000)
    servers: int | None = Field(default=None, ge=1, le=100_000)
    sites: int = Field(default=1, ge=1, le=100_000)
    share: float | None = Field(default=None, gt=0, le=1)
    arrivals_per_s: float | None = Field(default=None, gt=0)
    rtt_ms: float = Field(default=0.0, ge=0)
    rate_kb_per_s: float | None = Field(default=None, gt=0)
    efficiency: float = Field(default=0.4, gt=0, le=1)


class DeviceClass(_Part):
    """Users' devices of one kind, for the simulation.

    Attributes:
        gpu: The device's processor.
        share: Share of the users that have it, relative to the other classes.
        rate_kb_per_s: Rate of its link.
        efficiency: As for ``Tier``.
        slowdown: How many times slower the devices really are than this; their policy learns it.
    """

    gpu: NamedGpu
    share: float = Field(default=1.0, gt=0)
    rate_kb_per_s: float = Field(default=500.0, gt=0)
    efficiency: float = Field(default=0.4, gt=0, le=1)
    slowdown: float = Field(default=1.0, gt=0)


class Scenario(_Part):
    """What capacity is planned for.

    Attributes:
        users: Number of users.
        requests_per_user_per_s: Requests of each user in a second, on average.
        demand: What a request asks of the model.
        tiers: Tiers of servers, by name.
        devices: Classes of devices, by name; the simulation needs them.
        p95_ms: Latency that 95 % of a tier's requests must meet; None plans for stability alone.
        max_utilisation: Highest share of time that GPUs may be busy.
    """

    users: int = Field(ge=1, le=10_000_000_000)
    requests_per_user_per_s: float = Field(gt=0)
    demand: Demand
    tiers: dict[str, Tier] = Field(min_length=1, max_length=10)
    devices: dict[str, DeviceClass] = Field(default_factory=dict, max_length=20)
    p95_ms: float | None = Field(default=None, gt=0)
    max_utilisation: float = Field(default=0.9, gt=0, lt=1)

    @model_validator(mode="after")
    def _shares(self) -> Scenario:
        total = sum(tier.share or 0.0 for tier in self.tiers.values())
        if total > 1 + 1e-9:
            raise ValueError(f"the tiers' shares add up to {total:g}; they must not exceed 1")
        return self

    def arrivals_per_s(self, tier: Tier) -> float:
        """Return a tier's requests a second, all sites together."""
        if tier.arrivals_per_s is not None:
            return tier.arrivals_per_s
        share = tier.share
        if share is None:
            left = 1 - sum(one.share or 0.0 for one in self.tiers.values())
            share = left / sum(
                one.share is None and one.arrivals_per_s is None for one in self.tiers.values()
            )
        return share * self.users * self.requests_per_user_per_s


def load_scenario(path: Path) -> Scenario:
    """Read a scenario from a YAML file.

    Args:
        path: The file.

    Raises:
        InputError: It cannot be read, or a field is invalid (``invalid_scenario``).
    """
    try:
        values = yaml.safe_load(decode(read_file(path, _MAX_BYTES)))
    except yaml.YAMLError as error:
        raise InputError(f"{path.name} is not YAML: {error}", code="invalid_scenario") from None
    return make_scenario(values)


def make_scenario(values: Any) -> Scenario:
    """Check the fields of a scenario.

    Args:
        values: Fields by name.

    Raises:
        InputError: A field is invalid; the message names it (``invalid_scenario``).
    """
    try:
        return Scenario.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the scenario"
        reason = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{place}: {reason}", code="invalid_scenario") from None
