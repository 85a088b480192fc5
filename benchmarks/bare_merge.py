"""The minimal merge: read answers from the ledger, decode them once into columns, join in order, write CSV.

    python benchmarks/bare_merge.py TABLE.csv LEDGER.db OUT.csv

Everything is in memory, all cells are text, one run for each task, no checks. A lower bound for answers that fit into
memory.
"""

import sqlite3
import sys

import msgspec
import polars as pl

from rowcite.ledger.stored_answers import received


class Citation(msgspec.Struct, gc=False):
    url: str = ""


class Basis(msgspec.Struct, gc=False):
    field: str
    confidence: str = ""
    citations: list[Citation] = []


class Output(msgspec.Struct, gc=False):
    content: dict[str, object]
    basis: list[Basis]


DECODE = msgspec.json.Decoder(Output).decode


def main(table: str, ledger: str, out: str) -> None:
    db = sqlite3.connect(ledger)
    rows = db.execute(
        "SELECT input.input, run.run_id, answer.output FROM run JOIN input ON input.run = run.id JOIN answer ON answer.run = run.id"
    )
    accounts, columns = [], []
    while some := rows.fetchmany(10_000):
        for given, run_id, output in some:
            answer = DECODE(received(output))
            values = []
            for basis in answer.basis:
                values += [
                    str(answer.content[basis.field]),
                    basis.confidence,
                    " ".join(one.url for one in basis.citations),
                ]
            accounts.append(msgspec.json.decode(given)["account"])
            columns.append([*values, "completed", "core", run_id])
    found = pl.DataFrame(columns, orient="row", schema=[f"c{n}" for n in range(len(columns[0]))])
    found = found.with_columns(pl.Series("account", accounts))
    read = pl.scan_csv(table, infer_schema=False)
    read.join(found.lazy(), on="account", how="left", maintain_order="left").sink_csv(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
