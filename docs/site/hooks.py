"""What mkdocs builds beside the pages: the table of the spec's keys, and llms.txt."""

from __future__ import annotations

import re
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from rowcite.spec.json_schema import spec_schema

OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)#]+)(#[^)]*)?\)")
HEAD = """# Keys of the spec

Every key with its values and its default, from the models that check a spec. `rowcite schema` prints the same as JSON Schema, for editors.
[The spec](spec.md) explains the keys with examples. Any value can be a text with `${VAR}`.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    files.append(File.generated(config, "spec-keys.md", content=spec_keys()))
    files.append(File.generated(config, "llms.txt", content=llms(files, config)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - as mkdocs calls it
    """Show links to files of the repository that are not in the site as their paths."""
    return OUTSIDE.sub(lambda link: f"{link[1]} (`{link[2]}` in the repository)", markdown)


def llms(files: Files, config: MkDocsConfig) -> str:
    """Return llms.txt: the pages of the documentation with their first sentences, for language models."""
    lines = [f"# {config.site_name}", "", f"> {config.site_description}", "", "## Documentation", ""]
    for file in files.documentation_pages():
        title, *parts = file.content_string.split("\n\n")
        sentence = next(
            (first_sentence(part) for part in parts if re.match(r"[\w`]", part) and "```" not in part), ""
        )
        lines.append(f"- [{title.removeprefix('# ').strip()}]({file.src_uri}): {sentence}")
    return "\n".join(lines) + "\n"


def first_sentence(paragraph: str) -> str:
    """Return the first sentence of a paragraph, on one line."""
    text = " ".join(paragraph.split())
    return re.split(r"(?<=[.:])\s", text, maxsplit=1)[0].rstrip(":")


def spec_keys() -> str:
    """Return the page of the keys: a table for each mapping of the spec."""
    schema = spec_schema()
    parts = [HEAD, *_mapping("The spec", schema, schema)]
    for name, part in schema["definitions"].items():
        if "properties" in part:
            parts += _mapping(_heading(name), part, schema)
    return "\n".join(parts)


def _mapping(heading: str, part: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    required = set(part.get("required", ()))
    rows = [
        f"| `{key}` | {_values(value, schema)} | {_default(key, value, required)} | {_cell(value.get('description', ''))} |"
        for key, value in part["properties"].items()
        if not value.get("deprecated")
    ]
    return [f"## {heading}", "", "| key | values | default | |", "| --- | --- | --- | --- |", *rows, ""]


def _heading(name: str) -> str:
    """Return the name of a model as words: `TaskSpec` is the task."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Spec")).lower()
    return re.sub(r"^(csv|mcp)\b|^\w", lambda found: found[0].upper(), words)


def _values(node: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return which values a key has."""
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        target = schema["definitions"][name]
        if "properties" in target:
            return f"[{_heading(name).lower()}](#{_heading(name).lower().replace(' ', '-')})"
        return "" if name in {"Variable", "NumberText"} else _values(target, schema)
    if "enum" in node or "const" in node:
        return ", ".join(f"`{value}`" for value in node.get("enum", [node.get("const")]))
    if alternatives := node.get("anyOf") or node.get("oneOf"):
        found = dict.fromkeys(_values(each, schema) for each in alternatives)
        return " or ".join(text for text in found if text)
    kind = node.get("type", "")
    if kind == "array":
        return f"a list of {_values(node.get('items', {}), schema) or 'values'}"
    if kind == "object":
        inner = node.get("additionalProperties")
        return f"names, each with {_values(inner, schema)}" if isinstance(inner, dict) else "a mapping"
    return {"null": "null", "string": "text", "boolean": "true, false"}.get(str(kind), str(kind))


def _default(key: str, node: dict[str, Any], required: set[str]) -> str:
    if key in required:
        return "required"
    return "" if node.get("default") in (None, [], {}) else f"`{node['default']}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
