"""Intervals and bounds equal their known values, exactly where the distribution is known and by seeded studies elsewhere."""

import math
import random

import pytest

from rowcite.evaluation.choice import LEVEL, Candidate, FieldSums, Tally, choose, front
from rowcite.evaluation.judging import Outcome, Pair, weighted
from rowcite.evaluation.policies import MOST_POLICIES, MOST_WITH_ONE_BAR, Policy, grid
from rowcite.evaluation.statistics import (
    labels_to_certify,
    labels_to_halve,
    lower_bound,
    ratio,
    share,
    wilson,
)
from rowcite.model import Share

SIZES = (50, 100, 200, 500)
SHARES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98)


def chances(n, p):
    """Return the probability of each number of hits."""
    logs = [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) for k in range(n + 1)]
    return [math.exp(log + k * math.log(p) + (n - k) * math.log1p(-p)) for k, log in enumerate(logs)]


def coverage(n, p):
    """Return the exact probability that the interval of a share has the true share in it."""
    inside = (low <= p <= high for low, high in (wilson(k / n, n) for k in range(n + 1)))
    return sum(chance for chance, covers in zip(chances(n, p), inside, strict=True) if covers)


def test_the_intervals_of_shares_cover_95_percent_and_never_less_than_90():
    covered = [coverage(n, p) for n in SIZES for p in SHARES]
    assert 0.94 <= sum(covered) / len(covered) <= 0.97
    assert min(covered) >= 0.90


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662), (10, 10, 0.7225, 1.0)],
)
def test_an_interval_is_the_published_one(hits, n, low, high):
    assert wilson(hits / n, n) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(
    ("hits", "n", "bound"), [(22, 22, 0.1 ** (1 / 22)), (1, 1, 0.1), (0, 5, 0.0), (9, 10, 0.6632)]
)
def test_a_lower_bound_is_the_published_one(hits, n, bound):
    assert lower_bound(hits, n) == pytest.approx(bound, abs=5e-5)


@pytest.mark.parametrize(("hits", "n"), [(45, 50), (3, 200), (199, 200), (950, 1000)])
def test_at_a_lower_bound_as_many_hits_have_a_chance_of_one_in_ten(hits, n):
    assert sum(chances(n, lower_bound(hits, n))[hits:]) == pytest.approx(0.1, rel=1e-6)


