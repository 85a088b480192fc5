"""rowcite from Python: the plan and the run of the command, with frames in place of files."""

from rowcite.library.calls import aenrich, enrich, evaluate, plan, run
from rowcite.library.result import Result

__all__ = ["Result", "aenrich", "enrich", "evaluate", "plan", "run"]
