"""Fuzz every target for a while, each in a process of its own: `python tests/fuzz/long.py [--seconds 300] [TARGET ...]`.

With atheris (Linux, the Pythons it has wheels for) the bytes are guided by coverage; without, hypothesis makes them. An
input that breaks a promise, hangs for 20 s or takes more than 3 GB ends its target; it is kept and shown, and the exit
code is 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
KEPT = Path(os.environ.get("FUZZ_KEPT", Path(tempfile.gettempdir()) / "rowcite-fuzz"))
HANGS, MOST_MB = 20, 3_000

GUIDED = """
import sys
sys.path.insert(0, {tests!r})
import atheris
with atheris.instrument_imports(include=["rowcite"]):
    from fuzz.targets import TARGETS
atheris.Setup(sys.argv, TARGETS[{name!r}].run)
atheris.Fuzz()
"""
BLIND = """
import sys, time
sys.path.insert(0, {tests!r})
from hypothesis import HealthCheck, given, settings
from fuzz.mutated import mutated
from fuzz.targets import TARGETS
target, end, count, seed = TARGETS[{name!r}], time.monotonic() + {seconds}, 0, 0
while time.monotonic() < end:
    seed += 1
    @settings(max_examples=500, deadline={hangs} * 1000, database=None, suppress_health_check=list(HealthCheck))
    @__import__("hypothesis").seed(seed)
    @given(mutated(target))
    def holds(data):
        global count
        count += 1
        target.run(data)
    holds()
print(f"Done {{count}} runs", file=sys.stderr)
"""


def fuzz(name: str, seconds: int, seed: int) -> tuple[int, float, str]:
    """Fuzz one target; return how many inputs it took, in how many seconds, and what was found ("" for nothing)."""
    sys.path.insert(0, str(TESTS))
    from fuzz.targets import TARGETS

    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rowcite-fuzz-") as folder:
        if importlib.util.find_spec("atheris"):
            corpus = Path(folder) / "corpus"
            corpus.mkdir()
            for number, data in enumerate(TARGETS[name].seeds):
                (corpus / str(number)).write_bytes(data)
            words = Path(folder) / "words"
            words.write_text("".join(f'"{_escaped(word)}"\n' for word in TARGETS[name].words if word))
            KEPT.mkdir(exist_ok=True)
            flags = [
                f"-max_total_time={seconds}",
                f"-timeout={HANGS}",
                f"-rss_limit_mb={MOST_MB}",
                f"-seed={seed}",
            ]
            flags += [
                f"-dict={words}",
                f"-artifact_prefix={KEPT}/{name}-",
                "-max_len=4096",
                "-print_final_stats=1",
            ]
            command = [sys.executable, "-c", GUIDED.format(tests=str(TESTS), name=name), *flags, str(corpus)]
        else:
            script = BLIND.format(tests=str(TESTS), name=name, seconds=seconds, hangs=HANGS)
            command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, timeout=seconds + 300, check=False)
    told = (done.stdout + done.stderr).decode(errors="replace")
    counts = re.findall(r"number_of_executed_units:\s*(\d+)|Done (\d+) runs", told)
    count = max((int(one or other) for one, other in counts), default=0)
    return count, time.monotonic() - began, "" if done.returncode == 0 else _shown(told)


def _shown(told: str) -> str:
    """Return what an atheris run says about a finding, without its progress."""
    return "\n".join(
        line for line in told.splitlines() if not re.match(r"#\d+\t|INFO|WARNING|0x|stat", line)
    )[-4_000:]


def _escaped(word: bytes) -> str:
    return "".join(chr(byte) if 32 < byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word)


def main() -> int:
    """Fuzz all targets, or those that are named; return 1 when anything was found."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("targets", nargs="*")
    options.add_argument("--seconds", type=int, default=300, help="for all targets together")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    sys.path.insert(0, str(TESTS))
    from fuzz.targets import TARGETS

    names = chosen.targets or list(TARGETS)
    each = max(1, chosen.seconds // len(names))
    guided = "guided by coverage (atheris)" if importlib.util.find_spec("atheris") else "made by hypothesis"
    total, found = 0, 0
    for name in names:
        count, seconds, problem = fuzz(name, each, chosen.seed)
        total += count
        found += bool(problem)
        print(
            f"{name:14} {count:>10,} inputs {seconds:>6.0f} s  {'FOUND' if problem else 'nothing found'}",
            flush=True,
        )
        if problem:
            print(problem, f"The input is kept in {KEPT}.", sep="\n", flush=True)
    print(f"{total:,} inputs, {guided}; {found} of {len(names)} targets with a finding")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
