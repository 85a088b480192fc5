"""Fill missing columns of a table from the web, with a confidence and citations for every cell.

```python
import rowcite

table = rowcite.enrich("accounts.csv", "accounts.yaml")
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rowcite.version import __version__

if TYPE_CHECKING:
    from rowcite.errors import (
        ApiError,
        ApiRefused,
        BudgetExceeded,
        DeadlineReached,
        Declined,
        Incomplete,
        InputError,
        InsufficientCredit,
        KeyRefused,
        LedgerBusy,
        LedgerError,
        NotFound,
        Problem,
        Retriable,
        RowciteError,
        SpecError,
        TableChanged,
        TableError,
        UsageError,
    )
    from rowcite.library import Result, aenrich, enrich, evaluate, plan, run
    from rowcite.pipeline.spec_file import load_spec, parse_spec
    from rowcite.spec.models import Spec

__all__ = [
    "ApiError",
    "ApiRefused",
    "BudgetExceeded",
    "DeadlineReached",
    "Declined",
    "Incomplete",
    "InputError",
    "InsufficientCredit",
    "KeyRefused",
    "LedgerBusy",
    "LedgerError",
    "NotFound",
    "Problem",
    "Result",
    "Retriable",
    "RowciteError",
    "Spec",
    "SpecError",
    "TableChanged",
    "TableError",
    "UsageError",
    "__version__",
    "aenrich",
    "enrich",
    "evaluate",
    "load_spec",
    "parse_spec",
    "plan",
    "run",
]

_HOMES = {
    **dict.fromkeys(("Result", "aenrich", "enrich", "evaluate", "plan", "run"), "library"),
    "Spec": "spec.models",
    "load_spec": "pipeline.spec_file",
    "parse_spec": "pipeline.spec_file",
}


if not TYPE_CHECKING:  # else every misspelt name has a type: Any

    def __getattr__(name: str) -> Any:
        """Import a public name on first use: polars and httpx take half a second to import."""
        if name not in __all__:
            raise AttributeError(f"module 'rowcite' has no attribute {name!r}")
        import sys
        from importlib import import_module

        if name == "aenrich" and "rowcite.library" not in sys.modules:
            return _import_and_aenrich
        return getattr(import_module(f"rowcite.{_HOMES.get(name, 'errors')}"), name)

    def __dir__() -> list[str]:
        """Return all public names, imported or not: prompts complete what `dir` has."""
        return sorted({*globals(), *__all__})


async def _import_and_aenrich(*args: Any, **options: Any) -> Any:
    """Import the library in a thread and call its `aenrich`: the import must not block the caller's loop."""
    from asyncio import to_thread
    from importlib import import_module

    library = await to_thread(import_module, "rowcite.library")
    return await library.aenrich(*args, **options)
