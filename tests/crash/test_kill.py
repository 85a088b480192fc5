"""Kill the command with SIGKILL and run it again: no row is missing, the output is equal, no run is created twice.

`ROWCITE_KILLS` is the number of seeded random moments (default 4), `ROWCITE_KILL_SEED` their seed.
"""

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from support import numbered, rowcite, served, small_spec, started, until, write_spec
from support.deviant import Deviations
from support.dying import PROCESSES, submit_and_die
from support.killing import killed, output
from support.submitting import PRICE, Submission, api, tasks

KILLS = int(os.environ.get("ROWCITE_KILLS", "4"))
SEED = int(os.environ.get("ROWCITE_KILL_SEED", "1"))
ROWS = 30
LONGEST = 3.0  # seconds, about the length of an undisturbed run


def table(folder):
    lines = [f"Company {number},https://company{number}.example/" for number in range(ROWS)]
    (folder / "table.csv").write_text("\n".join(["name,website", *lines, lines[0]]) + "\n")


def spec(folder):
    return write_spec(folder, small_spec(backend="parallel", limits={"active_runs": 20}))


def run(folder, server):
    return rowcite("run", "spec.yaml", "--base-url", server.url, "--json", cwd=folder)


def finished(folder, server):
    """Run the command to its end; check that each row is answered and paid for once."""
    done = run(folder, server)
    assert done.returncode == 0, done.stderr.decode()
    made = server.created()
    keys = {json.dumps(line["metadata"], sort_keys=True) for line in made}
    assert len(made) == len(keys) == ROWS
    found = output(folder)
    assert found.height == ROWS + 1
    assert found["rowcite_status"].unique().to_list() == ["completed"]
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    table(folder)
    spec(folder)
    with served(folder, latency=0.002) as server:
        return finished(folder, server)


@pytest.mark.parametrize("number", numbered(KILLS))
def test_after_a_kill_at_a_random_moment_nothing_is_lost_or_paid_twice(tmp_path, undisturbed, number):
    dice = random.Random(f"{SEED} {number}")
    table(tmp_path)
    spec(tmp_path)
    with served(tmp_path, latency=0.002) as server:
        for _ in range(1 + number % 2):
            moment = dice.uniform(0.3, LONGEST)
            killed(tmp_path, server, lambda process, moment=moment: time.sleep(moment))
        assert finished(tmp_path, server).equals(undisturbed)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"delay": 60}, id="no answer", marks=pytest.mark.slow),
        pytest.param({"cut": True}, id="lost answer"),
    ],
)
def test_after_a_kill_between_a_post_and_its_response_nothing_is_paid_twice(tmp_path, undisturbed, fault):
    table(tmp_path)
    spec(tmp_path)
    plan = {"http": [{"method": "POST", "path": "/runs$", "nth": [1], "when": "after", **fault}]}
    with served(tmp_path, latency=0.002, faults=plan) as server:
        assert killed(tmp_path, server, lambda _: until(lambda: len(server.created()) >= 20, 120))
        assert finished(tmp_path, server).equals(undisturbed)


# --- at each write of the ledger ------------------------------------------------------------------------


def die(folder, server, at, *, before):
    process = PROCESSES.Process(
        target=submit_and_die, args=(folder, server.url, at), kwargs={"before": before}
    )
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL


def resumed(folder, server, **terms):
    job = Submission(folder, server)
    some = tasks(job.question, 30)
    job.run(some, **terms)
    assert job.misplaced(some) == []
    assert len(server.created()) == 30
    assert server.paid_twice() == 0
    assert job.spent() == 30 * PRICE


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("at", [4, *(pytest.param(at, marks=pytest.mark.slow) for at in (2, 3, 5, 6))])
def test_after_a_kill_at_each_write_of_the_ledger_nothing_is_lost_or_paid_twice(tmp_path, at, before):
    with api(tmp_path, latency=0.001) as server:
        die(tmp_path, server, at, before=before)
        resumed(tmp_path, server)


@pytest.mark.parametrize("keep", [5, *(pytest.param(keep, marks=pytest.mark.slow) for keep in (0, 12))])
def test_after_a_kill_while_a_lost_post_is_looked_up_nothing_is_paid_twice(tmp_path, keep):
    with api(tmp_path, Deviations(keep=keep), latency=0.001) as server:
        die(tmp_path, server, 4, before=True)
        resumed(tmp_path, server)


def test_a_post_that_creates_its_runs_during_the_next_command_is_paid_once(tmp_path):
    with api(tmp_path, Deviations(late=1.5), latency=0.001) as server:
        die(tmp_path, server, 4, before=True)
        resumed(tmp_path, server, reconcile_after=3.0)


def test_the_lock_of_a_killed_command_does_not_stop_the_next(tmp_path):
    table(tmp_path)
    spec(tmp_path)
    with served(tmp_path, latency=0.002) as server:
        lock = tmp_path / ".rowcite" / "small" / "lock"
        killed(tmp_path, server, lambda _: until(lambda: Path(lock).exists(), 120))
        assert run(tmp_path, server).returncode == 0


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="SIGINT"),
        pytest.param(signal.SIGTERM, id="SIGTERM", marks=pytest.mark.slow),
    ],
)
def test_a_signal_stops_the_command_and_the_next_one_finishes(tmp_path, undisturbed, number):
    table(tmp_path)
    spec(tmp_path)
    with served(tmp_path, latency=0.01) as server:
        process = started("run", "spec.yaml", "--base-url", server.url, cwd=tmp_path)
        until(lambda: len(server.created()) >= 20, 120)
        began = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        assert time.monotonic() - began < 5
        assert process.returncode == 130, errors.decode()
        assert finished(tmp_path, server).equals(undisturbed)


def test_verbose_shows_each_request_and_no_key(tmp_path):
    table(tmp_path)
    spec(tmp_path)
    with served(tmp_path, key="secret-key") as server:
        done = rowcite(
            "run", "spec.yaml", "--base-url", server.url, "-v", cwd=tmp_path, PARALLEL_API_KEY="secret-key"
        )
        log = done.stderr.decode()
        assert done.returncode == 0, log
        assert "secret-key" not in log
        shown = [line for line in log.splitlines() if line.startswith(("GET /", "POST /"))]
        assert len(shown) == len(server.requests())
