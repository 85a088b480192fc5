"""The arguments of the library: each does what its flag does, and messages name the argument."""

import inspect
import re

import numpy as np
import polars as pl
import pytest

import rowcite
from rowcite.library.arguments import _PHRASES, as_arguments
from support import ROOT, served, small_spec

TABLE = pl.DataFrame({"name": ["Acme Oy", "Basalt", "Corvid"], "website": ["acme.example", None, None]})
SOURCE = ROOT / "src" / "rowcite"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("PARALLEL_API_KEY", "PARALLEL_BASE_URL", "PARALLEL_API_URL", "ROWCITE_LEDGER"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def spec(**changes):
    return {key: value for key, value in small_spec(backend="parallel", **changes).items() if key != "local"}


def test_arguments_replace_the_values_of_the_spec_and_the_environment(folder):
    with served(folder, bench=True, key="secret") as server:
        result = rowcite.run(
            TABLE,
            spec(),
            limit=2,
            max_cost_usd=0.05,
            processor="lite",
            base_url=server.url,
            api_key="secret",
            ledger=folder / "answers",
        )
    assert result.table["rowcite_status"].to_list() == ["completed", "completed", "pending"]
    assert result.table["rowcite_processor"].to_list() == ["lite", "lite", None]
    assert (result.summary.exit_code, result.summary.submitted) == (0, 2)
    assert (folder / "answers" / "ledger.db").exists()
    assert not (folder / ".rowcite").exists()
    assert "secret" not in repr(result)


def test_escalate_names_the_processors_that_rejected_values_are_retried_with(folder):
    rows = pl.DataFrame({"name": [f"Company {number}" for number in range(100)], "website": None})
    strict = spec(accept={"fields": {"employee_count": {"maximum": 0}}})
    with served(folder, bench=True) as server:
        with pytest.raises(rowcite.Incomplete) as stopped:
            rowcite.enrich(rows, strict, escalate=["pro"], base_url=server.url)
        after = rowcite.enrich(rows, strict, escalate=["pro"], escalate_anyway=True, base_url=server.url)
    assert str(stopped.value).endswith(
        "See why in rowcite_error of row 1 of the table that `rowcite.run` returns. Correct `accept`, or continue with"
        " escalate_anyway=True"
    )
    assert set(after["rowcite_processor"]) == {"core pro"}


def test_failed_rows_are_sent_again_on_request(folder):
    with served(folder, bench=True, faults={"fail": 1.0}) as server:
        assert set(rowcite.enrich(TABLE, spec(), base_url=server.url)["rowcite_status"]) == {"failed"}
        kept = rowcite.plan(TABLE, spec(), base_url=server.url)
        again = rowcite.plan(TABLE, spec(), base_url=server.url, retry_failed=True)
    assert (kept.to_submit, again.to_submit) == (0, 3)


def test_stored_answers_are_ignored_on_request(folder):
    with served(folder, bench=True) as server:
        first = rowcite.enrich(TABLE, spec(), base_url=server.url)
        second = rowcite.enrich(TABLE, spec(), base_url=server.url, fresh=True)
    assert set(first["rowcite_run_id"]).isdisjoint(second["rowcite_run_id"])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"max_cost_usd": 0.01},
            rowcite.BudgetExceeded,
            "max_cost_usd=… is .0.01. Nothing was submitted. Raise it, or take fewer rows with limit=…",
        ),
        ({}, rowcite.KeyRefused, "PARALLEL_API_KEY is not set. Give api_key=…, or export the key"),
        ({"base_url": "nonsense"}, rowcite.InputError, "^base_url=…: "),
        ({"backend": "local"}, rowcite.InputError, "the local backend needs `local:"),
        ({"ledger": ""}, rowcite.InputError, "^ledger=… must not be empty"),
        ({"limit": -1}, rowcite.InputError, "^limit=-1: give a number of rows"),
        ({"limit": True}, rowcite.InputError, "^limit=True: give a number of rows"),
        ({"max_cost_usd": float("nan")}, rowcite.InputError, "^max_cost_usd=nan: give an amount"),
        (
            {"escalate": "pro"},
            rowcite.InputError,
            r"^escalate='pro': give a list of processors, such as \['pro'\]",
        ),
        ({"fresh": "no"}, rowcite.InputError, "^fresh='no': give True or False"),
        ({"progress": 1}, rowcite.InputError, "^progress=1: give True or False"),
        ({"processor": 5}, rowcite.InputError, "^processor=5: give the name of a processor"),
        ({"escalate": [5]}, rowcite.InputError, r"^escalate=\[5\]: give a list of names"),
        ({"ledger": 5}, rowcite.InputError, "^ledger=5: give the path of a folder"),
        ({"backend": "remote"}, rowcite.InputError, '^backend=\'remote\': give "parallel" or "local"'),
    ],
)
def test_an_error_names_the_argument(arguments, error, message):
    with pytest.raises(error, match=message) as raised:
        rowcite.enrich(TABLE, spec(), **arguments)
    assert "--" not in str(raised.value)


