"""Makes the pictures of plan, progress and summary in docs/screenshots, from terminals of 80 and of 40 columns, and that of the README.

`make screenshots`. The shipped server answers the sample accounts at a tenth of the documented times. Needs tmux; without it
nothing is made.
"""

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from make import ROOT, TARGET, process, spec
from playwright.sync_api import sync_playwright

WIDTHS, LINES = {80: "", 40: "-narrow"}, 60
STYLE = "body{margin:0;background:#16181d}pre{margin:0;padding:14px 18px;color:#e6e6e6;font:15px/1.35 'DejaVu Sans Mono',monospace;width:max-content}b{color:#7fd1b9}"
COMMANDS = (
    "rowcite run configs/accounts.yaml",
    "rowcite explain configs/accounts.yaml --row 5 --field employee_count",
)
"""What the README shows, in a clone."""


class Terminal:
    """A tmux session with a shell in a folder."""

    def __init__(self, folder, url, columns):
        self.socket = f"rowcite-{os.getpid()}-{columns}"
        self.tmux(
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            str(columns),
            "-y",
            str(LINES),
            "bash --noprofile --norc",
        )
        self.type(
            f"cd {folder}; export PS1='$ ' PARALLEL_BASE_URL={url}; rowcite() {{ {sys.executable} -m rowcite \"$@\"; }}"
        )

    def tmux(self, *args):
        """Run a tmux command, and return its output."""
        done = subprocess.run(["tmux", "-L", self.socket, *args], check=True, capture_output=True, text=True)
        return done.stdout

    def type(self, command):
        """Type a command."""
        self.tmux("send-keys", command, "Enter")
        time.sleep(0.5)
        return self

    def shown(self):
        """Return the text on the terminal."""
        return self.tmux("capture-pane", "-p").rstrip()

    def wait_for(self, text, seconds=90):
        """Wait until the terminal shows a text that matches a regular expression."""
        end = time.monotonic() + seconds
        while not re.search(text, self.shown()) and time.monotonic() < end:
            time.sleep(0.2)
        assert re.search(text, self.shown()), self.shown()


def shoot(browser, text, name):
    """Take a picture of a terminal's text."""
    tab = browser.new_page(viewport={"width": 400, "height": 100})
    typed = re.sub(r"(?m)^[$] .*", r"<b>\g<0></b>", html.escape(text))
    tab.set_content(f"<style>{STYLE}</style><pre>{typed}</pre>")
    tab.locator("pre").screenshot(path=TARGET / f"{name}.png")
    tab.close()


def main():
    """Run the sample in a terminal, then take the pictures."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        folder = Path(name)
        server = ("serve", "--corpus", str(ROOT / "sample_data" / "web"), "--port", "0", "--latency", "0.2")
        with process(*server, cwd=folder) as url:
            browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
            for columns, suffix in WIDTHS.items():
                terminal = Terminal(with_sample(folder / str(columns)), url, columns)
                try:
                    shoot_all(browser, terminal, suffix)
                finally:
                    terminal.tmux("kill-server")
            shoot_readme(browser, folder / "clone")
            browser.close()


def shoot_readme(browser, clone):
    """Take the picture of the README: the sample enriched by its own spec, and the evidence of one cell."""
    for name in ("configs", "sample_data"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns(".rowcite"))
    terminal = Terminal(clone, "''", 100)
    try:
        first, second = COMMANDS
        terminal.type("unset PARALLEL_BASE_URL; clear").wait_for(r"^\$ *$")
        terminal.type(first).wait_for(r"\nnext (.|\n)*\n\$ *$")
        terminal.type(second).wait_for(r"source (.|\n)*\n\$ *$")
        shoot(browser, terminal.shown().removesuffix("\n$"), "readme")
    finally:
        terminal.tmux("kill-server")


def with_sample(folder):
    """Return a new folder with the sample's table and spec."""
    folder.mkdir()
    shutil.copy(ROOT / "sample_data" / "accounts.csv", folder)
    whole = {**spec(), "escalate": []}
    (folder / "accounts.yaml").write_text(yaml.safe_dump(whole, sort_keys=False), encoding="utf-8")
    return folder


def shoot_all(browser, terminal, suffix):
    """Run the sample in a terminal; take a picture of its plan, its progress and its summary."""
    terminal.type("clear; rowcite plan accounts.yaml").wait_for(r"website: .*\n\$")
    shoot(browser, terminal.shown().removesuffix("\n$"), f"plan{suffix}")
    terminal.type("clear; rowcite run accounts.yaml --yes").wait_for(r"\n[1-9]\d*/\d+ .*(about|~)")
    shoot(browser, terminal.shown(), f"progress{suffix}")
    terminal.wait_for(r"next (.|\n)*\n\$")
    shoot(browser, terminal.shown().removesuffix("\n$"), f"summary{suffix}")


if __name__ == "__main__":
    if shutil.which("tmux"):
        main()
    else:
        print("tmux is not installed: the pictures of the terminal stay as they are")
