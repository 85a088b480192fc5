"""Each kind of frame that `rowcite.enrich` takes is given back as the same kind, with its types, its index and its order."""

import datetime as dt
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import rowcite
from support import small_spec

PAGE = (
    "<title>Acme Oy</title><h1>Acme Oy</h1><p>Acme Oy was founded in 1999.</p><dl><dt>Employees<dd>230</dl>"
)
NAMES, SITES = ["Nobody & Sons", "Acme Oy", None], [None, "https://www.acme.example", None]
STATUSES = ["completed", "completed", "skipped"]


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    """Return the options of a call on a ledger that all tests share: each row is paid for once."""
    folder = tmp_path_factory.mktemp("frames")
    (folder / "corpus").mkdir()
    (folder / "corpus" / "acme.html").write_text(PAGE)
    spec = small_spec(local={"corpus": str(folder / "corpus")})
    rowcite.enrich(pl.DataFrame({"name": NAMES, "website": SITES}), spec, ledger=folder / "ledger")
    return {"spec": spec, "ledger": folder / "ledger"}


@pytest.fixture
def filling(options):
    return {**options, "spec": {**options["spec"], "columns": {"existing": "fill"}}}


def table():
    return pa.table(
        {
            "name": pa.array(NAMES),
            "website": pa.array(SITES, pa.large_string()),
            "kind": pa.array(["a", "b", "a"]).dictionary_encode(),
            "price": pa.array([Decimal("1.50"), None, Decimal(2)], pa.decimal128(9, 2)),
            "seen": pa.array(
                [dt.datetime(2024, 1, 2, tzinfo=dt.UTC), None, None], pa.timestamp("ns", "Asia/Tokyo")
            ),
            "map": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int16())),
        },
        metadata={"owner": "revops"},
    )


class OnlyStream:
    """An object that has an Arrow stream and nothing else."""

    def __arrow_c_stream__(self, requested_schema=None):
        return table().__arrow_c_stream__(requested_schema)


