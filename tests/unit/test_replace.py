"""Which table is replaced by a new one, and under which name a poorer one is written."""

import pytest

from rowcite.table.sinks.replace import Existing, NewTable, decide, partial_path

OURS, FOREIGN = Existing(own=True, answered=5), Existing(own=False)


@pytest.mark.parametrize(
    ("new", "existing", "in_place", "warns"),
    [
        (NewTable(0, complete=False), None, True, False),
        (NewTable(0, complete=True), OURS, True, False),
        (NewTable(4, complete=False), OURS, False, True),
        (NewTable(5, complete=False), OURS, True, False),
        (NewTable(6, complete=False), OURS, True, False),
        (NewTable(0, complete=False, replace=True), OURS, True, False),
        (NewTable(9, complete=False), FOREIGN, False, True),
        (NewTable(0, complete=True), FOREIGN, True, True),
        (NewTable(0, complete=False, replace=True), FOREIGN, True, False),
    ],
)
def test_only_a_complete_or_richer_table_replaces_another(new, existing, in_place, warns):
    decision = decide(new, existing)
    assert (decision.in_place, decision.reason is not None) == (in_place, warns)


@pytest.mark.parametrize(
    ("path", "partial"),
    [
        ("out/accounts.csv", "out/accounts.partial.csv"),
        ("x.csv.gz", "x.partial.csv.gz"),
        ("a.b/x.v2.JSONL.ZST", "a.b/x.v2.partial.JSONL.ZST"),
        ("s3://bucket/x.parquet", "s3://bucket/x.partial.parquet"),
    ],
)
def test_a_poorer_table_has_partial_before_its_suffix(path, partial):
    assert partial_path(path) == partial
