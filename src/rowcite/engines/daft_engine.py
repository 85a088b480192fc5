"""Daft: the functions run in processes of this machine, or on a Ray cluster. The one file that knows Daft and Ray.

Daft gets no table. Its frame has one row for each part: frameworks keep no order of rows, merge files, and lose the metadata of a
schema.
"""

from __future__ import annotations

import os
import pickle
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import daft
from daft.runners import get_or_infer_runner_type

from rowcite.errors import Incomplete, RowciteError, UsageError
from rowcite.version import __version__
from rowcite.wording import how_to_install

T = TypeVar("T")
R = TypeVar("R")
_ATTEMPTS = 3  # of items without a result, in a row in which no item got one
_NUMBER, _ITEM, _RESULT = "number", "item", "result"


class DaftEngine:
    """Runs functions in processes of this machine; with an address, on the Ray cluster there."""

    def __init__(self, address: str | None, secret_variables: Sequence[str]) -> None:
        self._address, self._secret = address, secret_variables

    def check(self, read: Sequence[Path], write: Sequence[Path]) -> None:
        """Check that every node can read some files, write to some folders, and has this version of rowcite.

        Raises:
            UsageError: a node cannot, or the cluster cannot be reached.
        """
        if self._address is None:
            return
        ray = self._connected()
        probe = f".rowcite-probe-{secrets.token_hex(8)}"
        sizes = {str(file): file.stat().st_size for file in read}
        probes = [folder / probe for folder in write]
        look = ray.remote(num_cpus=0)(_problem)
        try:
            for file in probes:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
            for node in [node for node in ray.nodes() if node["Alive"]]:
                affinity = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
                    node["NodeID"], soft=False
                )
                reply = look.options(scheduling_strategy=affinity).remote(
                    __version__, sizes, list(map(str, probes))
                )
                if problem := _reply(ray, reply):
                    raise UsageError(
                        f"engine.address {self._address}: node {node['NodeManagerAddress']} {problem}"
                    )
        finally:
            for file in probes:
                file.unlink(missing_ok=True)

    def map(self, work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
        """Yield the result of each item, in any order. What a worker that died had to do is done by another.

        Raises:
            Incomplete: workers keep dying.
            RowciteError: as it was raised in a worker.
        """
        left, attempts = dict(enumerate(items)), 0
        while left:
            before = len(left)
            try:
                with _foreign_errors_as(lambda error: _WorkersFailed(_last_line(error))):
                    for number, result in self._results(work, left):
                        del left[number]
                        yield result
                if left:
                    raise _WorkersFailed("workers returned too few results")  # noqa: TRY301 - as if one had died
            except _WorkersFailed as error:
                attempts = attempts + 1 if len(left) == before else 1
                if attempts == _ATTEMPTS:
                    raise Incomplete(
                        f"engine daft: {len(left)} of {len(items)} parts are not done, since workers keep failing: {error}."
                        " Run again to continue: finished parts are kept"
                    ) from error

    def _results(self, work: Callable[[T], R], items: dict[int, T]) -> Iterator[tuple[int, R]]:
        with self._without_secrets():
            options: dict[str, Any] = {"use_process": True}  # else the parts of a machine share one process
            if self._address is not None:
                self._connected()
                daft.set_runner_ray(self._address, noop_if_initialized=True)
            else:
                if get_or_infer_runner_type() != "native":
                    daft.set_runner_native()
                options["max_concurrency"] = min(os.cpu_count() or 1, len(items))
            worker = daft.cls(_Worker, **options)(pickle.dumps(work), tuple(self._secret))
            columns = {_NUMBER: list(items), _ITEM: [pickle.dumps(item) for item in items.values()]}
            frame = daft.from_pydict(columns).into_batches(1)
            frame = frame.select(worker.run(frame[_NUMBER], frame[_ITEM]).alias(_RESULT))
            for row in frame.iter_rows(results_buffer_size=1):
                number, result = pickle.loads(row[_RESULT])  # noqa: S301 - from this command's own workers
                if isinstance(result, RowciteError):
                    raise result
                yield number, result

    @contextmanager
    def _without_secrets(self) -> Iterator[None]:
        """Take the key and the secrets of the spec out of the environment, which Daft gives to its processes."""
        kept = {name: os.environ.pop(name) for name in self._secret if name in os.environ}
        try:
            yield
        finally:
            os.environ.update(kept)

    def _connected(self) -> Any:
        """Return Ray, connected to the cluster."""
        try:
            import ray
            import ray.util.scheduling_strategies
        except ImportError as error:
            raise UsageError(f"engine.address needs Ray: {how_to_install('ray')}") from error
        if not ray.is_initialized():
            with _foreign_errors_as(self._cannot_connect):
                ray.init(self._address, log_to_driver=False, logging_level="ERROR")
        return ray

    def _cannot_connect(self, error: Exception) -> UsageError:
        return UsageError(
            f"engine.address: cannot connect to {self._address} ({error}). Check the address and that the cluster runs"
        )


class _Worker:
    """Runs a function on one item after another. An error of rowcite is a result: Daft would make a text of it."""

    def __init__(self, work: bytes, secret_variables: Sequence[str]) -> None:
        for name in secret_variables:  # a node of a cluster may have been started with them
            os.environ.pop(name, None)
        self._work: Callable[[Any], Any] = pickle.loads(work)  # noqa: S301 - from the driver

    def run(self, number: int, item: bytes) -> bytes:
        """Return the pickled number of an item and its result."""
        try:
            with _foreign_errors_as(_bug):  # Daft would run a part again, which cures no bug
                result = self._work(pickle.loads(item))  # noqa: S301 - from the driver
        except RowciteError as error:
            result = error
        return pickle.dumps((number, result))


class _WorkersFailed(RowciteError):
    """Daft or Ray raised an error, as they do when processes and nodes die."""


@contextmanager
def _foreign_errors_as(convert: Callable[[Exception], RowciteError]) -> Iterator[None]:
    """Convert an error that is not rowcite's: those of Daft, Ray and the functions have no type in common."""
    try:
        yield
    except RowciteError:
        raise
    except Exception as error:
        raise convert(error) from error


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


def _bug(error: Exception) -> RowciteError:
    return RowciteError(f"a worker failed, which is a bug in rowcite: {type(error).__name__}: {error}")


def _problem(version: str, sizes: dict[str, int], probes: list[str]) -> str | None:
    """Return why a node cannot be a worker, None if it can. Runs on the node."""
    if version != __version__:
        return f"has rowcite {__version__}, and this command is {version}. Install one version on all"
    for name in probes:
        place = Path(name)
        if not place.exists() or not os.access(place.parent, os.W_OK):
            return f"cannot write to {place.parent}. Input, output and ledger must be on storage that all nodes share"
    for name, size in sizes.items():
        with suppress(OSError):
            if Path(name).stat().st_size == size:
                continue
        return (
            f"does not see the same {name}. Input, output and ledger must be on storage that all nodes share"
        )
    return None


def _reply(ray: Any, reply: Any) -> str | None:
    """Return what a node replied to `_problem`; a node without rowcite cannot run it."""
    try:
        return ray.get(reply, timeout=120)  # type: ignore[no-any-return]
    except ray.exceptions.RayError as error:
        return f"cannot run rowcite {__version__}: {_last_line(error)}. Install it on all nodes"
