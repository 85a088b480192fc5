"""The nearest name, and numbers with their nouns."""

import pytest

from rowcite.cli.report import report_extra
from rowcite.errors import UsageError
from rowcite.wording import did_you_mean, did_you_mean_file, plural, plural_is


@pytest.mark.parametrize(
    ("name", "names", "hint"),
    [
        ("acount_id", ["name", "account_id"], ' (did you mean "account_id"?)'),
        ("EMAIL", ["name", "email"], ' (did you mean "email"?)'),
        ("zzz", ["name", "email"], ""),
        ("x", [], ""),
    ],
)
def test_the_nearest_name_is_named_whatever_its_case(name, names, hint):
    assert did_you_mean(name, names, '"') == hint


@pytest.mark.parametrize(
    ("missing", "near"),
    [("acounts.yaml", "accounts.yaml"), ("accounts", "accounts.yaml"), ("ACCOUNTS.YAML", "accounts.yaml"), ("other.yaml", None), ("no/folder.yaml", None)],
)  # fmt: skip
def test_the_nearest_file_beside_a_missing_one_is_named(tmp_path, missing, near):
    for name in ("accounts.csv", "accounts.yaml", "zzz.yaml"):
        (tmp_path / name).touch()
    hint = did_you_mean_file(tmp_path / missing, (".yaml", ".yml"))
    assert hint == ("" if near is None else f" (did you mean {tmp_path / near}?)")


def test_a_number_agrees_with_its_noun():
    assert [plural(number, "row") for number in (0, 1, 2, 1_000)] == [
        "0 rows",
        "1 row",
        "2 rows",
        "1,000 rows",
    ]
    assert (plural_is(1, "row"), plural_is(2, "row")) == ("1 row is", "2 rows are")


@pytest.mark.parametrize("what", ["report", "review"])
def test_a_command_without_its_packages_names_itself(what):
    with (
        pytest.raises(UsageError, match=rf"the {what} needs optional packages .*\[report\]"),
        report_extra(what),
    ):
        raise ModuleNotFoundError("No module named 'starlette'", name="starlette")
