"""Frames computed here and in processes beside this one: in order, and whatever happens to a process."""

import os
import subprocess
import sys
from contextlib import closing
from functools import partial
from operator import methodcaller

import polars as pl
import pytest

from rowcite.table.processes import FrameProcesses
from support import until

FRAMES = [pl.DataFrame({"n": [number, number + 1]}) for number in range(40)]
REVERSE = partial(methodcaller, "reverse")  # in another process, only what a package has can be imported


MAP_TWO_FRAMES = """
from functools import partial
from operator import methodcaller
import polars as pl
from rowcite.table.processes import FrameProcesses
frames = [pl.DataFrame({"n": [1]})] * 2
processes = FrameProcesses(partial(methodcaller, "reverse"), worth=0, count=1)
print(len(list(processes.map(methodcaller("reverse"), frames, 2))), flush=True)
"""


def fail_here(_):
    raise AssertionError("computed here")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123
        return list(map(int, file.read().split()))


def lists(frames):
    return [frame["n"].to_list() for frame in frames]


def computed(processes):
    return lists(processes.map(methodcaller("reverse"), FRAMES, len(FRAMES) * 2))


REVERSED = [[number + 1, number] for number in range(40)]


def test_frames_come_in_order_from_processes_and_from_here():
    with closing(FrameProcesses(REVERSE, worth=0, count=2)) as processes:
        assert computed(processes) == REVERSED
        assert computed(processes) == REVERSED


def test_a_process_computes_what_it_has_room_for():
    with closing(FrameProcesses(REVERSE, worth=0, count=1)) as processes:
        found = processes.map(fail_here, FRAMES[:2], 4)
        assert lists(found) == REVERSED[:2]


def test_few_rows_start_no_process():
    with closing(FrameProcesses(fail_here, worth=81, count=1)) as processes:
        assert computed(processes) == REVERSED
        assert not processes._processes


def test_frames_of_a_killed_process_are_computed_here():
    with closing(FrameProcesses(REVERSE, worth=0, count=1)) as processes:
        found = processes.map(methodcaller("reverse"), FRAMES, 80)
        first = next(found)
        (process,) = processes._processes
        process.kill()
        assert lists([first, *found]) == REVERSED
        assert computed(processes) == REVERSED


def test_everything_is_computed_here_where_the_function_cannot_be_sent():
    with closing(FrameProcesses(lambda: None, worth=0, count=1)) as processes:
        assert computed(processes) == REVERSED


def test_an_error_of_a_process_is_raised_here():
    select = methodcaller("select", "m")
    with (
        closing(FrameProcesses(partial(methodcaller, "select", "m"), worth=0, count=1)) as processes,
        pytest.raises(pl.exceptions.ColumnNotFoundError),
    ):
        list(processes.map(select, FRAMES, 80))


def test_everything_is_computed_here_where_no_process_can_be_started():
    code = f"import sys; sys.executable = '/nowhere/python'\n{MAP_TWO_FRAMES}"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"2\n"


def test_close_ends_the_processes():
    processes = FrameProcesses(REVERSE, worth=0, count=2)
    next(processes.map(methodcaller("reverse"), FRAMES, 80))
    started = list(processes._processes)
    processes.close()
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="needs /proc")  # noqa: PTH110
def test_processes_end_with_a_parent_that_is_killed():
    code = f"{MAP_TWO_FRAMES}input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as parent:
        assert parent.stdout.readline() == b"2\n"
        (child,) = children(parent.pid)
        parent.kill()
        parent.wait()
    until(lambda: not is_running(child), 120)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
