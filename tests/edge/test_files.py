"""A file appears whole or not at all, has its mode from the first byte on, and is written through no planted link."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rowcite.cli import main
from rowcite.errors import Incomplete, TableError
from rowcite.files import atomic_write, create_private, open_append, write_errors, write_many, write_whole
from rowcite.ledger import maintenance, open_ledger
from rowcite.local.server.database import FILE, Database
from support.answers import NOWHERE, answer, answered, found, known, ready

OPEN_UMASK = 0o002


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def temp_file_in(folder: Path) -> Path:
    (file,) = folder.glob(".rowcite-*.tmp")
    return file


@pytest.fixture
def umask():
    before = os.umask(OPEN_UMASK)
    yield OPEN_UMASK
    os.umask(before)


# --- what appears ----------------------------------------------------------------------------------------


def test_a_file_appears_when_its_block_ends_and_not_before(tmp_path):
    with atomic_write(tmp_path / "new" / "a.txt") as file:
        file.write(b"text")
        file.flush()
        assert not (tmp_path / "new" / "a.txt").exists()
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"text"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_in_the_block_leaves_the_target_as_it_was_and_nothing_beside_it(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail() -> None:
        with atomic_write(target) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        fail()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "old")]


def test_many_files_of_a_folder_are_replaced_and_nothing_is_left_beside_them(tmp_path):
    (tmp_path / "b.md").write_text("old")
    write_many(tmp_path, [("a.md", b"1"), ("b.md", b"2")])
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.md": "1", "b.md": "2"}


def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a file"):
        write_whole(tmp_path / "pipe", b"x")
    assert (tmp_path / "pipe").is_fifo()


# --- modes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("existing", "private", "mode"),
    [
        (None, False, 0o666 & ~OPEN_UMASK),
        (None, True, 0o600),
        (0o644, True, 0o600),
        (0o600, False, 0o600),
        (0o646, False, 0o646),
    ],
)
def test_the_final_mode_holds_while_the_file_is_written(tmp_path, umask, existing, private, mode):
    target = tmp_path / "a.txt"
    if existing is not None:
        target.touch()
        target.chmod(existing)
    with atomic_write(target, private=private):
        assert mode_of(temp_file_in(tmp_path)) == mode
    assert mode_of(target) == mode


def test_a_private_file_that_exists_keeps_its_content(tmp_path, umask):
    create_private(tmp_path / "new")
    assert mode_of(tmp_path / "new") == 0o600
    (tmp_path / "old").write_text("x")
    create_private(tmp_path / "old")
    assert (tmp_path / "old").read_text() == "x"


def test_a_ledger_export_is_readable_by_its_owner_alone_while_it_is_written(tmp_path, umask):
    class Watched:
        """A ledger that notes the mode of the file that its rows are written to."""

        def __init__(self, ledger):
            self.ledger, self.modes = ledger, set[int]()

        def records(self):
            for record in self.ledger.records():
                self.modes.add(mode_of(temp_file_in(tmp_path / "chain")))
                yield record

    spec = known(tmp_path, [{"name": "Pumps"}])
    answered(spec, [answer(industry=found("pumps"))])
    ledger = open_ledger(ready(spec).ledger, writing=False)
    watched = Watched(ledger)
    assert maintenance.export(watched, tmp_path / "chain" / "record.parquet") == 1
    ledger.close()
    assert watched.modes == {0o600}


def test_the_data_of_the_server_is_readable_by_its_owner_alone(tmp_path, umask):
    database = Database(tmp_path)
    assert {path.name: oct(mode_of(path)) for path in tmp_path.glob(f"{FILE}*")} == dict.fromkeys(
        [FILE, f"{FILE}-wal"], "0o600"
    )
    database.close()


# --- planted links ---------------------------------------------------------------------------------------


@pytest.fixture
def answered_spec(tmp_path):
    path = known(tmp_path, [{"id": "1", "name": "Pumps"}])
    answered(path, [answer(industry=found("pumps", "low"), employee_count=found(7))])
    return path


@pytest.mark.parametrize(
    ("written", "command"),
    [
        ("record.parquet", ["ledger", "export", "-o", "record.parquet"]),
        ("page.html", ["report", "-o", "page.html"]),
        ("changes.csv", ["deltas", "--key", "id", "-o", "changes.csv"]),
        ("open.csv", ["review", "--export", "open.csv"]),
        ("known.csv", ["write", "-o", "known.csv"]),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_no_command_writes_through_a_link_planted_beside_its_file(
    answered_spec, tmp_path, monkeypatch, written, command
):
    victim, target = tmp_path / "victim", tmp_path / written
    victim.write_text("precious")
    target.with_name(f".{target.name}.tmp").symlink_to(victim)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PARALLEL_BASE_URL", NOWHERE)
    assert main([*command, "-q", str(answered_spec)]) == 0
    assert target.stat().st_size > 0
    assert victim.read_text() == "precious"


def test_no_report_of_a_row_is_written_through_a_link_planted_beside_it(tmp_path):
    task = {"processor": "core", "inputs": {"company": {"column": "name"}}, "output": {"type": "text"}}
    spec = known(tmp_path, [{"name": "Alpha"}], task=task, accept={}, columns={"reports": "reports"})
    answered(spec, [b'{"type": "text", "content": "# Alpha <b>", "basis": []}'])
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / ".row-000001.md.tmp").symlink_to(victim)
    assert main(["write", str(spec), "--base-url", NOWHERE, "-q"]) == 0
    assert (tmp_path / "reports" / "row-000001.md").read_text() == "# Alpha &lt;b>\n"
    assert victim.read_text() == "precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can create a link of another user")
@pytest.mark.parametrize(("folder_mode", "followed"), [(0o1777, False), (0o755, True)])
def test_the_link_of_another_user_is_replaced_in_a_shared_folder_and_followed_elsewhere(
    tmp_path, folder_mode, followed
):
    (tmp_path / "home").mkdir()
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(folder_mode)
    (folder / "a.txt").symlink_to(tmp_path / "home" / "victim")
    os.lchown(folder / "a.txt", 12_345, 12_345)
    write_whole(folder / "a.txt", b"text")
    assert (tmp_path / "home" / "victim").exists() == followed
    assert (folder / "a.txt").is_symlink() == followed


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can create a link of another user")
@pytest.mark.parametrize("opened", [create_private, open_append])
def test_the_link_of_another_user_in_a_shared_folder_is_not_opened(tmp_path, opened):
    (tmp_path / "victim").write_text("precious")
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    (folder / "a").symlink_to(tmp_path / "victim")
    os.lchown(folder / "a", 12_345, 12_345)
    with pytest.raises(OSError, match="link of another user"):
        opened(folder / "a")


# --- what killed commands leave --------------------------------------------------------------------------

KILLED = """
import sys, time
from pathlib import Path
from rowcite.files import atomic_write
with atomic_write(Path(sys.argv[1])) as file:
    file.write(b"half")
    print("half", flush=True)
    time.sleep(60)
