"""Ledgers on file systems that do not keep locks: rejected before anything is spent."""

import shutil
import subprocess
import sys

import pytest

from rowcite.errors import LedgerBusy
from rowcite.ledger import open_ledger
from support import environment, small_spec, started, write_spec
from support.submitting import api

COMPILER = shutil.which("cc")
SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

static int is_broken(const char *what) {
  const char *value = getenv("BROKEN_LOCKS");
  return value && !strcmp(value, what);
}

int flock(int file, int operation) {
  if (is_broken("none")) return 0;
  if (is_broken("refused")) { errno = ENOLCK; return -1; }
  int (*real)(int, int) = dlsym(RTLD_NEXT, "flock");
  return real(file, operation);
}

static int control(const char *name, int file, int command, void *value) {
  int locks = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK;
  if (locks && (is_broken("none") || is_broken("whole files only"))) return 0;
  if (locks && is_broken("no ranges")) { errno = ENOLCK; return -1; }
  int (*real)(int, int, ...) = dlsym(RTLD_NEXT, name);
  return real(file, command, value);
}

int fcntl(int file, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void *value = va_arg(rest, void *);
  va_end(rest);
  return control("fcntl", file, command, value);
}

int fcntl64(int file, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void *value = va_arg(rest, void *);
  va_end(rest);
  return control("fcntl64", file, command, value);
}
"""
"""The locks of a file system, at the system's boundary: each kind granted to everyone, or refused to everyone."""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    if COMPILER is None or sys.platform != "linux":
        pytest.skip("needs a C compiler on Linux")
    folder = tmp_path_factory.mktemp("shim")
    (folder / "locks.c").write_text(SHIM)
    command = [COMPILER, "-shared", "-fPIC", "-o", folder / "locks.so", folder / "locks.c", "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return str(folder / "locks.so")


def test_a_file_system_without_locks_is_rejected_before_anything_is_spent(tmp_path, shim):
    (tmp_path / "table.csv").write_text("name,website\nAcme,\n")
    write_spec(tmp_path, small_spec(backend="parallel"))
    with api(tmp_path) as server:
        run = ("run", "spec.yaml", "--yes", "--base-url", server.url)
        process = started(*run, cwd=tmp_path, LD_PRELOAD=shim, BROKEN_LOCKS="none")
        message = process.communicate(timeout=300)[1].decode()
        assert process.returncode == 5
        assert "this file system does not lock files" in message
        assert "--ledger DIR or ROWCITE_LEDGER" in message
        assert server.requests() == []


@pytest.mark.parametrize("broken", ["whole files only", "refused", "no ranges"])
def test_each_kind_of_lock_that_a_ledger_needs_is_tried(tmp_path, shim, broken):
    script = (
        "import sys, pathlib, rowcite.ledger as l; l.open_ledger(pathlib.Path(sys.argv[1]), writing=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "ledger"],
        env=environment(LD_PRELOAD=shim, BROKEN_LOCKS=broken),
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert b"LedgerError" in done.stderr
    assert b"this file system does not lock files" in done.stderr


def test_trying_the_locks_leaves_the_lock_held_and_no_file(tmp_path):
    ledger = open_ledger(tmp_path / "ledger", writing=True)
    with pytest.raises(LedgerBusy):
        open_ledger(tmp_path / "ledger", writing=True)
    ledger.close()
    assert {file.name for file in (tmp_path / "ledger").iterdir()} == {".gitignore", "ledger.db", "lock"}
