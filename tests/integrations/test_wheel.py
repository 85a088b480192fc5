"""The built wheel and source distribution, installed alone into fresh environments of the lowest and the newest Python at hand."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from zipfile import ZipFile

import pytest

from support import ROOT, environment, served

PAGE = (
    "<html><title>Acme</title><body><h1>Acme</h1><dl><dt>Industry</dt><dd>Rope making</dd></dl></body></html>"
)
TASK = """
name: {name}
input: {{path: companies.csv}}
output: {{path: {name}-enriched.csv}}
task: {{processor: core, inputs: {{company: {{column: company_name}}}}, outputs: {{{field}: {{type: string, description: Its {field}}}}}{more}}}
"""
LOCAL = TASK.format(name="pages", field="industry", more="") + "backend: local\nlocal: {corpus: pages}\n"
TOOLS = (
    TASK.format(
        name="tools", field="industry", more=", mcp_servers: [{name: a, url: 'http://127.0.0.1:9/mcp'}]"
    )
    + "backend: local\nlocal: {corpus: pages}\n"
)
PARTS = (
    TASK.format(name="parts", field="industry", more="")
    .replace("companies.csv", "parts")
    .replace("-enriched.csv", "-enriched/")
    + "engine: daft\n"
)
LABELLED = TASK.format(name="labelled", field="parent", more="") + "eval: {parent: company}\n"
(INSTALLS,) = (
    [line for line in block.splitlines() if line]
    for block in re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
)
EXTRAS = ("", "local", "report", "excel", "eval", "mcp", "daft", "all")
HOLDS = {"all": {"local", "report", "excel", "eval", "mcp"}}
ENVIRONMENTS = [*product(["wheel"], EXTRAS), *product(["sdist"], ["", "all"])]

pytestmark = pytest.mark.integration


def run(*command: object, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command outside the checkout, and return how it ended."""
    python = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    outside = {name: value for name, value in environment(**variables).items() if name not in python}
    words = [str(part) for part in command]
    return subprocess.run(words, check=False, cwd=folder, env=outside, capture_output=True, text=True)


def ran(*command: object, folder: Path, code: int = 0, **variables: str) -> str:
    """Run a command outside the checkout that ends with a code, and return what it printed."""
    done = run(*command, folder=folder, **variables)
    assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def uv(*arguments: object, folder: Path, **variables: str) -> str:
    """Run uv outside the checkout, and return what it printed."""
    return ran(sys.executable, "-m", "uv", *arguments, folder=folder, **variables)


