"""What else a machine does: a process that only computes, and reports how long it was kept from it.

``noise.py SECONDS`` computes for so many seconds of processor time, again and again with pauses,
until its input is closed. It prints a line of JSON with the seconds that each took beyond that.
"""

import json
import select
import sys
import time

PAUSE_S = 0.1


def lost(work_s: float) -> float:
    """Compute; return the seconds for which this process was ready and something else ran."""
    began, used = time.perf_counter(), time.thread_time()
    while time.thread_time() - used < work_s:
        pass
    return time.perf_counter() - began - work_s


def main() -> None:
    work_s, times = float(sys.argv[1]), []
    while not select.select([sys.stdin], [], [], PAUSE_S)[0]:
        times.append(lost(work_s))
    sys.stdout.write(json.dumps(times))


if __name__ == "__main__":
    main()
