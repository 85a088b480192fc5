"""SIGINT, SIGTERM and SIGHUP end the command with 130 within two seconds in every phase, and the next command continues.

`ROWCITE_SIGNALS` is the number of seeded moments (default 6: one for each phase), `ROWCITE_KILL_SEED` moves them.
`--log-level=INFO -rP` shows each moment.
"""

import logging
import os
import pty
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import polars as pl
import pytest

from rowcite.cli.signals import Signals
from rowcite.local.server.latency import Lognormal
from support import environment, numbered, served, serving, small_spec, started, until, with_slow, write_spec
from support.killing import RUN, created, price, run, spent

DELAYS = {"merging": 0.05, "writing": 0.01}  # seconds: these phases are short
MOMENTS = int(os.environ.get("ROWCITE_SIGNALS", "6"))
SEED = int(os.environ.get("ROWCITE_KILL_SEED", "1"))
COMPANIES, COPIES = 150, 800  # few tasks, and many rows to plan, merge and write
PHASES = ("planning", "prompting", "submitting", "escalating", "merging", "writing")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOG = logging.getLogger("crash")


@pytest.fixture(scope="module")
def table():
    rows = [
        f"Company {number % COMPANIES},site{number % COMPANIES}.example"
        for number in range(COMPANIES * COPIES)
    ]
    return "\n".join(["name,website", *rows]) + "\n"


@pytest.fixture
def server(tmp_path, table):
    (tmp_path / "table.csv").write_text(table)
    spec = small_spec(
        backend="parallel",
        limits={"active_runs": 60, "max_cost_usd": 1_000},
        accept={"fields": {"employee_count": {"maximum": 50_000_000}}},
        escalate=["pro"],
    )
    write_spec(tmp_path, {key: value for key, value in spec.items() if key != "local"})
    with served(tmp_path, bench=True, latency=Lognormal(0.05)) as running:
        yield running


