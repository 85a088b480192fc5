"""Rules over a row: their grammar, their errors, and null logic."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowcite.accept.expressions import RuleError
from rowcite.accept.rules import parse
from rowcite.spec.fields import Field, FieldType

KINDS = {
    "count": FieldType("integer"),
    "share": FieldType("number"),
    "stage": FieldType("string"),
    "name": FieldType("string"),
    "public": FieldType("boolean"),
    "founded": FieldType("date"),
    "closed": FieldType("date"),
    "products": FieldType("array", items=FieldType("string")),
    "ceo": FieldType("object", properties=(("name", FieldType("string")),)),
    "two words": FieldType("integer"),
    "size": FieldType("string", choices=("Small", "Large")),
    "years": FieldType("array", items=FieldType("integer")),
    "moved": FieldType("array", items=FieldType("date")),
}
FIELDS = [Field(name, kind, name) for name, kind in KINDS.items()]
ROW = {
    "count": 230, "share": 0.5, "stage": "Seed", "name": "Acme", "public": True, "founded": date(1999, 5, 1),
    "closed": None, "products": ["a", "b"], "ceo": {"name": "A"}, "two words": 2,
    "size": "Small", "years": [1999, 2001], "moved": [date(1999, 5, 1)],
}  # fmt: skip


def broken(text, **values):
    return parse(text, FIELDS).broken({**ROW, **values})


@pytest.mark.parametrize(
    "text",
    [
        "count > 0", "count = 230", "count == 230", "count <> 1", "count != 1", "0 < count <= 230", "count >= share", "count < 1e9", "-count < 0",
        "stage in ('Seed', 'Series A')", "stage IN ('Seed')", "stage in ['Seed']", "stage not in ('Public',)", "count in (229, 230)",
        "lower(stage) = 'seed'", "len(name) = 4", "len(products) >= 2", "'a' in products", "abs(-count) = 230", "year(founded) < 2000",
        "founded > '1990-01-01'", "'1990-01-01' <= founded", "founded in ('1999-05-01',)", "public", "not not public", "public = true", "public = TRUE",
        "closed is null", "closed IS NULL or closed > founded", "founded is not null AND NOT closed is not null", "ceo is not null",
        "count * 2 + 1 = 461", "count / 2 = 115", "count // 100 = 2", "count % 7 = 6", "(count > 9 or stage = 'x') and share < 1",
        "field('two words') = 2", "size = 'Small'", "'Large' <> field('size')", "size in ('Small', 'Large')", "lower(size) = 'small'",
        "size < 'T'", "1999 in years", "count not in years", "'1999-05-01' in moved", "founded in moved", "count >\n  0", 'stage = "Seed"', "count>0and share>0",
    ],
)  # fmt: skip
def test_a_rule_that_holds_is_not_broken(text):
    assert not broken(text)


@pytest.mark.parametrize(
    "text",
    [
        "count > 230", "count <> 230", "0 < count < 230", "stage in ('Public')", "stage not in ('Seed')", "'c' in products", "not public",
        "founded is null", "founded < '1999-05-01'", "count > 0 and share > 1", "count < 0 or share > 1", "public = false", "closed is not null",
    ],
)  # fmt: skip
def test_a_rule_that_does_not_hold_is_broken(text):
    assert broken(text)


@pytest.mark.parametrize(
    ("text", "is_broken"),
    [
        ("count > 0", False), ("not count > 0", False), ("count + 1 > 0", False), ("-count > 0", False), ("count in (1, 2)", False),
        ("count not in (1, 2)", False), ("0 < count < share", False), ("0.9 < share < count", True), ("count > 0 and share > 1", True), ("count > 0 and share < 1", False),
        ("count > 0 or share > 1", False), ("count > 0 or null", False), ("count is null", False), ("count is not null", True), ("abs(count) > 1", False),
    ],
)  # fmt: skip
def test_an_unknown_value_does_not_break_a_rule(text, is_broken):
    assert broken(text, count=None) is is_broken


@pytest.mark.parametrize(
    "text", ["count / 0 > 1", "count % 0 > 1", "count * 1e308 * 1e308 // 1 > 1", "count // share > 0"]
)
def test_a_result_that_cannot_be_computed_is_unknown(text):
    assert not broken(text, share=0.0)


def test_a_field_missing_from_the_row_is_unknown():
    assert not parse("count > 0", FIELDS).broken({})


def test_a_rule_lists_each_field_that_it_names_once():
    assert parse("count > 0 and (stage = 'x' or count < 9)", FIELDS).fields == ("count", "stage")
    assert parse("field('two words') > count", FIELDS).fields == ("two words", "count")


def test_a_field_may_have_the_name_of_an_sql_keyword():
    fields = [Field("null", FieldType("integer"), "null"), Field("in", FieldType("integer"), "in")]
    assert parse("field('in') > field('null')", fields).broken({"in": 1, "null": 2})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cuont > 0", "`cuont` is not a field: did you mean `count`?"),
        ("COUNTS > 0", "`COUNTS` is not a field: did you mean `count`?"),
        ("zzz > 0", "`zzz` is not a field: fields: count, share"),
        ("field('two word') > 0", "`two word` is not a field: did you mean `two words`?"),
        ("field(count) > 0", "field() takes a field's name in quotes"),
        ("count > 'many'", "`count` is a number and `'many'` is a text"),
        ("count > name", "`count` is a number and `name` is a text"),
        ("public > true", "`public` is true or false: it can only be compared with = and <>"),
        ("products = 'a'", "`products` is a list and `'a'` is a text"),
        ("ceo = 'a'", "`ceo` is an object and `'a'` is a text"),
        ("size = 'small'", "`'small'` is not a choice of the field: did you mean 'Small'?"),
        ("'Huge' <> size", "`'Huge'` is not a choice of the field: choices: Small, Large"),
        ("size in ('Small', 'Big')", "`'Big'` is not a choice of the field"),
        ("'1999' in years", "`'1999'` is a text and `an element of years` is a number"),
        ("1 in products", "`1` is a number and `an element of products` is a text"),
        ("'soon' in moved", "`soon` is compared with a date, but is not one"),
        ("founded > '1999'", "`1999` is compared with a date, but is not one (YYYY-MM-DD)"),
        ("count = null", "no value equals null: write `count is null` or `count is not null`"),
        ("count is 5", "`is` is only for null: write `count = 5`"),
        ("count", "it returns a number, not true or false: add a comparison"),
        ("1 < 2", "it names no field. Fields: count"),
        ("stage in name", "`name` is a text, and `in` needs a list such as ('a', 'b')"),
        ("stage in ('a', name)", "`name` in a list: a list has values only"),
        ("stage in ('a', 1)", "`stage` is a text and `1` is a number"),
        ("name + 'x' = 'y'", "`name` is a text, not a number: arithmetic needs numbers"),
        ("count ** 9 > 0", "rules support the operators + - * / // and % only"),
        ("lenn(name) > 1", "lenn() is not a function of rules: did you mean len()?"),
        ("len(count) > 1", "len() takes a text or a list, and `count` is a number"),
        ("len(name, 1) > 1", "len() takes one value"),
        ("name.upper() = 'A'", "name.upper() is not a function of rules"),
        ("__import__('os').system('x') = 0", "is not a function of rules"),
        ("name.x = 1", "`name.x` is not supported in rules"),
        ("products[0] = 'a'", "`products[0]` is not supported in rules"),
        ("[x for x in products] = 1", "is not supported in rules"),
        ("(lambda: count)() > 0", "is not a function of rules"),
        ("count > 0 if public else public", "is not supported in rules"),
        ("(count := 5) > 0", "is not supported in rules"),
        ("f'{name}' = 'x'", "is not supported in rules"),
        ("name = b'x'", "`b'x'` is not a supported value"),
        ("~count > 0", "is not supported in rules"),
        ("count and public", "`count` is a number, not true or false"),
        ("name = 'it''s'", "two texts side by side"),
        ("count >", "not an expression"), ("(count > 0", "not an expression"), ("count > 0; 1", "not an expression"), ("", "not an expression"),
        ("count > 0 &&  1", "not an expression"), ("(" * 300 + "count > 0" + ")" * 300, "not an expression"),
        ("not " * 60 + "public", "nested more than 50 levels deep"), ("count > 0 " + "or count > 0 " * 200, "at most 1,000 characters"),
    ],
)  # fmt: skip
def test_an_invalid_rule_raises_an_error_with_the_reason(text, message):
    with pytest.raises(RuleError) as raised:
        parse(text, FIELDS)
    assert message in str(raised.value)


PIECES = st.sampled_from(
    [*KINDS, "null", "true", "'Seed'", "0", "1.5", "'2020-01-01'", "=", "<>", "<", ">", ">=", "(", ")", ",", "in", "not", "and",
     "or", "is", "+", "-", "*", "/", "%", "len(", "lower(", "year(", "field('two words')", ".", "[", "]", "lambda", ":", "\n"]
)  # fmt: skip


@given(st.one_of(st.lists(PIECES, max_size=12).map(" ".join), st.text(max_size=20)), st.booleans())
def test_any_text_is_a_rule_or_a_rule_error_and_a_rule_never_raises(text, blank):
    try:
        rule = parse(text, FIELDS)
    except RuleError:
        return
    assert rule.broken({} if blank else ROW) in (True, False)
