"""The minimal client that loses nothing: the bare client with each answer decoded and stored in SQLite.

    python benchmarks/durable.py BASE_URL BODIES.jsonl LEDGER.db

It stores intents before each POST and answers as they arrive, 250 in a transaction, synced like rowcite's ledger. No
table, no checks of created runs, no output.
"""

import asyncio
import sqlite3
import sys
from pathlib import Path

import httpx
import msgspec

from rowcite.api.facts import BETA_EVENTS, BETA_FIELD_BASIS

BETAS = {"parallel-beta": f"{BETA_EVENTS},{BETA_FIELD_BASIS}"}  # as rowcite sends them: the same answers


class Run(msgspec.Struct):
    run_id: str
    status: str
    metadata: dict[str, str] = {}


class Event(msgspec.Struct):
    run: Run | None = None
    output: msgspec.Raw = msgspec.Raw()


class Body(msgspec.Struct):
    inputs: list[msgspec.Raw]


DECODE = msgspec.json.Decoder(Event).decode


def opened(file: str) -> sqlite3.Connection:
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE run (key TEXT PRIMARY KEY, input BLOB, run_id TEXT, output BLOB)")
    return db


def save(db: sqlite3.Connection, sql: str, rows: list[tuple[object, ...]]) -> None:
    db.execute("BEGIN")
    db.executemany(sql, rows)
    db.execute("COMMIT")


async def batch(client: httpx.AsyncClient, db: sqlite3.Connection, body: bytes) -> int:
    group = (await client.post("/v1/tasks/groups", json={})).json()["taskgroup_id"]
    path = f"/v1/tasks/groups/{group}"
    inputs = msgspec.json.decode(body, type=Body).inputs
    keys = [bytes(one).split(b'"rowcite_key":"', 1)[1][:32].decode() for one in inputs]
    save(
        db,
        "INSERT INTO run (key, input) VALUES (?, ?)",
        [(key, bytes(one)) for key, one in zip(keys, inputs, strict=True)],
    )
    await client.post(
        f"{path}/runs?refresh_status=false", content=body, headers={"content-type": "application/json"}
    )
    async with client.stream("GET", f"{path}/events", timeout=600) as events:
        async for _ in events.aiter_raw():
            pass
    answers, tail, ready = 0, b"", list[tuple[object, ...]]()
    async with client.stream("GET", f"{path}/runs?include_output=true", timeout=600) as runs:
        async for chunk in runs.aiter_raw():
            *whole, tail = (tail + chunk).split(b"\n")
            for line in whole:
                if line.startswith(b"data:"):
                    event = DECODE(line[5:])
                    if event.run is not None:
                        ready.append(
                            (event.run.run_id, bytes(event.output), event.run.metadata["rowcite_key"])
                        )
                        answers += 1
            if len(ready) >= 250:
                save(db, "UPDATE run SET run_id = ?, output = ? WHERE key = ?", ready)
                ready = []
    save(db, "UPDATE run SET run_id = ?, output = ? WHERE key = ?", ready)
    return answers


async def main(url: str, bodies: list[bytes], db: sqlite3.Connection) -> int:
    slots = asyncio.Semaphore(10)  # rowcite's 10,000 active runs, 1,000 a POST

    async def one(body: bytes) -> int:
        async with slots:
            return await batch(client, db, body)

    async with httpx.AsyncClient(base_url=url, timeout=60, headers=BETAS) as client:
        return sum(await asyncio.gather(*map(one, bodies)))


if __name__ == "__main__":
    print(asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_bytes().splitlines(), opened(sys.argv[3]))))