KINDS = {
    "polars": lambda: pl.DataFrame({"name": NAMES, "website": SITES}),
    "lazy": lambda: pl.LazyFrame({"name": NAMES, "website": SITES}),
    "pandas": lambda: pd.DataFrame({"name": NAMES, "website": SITES}),
    "pandas of Arrow": lambda: table().to_pandas(types_mapper=pd.ArrowDtype),
    "pyarrow": table,
    "batch": lambda: table().to_batches()[0],
    "reader": lambda: table().to_reader(max_chunksize=2),
    "duckdb": lambda: duckdb.from_arrow(table().select(["name", "website", "price"])),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_of_each_kind_gives_the_same_kind_and_costs_nothing_again(options, kind):
    given = KINDS[kind]()
    result = rowcite.run(given, **options)
    assert type(result.table) is type(given)
    assert result.summary.submitted == result.plan.to_submit == 0
    after = result.table.collect() if kind == "lazy" else result.table
    after = after if isinstance(after, pd.DataFrame) else pl.DataFrame(after)
    assert list(after["rowcite_status"]) == STATUSES
    assert list(after["founded_year"])[1] == 1999
    assert list(after.columns[:2]) == ["name", "website"]
    assert after.columns[-1] == "rowcite_run_id"


def test_another_object_with_an_arrow_stream_gives_a_pyarrow_table(options):
    after = rowcite.enrich(OnlyStream(), **options)
    assert isinstance(after, pa.Table)
    assert after.select(table().schema.names).equals(table())


def test_a_changed_frame_requests_only_the_changed_rows(options):
    changed = pd.DataFrame({"name": [*NAMES, "Changed Ltd"], "website": [*SITES, None]})
    planned = rowcite.plan(changed, **options)
    assert (planned.tasks, planned.answered, planned.to_submit) == (3, 2, 1)


def test_a_whole_number_is_the_same_input_in_a_column_of_floats(options):
    spec = {**options["spec"], "task": {**options["spec"]["task"], "inputs": {"size": {"column": "size"}}}}
    rowcite.enrich(pl.DataFrame({"size": [300, None]}), spec, ledger=options["ledger"])
    floats = pd.DataFrame({"size": [300.0, None]})
    planned = rowcite.plan(floats, spec, ledger=options["ledger"])
    assert (planned.tasks, planned.answered) == (1, 1)


def test_an_arrow_table_keeps_its_types_chunks_and_metadata(options):
    given = pa.concat_tables([table(), table()])
    after = rowcite.enrich(given, **options)
    assert after.select(given.schema.names).equals(given)
    assert after.schema.metadata == {b"owner": b"revops"}
    assert after.schema.field("map").type == pa.map_(pa.string(), pa.int16())
    assert after.column("map").num_chunks == 2  # nothing of it is copied


def test_a_batch_without_rows_gives_a_batch_without_rows(options):
    after = rowcite.enrich(table().to_batches()[0].slice(0, 0), **options)
    assert isinstance(after, pa.RecordBatch)
    assert after.num_rows == 0


# --- pandas ----------------------------------------------------------------------------------------------


def odd_pandas(index):
    return pd.DataFrame(
        {
            "name": NAMES,
            "website": SITES,
            7: [1, 2, 3],
            "kind": pd.Categorical(["a", "b", "a"], categories=["b", "a"], ordered=True),
            "count": pd.array([1, None, 3], "Int16"),
            "seen": pd.date_range("2024-01-01", periods=3, tz="Europe/Berlin", unit="ns"),
            "month": pd.period_range("2024-01", periods=3, freq="M"),
            "mixed": [{"a"}, 1, [None]],
            "ratio": np.array([1.5, np.nan, 2], dtype="float32"),
        },
        index=index,
    )


INDEXES = {
    "range": pd.RangeIndex(10, 16, 2, name="n"),
    "named": pd.Index(["x", "y", "z"], name="id"),
    "repeated": pd.Index([1, 1, 1]),
    "of several levels": pd.MultiIndex.from_tuples([("a", 1), ("a", 1), ("b", 2)], names=["k", None]),
    "of times": pd.date_range("2024-01-01", periods=3, tz="UTC", name="at"),
    "of categories": pd.CategoricalIndex(["u", "v", "u"]),
}


@pytest.mark.parametrize("index", INDEXES)
def test_a_pandas_frame_keeps_its_index_its_labels_and_every_type(options, index):
    given = odd_pandas(INDEXES[index])
    given.columns.name, given.attrs = "labels", {"source": "crm"}
    after = rowcite.enrich(given, **options)
    pd.testing.assert_frame_equal(after[list(given.columns)], given)
    pd.testing.assert_index_equal(after.index, given.index, exact=True)
    assert (after.columns.name, after.attrs) == ("labels", {"source": "crm"})
    assert list(after["rowcite_status"]) == STATUSES


def test_the_new_columns_of_a_pandas_frame_have_types_with_missing_values(options):
    after = rowcite.enrich(odd_pandas(None), **options)
    types = {
        name: str(after[name].dtype) for name in ("founded_year", "rowcite_status", "founded_year_citations")
    }
    assert types == {"founded_year": "Int64", "rowcite_status": "str", "founded_year_citations": "object"}
    (url,) = after["founded_year_citations"][1]
    assert url.endswith("acme.html")


def test_a_named_level_of_an_index_can_be_an_input(options):
    given = pd.DataFrame({"website": SITES}, index=pd.Index(NAMES, name="name"))
    after = rowcite.enrich(given, **options)
    assert list(after["rowcite_status"]) == STATUSES
    assert "name" not in after.columns
    pd.testing.assert_index_equal(after.index, given.index)


def test_a_level_of_an_index_is_not_filled(filling):
    given = pd.DataFrame({"name": NAMES, "website": SITES}, index=pd.Index([1, 2, 3], name="founded_year"))
    with pytest.raises(
        rowcite.TableError, match="'founded_year' is a level of the index, which cannot be filled"
    ):
        rowcite.enrich(given, **filling)


def test_an_empty_pandas_frame_gets_its_columns(options):
    after = rowcite.enrich(odd_pandas(None).head(0), **options)
    assert len(after) == 0
    assert list(after.columns) == list(rowcite.enrich(odd_pandas(None), **options).columns)


FILLED = {
    "Int64": pd.array([5, None, None], "Int64"),
    "float64": [5.0, None, None],
    "int64 of Arrow": pd.array([5, None, None], pd.ArrowDtype(pa.int64())),
}


@pytest.mark.parametrize("kind", FILLED)
def test_found_values_go_into_a_pandas_column_of_its_own_type(filling, kind):
    given = pd.DataFrame({"name": NAMES, "founded_year": FILLED[kind], "website": SITES}, index=[3, 3, 3])
    after = rowcite.enrich(given, **filling)
    assert after["founded_year"].dtype == given["founded_year"].dtype
    assert after["founded_year"].fillna(0).to_list() == [5, 1999, 0]
    assert given["founded_year"].fillna(0).to_list() == [5, 0, 0]
    assert list(after.columns[:3]) == ["name", "founded_year", "website"]


@pytest.mark.parametrize("kind", ["int16", "float32", "object", pd.ArrowDtype(pa.int16())])
def test_found_values_overwrite_those_of_a_pandas_column_in_its_own_type(options, kind):
    spec = {**options["spec"], "columns": {"existing": "overwrite"}}
    given = pd.DataFrame({"name": NAMES, "founded_year": pd.Series([5, 6, 7], dtype=kind), "website": SITES})
    after = rowcite.enrich(given, spec, ledger=options["ledger"])
    assert after["founded_year"].dtype == given["founded_year"].dtype
    assert after["founded_year"].to_list() == [5, 1999, 7]


@pytest.mark.parametrize("blank", [[None] * 3, [float("nan")] * 3, pd.array([None] * 3, "Int64")])
def test_a_pandas_column_without_values_takes_the_type_of_its_field(filling, blank):
    given = pd.DataFrame({"name": NAMES, "founded_year": blank, "website": SITES})
    after = rowcite.enrich(given, **filling)
    assert str(after["founded_year"].dtype) == "Int64"
    assert after["founded_year"].fillna(0).to_list() == [0, 1999, 0]


def test_a_found_text_becomes_a_category_of_a_pandas_column(options):
    task = {
        **options["spec"]["task"],
        "outputs": {"founded": {"type": "string", "description": "Year founded"}},
    }
    spec = {**options["spec"], "task": task, "columns": {"existing": "fill"}}
    given = pd.DataFrame({"name": NAMES, "website": SITES, "founded": pd.Categorical([None, None, "old"])})
    after = rowcite.enrich(given, spec, ledger=options["ledger"])
    assert after["founded"].dtype.name == "category"
    assert after["founded"].cat.categories[0] == "old"
    assert after["founded"].astype(object)[1] == "1999"


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (pd.DataFrame({("name", "a"): ["x"]}), rowcite.TableError, "several levels. Flatten"),
        (
            pd.DataFrame([["x", "y"]], columns=["name", "name"]),
            rowcite.TableError,
            "more than one column is named",
        ),
        (
            pd.DataFrame({"name": ["x", 1], "website": None}),
            rowcite.TableError,
            'column "name" has values of several types',
        ),
        (
            pd.DataFrame({"name": ["x"]}, pd.Index([1], name="founded_year")),
            rowcite.SpecError,
            "the table has",
        ),
        (pd.Series(["x"], name="name"), rowcite.InputError, "cannot enrich a Series"),
        (pl.Series("name", ["x"]), rowcite.InputError, "cannot enrich a Series, which has no columns"),
        (
            pa.table([["x"], ["y"]], names=["name", "name"]),
            rowcite.TableError,
            "more than one column is named 'name'",
        ),
        (pd.DataFrame({"name": ["x"], "*": [1]}), rowcite.TableError, r"column '\*' is a pattern"),
    ],
)
def test_what_is_not_a_table_is_refused_before_anything_is_sent(options, given, error, message):
    with pytest.raises(error, match=message):
        rowcite.enrich(given, **options)


