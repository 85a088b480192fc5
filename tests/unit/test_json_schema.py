"""The JSON Schema of a spec accepts what the loader accepts. What it rejects: test_spec_problems."""

import json
import re
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from test_spec_yaml import CONTRACT, NEARLY

from rowcite.errors import SpecError
from rowcite.pipeline.spec_file import load_spec, parse_spec
from rowcite.spec import descriptions
from rowcite.spec.json_schema import spec_schema
from rowcite.spec.models import Spec
from rowcite.spec.problems import OWN_KEYS, models_in
from support import BASE_SPEC as BASE
from support import ROOT, examples
from support.editors import schema_validator, valid_in_an_editor

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def specs_of_the_docs() -> Iterator[str]:
    """Yield every block of YAML, completed to a spec where it shows a part of one."""
    for page in PAGES:
        for text in re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            yield text if re.search(r"^task:", text, re.MULTILINE) else BASE + text


@pytest.mark.parametrize(
    "text",
    [
        *(
            file.read_text(encoding="utf-8")
            for file in [*sorted((ROOT / "configs").glob("*.yaml")), CONTRACT]
        ),
        *specs_of_the_docs(),
    ],
)
def test_samples_and_the_specs_of_the_docs_are_valid(text):
    assert [error.message for error in schema_validator().iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize(
    "added",
    [
        "limits: {concurrency: '4', max_cost_usd: '12.5', max_failed: 5%, deadline: 1.5 h}",
        "limits: {max_failed: 0.1, max_total_usd: null}",
        "accept: {min_confidence: 0.7, otherwise: keep, fields: {industry: {otherwise: blank, minimum: null}}}",
        "input: {format: null, csv: {separator: null}}",
        "accept: {trusted_domains: [SEC.GOV, .gov, münchen.example, localhost, ' a.example ', a.example.]}",
        "prices: {mine: 0.01}\nescalate: [mine]",
        "backend: local\nlocal: {corpus: pages}",
        "local: null",
    ],
)
def test_every_form_that_the_loader_reads_is_valid(load, added):
    load(BASE + added)
    assert valid_in_an_editor(BASE + added)


@pytest.mark.parametrize(
    "outputs",
    ["{a: integer}", "{a: Main industry}", "{a: {type: array, items: Name of a product}}", "{a: {enum: [x], type: string}}", "{a: {type: object, properties: {b: date, c: Where}}}"],
)  # fmt: skip
def test_short_forms_of_outputs_are_valid(load, outputs):
    text = f"name: t\ntask: {{processor: core, prompt: '{{x}}', outputs: {outputs}}}\n"
    load(text)
    assert valid_in_an_editor(text)


def scalars(value, path=()):
    """Yield the path and the value of every scalar of a document."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from scalars(inner, (*path, key))
    else:
        yield path, value


CONTRACT_SPEC = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "path", [path for path, _ in scalars(CONTRACT_SPEC)], ids=lambda path: ".".join(map(str, path))
)
def test_a_variable_is_valid_in_place_of_every_value(load, path):
    document = json.loads(json.dumps(CONTRACT_SPEC))
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    value, inner[path[-1]] = inner[path[-1]], "VARIABLE"
    text = yaml.safe_dump(document).replace("VARIABLE", "${V}")
    load(text, V=value or "x" if isinstance(value, str) else json.dumps(value))
    assert valid_in_an_editor(text)


def test_a_variable_is_not_valid_in_place_of_a_list_or_a_mapping(problems):
    for added in ("escalate: ${V}", "limits: ${V}", "accept: {rules: '${V}'}"):
        problems(BASE + added, V="[core]")
        assert not valid_in_an_editor(BASE + added)


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(NEARLY)
def test_a_random_structure_that_is_a_spec_is_valid(value):
    try:
        parse_spec(value, environ={})
    except SpecError:
        return
    assert schema_validator().is_valid(value)


def test_every_key_has_a_description_and_every_description_a_key():
    models = [Spec]
    for model in models:
        for name, field in model.model_fields.items():
            if model is Spec and name in OWN_KEYS:
                continue
            assert descriptions.description(model, name), f"{model.__name__}.{name}"
            models += [inner for inner in models_in(field.annotation) if inner not in models]
    for model, keys in descriptions.DESCRIPTIONS.items():
        assert not keys.keys() - model.model_fields.keys()


def test_the_schema_shows_no_attribute_of_a_loaded_spec():
    assert not OWN_KEYS & spec_schema()["properties"].keys()


def test_a_spec_with_the_line_for_editors_loads(tmp_path):
    (tmp_path / "s.yaml").write_text("# yaml-language-server: $schema=rowcite.schema.json\n" + BASE)
    assert load_spec(tmp_path / "s.yaml").name == "accounts"
