"""The spec's values: what is taken, and as what."""

from datetime import timedelta

import pytest

from rowcite.errors import Problem, SpecError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1_800),
        ("2h", 7_200),
        ("90d", 7_776_000),
        ("1.5h", 5_400),
        (" 2 h ", 7_200),
        (None, None),
    ],
)
def test_a_duration_is_a_number_and_a_unit(make_spec, text, seconds):
    found = make_spec(limits={"deadline": text}).limits.deadline
    assert found == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize("value", ["", "2", "h", "2w", "-2h", "2h30m", "1e3s", 90, True, [], "9" * 400 + "d"])
def test_what_is_no_duration_is_refused(make_spec, value):
    with pytest.raises(SpecError, match=r"limits\.deadline"):
        make_spec(limits={"deadline": value})


@pytest.mark.parametrize(
    ("value", "most"),
    [(0, 0), (12, 12), ("5%", 0.05), ("0.5 %".replace(" ", ""), 0.005), ("100%", 1.0), (0.25, 0.25)],
)
def test_max_failed_is_rows_or_a_share(make_spec, value, most):
    found = make_spec(limits={"max_failed": value}).limits.max_failed
    assert found == most
    assert type(found) is type(most)


@pytest.mark.parametrize("value", ["101%", "5", "%", -1, 1.5, True, None, "five"])
def test_what_is_neither_rows_nor_a_share_is_refused(make_spec, value):
    with pytest.raises(SpecError, match=r"limits\.max_failed"):
        make_spec(limits={"max_failed": value})


@pytest.mark.parametrize(
    ("written", "host"),
    [("sec.gov", "sec.gov"), (".gov", ".gov"), ("SEC.GOV", "sec.gov"), ("sec.gov.", "sec.gov"), (" sec.gov ", "sec.gov"), ("münchen.de", "münchen.de"), ("localhost", "localhost"), ("a-b.c_d.org", "a-b.c_d.org")],
)  # fmt: skip
def test_a_domain_is_a_bare_host_name(make_spec, written, host):
    assert make_spec(accept={"trusted_domains": [written]}).accept.trusted_domains == (host,)


@pytest.mark.parametrize(
    "written",
    ["https://sec.gov", "sec.gov/edgar", "//sec.gov", "sec.gov:443", "u@sec.gov", "*.gov", "", ".", "..gov", "sec..gov", "a b.gov", "sec.gov?x", "sec.gov\nx", "-a.gov", 5, None],
)  # fmt: skip
def test_what_is_more_or_less_than_a_host_name_is_refused(make_spec, written):
    for key in ("trusted_domains", "distrusted_domains"):
        with pytest.raises(SpecError, match=rf"{key}\.0`"):
            make_spec(accept={key: [written]})


@pytest.mark.parametrize("value", ["low", "medium", "high", 0, 0.7, 1, None])
def test_min_confidence_is_a_word_or_a_number_from_0_to_1(make_spec, value):
    assert make_spec(accept={"min_confidence": value}).accept.min_confidence == value


def test_a_number_in_quotes_is_taken_where_a_number_is_wanted(make_spec):
    limits = make_spec(limits={"max_cost_usd": "12.5", "concurrency": "4"}).limits
    assert (limits.max_cost_usd, limits.concurrency) == (12.5, 4)


@pytest.mark.parametrize(("short", "long"), [("integer", {"type": "integer"}), ("date", {"type": "date"})])
def test_a_field_can_be_its_type_alone(make_spec, short, long):
    assert make_spec({"outputs": {"a": short}}).task == make_spec({"outputs": {"a": long}}).task


@pytest.mark.parametrize("text", ["Main industry", "Industry", "The date of the last round", "CEO"])
def test_a_text_field_can_be_its_description_alone(make_spec, text):
    long = {"type": "string", "description": text}
    assert make_spec({"outputs": {"a": text}}).task == make_spec({"outputs": {"a": long}}).task


def test_an_output_can_be_its_description_alone(make_spec):
    task = {"output": "The founding year"}
    assert make_spec(task).task == make_spec({"output": {"description": "The founding year"}}).task


def test_defaults_are_those_of_the_contract(make_spec):
    spec = make_spec()
    limits, columns = spec.limits, spec.columns
    assert (limits.requests_per_minute, limits.concurrency, limits.active_runs, limits.max_cost_usd) == (
        2_000,
        8,
        10_000,
        25,
    )
    assert (limits.max_total_usd, limits.deadline, limits.max_failed, spec.cache.max_age) == (
        None,
        None,
        0,
        None,
    )
    assert (columns.confidence, columns.citations, columns.reasoning, columns.formulas, columns.prefix) == (
        True,
        "urls",
        False,
        "escape",
        "",
    )
    assert (
        spec.accept.min_confidence,
        spec.accept.min_citations,
        spec.backend,
        spec.input.csv.null_values,
    ) == (None, 0, "parallel", ("",))


def test_a_spec_cannot_be_changed(make_spec):
    with pytest.raises(ValueError, match="frozen"):
        make_spec().name = "other"


def test_a_problem_without_a_line_names_the_file_alone():
    assert Problem("wrong").at("s.yaml") == "s.yaml: wrong"
    assert Problem("wrong", 3, 7).at("s.yaml") == "s.yaml:3:7: wrong"


def test_a_problem_points_at_the_nearest_place_that_stands_in_the_text(make_spec):
    spec = make_spec().model_copy(update={"marks": {(): (1, 1), ("task",): (2, 7)}, "file": "s.yaml"})
    assert str(spec.problem(("task", "outputs", "x"), "wrong")) == "s.yaml:2:7: wrong"
    assert str(spec.problem(("limits",), "wrong")) == "s.yaml:1:1: wrong"
