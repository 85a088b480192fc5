"""The picture of cost against accuracy."""

import re
from xml.etree import ElementTree as ET

import pytest

from rowcite.plot import Point, best_first, cost_picture, money

POINTS = [
    Point("pro", 0.1, 0.9, 0.8, 0.95),
    Point("base", 0.01, 0.5, 0.4, 0.6, is_best=False),
    Point("lite", 0.005, 0.6, 0.5, 0.7, is_chosen=True),
]


def drawn(points, **how):
    """Return a picture's elements by tag, and the words in it."""
    root = ET.fromstring(cost_picture(points, **how))
    found = [(item.tag.rpartition("}")[2], item) for item in root.iter()]
    return found, [item.text for tag, item in found if tag == "text"]


def test_there_is_no_picture_without_data():
    assert cost_picture([]) == ""


def test_the_best_points_are_numbered_by_cost_and_the_chosen_one_is_named():
    assert [item.label for item in best_first(POINTS)] == ["lite", "pro"]
    words = drawn(POINTS)[1]
    assert {"1", "2", "lite (chosen)", "pro"} <= set(words)
    assert "base" not in words


def test_the_text_of_a_picture_has_every_number_with_its_interval():
    title = next(item.text for tag, item in drawn(POINTS)[0] if tag == "title")
    assert "1. lite: $0.005, 60% (50% to 70%); 2. pro: $0.10, 90% (80% to 95%)" in title


def test_intervals_are_drawn_to_scale():
    def height(low, high):
        elements = drawn([Point("core", 0.1, 0.5, low, high), Point("pro", 0.2, 0.9, 0.1, 1.0)])[0]
        path = next(item.get("d") for _, item in elements if item.get("stroke") == "var(--accent)")
        top, bottom = re.match(r"M\S+ (\S+)V([\d.]+)", path).groups()
        return float(bottom) - float(top)

    assert height(0.3, 0.7) == pytest.approx(2 * height(0.4, 0.6), abs=0.2)


def test_a_higher_cost_is_further_right_on_either_scale():
    for costs in [(0.01, 0.02), (0.005, 2.4)]:
        circles = [
            float(item.get("cx"))
            for tag, item in drawn([Point(str(cost), cost, 0.5, 0.4, 0.6) for cost in costs])[0]
            if tag == "circle"
        ]
        assert circles == sorted(circles)
        assert len(set(circles)) == 2


@pytest.mark.parametrize("width", [1056, 660, 342])
def test_labels_stay_inside_a_picture_and_off_each_other(width):
    points = [Point(f"policy {'x' * n}", 0.01 * n, 0.03 * n, 0.0, 0.04 * n) for n in range(1, 25)]
    elements = drawn(points, width=width)[0]
    labels = [item for tag, item in elements if tag == "text" and item.get("fill") == "var(--ink)"]
    boxes = [(float(i.get("x")), float(i.get("y")), len(i.text) * 6.7) for i in labels]
    assert all(x > 0 and x + size < width for x, _, size in boxes)
    assert not [
        (a, b)
        for n, a in enumerate(boxes)
        for b in boxes[:n]
        if abs(a[1] - b[1]) < 11 and a[0] < b[0] + b[2] and b[0] < a[0] + a[2]
    ]


def test_a_hostile_label_stays_text():
    text = cost_picture([Point('"><script>x</script>\u202e', 0.1, 0.5, 0.4, 0.6)], is_file=True)
    assert "<script" not in text
    assert "\u202e" not in text
    ET.fromstring(text)


def test_a_file_has_its_own_colours_and_a_page_has_none():
    assert "prefers-color-scheme:dark" in cost_picture(POINTS, is_file=True)
    assert "<style" not in cost_picture(POINTS)


@pytest.mark.parametrize("costs", [(0.0,), (0.0, 0.0), (0.025,), (1e-6, 9.0)])
def test_any_costs_can_be_drawn(costs):
    words = drawn([Point("core", cost, 1.0, 1.0, 1.0) for cost in costs])[1]
    assert any(word.startswith("$") for word in words)


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (0, "$0"),
        (0.005, "$0.005"),
        (0.0165, "$0.0165"),
        (0.1, "$0.10"),
        (1.2, "$1.20"),
        (0.003123, "$0.00312"),
    ],
)
def test_the_cost_of_a_row_has_three_figures_and_no_zeros_after_cents(dollars, text):
    assert money(dollars) == text
