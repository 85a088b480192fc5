"""A table with known answers, and a truth for it: the scene of tests of `rowcite eval`."""

import csv
import json

import polars as pl

from rowcite.cli import main
from rowcite.local.research.question import Finding
from rowcite.model import Citation, FieldBasis
from support import write_spec

CONFIDENCE = {"lite": "low", "core": "medium", "pro": "high"}


class Registry:
    """Answers with the company's number as its size, and a city; `lite` is wrong about every fifth company."""

    def research(self, question):
        number = int(question.input["company"].removeprefix("Company "))
        size = None if number % 10 == 9 else number + (question.processor == "lite" and number % 5 == 0)
        content = {"size": size, "city": "Oslo", "products": ["A", f"B{number}"]}
        fields = question.output["json_schema"]["properties"]
        basis = tuple(
            FieldBasis(name, "So.", (Citation("https://a.example/"),), CONFIDENCE[question.processor])
            for name in fields
        )
        return Finding("json", {name: content[name.removeprefix("=")] for name in fields}, basis, None, 1, ())


class Scene:
    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        self.spec()
        self.table(range(20))

    def spec(self, **changes):
        value = {
            "name": "e",
            "input": {"path": "t.csv"},
            "output": {"path": "o.csv"},
            "task": {
                "processor": "core",
                "inputs": {"company": {"column": "name"}},
                "outputs": {
                    "size": "integer",
                    "city": "string",
                    "products": {"type": "array", "items": "string"},
                },
            },
            **changes,
        }
        write_spec(self.folder, value)

    def table(self, numbers):
        rows = [{"id": f"{number:03}", "name": f"Company {number}"} for number in numbers]
        pl.DataFrame(rows).write_csv(self.folder / "t.csv")

    def truth(self, *rows):
        pl.DataFrame(rows, infer_schema_length=None).write_csv(self.folder / "truth.csv")

    def __call__(self, command, *flags):
        return main([command, str(self.folder / "spec.yaml"), "--base-url", self.url, *flags])

    def eval_text(self, *flags):
        """Run `eval` with the truth; return its exit code."""
        return self("eval", "--truth", str(self.folder / "truth.csv"), "--key", "id", *flags)

    def eval(self, capsys, *flags, code=0):
        """Return the JSON of `eval` with the truth."""
        capsys.readouterr()
        assert self.eval_text("--json", *flags) == code
        return json.loads(capsys.readouterr().out)


def decide(scene, name, **verdicts):
    """Import decisions of a reviewer: `r1_field` of row 1 is a verdict, or the right value."""
    exported = scene.folder / "open.csv"
    scene.spec(accept={"min_confidence": "high"})
    assert scene("review", "--export", str(exported)) == 0
    with exported.open(newline="") as file:
        lines = list(csv.DictReader(file))
    for line in lines:
        given = verdicts.get(f"r{line['row']}_{line['field']}")
        if given is not None:
            plain = given in ("accept", "reject", "blank")
            line["verdict"], line["value"] = (given, line["value"]) if plain else ("correct", given)
        else:
            line["verdict"] = ""
        line["who"] = line["at"] = ""
    target = scene.folder / f"{name}.csv"
    with target.open("w", newline="") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    assert scene("review", "--import", str(target), "--as", name) == 0
    scene.spec()


def result(shown, field, processor="core"):
    (found,) = [item for item in shown["fields"] if (item["field"], item["processor"]) == (field, processor)]
    return found


COUNTS = ("labelled", "right", "wrong", "missed", "invented", "empty", "rejected_right", "unanswered")


def counts(shown, field, processor="core"):
    return tuple(result(shown, field, processor)[name] for name in COUNTS)


def right(number, **changes):
    size = "(none)" if number % 10 == 9 else number
    return {"id": f"{number:03}", "size": size, "city": "Oslo", "products": f"A;B{number}", **changes}
