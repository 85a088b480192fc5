"""rowcite from Python: the plan and the run of the command, with frames in place of files."""

from rowcite.library.calls import Result, aenrich, enrich, evaluate, plan, run

__all__ = ["Result", "aenrich", "enrich", "evaluate", "plan", "run"]
