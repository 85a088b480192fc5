"""The sample's section of the page on evaluation is what its commands print."""

import csv
import sys

import pytest

from support import ROOT, rowcite

sys.path.insert(0, str(ROOT / "benchmarks"))
import evaluation


def run(arguments, folder):
    done = rowcite(*arguments, cwd=folder)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.slow  # asks the local engine about the sample four times
def test_the_page_and_its_picture_are_what_the_commands_print():
    page, picture = evaluation.rendered(run)
    assert page == evaluation.PAGE.read_text(encoding="utf-8"), "run python benchmarks/evaluation.py"
    assert page.count("```sh\n") == 5
    assert picture == (ROOT / evaluation.PICTURE).read_text(encoding="utf-8")


def test_the_labels_of_the_sample_are_the_known_facts():
    """A fact that no page states is a label too: there is truly nothing to find."""
    facts, labels = (
        list(csv.DictReader((ROOT / path).read_text(encoding="utf-8").splitlines()))
        for path in ("tests/data/truth/accounts.csv", "sample_data/labels.csv")
    )
    assert labels == [{name: fact[name] or "(none)" for name in labels[0]} for fact in facts]
