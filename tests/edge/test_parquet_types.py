"""Parquet columns are passed through as Arrow has them, whatever their types. `ROWCITE_EXAMPLES=5000` tries more tables."""

import csv
import datetime as dt
import io
import json
from decimal import Context, Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from rowcite.errors import TableError
from rowcite.pipeline.spec_file import parse_spec
from rowcite.spec.models import CsvOptions
from rowcite.table.columns import column_type_problems
from rowcite.table.sinks import open_table
from rowcite.table.sources import open_source
from rowcite.table.sources.arrow_types import to_frame
from support import examples

EXAMPLES = examples(40)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
EXACT = Context(prec=80)
UNITS = st.sampled_from(["s", "ms", "us", "ns"])
ZONES = st.sampled_from(
    [None, "UTC", "Europe/Berlin", "+05:30", "-00:00", "Z", "UTC+3", "America/New_York", "EST5EDT"]
)
READS_FIXED_LISTS = (
    int(pa.__version__.split(".")[0]) >= 26
)  # older ones cannot write and read nulls among them
SCALARS = st.one_of(
    st.sampled_from(
        [
            *(pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.bool_(), pa.null()),
            *(pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()),
            *(pa.binary(3), pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
            *(pa.decimal32(5, 2), pa.decimal64(12, 0), pa.decimal128(38, 5), pa.decimal256(60, 4), pa.uuid()),
            pa.json_(pa.string()),
        ]
    ),
    st.builds(pa.timestamp, UNITS, ZONES),
    st.builds(pa.duration, UNITS),
)  # fmt: skip
DICTIONARIES = st.builds(
    pa.dictionary,
    st.sampled_from([pa.int8(), pa.int32(), pa.int64()]),
    st.sampled_from([pa.string(), pa.large_string(), pa.int64(), pa.binary(), pa.decimal128(9, 2), pa.timestamp("us", "+05:30")]),
    st.booleans(),
)  # fmt: skip


def nested(inner):
    fields = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(
        inner.map(pa.list_),
        inner.map(pa.large_list),
        inner.map(lambda kind: pa.list_(pa.field("item", kind, nullable=pa.types.is_null(kind)))),
        *([inner.map(lambda kind: pa.list_(kind, 2))] if READS_FIXED_LISTS else []),
        fields.map(lambda kinds: pa.struct([pa.field(f"m{at}", kind) for at, kind in enumerate(kinds)])),
        inner.map(lambda kind: pa.map_(pa.string(), kind)),
    )


def is_built(kind):
    """Return True if Arrow builds arrays of a type from Python values."""
    try:
        pa.array([None], kind)
    except pa.ArrowException:
        return False
    return not isinstance(kind, pa.BaseExtensionType)


LEAVES = st.one_of(SCALARS, DICTIONARIES).filter(is_built)
KINDS = st.one_of(SCALARS, DICTIONARIES, st.recursive(LEAVES, nested, max_leaves=3))


def values(kind):  # noqa: C901, PLR0912 - one line a type
    """Return a strategy of values of a type, as Arrow takes them."""
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return values(kind.storage_type) if kind != pa.json_(pa.string()) else st.just('{"a": 1}')
    if types.is_dictionary(kind):
        return values(kind.value_type)
    if types.is_struct(kind):
        return st.fixed_dictionaries({f.name: optional(f.type) for f in kind.fields})
    if types.is_map(kind):
        return st.lists(st.tuples(TEXT, optional(kind.item_type)), max_size=2, unique_by=lambda pair: pair[0])
    if types.is_fixed_size_list(kind):
        return st.lists(optional(kind.value_type), min_size=kind.list_size, max_size=kind.list_size)
    if types.is_list(kind) or types.is_large_list(kind):
        return st.lists(
            optional(kind.value_type) if kind.value_field.nullable else values(kind.value_type), max_size=3
        )
    if types.is_null(kind):
        return st.none()
    if types.is_boolean(kind):
        return st.booleans()
    if types.is_integer(kind):
        return (
            st.integers(0, 2**kind.bit_width - 1)
            if types.is_unsigned_integer(kind)
            else st.integers(-128, 127)
        )
    if types.is_floating(kind):
        return st.floats(width=kind.bit_width, allow_nan=False)
    if types.is_decimal(kind):
        most = 10**kind.precision - 1
        return st.integers(-most, most).map(lambda n: Decimal(n).scaleb(-kind.scale, EXACT))
    if types.is_timestamp(kind) or types.is_duration(kind):
        return st.integers(-(2**31), 2**31)
    if types.is_date(kind):
        return st.dates(dt.date(1, 1, 2))
    if types.is_time(kind):
        return st.times().map(lambda time: time.replace(microsecond=0))
    if types.is_fixed_size_binary(kind):
        return st.binary(min_size=kind.byte_width, max_size=kind.byte_width)
    return st.binary(max_size=4) if "binary" in str(kind) else TEXT


def optional(kind):
    return st.one_of(st.none(), values(kind))


def array(kind, items):
    """Return an array, through the values of types that Arrow does not build from values."""
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, array(kind.storage_type, items))
    if pa.types.is_dictionary(kind):
        found = array(kind.value_type, items).dictionary_encode()
        return pa.DictionaryArray.from_arrays(
            found.indices.cast(kind.index_type), found.dictionary, ordered=kind.ordered
        )
    return pa.array(items, kind)


