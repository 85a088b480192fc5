"""Split blocks into sentences, and find in English ones company facts, instructions to language models and text about others.

Each pattern for a fact has a group `v` for the value. `passing` marks indirect statements; `before` and
`after` exclude lookalikes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby, islice

from rowcite.local.research.documents.document import Block, Directness, Fact
from rowcite.local.research.text.figures import APPROXIMATELY, MONEY, NUMBER, year_mentioned
from rowcite.local.research.text.normalise import LABELLED_LINE, split_sentences

_PEOPLE = r"(?:people|staff(?: members)?|employees?|workers|team members|colleagues|persons|FTEs?|full-time equivalents|men and women|specialists|professionals)"
_KIND = r"(?:[a-z-]+ ){0,2}"
_YEAR = r"(?:1[6-9]|20)\d\d"
_WHEN = r"(?:(?:early|late|mid-?|the|start|end|spring|summer|autumn|fall|winter|back|\w+day|\d{1,2}(?:st|nd|rd|th)?|January|February|March|April|May|June|July|August|September|October|November|December|of|,)[\s-]+){0,5}"
# Proper names are matched with their case, other words without it.
_CAP = r"(?-i:[^\W\d_a-zß-öø-ÿ][\w'\u2019.&-]*)"
_PLACE = rf"{_CAP}(?:[ -](?:(?-i:of|de|la|le|upon|am|an der|der|sur|den|the|on|do)[ -])?{_CAP}){{0,3}}(?:, {_CAP}(?: {_CAP}){{0,2}}| \({_CAP}(?: {_CAP}){{0,2}}\)){{0,2}}"
_PERSON = r"(?-i:(?:Dr\.? |Prof\.? |Sir |Dame )?(?![A-Z]{{2,}}\b|(?:The|Its|Our|In|At|Chief|Managing|Company|New|Since|And|But|He|She|It|We|This|That|Mr|Ms|Founder|Former)\b)[A-ZÀ-ÖØ-ÞŁŚŻČŠŽĐ][\w'\u2019-]+(?: (?:van|von|de|der|den|del|di|da|al|bin|la|le|dos|ten|af|[A-Z]\.))*(?: [A-ZÀ-ÖØ-ÞŁŚŻČŠŽĐ][\w'\u2019-]+){1,2})"
_LIST = r"[^.;:!?()]{3,200}"
_STAGE = r"pre-?seed|seed|series [A-Ka-k]\d?\b"
_EXEC = r"(?:CEO|chief executive(?: officer)?|managing director)"

# The patterns of a concept are slow: they are tried only on sentences that contain one of these in lower case.
_NEEDS = {concept: re.compile(words) for concept, words in {
    "employees": r"people|staff|employ|worker|team|colleague|person|fte|full-time|payroll|count|workforce|of us|specialists|professionals",
    "founded": r"found|establish|start|set up|created|formed|born|launch|incorporat|open|began|begin|commenc|back to|since",
    "founders": r"founded",
    "ceo": r"ceo|chief exec|managing director|led by|run by|headed by",
    "stage": r"seed|series|listed|quoted|public|float|ipo|initial|trad|bootstrap|self-f|never|not",
    "public": r"privat|famil|listed|traded|quoted|shares|owned|delist|withdr|left the stock",
    "revenue": r"revenue|turnover|sales",
    "hq": r"headquarter|based|office|hq|head quarters|operates from|works from|run from|moved|moves|relocat|transfer|shifted|home base",
    "industry": r"field|business|trade|industry|sector|speciali|line of|work|operat|active|home in|nutshell|phrase|word",
    "products": r"product|range|portfolio|offering|service|solution|brand|platform",
    "investors": r"led by|investors|backed by|funded by|investment from|backing from",
    "email": r"@",
}.items()}  # fmt: skip


class Phrase:
    """A pattern that states a fact; `before` and `after` match neighbouring words that exclude it."""

    def __init__(
        self, concept: str, pattern: str, before: str = "(?!)", after: str = "(?!)", *, passing: bool = False
    ) -> None:
        self.concept, self.passing = concept, passing
        patterns = (re.compile(one, re.IGNORECASE) for one in (pattern, before, after))
        self.pattern, self.before, self.after = patterns


_CHANGE = r"(?:lay(?:s|ing)? off|laid off|cut|cuts|cutting|shed|lost|hire|hired|hires|hiring|add|added|adding|adds|recruit\w*|creat\w+|plans?|planning|aims?|expects?|will|would|could|may|might|hopes?|intends?|target\w*|goal|training|trained|train|customers?|clients?|users?|(?:companies|businesses|firms|organi[sz]ations|employers|teams|sites|workplaces) (?:with|of|that employ|employing)|for (?:every|each)|per|redundanc\w+|joined by|formerly|previously|used to|once|each|every|plant|factory|site|branch|depot|subsidiary|store|division|department|shift|warehouse|mill|invited|report|serves?|serving|supports?|supporting|fewer than)\b[^.]{0,40}$"
_OTHERS = r"^\s*(?:of|at|from|across|among|on behalf of)\s+(?:our|its|their|the)?\s*(?:\w+ )?(?:customers?|clients?|users?|partners?|members?|suppliers?|companies|businesses)\b|^ (?:in|at) [^,.;]{2,30}(?:,| and| with) (?:about |around )?\d|^['\u2019]|^ in (?:the )?(?:US|USA|UK|EU|United States|United Kingdom|Europe|Asia|Africa|EMEA|North America|South America|Latin America|Germany|France|Spain|Italy|Poland|India|China|Japan|Canada|Mexico|Brazil|Australia|Norway|Sweden|Denmark|Finland|Austria|Switzerland|Belgium|Portugal|Ireland|Netherlands)\b(?! and\b|,)"

PHRASES: tuple[Phrase, ...] = (
    Phrase("employees", rf"\bfrom (?:{NUMBER}) (?:{_PEOPLE} )?to (?:{APPROXIMATELY} )?(?P<v>{NUMBER})\s+{_KIND}{_PEOPLE}", before=_CHANGE, after=_OTHERS),
    Phrase("employees", rf"\bemploy(?:s|ed|ing)?(?: now)?(?: a (?:total|team|staff|workforce) of)?\s+(?P<v>(?:{APPROXIMATELY}\s*)?{NUMBER})(?:\s+{_KIND}{_PEOPLE}|\s*(?:$|[.,;]|(?:across|in|at|worldwide|globally|and|today)\b))", before=_CHANGE, after=_OTHERS),
    Phrase("employees", rf"\b(?:staff|workforce|headcount|head count|payroll|team)(?: count| size)?(?: (?:now|currently|today|has|have|had))*\s+(?:of|is|was|are|stands? at|stood at|grown to|grew to|reached|numbers?|numbered|totals?|totalled|at|rose to|risen to)\s+(?:now )?(?P<v>(?:{APPROXIMATELY}\s*)?{NUMBER})(?!\s*(?:%|percent|per cent|years?|days|offices|sites|countries|months|nationalities|languages))(?=\s*(?:$|[.,;:)]|{_KIND}{_PEOPLE}\b|(?:across|in|at|worldwide|globally|and|by|today|spread|based|working|from|as|who|that|to|is|has)\b))", before=_CHANGE, after=_OTHERS),
    Phrase("employees", rf"\b(?:has|have|had|with|of|our|its|are|are now|is now|now|counts?|numbers?|comprises|includes|team:)\s+(?:grown to |a total of |a team of |a staff of )?(?P<v>(?:{APPROXIMATELY}\s*)?{NUMBER})\s+(?:full-time |permanent |dedicated |skilled )?{_PEOPLE}\b", before=_CHANGE, after=_OTHERS),
    Phrase("employees", rf"(?P<v>(?:{APPROXIMATELY}\s*)?\b{NUMBER})\s+(?:people|of us|staff|colleagues|employees|engineers and \w+)\s+(?:now )?(?:on the payroll|work|are employed|are on (?:the|our|its) payroll|make up)\b(?! with| together with)", before=_CHANGE, after=_OTHERS),
    Phrase("founded", rf"\b(?:co-?)?founded\b(?! (?:a|an|another|the) )[^.;]{{0,80}}?\b(?:in|on|since|around|during|back in)\s+{_WHEN}(?P<v>{_YEAR})\b", before=r"\b(?:previously|also|later|had|who|earlier) $"),
    Phrase("founded", rf"\b(?:was|were|been|company|business|firm|is) (?:first |originally |formally )?(?:established|started|set up|created|formed|born|launched|incorporated|opened)\b[^.;]{{0,50}}?\b(?:in|on|around|back in)\s+{_WHEN}(?P<v>{_YEAR})\b", before=r"\b(?:product|subsidiary|office|plant|factory|branch|programme|service|brand|range|line|site|division|unit|foundation|lab)\b[^.]{0,30}$"),
    Phrase("employees", rf"\bthere (?:are|were) (?:now )?(?P<v>(?:{APPROXIMATELY}\s*)?{NUMBER}) of us\b", before=_CHANGE),
    Phrase("employees", rf"(?:(?<!\d),|[(:])\s*(?:with )?(?P<v>(?:{APPROXIMATELY}\s*)?{NUMBER})\s+(?:people|employees|staff)(?=\s*(?:[,;).:]|$|at\b|strong))", passing=True, before=_CHANGE, after=_OTHERS),
    Phrase("founded", rf"\b(?:started|began|opened|commenced|starting)\s+(?:life|trading|business|operations|operating|out|work|in business|its doors|their doors|our doors)\b[^.;]{{0,50}}?\b(?:in|of|since)\s+{_WHEN}(?P<v>{_YEAR})\b"),
    Phrase("founded", rf"\b(?:dates? back to|in business since|trading since|operating since|going since|traces? its (?:roots|origins|history) (?:back )?to|been around since|goes back to|founded)\s+{_WHEN}(?P<v>{_YEAR})\b"),
    Phrase("founded", rf"\b(?:it all|everything|the story|our story|its story|we|the company|the business|the firm) (?:began|started|begins|starts) (?:back )?in {_WHEN}(?P<v>{_YEAR})\b"),
    Phrase("founders", rf"\b(?:co-?)?founded\b(?: (?:in|on) [^.,;]{{0,40}}?)?,? by (?P<v>(?:(?:brothers|sisters|siblings|engineers?|friends|[a-z-]+) ){{0,3}}{_PERSON}(?:, {_PERSON})*(?:,? (?:and|&) {_PERSON})?)"),
    Phrase("ceo", rf"\b{_EXEC}(?:,| is| remains|:|,? who is)? (?:currently |now )?(?P<v>{_PERSON})", before=r"(?:former|ex-|previous|outgoing|then|deputy|late|interim|vice|assistant|succeeds?|replac\w+|customer|client) ?$|former [^.]{0,12}$"),
    Phrase("ceo", rf"(?P<v>{_PERSON})(?:,| is| as| \()(?: (?:now|currently|the|our|its|who is|new|co-?founder and|founder and|co-?founder &))* ?{_EXEC}\b", before=r"(?:succeed\w*|replac\w+|former|follow\w+|took over from|after) (?:[a-z]+ )?$", after=r"^,? (?:until|from \d{4} to|between|of [A-Z](?!\w+ (?:said|says)))"),
    Phrase("stage", rf"\b(?:raised|raises|raising|closed|closes|secured|secures|secure|announced?s?|completed?s?|landed|bagged|lands|wins|banked|took|follows|following|led|leads|joined|backed|its|their|our|a|an|the|new|latest|oversubscribed|in (?:a|an|the|its|our))\b[^.;]{{0,70}}?(?<![\w-])(?P<v>{_STAGE})(?:[ -](?:round|funding|financing|extension|investment|raise|stage))?\b", before=r"\b(?:plans?|planning|seek\w*|hopes?|hoping|aims?|looking|ahead of|before|toward\w*|next|prepar\w+|considering|no|not|never|without|would|will|customer|invest(?:s|ed|ing) in|rumou?r\w*|expects?)\b[^.]{0,40}$", after=r"^[^.]{0,30}\b(?:of|for) (?:our|its) (?:customer|client)"),
    Phrase("stage", r"\b(?P<v>(?:is |are |was |has been |been |shares (?:are|have been|trade) |stock (?:is|trades) )?(?:publicly (?:traded|listed|held)|listed on (?:the )?[\w ]{3,30}|quoted on|went public|floated on|completed its (?:IPO|initial public offering)|(?:trades?|trading|traded) on (?:the )?(?:nasdaq|nyse|london|new york|frankfurt|euronext|oslo|stockholm|helsinki|aim|[\w ]{0,20}(?:stock )?exchange)))\b", before=r"\b(?:not|never|plans?|customer|rival|may|could|considering|parent)\b[^.]{0,30}$"),
    Phrase("stage", rf"^(?:In {_YEAR},? )?{_CAP}(?: {_CAP}){{0,4}} led (?:a|an|the|our|its) (?P<v>{_STAGE})"),
    Phrase("employees", rf"\b(?:has|have|with|of|employs?|employing|between|are)\s+(?P<v>\d[\d,]*\s?(?:-|\u2013|to)\s?\d[\d,]*)\s+{_PEOPLE}\b", before=_CHANGE, after=_OTHERS),
    Phrase("stage", r"\b(?P<v>bootstrapped|self-funded|self-financed|(?:has |have )?(?:never|not) (?:taken|raised|accepted) (?:any )?(?:outside|external|venture|institutional)[\w ]{0,20}(?:capital|money|funding|investment)?)\b"),
    Phrase("public", r"\b(?P<v>(?:privately (?:held|owned)|family[- ](?:owned|run|held)|not (?:publicly )?(?:listed|traded|quoted)|(?:its|our) shares are not \w+|(?:wholly |entirely |still )?owned by (?:its|the|our|a) (?:\w+ )?(?:family|families|founders?|staff|employees|members|partners)|employee-owned|(?:a |remains )private company|in private hands|(?:remains|is|are|stayed?) private))\b", before=r"\b(?:no longer|until|customer|rival|was once)\b[^.]{0,30}$"),
    Phrase("revenue", rf"\b(?:revenues?|turnover|sales)\b(?: (?:of|was|were|is|rose|grew|fell|climbed|increased|reached|hit|totalled|came to|came in at|stood at|for|in|the|year|last|fiscal|FY|\d{{4}}|to|by \d+(?:\.\d+)?(?: ?%| per ?cent)|about|around|roughly|some|nearly|almost|over|more than|just|under|approximately))*\s+(?P<v>(?:{APPROXIMATELY}\s*)?{MONEY})", before=r"\b(?:customer|client|market|saved|could|expects?|plans?|target\w*|aims?|forecast|customers'|partner|will)\b[^.]{0,40}$"),
    Phrase("revenue", rf"(?P<v>(?:{APPROXIMATELY}\s*)?{MONEY})\s+(?:in|of) (?:annual |yearly |net |group |total )?(?:recurring )?(?:revenues?|sales|turnover)\b", before=r"\b(?:customer|client|saved|could|expects?|plans?|target\w*|aims?|forecast|will)\b[^.]{0,40}$"),
    Phrase("hq", rf"\b(?:headquartered|based|head ?quarters (?:is|are)|headquarters (?:is|are)|head office (?:is|are)|HQ is|registered office is|operates from|works from|run from|moved (?:its )?(?:headquarters|head office|HQ) (?:[\w ]+ )?to)\s*(?:now |currently |located |situated |still )*(?:in|at|from|out of)?\s+(?:the (?:city|town|heart|centre|outskirts|port|suburbs) of )?(?P<v>{_PLACE})", before=r"\b(?:customer|client|engineer|founder|investor|supplier|partner|rival|was|originally|previously|formerly|once)s?,? $|\bteams? $"),
    Phrase("hq", rf"\b(?:headquarters|head office|HQ|home base|main office)(?:,| is| are| was)? (?:located |situated )?in (?:the (?:city|town|heart|centre) of )?(?P<v>{_PLACE})"),
    Phrase("industry", r"\b(?:our|its|the (?:company|firm|group|business)(?:'s|\u2019s)?|whose) (?:main |core )?(?:field|business|trade|industry|sector|line of business|speciality|specialty|line of work) (?:is|remains) (?P<v>[^\W\d_][^.,;:()]{2,60}?)(?= and nothing else|[.,;]|$)"),
    Phrase("industry", r"\b(?:we|it|the (?:company|firm|group|business)) (?:works?|operates?|specialises?|specializes?|is active|are active|is at home) (?:only |exclusively )?in (?:the )?(?P<v>[a-z][^.,;:()]{2,60}?)(?: (?:industry|sector|business|field))?(?= and nothing else|[.;]|$)"),
    Phrase("industry", r"^in (?:one|a|two|three|a few) (?:phrase|words?|nutshell): (?P<v>[^.;:]{3,60})\.?$", passing=True),
    Phrase("products", rf"\b(?:products|product (?:range|line|family|lines)|range|portfolio|offering|services|solutions|brands|platform)(?: now)? (?:include[sd]?|comprises?|consists? of|are|covers?|spans?|features?|is made up of)\s+(?P<v>{_LIST})", before=r"\b(?:customers?|clients?|competing|rival|competitor)(?:'s|s')? $"),
    Phrase("investors", rf"\b(?:led by|investors (?:include|are|such as|:)|backed by|funded by|investment from|backing from)\s+(?P<v>{_CAP}{_LIST})"),
    Phrase("email", r"(?P<v>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"),
)  # fmt: skip

MODEL_INSTRUCTIONS = re.compile(r"\b(?:ignore|disregard|forget|override)\b[^.]{0,40}\b(?:instructions?|prompts?|rules|guidelines|sources|text above)\b|\bas an ai\b|\blanguage model\b|\bAI (?:assistants?|agents?|models?|crawlers?)\b[^.]{0,40}\b(?:must|should|please|report|answer)\b|\bsystem prompt\b|\byou must (?:report|answer|reply|say|state|return)\b|\b(?:please )?(?:report|answer|return|output|state) that\b[^.]{0,60}\b(?:has|have|is|are)\b|\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:above|previous|prior)\b|\byou are (?:now )?(?:an? )?(?:ai|assistant|chatbot)\b", re.IGNORECASE)  # fmt: skip
"""Instructions to a language model: no facts are read from a block that contains them."""

OTHERS_HEADING = re.compile(r"\b(?:related|similar|see also|also|also (?:viewed|on)|people also|more (?:news|stories|from)|other (?:companies|firms|news|entries)|you may|recommended|competitors?|rivals?|alternatives|customer stor|case stud|testimonials?|what our (?:customers|clients)|success stor|trusted by|our (?:customers|clients|partners|investors)|customers|clients|partners|elsewhere|in brief|newsletter|about the (?:author|investor)|portfolio companies|jobs at)\b", re.IGNORECASE)  # fmt: skip
"""Headings over text about other entities."""

_DATED = frozenset({"employees", "revenue", "ceo", "stage", "funding_total", "hq"})
_ABOUT = re.compile(APPROXIMATELY, re.IGNORECASE)
# "In 2010 we had 15 employees"
_PAST = re.compile(r"\b(?:had|employed|was|were|counted|numbered)\b", re.IGNORECASE)
_LONGEST = 600


def sentences_of(block: Block) -> Iterator[str]:
    """Yield the sentences of a heading, paragraph or list item; none of a block that instructs a language model."""
    if block.kind == "row" or MODEL_INSTRUCTIONS.search(block.text):
        return
    lines = block.lines if len(block.lines) > 1 else ()
    parts = [" ".join(run) for labelled, run in groupby(lines, LABELLED_LINE.match) if not labelled]
    for part in parts if lines else [block.text]:
        yield from split_sentences(part)


def sentence_facts(blocks: tuple[Block, ...]) -> Iterator[Fact]:
    """Yield the facts that sentences state."""
    for number, block in enumerate(blocks):
        for text in sentences_of(block):
            low = text.lower() if len(text) <= _LONGEST else ""
            likely = {concept for concept, needs in _NEEDS.items() if needs.search(low)}
            for phrase in (one for one in PHRASES if one.concept in likely) if likely else ():
                latest = phrase.concept == "stage"  # the last of several rounds
                matches = phrase.pattern.finditer(text)
                found = list(matches if latest else islice(matches, 1))
                if found and not _refused(phrase, text, found[-1]):
                    yield _fact(phrase, text, found[-1], block.heading, number)


def _refused(phrase: Phrase, text: str, match: re.Match[str]) -> bool:
    """Return True if a match is about an earlier year, or the words around it change its meaning."""
    if phrase.concept == "employees" and _PAST.search(match[0]) and year_mentioned(text):
        return True
    before, after = text[max(0, match.start() - 80) : match.start("v")], text[match.end() : match.end() + 60]
    return bool(phrase.before.search(before) or phrase.after.search(after))


def _fact(phrase: Phrase, text: str, match: re.Match[str], heading: str, block: int) -> Fact:
    value = match["v"].strip(" ,.")
    passing = phrase.passing or bool(_ABOUT.match(value))
    return Fact(
        phrase.concept, value, text, Directness.PASSING if passing else Directness.SENTENCE, phrase.concept,
        heading=heading, lead=text[: match.start()], tail=text[match.start() :],
        as_of=year_mentioned(text) if phrase.concept in _DATED else "", block=block,
    )  # fmt: skip
