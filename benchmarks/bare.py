"""The minimal client: post the same runs, follow them, read each answer, store nothing.

    python benchmarks/bare.py BASE_URL BODIES.jsonl

Each line of BODIES is a POST body. Prints the number of answers. This is the lower bound for rowcite: no table, no
ledger, no checks, no output.
"""

import asyncio
import sys
from pathlib import Path

import httpx

from rowcite.api.facts import BETA_EVENTS, BETA_FIELD_BASIS

EVENT = b"\ndata:"
BETAS = {"parallel-beta": f"{BETA_EVENTS},{BETA_FIELD_BASIS}"}  # as rowcite sends them: the same answers


async def batch(client: httpx.AsyncClient, body: bytes) -> int:
    group = (await client.post("/v1/tasks/groups", json={})).json()["taskgroup_id"]
    path = f"/v1/tasks/groups/{group}"
    await client.post(
        f"{path}/runs?refresh_status=false", content=body, headers={"content-type": "application/json"}
    )
    async with client.stream("GET", f"{path}/events", timeout=600) as events:
        async for _ in events.aiter_raw():
            pass
    answers, tail = 0, b""
    async with client.stream("GET", f"{path}/runs?include_output=true", timeout=600) as runs:
        async for chunk in runs.aiter_raw():
            answers += (tail + chunk).count(EVENT)
            tail = chunk[1 - len(EVENT) :]
    return answers


async def main(url: str, bodies: list[bytes]) -> int:
    slots = asyncio.Semaphore(10)  # rowcite's 10,000 active runs, 1,000 a POST

    async def one(body: bytes) -> int:
        async with slots:
            return await batch(client, body)

    async with httpx.AsyncClient(base_url=url, timeout=60, headers=BETAS) as client:
        return sum(await asyncio.gather(*map(one, bodies)))


if __name__ == "__main__":
    print(asyncio.run(main(sys.argv[1], Path(sys.argv[2]).read_bytes().splitlines())))
