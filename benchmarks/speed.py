"""How fast the heavy parts are, against what else there is: one interleaved run, as ratios, with peak memory.

    python benchmarks/speed.py                        everything, 1,000,000 rows
    python benchmarks/speed.py drift --rows 100000    one part, smaller: drift, trees or fairness
    python benchmarks/speed.py drift --peers /tmp/p   also the drift suites, each in an environment made there with pip

Every way runs in a process of its own, in turn, ``--repeats`` times (once, if it takes minutes); medians are printed.
Times are of the whole work, reading included, after a run on a small table in the same process: what importing and
compiling take is not in them. Trust ratios more than seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Threads that wait for each other by spinning starve on a shared machine.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import speed_drift  # noqa: E402
import speed_fairness  # noqa: E402
import speed_peers  # noqa: E402
import speed_trees  # noqa: E402
from speed_clock import Clock, peak_memory  # noqa: E402

PARTS = {"drift": speed_drift, "trees": speed_trees, "fairness": speed_fairness}
WARM_UP_ROWS = 15_000
# What takes longer than this many seconds is not run again: its ratio is clear from one run.
LONG = 120.0

Numbers = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the tables; trees explain at most 2,000")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--dir", type=Path, help="where tables and models are kept; a temporary folder if not given")
    parser.add_argument(
        "--peers", type=Path, help="where the drift suites are installed, each by itself; not run if not given"
    )
    parser.add_argument("--way", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    if options.way:
        measure(options.parts[0], options.way, options.dir)
        return
    with tempfile.TemporaryDirectory() as folder:
        for part in options.parts or PARTS:
            run(part, options, (options.dir or Path(folder)) / f"{part}-{options.rows}")


def run(part: str, options: argparse.Namespace, folder: Path) -> None:
    """Measure all ways of one part in turn, and print them."""
    module = PARTS[part]
    for place, rows in ((folder, options.rows), (folder / "warm", min(options.rows, WARM_UP_ROWS))):
        place.mkdir(parents=True, exist_ok=True)
        module.make(place, rows)
    peers = options.peers if part == "drift" else None
    found, left_out = rounds(part, folder, options.repeats, peers)
    print(f"\n{part}, {options.rows:,} rows, medians of {options.repeats}\n")
    print("| way | runs | seconds | of the processor | times ours | peak memory, MB |\n|---|---|---|---|---|---|")
    ours = 0.0
    for way, runs in found.items():
        if way in left_out:
            print(f"| {way}: left out, {left_out[way]} | 0 | - | - | - | - |")
            continue
        numbers = {name: statistics.median(each[name] for each in runs) for name in runs[0]}
        # Trees have several models; each has ours first.
        ours = numbers["seconds"] if way in module.OURS else ours
        show(f"{way}{speed_peers.REMARKS.get(way, '')} | {len(runs)}", numbers, ours)
    for line in getattr(module, "remarks", lambda _: ())(folder):
        print(line)


def rounds(
    part: str, folder: Path, repeats: int, peers: Path | None
) -> tuple[dict[str, list[Numbers]], dict[str, speed_peers.LeftOut]]:
    """Run one way after the other, round after round; return what each took, and why others are left out."""
    ways = [*PARTS[part].WAYS, *(speed_peers.PEERS if peers else ())]
    found: dict[str, list[Numbers]] = {way: [] for way in ways}
    left_out: dict[str, speed_peers.LeftOut] = {}
    for _ in range(repeats):
        for way in list(ways):
            started = time.monotonic()
            try:
                is_peer = peers is not None and way in speed_peers.PEERS
                numbers = speed_peers.measured(way, peers, folder) if is_peer else in_a_process(part, way, folder)
                found[way].append(numbers)
            except speed_peers.LeftOut as reason:
                left_out[way] = reason
            if way in left_out or time.monotonic() - started > LONG:
                ways.remove(way)
    return found, left_out


def show(way: str, numbers: Numbers, ours: float) -> None:
    seconds, cpu, ratio = (
        f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
        for number in (numbers["seconds"], numbers["cpu"], numbers["seconds"] / ours if ours else 0.0)
    )
    print(f"| {way} | {seconds} | {cpu} | {ratio} | {numbers['peak']:,.0f} |", flush=True)


def in_a_process(part: str, way: str, folder: Path) -> Numbers:
    command = [sys.executable, __file__, part, "--way", way, "--dir", str(folder)]
    environment = {**os.environ, **getattr(PARTS[part], "ENVIRONMENT", {})}
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    numbers: Numbers = json.loads(answer.stdout.splitlines()[-1])
    return numbers


def measure(part: str, way: str, folder: Path) -> None:
    """Run one way in this process; it may tell its times itself, where it measures a part or stands for more."""
    work = PARTS[part].WAYS[way]
    work(folder / "warm")
    clock = Clock()
    told = work(folder)
    seconds, cpu = clock.read() if told is None else told
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak_memory()}))


if __name__ == "__main__":
    main()
