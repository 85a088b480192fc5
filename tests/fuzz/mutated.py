"""Almost valid input: hypothesis cuts, repeats and edits a target's examples with words of its format."""

from __future__ import annotations

from hypothesis import strategies as st

from fuzz.targets import Target


@st.composite
def mutated(draw: st.DrawFn, target: Target) -> bytes:
    """Return a seed of the target with up to six edits, a sequence of its words, or random bytes."""
    kind = draw(st.sampled_from("eeeeewwn"))
    if kind == "n":
        return draw(st.binary(max_size=200))
    word = st.sampled_from(target.words) | st.binary(max_size=4)
    if kind == "w":
        gap = draw(st.sampled_from((b"", b" ")))
        return gap.join(draw(st.lists(word, max_size=25)))
    data = draw(st.sampled_from(target.seeds))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        cut = draw(st.integers(0, 12))
        what = draw(st.sampled_from("idrt"))
        if what == "i":
            data = data[:at] + draw(word) + data[at:]
        elif what == "d":
            data = data[:at] + data[at + cut :]
        elif what == "r":
            data = data[:at] + draw(word) + data[at + cut :]
        else:
            data = data[: at + cut] + data[at:] if draw(st.booleans()) else data[:at]
    return data