class Command:
    """`rowcite run` on a terminal or without one, and what shows the phase that it is in."""

    def __init__(self, folder, server, *, prompt=False, ignored=()):
        self.folder, self.server, self.screen = folder, server, b""
        command = [sys.executable, "-m", "rowcite", *RUN, "--base-url", server.url, "--no-progress"]
        self.terminal, theirs = pty.openpty()
        stdin = theirs if prompt else subprocess.DEVNULL
        command += [] if prompt else ["--yes"]
        if ignored:
            command = ["sh", "-c", f"trap '' {' '.join(ignored)}; exec \"$@\"", "sh", *command]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(),
            stdin=stdin,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        os.set_blocking(self.terminal, False)

    def shows(self, text):
        with suppress(OSError):  # nothing new, or the command has ended
            self.screen += os.read(self.terminal, 1 << 16)
        return text in self.screen

    def read_to_end(self):
        """Read what the command wrote until it ended: the kernel may hand that over later, and in parts."""

        def read():
            try:
                part = os.read(self.terminal, 1 << 16)
            except BlockingIOError:
                return False
            except OSError:  # the other end is closed
                return True
            self.screen += part
            return not part

        until(read, 120)
        os.close(self.terminal)

    def reached(self, phase, dice):
        """Return True if the phase has begun; of a longer one, a part that the seed decides."""
        runs = len(self.server.created())
        return {
            "planning": (self.folder / ".rowcite" / "small" / "lock").exists(),
            "prompting": self.shows(b"[y/N]"),
            "submitting": runs >= dice * COMPANIES,
            "escalating": self.ended() >= COMPANIES,
            "merging": self.temp_size() is not None,
            "writing": (self.temp_size() or 0) >= dice * 10_000_000,
        }[phase] or self.process.poll() is not None

    def ended(self):
        return sum("ended" in line for line in self.server.journal())

    def temp_size(self):
        sizes = [file.stat().st_size for file in self.folder.glob(".rowcite-*.tmp")]
        return max(sizes, default=None)

    def end(self, number):
        """Send a signal; return the seconds until the command has ended."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(20)
        return time.monotonic() - began


def continues(folder, server):
    """Check that the next command finishes, and that each run was created and paid for once."""
    run(folder, server)
    made = created(server)
    frame = pl.read_csv(folder / "out.csv", infer_schema=False)
    assert frame.height == COMPANIES * COPIES
    assert set(frame["rowcite_status"]) <= {"completed", "rejected"}
    assert sum(count for (processor, _), count in made.items() if processor == "core") == COMPANIES
    assert set(made.values()) == {1}
    assert spent(folder) == price(made)
    assert list(folder.glob(".rowcite-*.tmp")) == []


@pytest.mark.parametrize("moment", numbered(MOMENTS))
def test_a_signal_ends_the_command_within_two_seconds_and_the_next_continues(tmp_path, server, moment):
    dice = random.Random(f"{SEED} {moment}")
    phase, number = (
        PHASES[moment % len(PHASES)],
        SIGNALS[moment // len(PHASES) % 3 if MOMENTS > 6 else moment % 3],
    )
    ignored = ("INT",) if dice.random() < 0.5 else ()
    share, delay = dice.random(), dice.uniform(0, DELAYS.get(phase, 0.3))
    for _ in range(5 if phase in DELAYS else 1):
        (tmp_path / "out.csv").unlink(missing_ok=True)
        command = Command(tmp_path, server, prompt=phase == "prompting", ignored=ignored)
        until(lambda: command.reached(phase, share), 120)  # noqa: B023
        time.sleep(delay)
        seconds = command.end(number)
        command.read_to_end()
        if (
            command.process.returncode != 0
        ):  # a short phase may be over before the signal: the next command has it too
            break
    LOG.info("%s, %s, SIGINT ignored: %s: ended after %.2f s", phase, number.name, bool(ignored), seconds)
    assert command.process.returncode == 130, command.screen.decode()
    assert seconds < 2
    assert b"Interrupted" in command.screen
    assert b"Traceback" not in command.screen
    assert not (tmp_path / "out.csv").exists()
    continues(tmp_path, server)


def test_a_process_does_not_end_while_another_thread_writes_the_last_line():
    began, lines = Event(), []

    def slowly():
        began.set()
        time.sleep(0.05)
        lines.append("Interrupted")

    signals = Signals(slowly, process_ends=True)
    Thread(target=signals.explain).start()
    began.wait(10)
    signals.explain()
    assert lines == ["Interrupted"]


@pytest.mark.parametrize("command", with_slow(["plan", "status", "write", "check"], "status", "check"))
def test_other_commands_end_as_well_and_write_no_table(tmp_path, server, command):
    arguments = [command, "spec.yaml", "-i", "-", *([] if command == "check" else ["--base-url", server.url])]
    process = started(*arguments, cwd=tmp_path, stdin=subprocess.PIPE)
    process.stdin.write(
        b"name,website\n" + b"Acme,acme.example\n" * 20_000
    )  # more than a pipe holds: it is read
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 130, process.stderr.read().decode()
    assert time.monotonic() - began < 2
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("number", SIGNALS)
def test_serve_ends_with_130(tmp_path, number):
    with serving(tmp_path, "--bench", "--latency-mean", "0.05", corpus=None) as server:
        server.process.send_signal(number)
        assert server.process.wait(2) == 130


def test_nohup_keeps_sighup_ignored(tmp_path, server):
    command = Command(tmp_path, server, ignored=("HUP",))
    until(lambda: command.reached("submitting", 0.1), 120)
    command.process.send_signal(signal.SIGHUP)
    assert command.process.wait(60) == 0
    assert (tmp_path / "out.csv").exists()


def test_a_background_job_of_a_shell_ends_on_sigterm(tmp_path, server):
    script = f'"{sys.executable}" -m rowcite run spec.yaml --yes --base-url {server.url} & echo $! >pid; wait'
    with subprocess.Popen(["sh", "-c", script], cwd=tmp_path, env=environment(), stderr=subprocess.DEVNULL):
        until(lambda: len(server.created()) >= 10, 120)
        process = int((tmp_path / "pid").read_text())
        began = time.monotonic()
        os.kill(process, signal.SIGTERM)
        until(lambda: not Path(f"/proc/{process}").exists(), 120)
        assert time.monotonic() - began < 2
    assert not (tmp_path / "out.csv").exists()
