"""Labels that `rowcite eval` cannot use: left out and listed, never counted as faults of the answers."""

import pytest

import rowcite
from support.labels import Scene, counts, right


@pytest.fixture
def scene(tmp_path, registry):
    return Scene(tmp_path, registry)


def test_labels_of_another_type_are_listed_and_left_out(scene, capsys):
    """A text that a number field cannot equal is a fault of the truth, not a wrong answer."""
    assert scene("run", "-q") == 0
    scene.truth(right(1, size="many"), right(2, size="2.0"), right(3, size="about 3 people"))
    shown = scene.eval(capsys)
    assert counts(shown, "size")[:3] == (2, 2, 0)
    assert counts(shown, "city")[:3] == (3, 3, 0)
    assert shown["left_out"]["unreadable"] == [["001", "size"]]


def test_labels_of_one_input_that_contradict_each_other_are_all_left_out(scene, capsys):
    """Which of them is right is not known. Another spelling is no contradiction."""
    (scene.folder / "t.csv").write_text("id,name\na,Company 1\nb,Company 1\nc,Company 2\nd,Company 2\n")
    assert scene("run", "-q") == 0
    cities = zip("abcd", ["Oslo", "Bergen", "Oslo", " OSLO."], strict=True)
    scene.truth(*({"id": key, "city": city} for key, city in cities))
    shown = scene.eval(capsys)
    assert counts(shown, "city")[:3] == (1, 1, 0)
    assert shown["left_out"]["conflicts"] == [["a", "city"], ["b", "city"]]


def test_a_blank_list_is_no_label_and_the_marker_may_be_in_any_case(scene, capsys):
    assert scene("run", "-q") == 0
    scene.truth(right(1, products="[]"), right(2, products="(None)"))
    assert counts(scene.eval(capsys), "products")[:5] == (1, 0, 0, 0, 2)


def test_an_evaluation_shows_itself_by_counts_and_without_a_value(scene):
    assert scene("run", "-q") == 0
    scene.truth(right(1), right(2, city="Bergen"))
    given = [scene.folder / name for name in ("t.csv", "spec.yaml", "truth.csv")]
    found = rowcite.evaluate(*given, key="id", target=0.9, base_url=scene.url)
    *fields, policy = repr(found).splitlines()
    assert fields[1] == "core: city      2 labelled, 1 right, 1 wrong, 0 invented, 0 missed"
    assert len(fields) == 3
    assert policy == "core: not certified for 90%"
