"""Serving: Lighthouse's performance score of the console's chat page.

Run ``python -m edgewright.benchmarks.serving.console``. Lighthouse loads the page in a headless
Chromium, with its default settings: a mid-range telephone on a slow mobile network.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
from collections.abc import Sequence
from typing import Any

from edgewright.benchmarks.serving.interface import running

#: Lighthouse's audits behind the score, and the unit that each is printed in.
AUDITS = {
    "first-contentful-paint": "ms",
    "largest-contentful-paint": "ms",
    "speed-index": "ms",
    "total-blocking-time": "ms",
    "cumulative-layout-shift": "",
    "total-byte-weight": "bytes",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the medians.

    Args:
        arguments: Command line; the process's own by default.

    Returns:
        0, or 2 if Lighthouse or Chromium is not installed.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5, help="how often the page is loaded")
    options = parser.parse_args(arguments)
    lighthouse = shutil.which("lighthouse")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if lighthouse is None or chromium is None:
        sys.stderr.write(
            "Lighthouse or Chromium is missing: npm install --global lighthouse; make system\n"
        )
        return 2
    reports = asyncio.run(_measure(lighthouse, chromium, options.runs))
    scores = [100 * report["categories"]["performance"]["score"] for report in reports]
    each = ", ".join(f"{score:.0f}" for score in scores)
    sys.stdout.write(f"score: median {statistics.median(scores):.0f} of {each}\n")
    for name, unit in AUDITS.items():
        values = [report["audits"][name]["numericValue"] for report in reports]
        sys.stdout.write(f"{name}: median {statistics.median(values):.4g} {unit}".rstrip() + "\n")
    return 0


async def _measure(lighthouse: str, chromium: str, runs: int) -> list[dict[str, Any]]:
    """Return Lighthouse's reports of some loads."""
    # As root, which containers run as, Chromium cannot use its own sandbox.
    flags = "--headless=new" + (" --no-sandbox" if os.geteuid() == 0 else "")
    reports: list[dict[str, Any]] = []
    async with running() as (_, url):
        command = [lighthouse, url, "--quiet", "--output=json", "--only-categories=performance"]
        for _ in range(runs):
            process = await asyncio.create_subprocess_exec(
                *command,
                f"--chrome-flags={flags}",
                env={**os.environ, "CHROME_PATH": chromium},
                stdout=asyncio.subprocess.PIPE,
            )
            output, _ = await process.communicate()
            if process.returncode:
                raise SystemExit(f"Lighthouse ended with status {process.returncode}")
            reports.append(json.loads(output))
    return reports


if __name__ == "__main__":
    sys.exit(main())
