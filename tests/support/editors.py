"""A spec as editors see it: variables are texts, and the JSON Schema decides."""

from functools import cache

from jsonschema import Draft7Validator

from rowcite.spec import yaml_positions
from rowcite.spec.json_schema import spec_schema


@cache
def schema_validator() -> Draft7Validator:
    """Return the validator of specs."""
    Draft7Validator.check_schema(spec_schema())
    return Draft7Validator(spec_schema())


class _Unchanged(dict[str, str]):
    """An environment in which every variable has its own name in braces as its value."""

    def get(self, name: str, default: object = None) -> str:  # type: ignore[override]
        return f"${{{name}}}"


def valid_in_an_editor(text: str) -> bool:
    """Return True if the JSON Schema accepts a YAML text whose variables are not replaced."""
    return schema_validator().is_valid(yaml_positions.load(text, "s.yaml", _Unchanged()).value)