"""


def test_the_file_of_a_killed_command_is_removed_and_one_in_use_is_not(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    command = [sys.executable, "-c", KILLED, tmp_path / "a.txt"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        write_whole(tmp_path / "b.txt", b"")
        assert temp_file_in(tmp_path).exists()
        process.send_signal(signal.SIGKILL)
    assert (tmp_path / "a.txt").read_text() == "old"
    write_whole(tmp_path / "b.txt", b"")
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "b.txt"}


def test_a_pipe_with_the_name_of_a_leftover_does_not_block(tmp_path):
    os.mkfifo(tmp_path / ".rowcite-0.tmp")
    write_whole(tmp_path / "a.txt", b"text")
    assert (tmp_path / "a.txt").read_text() == "text"


# --- errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "translated", "message"),
    [
        (OSError(errno.ENOSPC, "No space left"), Incomplete, "a.csv: the disk is full, and the file is as"),
        (OSError("No space left on device (os error 28)"), Incomplete, "a.csv: the disk is full"),
        (
            OSError(errno.EACCES, "Permission denied"),
            TableError,
            "a.csv: cannot write the file: Permission denied",
        ),
        (OSError("File too large (os error 27)"), TableError, "a.csv: cannot write the file: File too large"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), BrokenPipeError, "Broken pipe"),
    ],
)
def test_an_error_of_the_system_names_the_file_and_a_full_disk_is_incomplete(error, translated, message):
    with pytest.raises(translated, match=message), write_errors("a.csv"):
        raise error
