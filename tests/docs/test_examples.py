"""The examples that another folder's tests run are kept without what they printed."""

import json

from support import ROOT


def test_notebooks_have_no_outputs():
    (file,) = (ROOT / "examples").glob("*.ipynb")
    for cell in json.loads(file.read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs"), cell["source"]
        assert cell.get("execution_count") is None
