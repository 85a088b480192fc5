"""The official client, `parallel-cli`: installed into a virtual environment, and its command for a table."""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

PEER = "parallel-web-tools[cli]==0.9.4"


@cache
def installed() -> Path | None:
    """Install the peer into a virtual environment; return None if that fails."""
    venv = Path(tempfile.mkdtemp(prefix="rowcite-bench-peer-"))
    atexit.register(shutil.rmtree, venv)
    try:
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin" / "python", "-m", "pip", "install", "--quiet", PEER], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{PEER} cannot be installed and is skipped: {error}", file=sys.stderr)
        return None
    return venv / "bin" / "parallel-cli"


def enrich(peer: Path, fields: Mapping[str, Any]) -> list[str | Path]:
    columns = [{"name": name, "description": name} for name in ("name", "website", "account")]
    wanted = [{"name": name, "description": part["description"]} for name, part in fields.items()]
    return [
        *(peer, "enrich", "run", "--source-type", "csv", "--source", "table.csv", "--target", "peer.csv"),
        *(
            "--source-columns",
            json.dumps(columns),
            "--enriched-columns",
            json.dumps(wanted),
            "--processor",
            "core",
        ),
    ]


def peer_environment(url: str, folder: Path) -> dict[str, str]:
    return {"HOME": str(folder), "PARALLEL_API_URL": url, "PARALLEL_API_KEY": "k"}
