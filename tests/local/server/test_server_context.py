"""Earlier interactions as context, and the basis of list elements."""

import json

import httpx
import pytest

from rowcite.local.research.corpus import open_corpus
from rowcite.local.research.question import Finding
from rowcite.local.server.answering import PreviousInteraction, fill_nulls, with_context
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.list_elements import with_elements
from rowcite.local.server.serving import embedded
from rowcite.model import Citation, FieldBasis
from support import WEB

CITED = (Citation("https://acme.example/", None, ("Acme was founded in 1998 and makes Bolts.",)),)
YEAR = FieldBasis("founded_year", "The site says so.", CITED, "high")
LISTED = {"parallel-beta": "field-basis-2025-11-25"}


def earlier(given=None, **content):
    return PreviousInteraction("trun_1", given or {"name": "Acme Ltd", "country": "Norway"}, content, (YEAR,))


def finding(**content):
    basis = tuple(FieldBasis(name, "Nothing says so.", (), "low") for name in content)
    return Finding("json", content, basis)


def test_an_unknown_interaction_is_422_with_its_place(plain):
    body = {"processor": "core", "input": "a", "previous_interaction_id": "trun_0"}
    answer = plain.post("/v1/tasks/runs", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["detail"]["errors"][0]["loc"] == ["body", "previous_interaction_id"]


def test_a_run_of_a_batch_with_an_unknown_interaction_names_its_place(plain, batch):
    path = "/v1/tasks/groups/" + plain.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    body = batch("a", "b")
    body["inputs"][1]["previous_interaction_id"] = "trun_0"
    answer = plain.post(f"{path}/runs", json=body)
    assert answer.json()["detail"][0]["loc"] == ["body", "inputs", 1, "previous_interaction_id"]


def test_a_follow_up_question_is_researched_with_the_earlier_input(start, answers):
    client = start()
    first = client.post("/v1/tasks/runs", json={"processor": "core", "input": "Acme Ltd, Oslo"}).json()
    client.get(f"/v1/tasks/runs/{first['run_id']}/result")
    body = {"processor": "core", "input": "Who leads it?", "previous_interaction_id": first["interaction_id"]}
    second = client.post("/v1/tasks/runs", json=body).json()
    client.get(f"/v1/tasks/runs/{second['run_id']}/result")
    assert answers.questions[1].input == "Who leads it?\nAcme Ltd, Oslo"
    shown = client.get(f"/v1/tasks/runs/{second['run_id']}/input").json()
    assert shown["input"] == "Who leads it?"


def test_an_input_about_the_same_entity_gets_what_identifies_it():
    given = {"company": "Acme", "country": "NO"}
    known = earlier(website="acme.example", employee_count=230)
    assert with_context(given, known) == {
        "website": "acme.example",
        "name": "Acme Ltd",
        "country": "NO",
        "company": "Acme",
    }


def test_an_input_about_another_entity_gets_nothing():
    given = {"company": "Umbrella", "country": "Norway"}
    assert with_context(given, earlier(website="acme.example")) == given


def test_a_null_is_filled_with_the_earlier_value_and_evidence():
    filled = fill_nulls(finding(founded_year=None), {"company": "Acme"}, earlier(founded_year=1998))
    (basis,) = filled.basis
    assert filled.content == {"founded_year": 1998}
    assert basis.citations == CITED
    assert basis.reasoning == "From the earlier interaction trun_1: The site says so."


def test_a_new_value_is_kept():
    found = finding(founded_year=2001)
    assert fill_nulls(found, {"company": "Acme"}, earlier(founded_year=1998)) == found


def test_another_entity_fills_no_null():
    found = finding(founded_year=None)
    assert fill_nulls(found, {"company": "Umbrella"}, earlier(founded_year=1998)) == found


def test_an_earlier_value_without_citations_fills_no_null():
    found = finding(city=None)
    assert fill_nulls(found, {"company": "Acme"}, earlier(city="Oslo")) == found


def test_an_active_interaction_gives_its_input_alone():
    active = PreviousInteraction("trun_1", "Acme Ltd")
    assert fill_nulls(finding(city=None), "Where is it?", active) == finding(city=None)


def test_a_real_corpus_answers_a_question_about_it_only_in_context():
    asked = {
        "processor": "core",
        "input": "How large is it?",
        "task_spec": {"output_schema": "Its head count"},
    }
    with (
        embedded(create_app(open_corpus(WEB), ServerSettings())) as base,
        httpx.Client(base_url=base) as client,
    ):

        def output(body):
            run = client.post("/v1/tasks/runs", json=body).json()["run_id"]
            return run, client.get(f"/v1/tasks/runs/{run}/result").json()["output"]["content"]

        run, _ = output({"processor": "core", "input": {"name": "Malabar Loom"}})
        assert output(asked)[1] == "Not found in the documents."
        assert output(asked | {"previous_interaction_id": run})[1] == "340"


class Lists:
    """Answers with a list whose elements different pages name."""

    def research(self, question):
        citations = (
            Citation("https://a.example/", None, ("They sell bolts.",)),
            Citation("https://b.example/", None, ("Nuts and more.",)),
        )
        basis = FieldBasis("products", "Two pages.", citations, "high")
        return Finding("json", {"products": ["Bolts", "Nuts", "Glue"]}, (basis,))


@pytest.fixture
def client(start, answers):
    answers.research = Lists().research
    return start()


def basis_of(client, *, asked=None, read=None):
    body = {"processor": "core", "input": "Acme"}
    run = client.post("/v1/tasks/runs", json=body, headers=asked).json()["run_id"]
    output = client.get(f"/v1/tasks/runs/{run}/result", headers=read).json()["output"]
    return {entry["field"]: [one["url"] for one in entry["citations"]] for entry in output["basis"]}


ELEMENTS = {
    "products": ["https://a.example/", "https://b.example/"],
    "products.0": ["https://a.example/"],
    "products.1": ["https://b.example/"],
    "products.2": ["https://a.example/", "https://b.example/"],
}


@pytest.mark.parametrize("headers", [{}, {"asked": LISTED}, {"read": LISTED}])
def test_each_element_has_the_citations_that_name_it(client, headers):
    assert basis_of(client, **headers) == ELEMENTS


@pytest.mark.parametrize("where", ["asked", "read"])
def test_elements_need_the_header_if_a_quirk_demands_it(start, answers, where):
    answers.research = Lists().research
    older = start(quirks=frozenset({"betas-demanded"}))
    assert list(basis_of(older)) == ["products"]
    assert basis_of(older, **{where: LISTED}) == ELEMENTS


def test_the_streams_of_a_run_and_of_a_batch_show_elements(client, batch, events_of):
    run = client.post("/v1/tasks/runs", json={"processor": "core", "input": "Acme"}).json()["run_id"]
    assert "products.2" in json.dumps(events_of(client, f"/v1/tasks/runs/{run}/events")[-1]["output"])
    path = "/v1/tasks/groups/" + client.post("/v1/tasks/groups", json={}).json()["taskgroup_id"]
    client.post(f"{path}/runs", json=batch("a"))
    events_of(client, f"{path}/events")
    (event,) = events_of(client, f"{path}/runs", include_output=True)
    assert "products.2" in json.dumps(event["output"]["basis"])


def test_an_existing_entry_is_not_repeated():
    basis = (FieldBasis("a", "r"), FieldBasis("a.0", "own"))
    assert [entry.field for entry in with_elements({"a": ["x", "y"]}, basis)] == ["a", "a.1", "a.0"]


def test_a_text_output_has_no_elements():
    basis = (FieldBasis("output", "r"),)
    assert with_elements("text", basis) == basis
