"""The page about Python is true: its blocks run one after the other, and it names every argument."""

import json
import re

import pytest

import rowcite
from rowcite.library.arguments import ApiOptions, Options
from support import ROOT, SECRETS, small_spec

PAGE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
TABLE = "account_id,name,website,employees\n1,Acme Oy,acme.example,\n2,Corvid,,7\n3,Dune & Sons,,\n"
ACME = (
    "<title>Acme Oy</title><h1>Acme Oy</h1><p>Acme Oy was founded in 1999.</p><dl><dt>Employees<dd>230</dl>"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "accounts.csv").write_text(TABLE)
    (tmp_path / "accounts.yaml").write_text(json.dumps(small_spec(local={"corpus": "pages"})))
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "acme.html").write_text(ACME)
    return tmp_path


def test_the_blocks_of_the_page_run_one_after_the_other(folder, capsys):
    names = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/python.md", "exec"), names)
    assert names["enriched"].index.name == "account_id"
    assert names["enriched"].loc[1, "founded_year"] == 1999
    assert "max_cost_usd=…" in capsys.readouterr().out


def test_the_page_names_every_function_and_every_argument():
    for name in (*Options.__annotations__, *ApiOptions.__annotations__):
        assert f"`{name}=" in PAGE, name
    for name in ("enrich", "aenrich", "run", "plan", "evaluate"):
        assert f"| `{name}(table, spec" in PAGE
        assert callable(getattr(rowcite, name))
