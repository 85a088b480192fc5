"""What `import rowcite` has: every documented name, none of the environment's secrets, errors that cross processes."""

import inspect
import pickle
import pydoc

import pytest

import rowcite
from rowcite import errors

ERRORS = [
    item for item in vars(errors).values() if inspect.isclass(item) and item.__module__ == errors.__name__
]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_of_the_reference_is_a_name_of_rowcite(error):
    assert getattr(rowcite, error.__name__) is error


def test_prompts_complete_names_that_are_not_imported_yet():
    assert set(rowcite.__all__) <= set(dir(rowcite))


def test_help_shows_nothing_of_the_environment(monkeypatch):
    monkeypatch.setenv("PARALLEL_API_KEY", "a-secret-key")
    for name in set(rowcite.__all__) - {"__version__"}:
        assert "a-secret-key" not in pydoc.plain(pydoc.render_doc(getattr(rowcite, name)))


@pytest.mark.parametrize(
    "error",
    [
        errors.SpecError("a.yaml", [errors.Problem("no key", 2, 1), errors.Problem("no name")]),
        errors.Retriable("overloaded", status=503, ref_id="r", retry_after=2.0),
        errors.DeadlineReached("2h"),
    ],
)
def test_an_error_is_the_same_after_it_has_crossed_to_another_process(error):
    error.reword(str.upper)
    after = pickle.loads(pickle.dumps(error))
    assert (type(after), str(after), after.lines, vars(after)) == (
        type(error),
        str(error),
        error.lines,
        vars(error),
    )