@pytest.mark.parametrize(
    "wrong", [{"processors": "lite"}, {"target": 95}, {"target": 0.0}, {"target": "0.9"}]
)
def test_evaluate_names_the_argument(wrong):
    with pytest.raises(rowcite.InputError, match=f"^{next(iter(wrong))}=.* such as"):
        rowcite.evaluate(TABLE, spec(), TABLE, key="name", **wrong)


def test_numbers_of_numpy_are_numbers():
    limits = {"limit": np.int64(2), "max_cost_usd": np.int64(1)}
    plan = rowcite.plan(TABLE, spec(), base_url="http://127.0.0.1:9", **limits)
    assert (plan.rows, plan.to_submit) == (3, 2)


def test_a_missing_table_names_the_argument_and_not_the_spec():
    with pytest.raises(rowcite.TableError, match="Correct the path that you give as the table"):
        rowcite.enrich("nothing.csv", spec())


def test_an_unknown_argument_names_the_nearest_one():
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'max_cost'.*'max_cost_usd'"):
        rowcite.enrich(TABLE, spec(), max_cost=1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'limit'"):
        rowcite.evaluate(TABLE, spec(), TABLE, key="name", limit=1)


@pytest.mark.parametrize("function", ["enrich", "aenrich", "run", "plan", "evaluate"])
def test_notebooks_see_the_name_and_the_default_of_every_argument(function):
    parameters = inspect.signature(getattr(rowcite, function)).parameters
    assert parameters["max_cost_usd"].default is None
    assert parameters["max_cost_usd"].kind is inspect.Parameter.KEYWORD_ONLY
    assert "options" not in parameters
    assert inspect.iscoroutinefunction(getattr(rowcite, function)) is (function == "aenrich")
    if function != "evaluate":
        assert parameters["fresh"].default is False


def _messages_with_flags():
    """Yield the texts of the core that have a flag in them, without the files that the library does not use."""
    rooms = ("api", "evaluation", "ledger", "pipeline", "rows", "submit", "table")
    for file in sorted(file for room in rooms for file in (SOURCE / room).rglob("*.py")):
        if file.name not in {"draw.py", "replace.py", "unknown_work.py", "which_api.py"}:
            code = re.sub(r'"""(.|\n)*?"""', "", file.read_text())
            yield from re.findall(r'"([^"\n]*(?:^|[ `(])--[a-z][^"\n]*)"', code)


ONLY_OF_COMMANDS = (
    "`rowcite ledger prune SPEC --damaged`",
    "no table to read. Set input.path, or give --input",
    "stdin is closed",
    "start `rowcite serve --corpus DIR`",
    " within --limit",
    "{prepared.command(",
    "{typed(",
)


def test_every_flag_in_a_message_of_the_core_has_an_argument():
    texts = list(_messages_with_flags())
    assert len(texts) > 15
    for text in texts:
        if not any(part in text for part in ONLY_OF_COMMANDS):
            assert "--" not in re.sub(r"`rowcite [^`]*`", "", as_arguments(text)), as_arguments(text)


def test_every_phrase_that_is_said_otherwise_is_in_the_core():
    source = "".join(file.read_text() for file in SOURCE.rglob("*.py") if "library" not in file.parts)
    joined = re.sub(r'"\s*\n\s*f?"', "", source)
    for phrase, _ in _PHRASES:
        assert phrase in joined, phrase