@pytest.mark.parametrize("p", [0.5, 0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("n", [10, 50, 200])
def test_a_lower_bound_is_above_the_true_share_at_most_one_time_in_ten(n, p):
    above = (lower_bound(k, n) > p for k in range(n + 1))
    assert (
        sum(chance for chance, wrong in zip(chances(n, p), above, strict=True) if wrong) <= 1 - LEVEL + 1e-9
    )


def test_a_bootstrap_over_rows_covers_the_true_ratio_of_lists():
    """Elements of one row are right or wrong together: an interval over elements would be far too narrow."""
    dice, covered = random.Random(1), 0
    for study in range(100):
        rows = [(size * (dice.random() < 0.8), size) for size in (dice.randint(1, 5) for _ in range(60))]
        found = ratio([right for right, _ in rows], [size for _, size in rows], seed=study)
        covered += found.low <= 0.8 <= found.high
    assert 0.90 <= covered / 100 <= 0.98


def test_lists_that_are_all_right_still_have_an_interval():
    found = ratio([2] * 20, [2] * 20)
    assert (found.value, found.high, found.n) == (1.0, 1.0, 20)
    assert found.low == pytest.approx(wilson(1.0, 20)[0])


def test_an_interval_holds_its_own_share():
    for n in range(1, 60):
        for hits in range(n + 1):
            low, high = wilson(hits / n, n)
            assert 0 <= low <= hits / n <= high <= 1


@pytest.mark.parametrize("rows", [1, 20])
def test_lists_that_are_all_half_right_have_an_interval_that_covers_chance(rows):
    found = ratio([1] * rows, [2] * rows)
    assert (found.low, found.high) == pytest.approx(wilson(0.5, 2 * rows))


def test_few_lists_of_independent_elements_are_covered_nearly_as_often_as_many():
    dice, covered = random.Random(2), 0
    for study in range(100):
        sizes = [dice.randint(1, 5) for _ in range(5)]
        found = ratio([sum(dice.random() < 0.8 for _ in range(size)) for size in sizes], sizes, seed=study)
        covered += found.low <= 0.8 <= found.high
    assert covered / 100 >= 0.93


def test_nothing_labelled_is_no_share():
    assert share([]) == ratio([], []) == ratio([0], [0]) == Share()
    assert labels_to_halve(Share()) is None


def test_labels_to_halve_an_interval_halve_it():
    now = share([True] * 80 + [False] * 20)
    then = share([True] * 320 + [False] * 80)
    assert labels_to_halve(now) == 300
    assert (then.high - then.low) / (now.high - now.low) == pytest.approx(0.5, abs=0.02)


def test_labels_to_certify_are_enough_and_none_are_where_the_share_is_below_the_target():
    needed = labels_to_certify(0.98, 0.95)
    assert lower_bound(math.floor(0.98 * needed), needed) >= 0.95
    assert labels_to_certify(1.0, 0.95) == pytest.approx(45, abs=4)
    assert labels_to_certify(0.95, 0.95) is None


# --- strata ----------------------------------------------------------------------------------------------


def pair(key, right):
    outcome = Outcome.RIGHT if right else Outcome.WRONG
    return Pair(key, 1, "city", "x", "x", outcome, right, "high", None, (), None)


def test_weights_make_the_estimate_of_a_stratified_sample_unbiased_where_plain_labels_are_not():
    """A rare stratum with many errors is sampled as often as a common one with few."""
    dice = random.Random(3)
    sizes, truths = {"good": 900, "bad": 100}, {"good": 0.98, "bad": 0.4}
    true = sum(sizes[name] * truths[name] for name in sizes) / 1000
    plain, fair = [], []
    for _ in range(400):
        strata = {f"{name} {n}": (name, sizes[name]) for name in sizes for n in range(25)}
        pairs = [pair(key, dice.random() < truths[name]) for key, (name, _) in strata.items()]
        plain.append(sum(item.outcome is Outcome.RIGHT for item in pairs) / len(pairs))
        found = weighted(pairs, strata)
        fair.append(
            share([item.outcome is Outcome.RIGHT for item in found], [item.weight for item in found]).value
        )
    assert sum(fair) / len(fair) == pytest.approx(true, abs=0.01)
    assert sum(plain) / len(plain) < true - 0.2


@pytest.mark.parametrize(
    ("sizes", "truths", "labels"),
    [((900, 100), (0.98, 0.4), (45, 5)), ((900, 90, 10), (0.97, 0.6, 0.5), (46, 4, 2)), ((500, 500), (0.95, 0.85), (50, 50))],
)  # fmt: skip
def test_the_bound_of_a_stratified_sample_is_above_the_true_share_at_most_one_time_in_ten(
    sizes, truths, labels
):
    dice, above = random.Random(1), 0
    true = sum(size * right for size, right in zip(sizes, truths, strict=True)) / sum(sizes)
    for _ in range(400):
        right = given = squares = 0.0
        for size, share_right, count in zip(sizes, truths, labels, strict=True):
            weight = size / count
            right += weight * sum(dice.random() < share_right for _ in range(count))
            given, squares = given + weight * count, squares + weight**2 * count
        above += Tally(1, 1.0, 1.0, 1.0, {"city": FieldSums(right, given, squares)}).bound("city") > true
    assert above <= 40


# --- policies --------------------------------------------------------------------------------------------


def tally(dice, right, rows, cost):
    hits = sum(dice.random() < right for _ in range(rows))
    return Tally(rows, rows, rows * cost, rows, {"city": FieldSums(hits, rows, rows)})


def candidate(policy, dice, right, rows, cost):
    choosing, certifying = (tally(dice, right, rows // 2, cost) for _ in range(2))
    return Candidate(policy, choosing, certifying, choosing + certifying)


def test_at_most_one_study_in_ten_certifies_a_policy_below_the_target():
    """Four policies just below the target in each of 300 studies: chance must not certify them."""
    dice, target, false = random.Random(5), 0.9, 0
    for _ in range(300):
        policies = [
            candidate(Policy(("lite", str(number)), None), dice, 0.895, 200, 10 + number)
            for number in range(4)
        ]
        choice = choose(policies, ["city"], target)
        false += choice is not None and choice.certified
    assert false <= 30


def test_a_policy_well_above_the_target_is_certified_and_the_cheapest_such_is_chosen():
    dice = random.Random(7)
    dear = candidate(Policy(("pro",), None), dice, 0.995, 400, 100)
    cheap = candidate(Policy(("core",), None), dice, 0.985, 400, 25)
    bad = candidate(Policy(("lite",), None), dice, 0.7, 400, 5)
    choice = choose([dear, cheap, bad], ["city"], 0.95)
    assert (choice.certified, choice.candidate) == (True, cheap)


def test_without_a_certified_policy_the_best_is_named_with_the_labels_it_needs():
    dice = random.Random(9)
    few = candidate(Policy(("core",), None), dice, 1.0, 20, 25)
    choice = choose([few], ["city"], 0.95)
    assert (choice.certified, choice.candidate, choice.weakest) == (False, few, "city")
    assert choice.labels_needed == pytest.approx(90, abs=8)


def test_a_grid_has_ladders_from_cheap_to_dear_and_at_most_200_policies():
    prices = {"pro": 100, "lite": 5, "core": 25}
    policies = grid(["pro", "lite", "core"], prices, ["ceo"])
    assert Policy(("lite", "core", "pro"), "medium") in policies
    assert Policy(("core", "pro"), "medium", retry_for="ceo") in policies
    assert not any(list(policy.ladder) != sorted(policy.ladder, key=prices.get) for policy in policies)
    nine = [str(number) for number in range(9)]
    assert len(grid(nine, {name: int(name) for name in nine}, ["ceo"])) == MOST_WITH_ONE_BAR < MOST_POLICIES


def test_the_front_leaves_out_what_is_dearer_and_no_better():
    dice = random.Random(11)
    cheap = candidate(Policy(("lite",), None), dice, 0.5, 100, 5)
    dear = candidate(Policy(("core",), None), dice, 0.9, 100, 25)
    worse = candidate(Policy(("pro",), None), dice, 0.8, 100, 100)
    assert front([worse, dear, cheap]) == [cheap, dear]