@st.composite
def tables(draw):
    kinds = draw(st.lists(KINDS, min_size=1, max_size=3))
    rows = draw(st.integers(0, 4))
    arrays = [array(kind, draw(st.lists(optional(kind), min_size=rows, max_size=rows))) for kind in kinds]
    meta = st.sampled_from([None, {"k": "v"}, {"k": b"\xff"}])
    fields = [pa.field(f"c{at}", item.type, metadata=draw(meta)) for at, item in enumerate(arrays)]
    return pa.table(arrays, pa.schema(fields, metadata=draw(meta)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("parquet")


def passed_through(folder, table, name):
    """Write a table to Parquet, read it as rowcite does, and write it with an added column; return both files."""
    try:
        pq.write_table(table, folder / "in.parquet", row_group_size=2)
    except pa.ArrowException:  # Arrow does not write some dictionaries and lists
        reject()
    source = open_source(str(folder / "in.parquet"), None, CsvOptions())
    with open_table(str(folder / name), source, pl.Schema({"added": pl.String})) as write:
        for rows in source.batches():
            assert rows.frame.columns == table.column_names
            write(rows, pl.DataFrame({"added": ["x"] * rows.frame.height}, schema={"added": pl.String}))
    return folder / "in.parquet", folder / name


@settings(max_examples=EXAMPLES, deadline=None)
@given(tables())
def test_columns_of_every_type_are_passed_through_with_type_and_metadata(folder, table):
    before, after = map(pq.read_table, passed_through(folder, table, "out.parquet"))
    kept = after.select(before.column_names)
    assert kept.schema.equals(before.schema, check_metadata=True)
    assert kept.equals(before)
    assert after["added"].to_pylist() == ["x"] * table.num_rows


@settings(max_examples=EXAMPLES, deadline=None)
@given(tables())
def test_every_type_has_a_form_in_csv_and_json_lines(folder, table):
    _, out = passed_through(folder, table, "out.csv")
    rows = list(csv.reader(io.StringIO(out.read_bytes().decode(), newline="")))
    assert rows[0] == [*table.column_names, "added"]
    assert len(rows) == table.num_rows + 1
    _, out = passed_through(folder, table, "out.jsonl")
    lines = out.read_bytes().split(b"\n")[:-1]
    assert [list(json.loads(line)) for line in lines] == [[*table.column_names, "added"]] * table.num_rows


def test_a_time_with_an_offset_is_read_as_the_same_moment(tmp_path):
    moment = dt.datetime(2024, 1, 2, 3, 4, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))
    pq.write_table(pa.table({"at": pa.array([moment], pa.timestamp("us", "+05:30"))}), tmp_path / "t.parquet")
    source = open_source(str(tmp_path / "t.parquet"), None, CsvOptions())
    (rows,) = source.batches()
    assert rows.frame["at"].to_list() == [moment]
    assert rows.arrow.schema.field("at").type == pa.timestamp("us", "+05:30")


def test_a_decimal_of_many_digits_is_passed_through_and_sent_as_text(tmp_path):
    amount = Decimal("12345678901234567890123456789012345678901.50")
    pq.write_table(pa.table({"amount": pa.array([amount], pa.decimal256(50, 2))}), tmp_path / "t.parquet")
    (rows,) = open_source(str(tmp_path / "t.parquet"), None, CsvOptions()).batches()
    assert rows.frame["amount"].to_list() == [str(amount)]


@pytest.mark.parametrize("kind", [pa.decimal256(50, 2), pa.uuid(), pa.dictionary(pa.int8(), pa.int64())])
def test_a_column_that_polars_reads_as_another_type_is_not_filled(kind):
    spec = parse_spec(
        {
            "name": "t",
            "columns": {"existing": "fill"},
            "task": {"processor": "core", "prompt": "{name}", "outputs": {"found": "string"}},
        }
    )
    table = pa.schema([("name", pa.string()), ("found", kind)])
    frame = to_frame(table.empty_table())
    (problem,) = column_type_problems(spec, frame.schema, table)
    assert problem.startswith(f'column "found" is {kind}, and the field `found` is string')


def test_two_members_of_a_struct_with_one_name_are_rejected_by_name(tmp_path):
    pair = pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], ["x", "x"])
    pq.write_table(pa.table({"s": pa.ListArray.from_arrays([0, 1], pair)}), tmp_path / "t.parquet")
    with pytest.raises(TableError, match=r"more than one column is named \['s\.element\.x'\]"):
        open_source(str(tmp_path / "t.parquet"), None, CsvOptions())


@pytest.mark.parametrize("kind", [pa.list_view(pa.string()), pa.large_list_view(pa.string())])
def test_a_view_of_lists_has_its_elements_beside_nulls(kind):
    values = [None, [], None, ["a", None], ["b"]]
    assert to_frame(pa.table({"a": pa.array(values, kind)}))["a"].to_list() == values
