"""What a person decided in a review holds through later runs, as long as the cell has the answer that was decided on."""

from dataclasses import replace

import polars as pl
import pytest

from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.serving import embedded
from support.labels import Registry, Scene, decide


class Changing(Registry):
    """Is wrong about every fifth company, as `lite` of the registry, until it is right."""

    is_right = False

    def research(self, question):
        found = super().research(question)
        wrong = not self.is_right and int(question.input["company"].removeprefix("Company ")) % 5 == 0
        return replace(found, content=found.content | {"size": 1000}) if wrong else found


@pytest.fixture
def changing():
    return Changing()


@pytest.fixture
def scene(tmp_path, changing):
    with embedded(create_app(changing, ServerSettings())) as url:
        made = Scene(tmp_path, url)
        assert made("run", "-q") == 0
        yield made


def sizes(scene, *flags):
    assert scene("run", "-q", *flags) == 0
    rows = pl.read_csv(scene.folder / "o.csv").select("size", "size_confidence").rows()
    return dict(enumerate(rows, 1))


def test_decisions_hold_until_the_answer_changes_and_corrections_in_any_case(scene, changing):
    on_wrong = {"r1_size": "reject", "r6_size": "accept", "r11_size": "blank", "r16_size": "99"}
    decide(scene, "Ann", r2_size="accept", r3_size="blank", **on_wrong)
    rows = sizes(scene)
    assert (rows[1][0], rows[6], rows[11]) == (None, (1000, "reviewed"), (None, "reviewed"))
    kept = {2: (1, "reviewed"), 3: (None, "reviewed"), 16: (99, "reviewed")}
    assert rows | kept == rows
    changing.is_right = True
    rows = sizes(scene, "--fresh")
    assert (rows[1], rows[6], rows[11]) == ((0, "medium"), (5, "medium"), (10, "medium"))
    assert rows | kept == rows
