"""Show some rows of an enriched table: value, confidence, first citation.

python examples/show.py out/accounts.csv [rows]
"""

import sys

import polars as pl

STATUS = "rowcite_status"


def main(path: str, rows: int = 4) -> None:
    """Print the rows with the most values, then the share of filled cells of each column."""
    table = pl.read_csv(path, infer_schema=False)
    fields = [name for name in table.columns if f"{name}_confidence" in table.columns]
    found = pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.Int64) for name in fields)
    for row in table.sort(found, descending=True, maintain_order=True).head(rows).iter_rows(named=True):
        print(f"\n{row['name'].strip()} ({row[STATUS]})")
        for name in fields:
            cited = (row[f"{name}_citations"] or "").split(" ")[0]
            print(f"  {name:<15} {row[name] or '-':<44.44} {row[f'{name}_confidence'] or '':<7} {cited}")
    print(f"\nFound, of {table.height} rows:")
    for name in fields:
        share = table[name].is_not_null().sum() / table.height
        print(f"  {name:<15} {share:4.0%} {'#' * round(share * 40)}")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
