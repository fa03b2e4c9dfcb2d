"""Runs the fuzz targets: python tests/fuzz/run.py [--budget SECONDS] [--only NAME] [--seed N].

Each target runs in a process of its own, so that a crash of a decoder is seen and named by the
number of its case. The exit code is 1 if there was any crash or hang.
"""

from __future__ import annotations

import argparse
import json
import logging
import mmap
import multiprocessing
import random
import signal
import sys
import time
import traceback
import warnings

from target import Target
from targets import TARGETS

_NUMBER_BYTES = 8


class HangError(Exception):
    """A case took longer than it may."""


def run_target(
    target: Target, seed: int, end: float, progress: mmap.mmap, first: int, last: int
) -> dict[str, object]:
    """Run cases until the last or the end of the time; return what came of them."""
    run = target.open()
    for each in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(each, _hang)
    warnings.simplefilter("ignore")
    logging.disable()
    done = accepted = 0
    slowest = 0.0
    failures: list[str] = []
    for number in range(first, last):
        if time.monotonic() > end or len(failures) >= 20:
            break
        progress[:_NUMBER_BYTES] = number.to_bytes(_NUMBER_BYTES, "little")
        rng = random.Random(f"{seed}:{target.name}:{number}")
        started = time.perf_counter()
        # Processor time, so that a busy machine makes no difference; waiting is limited too.
        signal.setitimer(signal.ITIMER_PROF, target.seconds)
        signal.setitimer(signal.ITIMER_REAL, 10 * target.seconds)
        try:
            accepted += run(rng)
        except Exception:  # noqa: BLE001 - any is a finding
            failures.append(f"case {number}: {traceback.format_exc()}")
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
        slowest = max(slowest, time.perf_counter() - started)
        done += 1
    return {"cases": done, "accepted": accepted, "slowest_s": slowest, "failures": failures}


def _hang(*_: object) -> None:
    raise HangError


def _child(pipe, *args) -> None:  # type: ignore[no-untyped-def]
    pipe.send(run_target(*args))
    pipe.close()


def fuzz(target: Target, seed: int, budget_s: float, first: int) -> tuple[int, list[str]]:
    """Run a target in a process of its own; return its number of cases and its failures."""
    context = multiprocessing.get_context("fork")
    progress = mmap.mmap(-1, _NUMBER_BYTES)
    receiver, sender = context.Pipe(duplex=False)
    started = time.monotonic()
    args = (sender, target, seed, started + budget_s, progress, first, first + target.cases)
    child = context.Process(target=_child, args=args)
    child.start()
    sender.close()
    try:
        outcome = receiver.recv()
    except EOFError:
        child.join()
        number = int.from_bytes(progress[:_NUMBER_BYTES], "little")
        text = f"case {number}: the process ended with {child.exitcode}"
        outcome = {"cases": number - first + 1, "failures": [text]}
    child.join()
    failures = outcome.pop("failures")
    line = {"target": target.name, **outcome, "failures": len(failures),
            "seconds": round(time.monotonic() - started, 1)}  # fmt: skip
    print(json.dumps(line), flush=True)  # noqa: T201
    for failure in failures:
        print(failure, file=sys.stderr)  # noqa: T201
    return int(outcome["cases"]), failures


def main() -> None:
    """Run the targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=float, default=0.0, help="seconds for all; 0: in full")
    parser.add_argument("--only", help="name of a target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--case", type=int, default=0, help="number of the first case")
    options = parser.parse_args()
    chosen = [each for each in TARGETS if options.only in (None, each.name)]
    share = options.budget / len(chosen) if options.budget else float("inf")
    failed = [each for each in chosen if fuzz(each, options.seed, share, options.case)[1]]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
