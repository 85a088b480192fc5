"""How far it is from the command to an HTTP request, in frames and files of rowcite, counted across asyncio tasks."""

import asyncio
import logging
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

import rowcite
from rowcite.cli import main
from support import small_spec, write_spec
from support.deviant import Deviations
from support.submitting import api

SOURCE = Path(rowcite.__file__).parent
MAX_FRAMES, MAX_FILES = 12, 6


def frames_here():
    """Return the frames of rowcite on this thread's stack from `rowcite run` on, with those of the tasks' creators."""
    found, frame = [], sys._getframe(1)
    while frame is not None:
        found.append(frame.f_code)
        frame = frame.f_back
    found = [code for code in reversed(found) if Path(code.co_filename).is_relative_to(SOURCE)]
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    names = [f"{Path(code.co_filename).relative_to(SOURCE)}:{code.co_name}" for code in found]
    if (
        task is not None and "submit/submitter.py:submit_tasks" in names
    ):  # the stack of a task begins at the loop: the frames above it are in its creator's
        own = names[names.index("submit/submitter.py:submit_tasks") + 1 :]
        names = [*CREATORS[task], *own]
    return names[names.index("cli/run.py:command") :] if "cli/run.py:command" in names else names


CREATORS = {}


class Policy(asyncio.DefaultEventLoopPolicy):
    """Event loops that remember the frames in which each task was created."""

    def new_event_loop(self):
        loop = super().new_event_loop()
        loop.set_task_factory(self.create)
        return loop

    @staticmethod
    def create(loop, coroutine, **more):
        task = asyncio.Task(coroutine, loop=loop, **more)
        CREATORS[task] = frames_here()
        return task


class Requests(logging.Handler):
    """Collects the frames of each request that httpx logs, in whose stack it is."""

    def __init__(self):
        super().__init__()
        self.stacks = {}

    def emit(self, record):
        stack = frames_here()
        if stack[:1] == ["cli/run.py:command"]:
            self.stacks[tuple(stack)] = record.getMessage()


@contextmanager
def counted():
    handler, logger = Requests(), logging.getLogger("httpx")
    level, policy = logger.level, asyncio.get_event_loop_policy()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    asyncio.set_event_loop_policy(Policy())
    try:
        yield handler.stacks
    finally:
        asyncio.set_event_loop_policy(policy)
        logger.removeHandler(handler)
        logger.setLevel(level)
        CREATORS.clear()


NEVER_LISTED = {"run_events": False, "list_lag": 1e9}
BARE = dict.fromkeys(("drop_metadata", "drop_inputs", "drop_outputs"), True)
LOST_POST = {**BARE, "keep": 5, "list_ended_only": True}
COMMANDS = {
    "plain": (NEVER_LISTED, {}, 0),
    "runs fetched one by one": (NEVER_LISTED, {**BARE, "run_events": False, "active_results": 5}, 0),
    "a lost POST": (LOST_POST, LOST_POST, 5),
}
"""How the API deviates for a command that its deadline stops and for the next one, and the exit code of that."""


def spec_file(folder, **changes):
    rows = "".join(f"Company {number},\n" for number in range(30))
    (folder / "table.csv").write_text(f"name,website\n{rows}")
    task = {
        "processor": "core",
        "inputs": {"name": {"column": "name"}},
        "outputs": {"city": {"type": "string", "description": "City"}},
    }
    accept = {"fields": {"city": {"pattern": "^nothing is like this$"}}}
    spec = small_spec(backend="parallel", task=task, accept=accept, escalate=["pro"], **changes)
    return str(write_spec(folder, {key: value for key, value in spec.items() if key != "local"}))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_request_is_at_most_twelve_frames_in_six_files_from_the_command(tmp_path, name):
    first, then, code = COMMANDS[name]
    with api(tmp_path, Deviations(**first)) as server, counted() as stacks:
        flags = ["--base-url", server.url, "-q", "--escalate-anyway"]
        stopped = spec_file(tmp_path, limits={"active_runs": 10, "deadline": "1s"})
        assert main(["run", stopped, *flags]) == 5
        server.deviant.how = Deviations(**then)
        assert main(["run", stopped if code else spec_file(tmp_path), *flags]) == code
    assert {"POST", "GET"} == {request.split()[2] for request in stacks.values()}
    for stack, request in stacks.items():
        files = {frame.partition(":")[0] for frame in stack}
        assert len(stack) <= MAX_FRAMES, (request, stack)
        assert len(files) <= MAX_FILES, (request, sorted(files), stack)