# --- duckdb ----------------------------------------------------------------------------------------------


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE own AS SELECT 'Acme Oy' AS name, 7 AS owner")
        yield connection


ODD_TYPES = """
    SELECT 'Acme Oy' AS name, NULL::VARCHAR AS website, uuid() AS "an ""id"" of it", 1::HUGEINT AS big, 'x'::ENUM('x', 'y') AS kind,
    MAP {'k': 1} AS map, [1, 2] AS list, {'a': 1} AS pair, INTERVAL 1 DAY AS day, TIME '10:00' AS at, 1.5::DECIMAL(9, 2) AS price,
    '10110'::BIT AS bits, ['101'::BIT] AS flags, '10:00:00+02'::TIMETZ AS until, 340282366920938463463374607431768211455::UHUGEINT AS huge,
    union_value(num := 2) AS either, 'a'::BLOB AS bytes, '{"a": 1}'::JSON AS json
"""


def test_a_relation_is_given_back_on_its_own_connection_with_its_types(options, connection):
    connection.execute(f"CREATE TABLE given AS {ODD_TYPES}")
    given = connection.table("given")
    after = rowcite.enrich(given, **options)
    count = len(given.columns)
    assert (after.columns[:count], after.types[:count]) == (given.columns, given.types)
    assert after.fetchall()[0][:count] == given.fetchall()[0]
    joined = after.join(connection.table("own"), "name").select("owner, founded_year").fetchall()
    assert joined == [(7, 1999)]
    assert connection.sql("SELECT founded_year FROM after").fetchall() == [(1999,)]
    assert connection.sql("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall() == []


def test_columns_of_a_relation_that_differ_only_in_case_are_kept_apart(options, connection):
    given = connection.sql("SELECT 'Acme Oy' AS name, NULL::VARCHAR AS website, 5::UTINYINT AS Founded_Year")
    after = rowcite.enrich(given, **options)
    row = dict(zip(after.columns, after.fetchall()[0], strict=True))
    assert row["Founded_Year"] == 5
    assert [value for name, value in row.items() if name.lower().startswith("founded_year")][1] == 1999


def test_a_column_of_a_relation_without_a_type_can_be_filled(filling, connection):
    given = connection.sql("SELECT 'Acme Oy' AS name, NULL::VARCHAR AS website, NULL AS founded_year")
    after = rowcite.enrich(given, **filling)
    assert after.select("founded_year").fetchall() == [(1999,)]


def test_a_relation_whose_connection_looks_for_no_variables_is_given_back_all_the_same(options, connection):
    connection.execute("SET python_enable_replacements = false")
    after = rowcite.enrich(connection.sql("SELECT 'Acme Oy' AS name, NULL AS website"), **options)
    assert after.select("founded_year").fetchall() == [(1999,)]


# --- inputs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pandas", "pyarrow", "duckdb"])
def test_where_and_limit_hold_for_a_frame_as_for_a_file(options, kind):
    frame = {"name": NAMES, "website": SITES, "size": [1.0, 5.0, None]}
    given = {
        "pandas": pd.DataFrame,
        "pyarrow": pa.table,
        "duckdb": lambda item: duckdb.from_arrow(pa.table(item)),
    }[kind](frame)
    spec = {**options["spec"], "input": {"where": "size > 2"}}
    result = rowcite.run(given, spec, ledger=options["ledger"], limit=1)
    statuses = list(pl.DataFrame(pa.table(result.table))["rowcite_status"])
    assert statuses == ["skipped", "completed", "skipped"]
    assert (result.plan.requested, result.summary.exit_code) == (1, 0)


def test_labels_and_rows_of_an_evaluation_can_be_frames(options):
    given = pd.DataFrame({"id": ["a", "b", "c"], "name": NAMES, "website": SITES})
    truth = pa.table({"id": ["b"], "founded_year": [1999]})
    found = rowcite.evaluate(given, options["spec"], truth, key="id", ledger=options["ledger"])
    assert found.frame().select("field", "right").rows() == [("founded_year", 1)]
