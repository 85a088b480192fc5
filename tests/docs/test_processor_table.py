"""The processors that the documentation lists are those of `rowcite.api.facts`."""

from rowcite.api.facts import MICRO, PROCESSORS, Processor
from support import ROOT

PAGE = ROOT / "docs" / "spec.md"


def table():
    """Return the Markdown table of all processors, from the facts."""
    lines = [
        "| processor | US$ per 1,000 runs | useful fields | seconds | seconds of `-fast` |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, processor in PROCESSORS.items():
        if not name.endswith("-fast"):
            fast = PROCESSORS.get(f"{name}-fast")
            price = processor.price * 1_000 // MICRO
            lines.append(f"| `{name}` | {price:,} | {processor.fields} | {band(processor)} | {band(fast)} |")
    return "\n".join(lines)


def band(processor):
    return "to ".join(f"{seconds:,} " for seconds in processor.seconds).strip() if processor else "-"


def test_the_spec_page_lists_every_processor_as_in_the_facts():
    assert table() in PAGE.read_text(encoding="utf-8"), f"{PAGE.name} must hold:\n{table()}"


def test_a_processor_that_is_added_to_the_facts_must_be_documented(monkeypatch):
    monkeypatch.setitem(PROCESSORS, "hyper", Processor(40_000, (20, 90), 3))
    assert "| `hyper` | 40 | 3 | 20 to 90 | - |" in table()
    assert table() not in PAGE.read_text(encoding="utf-8")
