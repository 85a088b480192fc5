"""`rowcite schema`: the JSON Schema of a spec file."""

from __future__ import annotations

import click


@click.command("schema")
def command() -> int:
    """Print the JSON Schema of a spec file to stdout, for completion and checks in editors.

    Save it and name it in the first line of a spec: # yaml-language-server: $schema=rowcite.schema.json
    """
    import json

    from rowcite.spec.json_schema import spec_schema

    click.echo(json.dumps(spec_schema(), indent=2, ensure_ascii=False))
    return 0
