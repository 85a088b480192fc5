"""The review as a process, its decisions, and the accessibility rules that a page breaks."""

import re
from contextlib import closing, contextmanager

from rowcite.ledger import open_ledger
from support import started
from support.answers import NOWHERE, ready

LOOKS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]


@contextmanager
def reviewing(path, *flags, who="Ann"):
    """Run `rowcite review` as a process; yield the address of its page."""
    process = started("review", path.name, "--base-url", NOWHERE, "--reviewer", who, *flags, cwd=path.parent)
    try:
        line = process.stderr.readline().decode()
        yield re.search(r"http://\S+", line)[0]
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 130


def decisions(path):
    with closing(open_ledger(ready(path).ledger, writing=False)) as ledger:
        return [item for made in ledger.decisions().values() for item in made.values()]


def broken(tab, axe, most=20):
    tab.evaluate(axe)
    found = tab.evaluate("axe.run()")
    assert len(found["passes"]) > most
    return [
        (rule["id"], rule["impact"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]
    ]
