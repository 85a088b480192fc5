"""Makes the screenshots of the report, the review and a result in docs/screenshots from the sample: `make screenshots`.

The shipped server answers the sample accounts, some of its runs fail by `--faults`, and rejected values are retried with
a more expensive processor. Costs are list prices; nothing is paid.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import yaml
from playwright.sync_api import sync_playwright

import rowcite

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "screenshots"
ROWCITE = [sys.executable, "-m", "rowcite"]
FAULTS = {"fail": 0.03, "seed": 3}
REPORT_HEIGHT, REVIEW_HEIGHT, PHONE_HEIGHT, RESULT_HEIGHT, ACCURACY_HEIGHT = 1010, 960, 844, 672, 1330


def spec():
    """Return the sample's spec, over HTTP and with acceptance rules."""
    changed = yaml.safe_load((ROOT / "configs" / "accounts.yaml").read_text(encoding="utf-8"))
    for name in ("backend", "local"):
        del changed[name]
    changed["input"]["path"] = "accounts.csv"
    changed["output"]["path"] = "enriched.csv"
    accept = {"min_confidence": "medium", "required": ["industry"]}
    return {**changed, "accept": accept, "escalate": ["pro"], "limits": {"max_failed": "50%"}}


@contextmanager
def process(*args, cwd):
    """Run a rowcite command in the background, and yield the first URL on its stderr."""
    running = subprocess.Popen([*ROWCITE, *args], cwd=cwd, stderr=subprocess.PIPE, text=True)
    try:
        line = running.stderr.readline()
        yield re.search(r"http://[^ ]+", line)[0]
    finally:
        running.terminate()
        running.communicate()


def shoot(browser, address, name, *, width=1280, height=REPORT_HEIGHT, scheme="light", act=None):
    """Take one screenshot."""
    tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    tab.goto(address)
    if act:
        act(tab)
    tab.screenshot(path=TARGET / f"{name}.png")
    tab.close()


def shoot_result(browser, folder, url):
    """Take the screenshots of a result as a notebook shows it."""
    result = rowcite.run(folder / "accounts.csv", folder / "accounts.yaml", base_url=url)
    colours = {"light": ("#000000de", "#fff"), "dark": ("#ffffffde", "#111")}
    for scheme, (text, background) in colours.items():
        style = f"color: {text}; background: {background}"
        page = f"<!DOCTYPE html><meta charset=utf-8><body style='{style}'>{result._repr_html_()}"
        (folder / "result.html").write_text(page, encoding="utf-8")
        shoot(
            browser,
            (folder / "result.html").as_uri(),
            f"result-{scheme}",
            height=RESULT_HEIGHT,
            scheme=scheme,
        )


def one_row(tab):
    """Show one row at a time, the first one with a doubtful value that has a source."""
    row = tab.locator("tr.row", has_text="confidence low").first.get_attribute("id")
    tab.get_by_role("button", name="One at a time").click()
    for _ in range(tab.locator("tr.row").count()):
        if tab.locator("#current ol").count() and f"#{row.replace('row', 'one')}-" in tab.url:
            break
        tab.keyboard.press("j")
    tab.evaluate("scrollTo(0, 0)")


def write_report(folder, flags, name):
    """Write the report of the sample."""
    subprocess.run([*ROWCITE, "report", *flags, "-o", name], cwd=folder, check=True)


def evaluation(folder, flags):
    """Compare three processors with the sample's labels; return the name of the file with what was measured."""
    shutil.copy(ROOT / "sample_data" / "labels.csv", folder)
    args = ("--truth", "labels.csv", "--key", "name", "--processors", "lite,base,core", "--target", "0.8")
    with (folder / "evaluation.json").open("w") as file:
        command = [*ROWCITE, "eval", *flags, *args, "--yes", "--no-progress", "--json"]
        subprocess.run(command, cwd=folder, check=True, stdout=file)
    return "evaluation.json"


def at_accuracy(tab):
    """Scroll to what was measured."""
    tab.evaluate("document.getElementById('accuracy').scrollIntoView(); scrollBy(0, -28)")


def main():
    """Run the sample, then take the screenshots."""
    TARGET.mkdir(exist_ok=True)
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        folder = Path(name)
        shutil.copy(ROOT / "sample_data" / "accounts.csv", folder)
        (folder / "accounts.yaml").write_text(yaml.safe_dump(spec(), sort_keys=False), encoding="utf-8")
        server = ("serve", "--corpus", str(ROOT / "sample_data" / "web"), "--port", "0", "--latency", "0.05")
        with process(*server, "--faults", json.dumps(FAULTS), cwd=folder) as url:
            flags = ["accounts.yaml", "--base-url", url, "-q"]
            subprocess.run(
                [*ROWCITE, "run", *flags, "--yes", "--no-progress", "--escalate-anyway"],
                cwd=folder,
                check=True,
            )
            write_report(folder, flags, "report.html")
            browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
            report = (folder / "report.html").as_uri()
            for scheme in ("light", "dark"):
                shoot(browser, report, f"report-{scheme}", scheme=scheme)
            shoot(browser, report, "report-phone", width=390, height=PHONE_HEIGHT, scheme="dark")
            measured = [*flags[:-1], "--evaluation", evaluation(folder, flags)]
            write_report(folder, measured, "measured.html")
            address = (folder / "measured.html").as_uri()
            shoot(browser, address, "report-accuracy", height=ACCURACY_HEIGHT, act=at_accuracy)
            with process("review", *flags[:-1], "--as", "reviewer", cwd=folder) as page:
                for scheme in ("light", "dark"):
                    shoot(browser, page, f"review-{scheme}", height=REVIEW_HEIGHT, scheme=scheme, act=one_row)
                shoot(browser, page, "review-phone", width=390, height=PHONE_HEIGHT, act=one_row)
            shoot_result(browser, folder, url)
            browser.close()
    for file in sorted(TARGET.glob("*.png")):
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    began = time.monotonic()
    main()
    print(f"{time.monotonic() - began:.0f} s")
