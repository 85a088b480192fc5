"""Kill the command at random moments with escalation and with packs: each run is created and paid for once.

`ROWCITE_KILLS` and `ROWCITE_KILL_SEED` as in `test_kill`; each kind of spec gets an eighth of the kills.
"""

import os
import random
import time
from collections import Counter

import polars as pl
import pytest

from support import ROOT, numbered, rowcite, served, small_spec, until, write_spec
from support.killing import created, killed, output, price, run, spent

KILLS = max(1, int(os.environ.get("ROWCITE_KILLS", "4")) // 8)
SEED = int(os.environ.get("ROWCITE_KILL_SEED", "1"))
ROWS = 24
SUBMIT = ("submit", "spec.yaml")
COLLECT = ("collect", "spec.yaml", "--escalate-anyway")
LATENCY = 0.001
START = 0.5  # seconds until a command as a process plans
TASK = small_spec()["task"]
ESCALATION = {
    "task": {**TASK, "processor": "lite"},
    "accept": {"min_confidence": "high", "required": ["employee_count"]},
    "escalate": ["base", "core"],
}
PACKS = {"task": {**TASK, "records_per_run": 4}}
KINDS = {
    "escalation": ESCALATION,
    "packs": PACKS,
    "packs with escalation": {
        **ESCALATION,
        "task": {**ESCALATION["task"], **PACKS["task"], "processor": "lite"},
    },
}


def prepared(folder, kind, active_runs=8):
    """Write a table of companies with and without sample pages, and a spec of this kind."""
    accounts = pl.read_csv(ROOT / "sample_data" / "accounts.csv", infer_schema=False).select(
        "name", "website"
    )
    known = accounts.drop_nulls().unique(maintain_order=True).head(ROWS // 2)
    unknown = [{"name": f"Company {n}", "website": f"company{n}.example"} for n in range(ROWS - known.height)]
    pl.concat([known, pl.DataFrame(unknown), known.head(1)]).write_csv(folder / "table.csv")
    limits = {"active_runs": active_runs, "max_cost_usd": 100}
    write_spec(folder, small_spec(backend="parallel", limits=limits, **KINDS[kind]))


CASES = [pytest.param(kind, marks=[pytest.mark.slow] * (kind != "packs with escalation")) for kind in KINDS]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return a function from a kind of spec to its output, its runs and the seconds it takes."""
    known = {}

    def of(kind):
        if kind not in known:
            folder = tmp_path_factory.mktemp("undisturbed")
            prepared(folder, kind)
            with served(folder, latency=LATENCY) as server:
                began = time.monotonic()
                run(folder, server)
                known[kind] = output(folder), created(server), time.monotonic() - began
        return known[kind]

    return of


@pytest.mark.parametrize("kind", CASES)
def test_the_undisturbed_run_is_worth_killing(undisturbed, kind):
    frame, made, _ = undisturbed(kind)
    asked = {processor for processor, _ in made}
    assert asked == ({"lite", "base", "core"} if "escalation" in kind else {"core"})
    assert frame.height == ROWS + 1
    assert set(made.values()) == {1}
    assert frame["employee_count"].drop_nulls().len() > 5
    if kind == "packs":
        assert len(made) < ROWS / 2


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("number", range(KILLS))
def test_after_kills_at_random_moments_each_run_was_created_once(tmp_path, undisturbed, kind, number):
    frame, needed, seconds = undisturbed(kind)
    dice = random.Random(f"{SEED} {kind} {number}")
    prepared(tmp_path, kind)
    with served(tmp_path, latency=LATENCY) as server:
        for _ in range(dice.randint(1, 3)):
            moment = dice.uniform(0.3, START + seconds)
            killed(tmp_path, server, lambda _, moment=moment: time.sleep(moment))
        run(tmp_path, server)
        made = created(server)
    assert output(tmp_path).equals(frame)
    assert set(made.values()) == {1}
    assert by_processor(made) == by_processor(needed)
    if kind == "escalation":  # keys of records depend on the server's address
        assert made == needed
    assert spent(tmp_path) == price(needed)


@pytest.mark.parametrize("number", numbered(KILLS))
def test_after_kills_of_submit_and_collect_each_run_was_created_once(tmp_path, undisturbed, number):
    frame, needed, _ = undisturbed("escalation")
    dice = random.Random(f"{SEED} two steps {number}")
    prepared(tmp_path, "escalation", active_runs=100)
    with served(tmp_path, latency=LATENCY) as server:

        def kill(*command):
            moment = dice.uniform(0.3, 1.2)
            killed(tmp_path, server, lambda _: time.sleep(moment), command)

        def end(*command):
            return rowcite(*command, "-q", "--base-url", server.url, cwd=tmp_path).returncode

        kill(*SUBMIT)
        assert end(*SUBMIT) == 0
        for _ in range(dice.randint(1, 3)):
            kill(*COLLECT)
        kill(*SUBMIT)
        until(lambda: end(*COLLECT, "--wait", "10s") == 0, 300)  # 30 s of waiting after a kill in a POST
        made = created(server)
    assert output(tmp_path).equals(frame)
    assert made == needed
    assert spent(tmp_path) == price(needed)


def by_processor(made):
    return Counter(processor for processor, _ in made.elements())