def interpreters() -> Iterator[tuple[int, Path]]:
    """Yield the Pythons of this machine from 3.11 on, with their minor version."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    folders = [*map(Path, os.environ["PATH"].split(os.pathsep)), *pyenv.glob("*/bin")]
    for minor, folder in product(range(11, 30), folders):
        program = folder / f"python3.{minor}"
        if program.exists() and run(program, "-c", "import venv", folder=Path.home()).returncode == 0:
            yield minor, program


@cache
def python_of(age: str) -> Path:
    """Return the lowest or the newest Python at hand."""
    found = dict(interpreters())
    return found[min(found) if age == "lowest" else max(found)]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return the wheel and the source distribution, by kind."""
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--quiet", "--out-dir", folder, ROOT, folder=folder)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a small table, its specs, its labels and a page about one of its rows."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "acme.html").write_text(PAGE)
    (tmp_path / "companies.csv").write_text("account_id,company_name\n1,Acme\n2,Borealis\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "1.csv").write_text("company_name\nAcme\n")
    (tmp_path / "labels.csv").write_text("account_id,parent\n1,Acme Holding GmbH\n")
    (tmp_path / "accounts.xlsx").write_bytes((ROOT / "sample_data" / "accounts.xlsx").read_bytes())
    for name, text in (("pages", LOCAL), ("tools", TOOLS), ("labelled", LABELLED), ("parts", PARTS)):
        (tmp_path / f"{name}.yaml").write_text(text)
    yield tmp_path
    shutil.rmtree(tmp_path / "venv", ignore_errors=True)  # hundreds of megabytes


def programs(python: Path, distribution: Path, extra: str, folder: Path) -> Path:
    """Return the folder of programs of a new environment that holds a distribution with an extra."""
    uv("venv", "--quiet", "--python", python, folder / "venv", folder=folder)
    what = f"{distribution}[{extra}]" if extra else distribution
    uv("pip", "install", "--quiet", "--python", folder / "venv" / "bin" / "python", what, folder=folder)
    return folder / "venv" / "bin"


def test_the_wheel_holds_the_whole_package_and_nothing_else(built):
    source = ROOT / "src"
    wanted = {
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = {name for name in ZipFile(built["wheel"]).namelist() if ".dist-info/" not in name}
    assert names == wanted


def test_the_source_distribution_holds_the_package_and_its_sample(built):
    with tarfile.open(built["sdist"]) as archive:
        names = {Path(*Path(name).parts[1:]) for name in archive.getnames()}
    generated = {Path("PKG-INFO"), Path(".gitignore")}
    files = {"src", "configs", "sample_data", "README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml"}
    assert {name.parts[0] for name in names - generated} == files
    sample = ROOT / "sample_data"
    assert {path.relative_to(ROOT) for path in sample.rglob("*") if path.is_file()} <= names


@pytest.mark.parametrize("age", ["lowest", "newest"])
@pytest.mark.parametrize(("kind", "extra"), ENVIRONMENTS)
def test_a_fresh_environment_does_what_its_extras_permit(built, folder, kind, extra, age):
    rowcite = programs(python_of(age), built[kind], extra, folder) / "rowcite"
    assert "Commands:" in ran(rowcite, "--help", folder=folder)
    assert ran(rowcite, "--version", folder=folder).startswith("rowcite, version ")
    ran(rowcite, "init", "companies.csv", "--yes", folder=folder)
    assert "ok. 2 rows" in ran(rowcite, "check", "companies.yaml", folder=folder)
    with served(folder, bench=True) as server:
        url = {"PARALLEL_BASE_URL": server.url}
        assert "2 to submit" in ran(rowcite, "plan", "companies.yaml", folder=folder, **url)
        assert "2 completed" in ran(rowcite, "run", "companies.yaml", "--yes", folder=folder, **url)
        ran(rowcite, "run", "labelled.yaml", "--yes", folder=folder, **url)
        needing_extras(rowcite, HOLDS.get(extra, {extra}), folder, url)


def needing_extras(rowcite: Path, extras: set[str], folder: Path, url: dict[str, str]) -> None:
    """Run the commands that need an extra: without it they name the line that installs it."""
    eval_ = ("eval", "labelled.yaml", "--truth", "labels.csv", "--key", "account_id")
    for needed, command in (
        ("local", ("run", "pages.yaml")),
        ("report", ("report", "companies.yaml")),
        ("excel", ("init", "accounts.xlsx", "--yes")),
        ("excel", ("write", "companies.yaml", "-o", "companies.xlsx")),
        ("eval", eval_),
        ("daft", ("run", "parts.yaml", "--yes")),
    ):
        code = 0 if needed in extras else 2
        printed = ran(rowcite, *command, folder=folder, code=code, **({} if needed == "local" else url))
        assert (f"pip install '.[{needed}]'" in printed) == (needed not in extras), printed
    if "local" in extras:
        assert "Acme,Rope making,medium" in (folder / "pages-enriched.csv").read_text()
        printed = ran(rowcite, "run", "tools.yaml", folder=folder)
        assert ("pip install '.[mcp]'" in printed) == ("mcp" not in extras), printed


def test_the_installed_library_enriches_a_frame(built, folder):
    python = programs(python_of("newest"), built["wheel"], "local", folder) / "python"
    code = "import rowcite; print(rowcite.enrich('companies.csv', 'pages.yaml')['industry'].to_list())"
    assert "['Rope making', None]\n" in ran(python, "-c", code, folder=folder)


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    """Return the variables with which pip, uv and pipx install into one folder and nowhere else."""
    folder = tmp_path_factory.mktemp("tools")
    places = {
        "UV_TOOL_DIR": str(folder / "uv"),
        "UV_TOOL_BIN_DIR": str(folder / "bin"),
        "PIPX_HOME": str(folder / "pipx"),
        "PIPX_BIN_DIR": str(folder / "bin"),
    }
    uv("venv", "--quiet", "--seed", "--python", python_of("newest"), folder / "venv", folder=folder)
    uv("tool", "install", "--quiet", "pipx", folder=folder, **places)
    path = (folder / "venv" / "bin", folder / "bin", Path(sys.executable).parent, os.environ["PATH"])
    yield {**places, "PATH": os.pathsep.join(map(str, path))}
    shutil.rmtree(folder)


@pytest.mark.parametrize("where", ["clone", "wheel"])
@pytest.mark.parametrize("line", INSTALLS, ids=lambda line: line.split(" ")[0])
def test_a_line_of_the_readme_installs_rowcite(built, folder, tools, line, where):
    command = [
        word.replace(".", str(built["wheel"]), 1) if where == "wheel" and word[0] == "." else word
        for word in shlex.split(line, comments=True)
    ]
    again = ["--force"] if (command[1] == "install" and command[0] == "pipx") or command[1] == "tool" else []
    printed = ran(*command, *again, folder=ROOT if where == "clone" else folder, **tools)
    if "--help" in command:
        assert "Commands:" in printed
        return
    rowcite = Path(
        tools["UV_TOOL_BIN_DIR"] if command[0] != "pip" else tools["PATH"].split(os.pathsep)[0], "rowcite"
    )
    ran(rowcite, "run", "pages.yaml", folder=folder)
    assert "Acme,Rope making,medium" in (folder / "pages-enriched.csv").read_text()


def test_the_lock_file_gives_an_environment_that_works(folder):
    frozen = ("--project", ROOT, "--locked", "--no-dev", "--extra", "local")
    place = {"UV_PROJECT_ENVIRONMENT": str(folder / "venv")}
    ran(sys.executable, "-m", "uv", "run", *frozen, "rowcite", "run", "pages.yaml", folder=folder, **place)
    assert "Acme,Rope making,medium" in (folder / "pages-enriched.csv").read_text()
