"""Which API's answers a command uses."""

import pytest

from rowcite.errors import UsageError
from rowcite.pipeline.which_api import PARALLEL, Use, api_flag, choose_api

A, B = "http://127.0.0.1:8099", "https://api.example"
CORPUS, OLDER = "local:new", "local:old"
READING = (Use.LOOK, Use.KEEP)
NO_RUNS: dict[str, int] = {}

CHOSEN = [
    # named, corpus, runs, uses, api
    (None, None, NO_RUNS, Use, PARALLEL),
    (None, None, {PARALLEL: 1}, Use, PARALLEL),
    (None, None, {A: 3, PARALLEL: 1}, Use, PARALLEL),
    (None, None, {CORPUS: 3, PARALLEL: 1}, Use, PARALLEL),
    (None, None, {A: 3}, READING, A),
    (None, CORPUS, NO_RUNS, Use, CORPUS),
    (None, CORPUS, {CORPUS: 2, PARALLEL: 9}, Use, CORPUS),
    (A, None, NO_RUNS, Use, A),
    (A, None, {A: 3, PARALLEL: 1}, Use, A),
    (PARALLEL, None, {A: 3, PARALLEL: 1}, Use, PARALLEL),
    (CORPUS, CORPUS, {A: 3, CORPUS: 1}, Use, CORPUS),
]
WARNED = [
    # named, corpus, runs, use, api, words of the warning
    (
        None,
        None,
        {A: 300},
        Use.SEND,
        PARALLEL,
        f"300 answers came from {A}; this run requests {PARALLEL} again",
    ),
    (B, None, {A: 1}, Use.SEND, B, f"1 answer came from {A}; this run requests {B} again"),
    (
        None,
        None,
        {A: 2, OLDER: 1},
        Use.SEND,
        PARALLEL,
        f"3 answers came from {A} and a local corpus; this",
    ),
    (None, CORPUS, {OLDER: 2}, Use.SEND, CORPUS, "2 answers came from another local corpus; this"),
    (B, None, {A: 3}, Use.LOOK, B, f"no answers from {B}. It has 3 runs: --base-url {A}"),
    (None, CORPUS, {A: 3}, Use.LOOK, CORPUS, f"3 runs: --backend parallel --base-url {A}"),
    (None, CORPUS, {A: 3}, Use.KEEP, CORPUS, f"3 runs: --backend parallel --base-url {A}"),
    (CORPUS, CORPUS, {OLDER: 3}, Use.LOOK, CORPUS, "3 runs: another version of the corpus"),
]
REJECTED = [
    # named, corpus, runs, uses, words of the error
    (None, None, {A: 3, B: 1}, READING, f"  3 runs: --base-url {A}\n  1 run: --base-url {B}"),
    (None, None, {CORPUS: 3, OLDER: 1}, READING, "  4 runs: --backend local"),
    (None, None, {CORPUS: 3}, READING, "  3 runs: --backend local"),
    (B, None, {A: 3}, [Use.KEEP], f"no answers from {B}. It has\n  3 runs: --base-url {A}"),
    (PARALLEL, None, {A: 3}, [Use.KEEP], f"no answers from {PARALLEL}"),
    (CORPUS, CORPUS, {A: 3}, [Use.KEEP], f"3 runs: --backend parallel --base-url {A}"),
]


@pytest.mark.parametrize(("named", "corpus", "runs", "uses", "api"), CHOSEN)
def test_the_api_with_answers_is_used_without_a_warning(named, corpus, runs, uses, api):
    for use in uses:
        choice = choose_api(named, corpus, runs, use)
        assert (choice.api, choice.warnings) == (api, ())


@pytest.mark.parametrize(("named", "corpus", "runs", "use", "api", "words"), WARNED)
def test_answers_of_another_api_draw_a_warning(named, corpus, runs, use, api, words):
    choice = choose_api(named, corpus, runs, use)
    assert choice.api == api
    assert [words in text for text in choice.warnings] == [True]


@pytest.mark.parametrize(("named", "corpus", "runs", "uses", "words"), REJECTED)
def test_a_file_without_the_answers_of_another_api_is_not_written(named, corpus, runs, uses, words):
    for use in uses:
        with pytest.raises(UsageError) as error:
            choose_api(named, corpus, runs, use)
        assert words in str(error.value)


@pytest.mark.parametrize(("api", "flag"), [(PARALLEL, ""), (CORPUS, ""), (A, f" --base-url {A}")])
def test_the_advice_to_run_again_names_the_same_api(api, flag):
    assert api_flag(api) == flag
