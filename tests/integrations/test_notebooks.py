"""A real Jupyter kernel: the notebook of the examples, the bar without ipywidgets, and an interrupt."""

import asyncio
import json
import re
import shutil
import time
from collections import Counter

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from rowcite.local.server.latency import Lognormal
from support import ROOT, SECRETS, served, small_spec, until, write_spec

pytestmark = pytest.mark.integration

NOTEBOOK = ROOT / "examples" / "accounts.ipynb"
INTERRUPTED = """
import polars as pl, rowcite
table = pl.DataFrame({"name": [f"Company {number}" for number in range(60)], "website": None})
result = rowcite.run(table, "spec.yaml", base_url=URL, max_cost_usd=100)
"""


@pytest.fixture(autouse=True)
def _no_secrets(monkeypatch):
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)


def executed(notebook, folder):
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}})
    return asyncio.run(client.async_execute()).cells


def reply_to(client, sent):
    """Return the content of the reply to a message; replies to earlier ones are left out."""
    while True:
        reply = client.get_shell_msg(timeout=120)
        if reply["parent_header"].get("msg_id") == sent:
            return reply["content"]


def test_the_notebook_of_the_examples_runs_and_shows_its_result(tmp_path):
    for name in ("configs", "sample_data", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".rowcite"))
    cells = executed(nbformat.read(NOTEBOOK, as_version=4), tmp_path / "examples")
    plan, run, *_, last = [cell.outputs for cell in cells if cell.cell_type == "code"][1:]
    assert "20 to submit" in plan[0].text
    drawn = "".join(item.text for item in run if item.output_type == "stream")
    assert re.search(r"20/20 .*tasks", drawn)
    assert "ipywidgets" not in drawn
    (shown,) = [item.data for item in run if item.output_type == "execute_result"]
    assert shown["text/html"].startswith('<div class="rowcite">')
    assert "80 rows:" in shown["text/plain"]
    assert last[-1].data["text/plain"] == "0"


def test_a_kernel_interrupt_ends_a_run_and_the_next_one_pays_for_nothing_twice(tmp_path):
    spec = small_spec(backend="parallel", limits={"active_runs": 20})
    write_spec(tmp_path, {key: value for key, value in spec.items() if key != "local"})
    with served(tmp_path, bench=True, latency=Lognormal(0.3)) as server:
        kernel = KernelManager()
        kernel.start_kernel(cwd=str(tmp_path))
        client = kernel.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(300)
            code = INTERRUPTED.replace("URL", repr(server.url))
            sent = client.execute(code)
            until(lambda: len(server.created()) >= 20, 120)
            began = time.monotonic()
            kernel.interrupt_kernel()
            assert reply_to(client, sent)["ename"] == "KeyboardInterrupt"
            assert time.monotonic() - began < 5
            reply = client.execute_interactive(
                code + "print(result)", output_hook=lambda _: None, timeout=300
            )
            assert reply["content"]["status"] == "ok", reply["content"]
        finally:
            client.stop_channels()
            kernel.shutdown_kernel(now=True)
        created = Counter(line["input_sha256"] for line in server.created())
    assert len(created) == 60
    assert set(created.values()) == {1}
    results = json.loads((tmp_path / ".rowcite" / "small" / "run_results.json").read_text())
    assert results["rows"]["completed"] == 60
