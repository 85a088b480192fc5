"""Whose word a language model quotes: does the sentence that states a value speak of the entity, or of somebody else.

Pages are shared: a trade paper names ten companies, a company's own page its rivals. A quote that stands in the page
is no evidence until the entity bears it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from rowcite.local.research.bearing import Place, bears, is_clean, row_contradicts
from rowcite.local.research.document import Fact, How
from rowcite.local.research.dossier import Dossier, Standing
from rowcite.local.research.model_states import located, states
from rowcite.local.research.phrases import OTHERS_HEADING
from rowcite.local.research.splitting import split_sentences
from rowcite.local.research.text import squash
from rowcite.local.research.wants import Want

Borne = Literal["outright", "loosely"]

_ITS_OWN = Place(own=True, profile=True, headline=True)
_LISTED_BEFORE = re.compile(
    r"(?:[A-Z][\w'\u2019-]*(?: [A-Z][\w'\u2019-]*)*, )+$"
)  # "The seat is Lleida, [Spain]"
_TWO_NAMES = re.compile(r"(?:The )?[A-Z][\w'\u2019&-]+ (?:& |and |of )?[A-Z][\w'\u2019-]+")


@dataclass(frozen=True)
class Bearer:
    """The entity as one document speaks of it."""

    dossier: Dossier
    standing: Standing

    def of(self, quote: str, value: Any, want: Want) -> Borne | None:
        """Return how a quote that states a value says it of the entity; None when it says it of somebody else."""
        facts = [fact for fact in self._facts(quote) if states(f"{fact.value} {fact.excerpt}", value, want)]
        told = [fact for fact in facts if fact.subject or fact.lead is None]
        if told:
            found = {self._labelled(fact) for fact in told}
            return "outright" if "outright" in found else "loosely" if "loosely" in found else None
        sentences = [one for one in self._sentences(quote) if states(one[1], value, want)]
        found = {self._spoken(before, text, value, want) for before, text in sentences or [("", quote)]}
        return "outright" if "outright" in found else "loosely" if "loosely" in found else None

    def about(self, quote: str) -> bool:
        """Tell whether a quote may be about the entity: it names it, or nobody else on a page that is about it."""
        naming, place = self.dossier.naming, self.standing.place
        if naming.spans(quote):
            return True
        facts = [fact for fact in self._facts(quote) if fact.subject or fact.lead is None]
        if facts:
            return any(self._labelled(fact) for fact in facts)
        if not (place.own or place.profile) or self._elsewhere(quote):
            return False
        return not (naming.names_other(quote) or _TWO_NAMES.match(quote) or self._opens_with_name(quote))

    def _facts(self, quote: str) -> Iterator[Fact]:
        for fact in self.standing.document.facts:
            excerpt = squash(fact.excerpt)
            if excerpt in quote or quote in excerpt:
                yield fact

    def _labelled(self, fact: Fact) -> Borne | None:
        how = bears(fact, self.standing.document, self.standing.place, self.dossier.naming)
        if how is None or row_contradicts(fact, self.dossier.entity.sites, self.dossier.places):
            return None
        return "loosely" if how is How.LOOSE else "outright"

    def _sentences(self, quote: str) -> Iterator[tuple[str, str]]:
        """Yield each sentence of a quote with the one before it."""
        before = ""
        for text in split_sentences(quote):
            yield before, text
            before = text

    def _spoken(self, before: str, text: str, value: Any, want: Want) -> Borne | None:
        """Judge a sentence by who is named in it before the value, else behind it, else by whose page it stands on."""
        at = located(text, value, want)
        start = len(text) if at is None else at
        if isinstance(value, str):
            start -= len(text[:start]) - len(_LISTED_BEFORE.sub("", text[:start]))
        if self.dossier.naming.spans(text[:start]):
            return "outright" if self._last_named(text[:start]) else "loosely" if at is None else None
        fact = Fact(
            "", text[start:].split(" ", 1)[0], text, How.SENTENCE, lead=text[:start], tail=text[start:]
        )
        if self.dossier.naming.spans(text[start:]):
            how = bears(fact, self.standing.document, self.standing.place, self.dossier.naming)
            return "outright" if how is How.SENTENCE else None
        return self._unnamed(fact, before)

    def _last_named(self, lead: str) -> bool:
        """Return True if the entity is the last organisation that some words name."""
        naming = self.dossier.naming
        spans = naming.spans(lead)
        fact = Fact("", "", lead, How.SENTENCE, lead=lead)
        how = bears(fact, self.standing.document, self.standing.place, naming)
        return bool(spans) and how is not None and is_clean(lead[spans[-1][1] :])

    def _unnamed(self, fact: Fact, before: str) -> Borne | None:
        """Judge a sentence that does not name the entity: nobody else may be its subject, and the page has to be about it."""
        place, document = self.standing.place, self.standing.document
        if (
            not (place.own or place.profile or self._last_named(before))
            or self._elsewhere(fact.excerpt)
            or self._opens_with_name(fact.excerpt)
        ):
            return None
        how = bears(fact, document, _ITS_OWN, self.dossier.naming)
        if how is None:
            return None
        return "outright" if place.own or how is How.SENTENCE else "loosely"

    def _opens_with_name(self, text: str) -> bool:
        """Tell whether a text begins with a name: a word that the document has inside sentences, and only with a capital."""
        first = re.match(r"[A-Z][\w-]+", text)
        if first is None:
            return False
        name, word = re.compile(rf"[a-z,] {first[0]}\b"), re.compile(rf"\b{first[0].lower()}\b")
        texts = [sentence.text for sentence in self.standing.document.sentences]
        return any(map(name.search, texts)) and not any(map(word.search, texts))

    def _elsewhere(self, text: str) -> bool:
        """Tell whether a text stands under a heading about somebody else."""
        naming = self.dossier.naming
        return any(
            not naming.spans(sentence.heading)
            and (naming.names_other(sentence.heading) or OTHERS_HEADING.search(sentence.heading) is not None)
            for sentence in self.standing.document.sentences
            if sentence.heading and (sentence.text in text or text in sentence.text)
        )
