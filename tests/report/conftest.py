"""Ledgers with known answers, Chromium, and the accessibility rules."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

from support.answers import answer, answered, found, known

AXE = Path(__file__).parent / "axe"
HOSTILE = (
    "</script><script>window.hit=1</script>",
    '<img src=x onerror="window.hit=2">',
    "\u202egnp.exe\u2066 \x1b[31mred\x1b[0m \ue000",
    '" onmouseover="window.hit=3" x="',
    "<!--<script>",
    "${window.hit=4} {{ 7*7 }} {% raw %}",
)


@pytest.fixture
def hostile_texts():
    """Return texts that are made to break out of a page."""
    return HOSTILE


@pytest.fixture
def some(tmp_path):
    """Return a spec whose table has a row of each kind."""
    return of_each_kind(tmp_path)


def of_each_kind(tmp_path):
    """Write a table with a row of each kind: good, unsure, not found, failed, skipped, pending."""
    rows = [
        {"id": f"A{n}", "name": name}
        for n, name in enumerate(["Good", "Unsure", "Lost", "Broken", "", "Waiting"])
    ]
    path = known(tmp_path, rows)
    good = answer(
        industry=found("pumps"),
        employee_count=found(12, "medium", url="https://register.example/12"),
        products=found(["P1", "P2"]),
    )
    unsure = answer(industry=found("valves", "low"), employee_count=found("many"), listed=found(True))
    answered(path, [good, unsure, answer(employee_count=found(3)), "The run failed: no memory"])
    return path


@pytest.fixture(scope="module")
def some_once(tmp_path_factory):
    """Return the same as `some`, once for tests that only look."""
    return of_each_kind(tmp_path_factory.mktemp("some"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Return a spec whose table and answers are made to break out of the page."""
    path = known(tmp_path_factory.mktemp("hostile"), [{"id": text, "name": text} for text in HOSTILE])
    answered(
        path,
        [
            answer(
                industry=found(
                    text, "low", url="javascript:window.hit=5", title=text, excerpts=[text], reasoning=text
                ),
                products=found([text], text, url=f"https://x.example/{text}"),
                employee_count=found(text, url="data:text/html,<script>window.hit=6</script>"),
            )
            for text in HOSTILE[:-1]
        ]
        + [f"The run failed: {HOSTILE[0]}"],
    )
    return path


@pytest.fixture(
    scope="module"
)  # its driver keeps an event loop running in this thread, which other modules need
def chromium():
    """Return a running Chromium, driven over its debugging protocol."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "no Chromium: make chromium installs Debian's, or name one in CHROMIUM"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def look(chromium):
    """Return a function that opens a page; the test fails if the page writes to the console or loads from elsewhere."""
    contexts, messages = [], []

    def opened(address, *, width=1280, scheme="light", **context):
        made = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **context)
        contexts.append(made)
        tab = made.new_page()
        tab.on("console", lambda line: messages.append(line.text))
        tab.on("pageerror", lambda error: messages.append(str(error)))
        tab.on("dialog", lambda dialog: messages.append(f"dialog {dialog.message}"))
        root = address.rsplit("/", 1)[0]
        tab.on(
            "request",
            lambda sent: None if sent.url.startswith(root) else messages.append(f"requested {sent.url}"),
        )
        tab.goto(address)
        tab.messages = messages
        return tab

    yield opened
    for made in contexts:
        made.close()
    assert not messages


@pytest.fixture(scope="session")
def axe():
    """Return axe-core's source, installed once by npm for each version of its lock file."""
    name = hashlib.sha256((AXE / "package-lock.json").read_bytes()).hexdigest()[:12]
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rowcite-axe"
    base.mkdir(parents=True, exist_ok=True)
    source = base / name / "node_modules" / "axe-core" / "axe.min.js"
    with FileLock(base / f"{name}.lock"):
        if not source.exists():
            shutil.copytree(AXE, base / name, dirs_exist_ok=True)
            subprocess.run(
                ["npm", "ci", "--no-audit", "--no-fund"], cwd=base / name, check=True, capture_output=True
            )
    return source.read_text(encoding="utf-8")
