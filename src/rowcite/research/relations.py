"""Kinds of fact about people, places, works and bodies, and the idioms in which running text states them.

Each idiom is a pattern in which {V} stands for the value and {W} for words that may lie between. `opening` ones are read
from the sentence that says what the subject is, `sure` ones leave little room for another reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Idiom:
    """One way to say it; `shape` overrides the relation's."""

    pattern: str
    opening: bool = False
    sure: bool = False
    loose: bool = False
    shape: str = ""


@dataclass(frozen=True)
class Relation:
    """A kind of fact: `asks` finds it in a field's name or description, `trigger` in a sentence.

    `nouns` are words such as "capital" around which the common constructions are tried as well; `changes`: the newest
    statement wins.
    """

    name: str
    asks: re.Pattern[str]
    shape: str
    trigger: re.Pattern[str]
    nouns: str = ""
    idioms: tuple[Idiom, ...] = ()
    changes: bool = False
    refuses: re.Pattern[str] | None = field(default=None)


def _relation(  # noqa: PLR0913  # the columns of the table below
    name: str,
    asks: str,
    shape: str,
    trigger: str,
    *idioms: Idiom,
    nouns: str = "",
    changes: bool = False,
    refuses: str = "",
) -> Relation:
    return Relation(
        name, re.compile(rf"\b(?:{asks})\b"), shape, re.compile(rf"(?:\b|(?=[(\u2013-]))(?:{trigger})", re.IGNORECASE), nouns, idioms, changes,
        re.compile(rf"\b(?:{refuses})\b", re.IGNORECASE) if refuses else None,
    )  # fmt: skip


def _sure(pattern: str, shape: str = "") -> Idiom:
    return Idiom(pattern, sure=True, shape=shape)


def _opening(pattern: str, shape: str = "", *, sure: bool = False) -> Idiom:
    return Idiom(pattern, opening=True, sure=sure, shape=shape)


def _loose(pattern: str, shape: str = "") -> Idiom:
    return Idiom(pattern, loose=True, shape=shape)


def _quoted(noun: str) -> str:
    """Return the pattern of a name in quotation marks behind a noun: 'its motto is "V"'."""
    return rf"\b(?i:{noun})\b(?: of (?P<of>(?:the )?[^\"\u201c,.;]{{2,30}}?))?(?:,| is| was|:)*(?: the)? [\"\u201c](?P<v>[^\"\u201d]{{2,80}}?)[,.]?[\"\u201d]"


def _quoted_first(noun: str) -> str:
    """Return the pattern of a name in quotation marks before a noun: '"V" is its motto'."""
    return rf"[\"\u201c](?P<v>[^\"\u201d]{{2,80}}?)[,.]?[\"\u201d],? (?:is|was|serves as|became) (?:its|the|their)(?: [\w'\u2019-]+){{0,3}} (?:{noun})\b"


_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DAY = rf"(?=(?:\d{{1,2}} )?{_MONTH} |\d{{4}}\b)"
_PRAISE = r"leading|largest|major|multinational|global|international|private|privately held|privately owned|public|publicly traded|family-owned|small|large|independent|diversified|world's|state-owned|holding|former|limited|joint-stock|joint|listed|quoted|unlisted|new|young|growing|mid-sized|medium-sized|specialist"
_WORKS = r"novels?|books?|works?|films?|albums?|plays?|poems?|paintings?|songs?|compositions?|operas?|essays?|stories|story|movies?|writings"
_TONGUE = r"French|German|Spanish|Italian|Russian|Portuguese|Japanese|Chinese|Polish|Swedish|Danish|Norwegian|Dutch|Finnish|Hungarian|Czech|Greek|Turkish|Hebrew|Arabic|Persian|Hindi|Bengali|Tamil|Korean|Latin|English|Welsh|Icelandic|Romanian|Catalan"
_WORK = r"(?:novel|novella|book|memoir|poem|essay|play|film|movie|documentary|album|song|single|EP|series|story|pamphlet|magazine|journal|opera|game|comic|musical|short film|tract)"
_SEAT = r"(?:[A-Z][\w'\u2019.&-]*(?: (?:of|the|for|and|at|in))* )*(?:University|College|School|Institute|Academy|Conservatory|Polytechnic|Seminary|Faculty|\u00c9cole|Universit\w+|Gymnasium|Lyc\u00e9e)(?:,? (?:of|at|in|for)(?: the)? [A-Z][\w&.-]*(?: (?:of |and |& )?[A-Z][\w&.-]*){0,3}| [A-Z][\w-]*)*"
_TAUGHT = r"(?i:graduat\w+(?: \w+){0,3} (?:from|at)|(?:entered|matriculat\w+ (?:at|in)|read \w+ at|scholarship (?:to|at)|admitted to|undergraduate at|schooling at|education (?:at|from)|completed (?:his|her|their) (?:[\w-]+ ){1,3}at)|educated at|stud(?:y|ied|ying)\b[^.;]{0,60}? at|attend(?:ed|ing)|(?:degrees?|doctorate|Ph\.?D\.?|B\.?A\.?|M\.?A\.?|LL\.?B\.?|diploma|thesis)(?!\w)[^.;]{0,60}? (?:from|at)|alumn\w+ of|enrol\w* (?:at|in)|student (?:at|of)|transferred to|(?:play\w*|football) (?:college \w+ )?(?:for|at))"

RELATIONS: tuple[Relation, ...] = (
    _relation("birth_date", r"birth ?date|date of birth|birth ?day|birth year|year of birth|born(?: on| date| year)?", "date", r"born|birth|b\.|\(",
              Idiom(r"\bborn\b(?:(?! and\b)[^.;()\u2013]|\([^()]*\)){0,90}?\b(?:on |in ){V}", sure=True),
              _opening(r"\bborn:? {V}", sure=True),
              _opening(r"\((?:[^()\u2013\u2014]{0,120}?(?:[;:]|[^\d\W],) ?)?(?:born |b\. ?)?(?:in )?(?:(?:about|c\.) )?{V}(?:, [^()\u2013-]{2,60}?| in [^()\u2013-]{2,60}?)?\s*(?:[\u2013\u2014-]|\)|, to )", sure=True)),
    _relation("death_date", r"death ?date|date of death|death year|year of death|died(?: on| date| year)?", "date", r"died|death|dies|killed|executed|assassinated|[\u2013-]\s*\w+",
              _opening(r"(?<=\d)[^()\d]{0,60}?\s?[\u2013\u2014-]\s?(?:(?:died|d\.) )?(?:(?:about|c\.) )?{V}(?=\s*[);,])", sure=True),
              _opening(r"\((?:[^()]{0,120}?[;,] ?)[\u2013\u2014-]\s?{V}\s*\)", sure=True), _opening(r"\b{V}(?=\)) was\b"),
              Idiom(r"\b(?:died|dies|passed away|was (?:killed|executed|assassinated|murdered))\b[^.;()]{0,90}?\b(?:on|in) (?:the \w+ of )?{V}", sure=True),
              Idiom(r"\b[Oo]n {V},? (?P<of>he|she|[A-Z][\w.-]*(?: [A-Z][\w.-]*){0,3}) (?:died|passed away|was (?:killed|executed|assassinated))\b", sure=True),
              Idiom(r"\b(?:his|her) death\b(?: \w+){0,6}? (?:on|in) {V}")),
    _relation("birth_place", r"birth ?place|place of birth|born in|where .* born|home ?town|city of birth", "place", r"born|native|birth|\(",
              _sure(r"\bborn\b(?:(?! to\b| and\b)[^.;()]|\([^()]*\)){0,80}?\b(?:in|at|near) (?:(?:the )?[A-Z][\w'\u2019.-]*(?: [A-Z][\w'\u2019.-]*){0,3} (?:Hospital|Clinic|Castle|House|Palace|Hall|Manor|Farm) (?:in|near) )?(?:(?:the|a) (?:[a-z-]+ ){0,3}?(?:city|town|village|hamlet|port|suburb|district|area|parish|borough) of )?{V}"), _loose(r"\bborn\b(?:[^.;()]|\([^()]*\)){0,110}?\b(?:in|at|near) (?:the (?:city|town|village|port|suburb|district|area) of )?{V}"),
              _opening(r"\((?:[^()]{0,60}?)\d{4} ?(?:,| in) {V}\s*[\u2013-]"), Idiom(r"\bnative of {V}"),
              _opening(rf"\((?:[^()]{{0,60}}; )?(?:born )?(?:in )?{{V}},? {_DAY}"), _opening(r"\(born[^();]{0,40} in {V}")),
    _relation("death_place", r"death ?place|place of death|died in|where .* died", "place", r"died|death|dies|killed|found dead|\(",
              _sure(r"\b(?:died|passed away|was (?:killed|executed|assassinated))\b[^.;()]{0,80}?\b(?:in|at) (?:(?:his|her|their) (?:[\w-]+ ){0,2}?(?:home|house|residence|apartment|estate|villa) (?:in|at|near) |an? (?:\w+ ){1,2}in |(?:the )?[A-Z][\w'\u2019.-]*(?: [A-Z][\w'\u2019.-]*){0,3} (?:Hospital|Clinic|Castle|House|Palace|Prison|Hotel|Center|Centre|Sanatorium|Hall) in )?(?:the )?{V}"),
              _opening(r"[\u2013-][^()]{0,40}?\d{4},? (?:in )?{V}\)"),
              _opening(rf"(?:\u2013|; died) ?(?:in )?{{V}},? {_DAY}"), Idiom(r"\b(?:in|to|at|for) {V},? where (?:he|she) (?:\w+ )?died\b"), Idiom(r"\bfound dead (?:in|at) (?:(?:his|her) (?:\w+ ){1,3}(?:in|at) )?{V}"),
              _loose(r"\b(?:lived|living|remained|worked|stayed) (?:[^.;,]{0,20} )?in {V}(?: from \d{4})? until (?:his|her) death\b"), Idiom(r"\b(?:his|her) death (?:\w+ ){0,3}?(?:in|at) {V}")),
    _relation("birth_name", r"birth ?name|name at birth|born as|full name|real name|given name", "person", r"born|n\u00e9e|full name|birth name|real name|\(|,",
              _sure(r"\bborn(?: as)? {V}"), _sure(r"\b(?:birth|full|real) name(?: is| was|,|:)? {V}"), _opening(r"^{V}(?=,? (?:[A-Z]+ )?\(|,? (?:is|was) )")),
    _relation("deceased", r"deceased|has died|is dead|still alive|is alive|living", "flag", r"died|death|killed|executed|[\u2013-]" ),
    _relation("nationality", r"nationality|citizenship|national of", "name", r"is|was|citizen",
              _opening(r"\b(?:is|was) (?:an?|the)(?: [a-z][\w-]*){0,3}?(?: [A-Z][\w]+-born)? {V}(?= [a-z])", sure=True), _loose(r"\b(?:became|is|was) an? {V} citizen\b")),
    _relation("occupation", r"occupations?|professions?|job(?: title)?|what .* (?:does|did) for a living", "phrases", r"is|was",
              _opening(r"\b(?:is|was) (?:an?|the)(?: (?:prominent|famous|noted|renowned|influential|former|leading|retired|well-known|pioneering|celebrated))?(?: [A-Z][\w-]+)*(?:-\w+)?(?:,? and [A-Z][\w-]+)? (?P<v>[a-z][\w /-]*?(?:, (?:and )?[a-z][\w /-]*?)*(?:,? and (?!(?:\w+ )?(?:member|figure|leader|one)\b)[a-z][\w /-]*?)?)(?=,? and (?:\w+ )?(?:member|figure|leader|one)\b| (?:who|whose|known|best|from|of|in|for|at|with|that|based|working|and (?:the|an?|one))\b|,? who\b|[.;(]|, (?:best|known|the|most|one|and (?:the|one|an?)) )")),
    _relation("spouse", r"spouses?|wife|wives|husbands?|married to|partner name", "people", r"married|marri|wife|husband|spouse|wed",
              _sure(r"\b(?:is |was |got )?married (?:to )?(?:(?:the |an? )?(?:[a-z][\w-]*,? ){0,4}(?:[A-Z][a-z]+ )?[a-z]+ )??{V}"), _sure(r"\b(?:his|her) (?:first |second |third |late |then[- ])?(?:wife|husband|spouse),? {V}"),
              _sure(r"\b(?:[Hh]is|[Hh]er|['\u2019]s) (?:first |second |third |late |only )?(?:wife|husband|spouse) (?:is|was) (?:(?:the |an? )?(?:[a-z][\w-]* ){0,4}(?:[A-Z][a-z]+ )?[a-z]+ )??{V}"), Idiom(r"\b(?:wife|husband|widow|widower) of (?:(?:the |an? )?(?:[a-z][\w-]* ){0,3})?{V}"),
              Idiom(r"\b(?:married|wed) (?:his|her) [a-z][\w -]{2,40}?, {V}"), Idiom(r"\bwed {V}"), Idiom(r"{V}[,;]? (?:and )?(?:the (?:two|couple|pair)|they) (?:were |got |later )?(?:married|wed)\b"),
              _loose(r"{V},? (?:his|her) (?:\w+ )?(?:wife|husband)"), _loose(r"\b(?:first |second |third |late )?(?:wife|husband),? {V}")),
    _relation("alma_mater", r"alma ?mater|education|universit(?:y|ies)(?: attended)?|colleges?(?: attended)?|schools?(?: attended)?|studied at|educated at", "words", r"graduat|educated|entered|schol|read |admitted|matric|stud|attend|degree|doctora|ph|alumn|enrol|b\.a|m\.a|transferred|colle",
              Idiom(rf"{_TAUGHT} (?:the )?(?P<v>{_SEAT})", sure=True), Idiom(rf"\bplay\w* (?:college )?\w+ (?:for|at) (?:the )?(?P<v>{_SEAT})")),
    _relation("residence", r"residence|lives in|home|resides|place of residence", "place", r"live|living|resid|settled|home|divides",
              Idiom(r"\b(?:lives?|resides?|living|residing|has lived|resided) (?:(?!and [a-z]+s\b)\w+ ){0,9}?in {V}"), Idiom(r"\b(?:divides? (?:his|her|their) time between|makes? (?:his|her|their) home in|(?:is )?a resident of) {V}"), _loose(r"\b(?:lived|settled|moved)\b[^.;]{0,40}? (?:in|to) {V}")),
    _relation("notable_works", r"notable ?works?|best known works?|major works?|famous works?|works", "names", r"known|author of|wrote|works|novel|film|book",
              _sure(r"\bbest[- ]known (?:for|works? (?:is|are|include))\b[^.;]{0,60}?(?:novels?|books?|works?|memoir|films?|essays?|albums?|poems?)(?: \w+)?,? {V}"),
              Idiom(r"\bknown (?:\w+ )?for\b[^.;]{0,60}?(?:novels?|books?|works?|memoir|films?|essays?|albums?|poems?)(?:,| include| includes| including)? {V}"), _loose(r"\bauthor of (?:the )?(?:\w+ ){0,3}?{V}"),
              Idiom(rf"\b(?:best[- ]known|most (?:famous|notable|celebrated|popular|important|acclaimed|influential|successful)) (?:{_WORKS}) (?:is|are|was|were|include[sd]?|including)(?: the \w+)? {{V}}"), Idiom(r"\b(?:best|most widely) known (?:as the author of|for|for (?:writing|directing|creating|composing))(?: (?:the|his|her) [a-z ]{2,30}?)? {V}"),
              Idiom(rf"\b(?:[Hh]is|[Hh]er|[Tt]heir) (?:(?!early|first|last|favou?rite)[\w-]+ ){{0,2}}?(?:{_WORKS}) (?:include[sd]?|are) {{V}}")),
    _relation("known_for", r"known ?for|famous for|notable for|claim to fame", "words", r"known|famous|noted|renowned",
              Idiom(r"\b(?:best |well |widely |most |mainly |mostly )?(?:known|famous|noted|renowned) for (?:(?:his|her|its|their) (?:work|contributions|research) (?:on|in|to) )?(?:the |his |her |its )?{V}")),
    _relation("awards", r"awards?(?: won| received)?|prizes?(?: won)?|honou?rs", "words", r"award|prize|won|medal|honou?r",
              Idiom(r"\b(?:[Aa]wards|[Hh]onou?rs|[Pp]rizes) (?:include[sd]?|are|were) (?:the |an? )?(?P<v>[A-Z][^.;:()]{3,120})"), _loose(r"(?<=, the )(?P<v>[A-Z][\w'\u2019-]*(?: [A-Z][\w'\u2019-]*){0,4} (?:Prize|Award|Medal))(?= in \d{4})"),
              Idiom(r"\b(?:won|awarded|received|receiving|recipient of|winner of|winning|given|earned)\b[^.;]{0,30}? (?:the |a |an )?(?:\d{4} )?(?P<v>[A-Z][\w'\u2019-]*(?: (?:of|for|in|the|de) )?(?: ?[A-Z][\w'\u2019-]*| (?:of|for|in|the))*? ?(?:Prize|Award|Medal|Order of [A-Z]\w+|Oscar)(?: (?:for|in) [A-Z][\w ]+)?)")),
    _relation("party", r"(?:political )?party|party affiliation", "words", r"party|democrat|republican|labour|conservative|liberal",
              Idiom(r"\b(?:member of|joined|candidate (?:for|of)|nominee of|leader of|represent\w*|nomination (?:for|of)|for) the (?P<v>(?:[A-Z][\w.-]* ){1,4}?(?:Party|Union|Front|Movement)(?: of (?:the )?[A-Z]\w+(?: [A-Z]\w+)*)?)"),
              Idiom(r"\b(?P<v>Democratic|Republican|Labour|Conservative|Liberal|Green) (?:politician|nominee|candidate|senator|congressman|governor|member)"), _loose(r"\b(?P<v>[A-Z][\w-]+(?: [A-Z][\w-]+)* Party)\b")),
    _relation("field", r"fields?(?: of (?:work|study))?|discipline|area of (?:work|study|expertise)|speciali[sz]\w+ in|subject area", "phrases", r"known|speciali|work|contribution|covering|research|field|journal|magazine",
              Idiom(r"\b(?:speciali[sz]\w+|contributions?) (?:in|to) (?:the field of )?{V}"), Idiom(r"\b(?:journal|magazine|publication)\b[^.;]{0,60}? (?:on|covering|about|of|in|devoted to) (?:the field of )?{V}"), _loose(r"\b(?:his|her) work (?:in|on) {V}"),
              Idiom(r"\b(?:research (?:interests?|areas?)|(?:main |principal )?fields?)(?: of (?:research|study|work|interest))? (?:is|was|are|were|include[sd]?) (?:in )?{V}"), _loose(r"\bin the fields? of {V}"),
              _opening(r"\b(?:is|was) an?(?:,? (?:monthly|weekly|quarterly|annual|bimonthly|peer-reviewed|open[- ]access|online|international|academic|scientific|refereed|leading|scholarly|[A-Z]\w+))* (?P<v>[a-z][\w -]{2,30}?) (?:journal|magazine)\b")),
    _relation("draft_year", r"draft(?:ed)?(?: year| in)?", "year", r"draft", Idiom(r"\b(?:drafted|selected|picked|chosen)\b[^.;]{0,110}?\b(?:in|of) (?:the )?{V}", sure=True), Idiom(r"\b{V} (?:[A-Z]{2,4} )?(?:\w+ )?[Dd]raft\b")),
    _relation("turned_pro", r"turned ?pro(?:fessional)?", "year", r"turned|professional", Idiom(r"\bturned pro(?:fessional)?\b[^.;]{0,50}?\b(?:in|on) (?:\w+ )?{V}", sure=True)),
    _relation("author", r"authors?|written by|who wrote(?: it)?", "person", r"by|author|wrote|writ|novel|book|play|poem|story",
              _opening(rf"\b{_WORK}s?\b[^.;]{{0,60}}? by (?:the )?(?:[A-Z]?[\w-]+ ){{0,4}}?{{V}}", sure=True), _sure(r"\b(?:written|authored|penned)\b[^.;]{0,40}? by (?:the )?(?:[A-Z]?[\w-]+ ){0,3}?{V}"),
              _opening(rf"\b{_WORK}s?\b[^.;]{{0,60}}? by (?:the )?(?:[A-Z]?[\w-]+ ){{0,4}}?{{V}}", "name"), _opening(rf"{{V}}['\u2019]s (?:[\w-]+ ){{0,2}}?{_WORK}\b"), _loose(r"\bauthor,? {V}"), _loose(r"{V} (?:wrote|published) (?:it|the)\b"),
              _opening(r"^[^,]{2,80}, by (?:the )?(?:[A-Z]?[\w-]+ ){0,4}?{V},? (?:is|was)\b", sure=True), Idiom(r"\b(?:is|was) by (?:the )?(?:[A-Z]?[\w-]+ ){0,3}?{V}(?=[.,]| and\b)")),
    _relation("demonym", r"demonym|inhabitants are called|what .* inhabitants are called", "name", r"people|citizens?|nationals?|population|known as|called|\w+(?:ans?|ese|ish|ites?)\b",
              Idiom(r"\b(?P<v>[A-Z][a-z]+) (?:people|citizens?|nationals|population|nationality)\b"), Idiom(r"\b(?:inhabitants|citizens|people) (?:\w+ ){0,3}?(?:are|is) (?:called|known as) {V}"),
              Idiom(r"\b(?P<v>[A-Z][a-z]+(?:an|ese|ish|ite))s?(?= [a-z])")),
    _relation("abbreviation", r"abbreviation|acronym|initials|short(?:ened)? (?:name|form)", "name", r"abbreviat|acronym|\(|known as",
              _opening(r"\((?:[^()]*?(?:abbreviated|abbr\.|acronym|also|or|the|;|,) )?(?:as )?(?P<v>[A-Z][A-Z&.-]{1,9}s?)(?=[),;])", sure=True), Idiom(r"\babbreviated (?:as |to )?[\"\u201c]?(?P<v>[A-Z][\w.&-]*(?: [A-Z][\w.]*){0,4})")),
    _relation("motto", r"mottos?|slogan", "name", r"motto|slogan", Idiom(_quoted("motto|slogan")), Idiom(_quoted_first("motto|slogan")), nouns=r"motto|slogan"),
    _relation("nickname", r"nick ?names?", "name", r"nicknam|known as", Idiom(_quoted("nickname")), _loose(r"\b(?:nicknamed|(?:also|popularly|affectionately|commonly) known as) (?:the )?[\"\u201c]?{V}"), nouns=r"nickname"),
    _relation("anthem", r"(?:national )?anthem|theme song", "name", r"anthem|theme song", Idiom(_quoted("anthem|theme song")), Idiom(_quoted_first("anthem|theme song")), nouns=r"(?:national )?anthem|theme song"),
    _relation("crew", r"crew(?: members?)?|astronauts?", "people", r"crew|astronaut|command|carr",
              Idiom(r"\b(?:crew|astronauts|cosmonauts)\b[^.;]{0,40}?(?: of| was| were| consisted of| comprised| included|:|,) {V}"), Idiom(r"\b(?:crewed|manned|flown|piloted) by {V}"), _loose(r"\b(?:commander|astronauts?|pilot),? {V}")),
    _relation("league", r"league|division|conference|competition", "name", r"play|compet|member|league|division|team|club", Idiom(r"\b(?:plays?|competes?|competing|playing|participates?) (?:\w+ )?in (?:the )?{V}"), Idiom(r"\b(?:members?|team|club|franchise|side|plays?|compet\w+)\b[^.;]{0,60}? (?:of|in) (?:the )?(?P<v>(?:[A-Z][\w-]+ )+(?:League|Conference|Championship|Association)(?: [A-Z]\w+)?)")),
    _relation("religion", r"religion|faith|denomination|religious .*", "words", r"catholic|protestant|muslim|jew|hindu|buddh|christian|anglican|luther|methodist|athei|agnost|orthodox|convert",
              Idiom(r"\b(?:is|was|became|as|raised|identified as|described (?:himself|herself) as)(?: an?)?(?: \w+)? (?P<v>(?:Roman )?Catholic|Protestant|Muslim|Jewish|Hindu|Buddhist|Christian|Anglican|Lutheran|Methodist|atheist|agnostic|Orthodox)\b"), Idiom(r"\bconver\w+ to {V}(?= in| and|[,.;])", shape="name")),
    _relation("illustrator", r"illustrat(?:or|ors|ed by)", "person", r"illustrat", _sure(r"\billustrated\b[^.;]{0,30}? by {V}"), _loose(r"\billustrator,? {V}"), Idiom(r"\b(?:illustrations|artwork|drawings|pictures)(?: are| were)? by {V}"), Idiom(r"{V} illustrated (?:it|the)\b"), _opening(r"\billustrated\b[^.;]{0,60}? by {V}")),
    _relation("director", r"directors?|directed by", "person", r"direct|film by", _sure(r"\b(?:co-)?directed(?: and \w+)?(?:,? \w+)? by {V}"), _loose(r"\bdirector,? {V}"), Idiom(r"\bfilm by {V}"), Idiom(r"{V}-directed\b"), Idiom(r"\bdirector (?:is|was) {V}"), Idiom(r"{V} directed (?:it|(?:the|this) (?:[a-z]+ )?(?:film|movie|play|series|picture|documentary|production|episode))\b")),
    _relation("producer", r"producers?|produced by", "people", r"produc", _sure(r"\bproduced(?: and \w+)? by {V}"), _loose(r"\bproducer,? {V}")),
    _relation("writer", r"writers?|screenplay(?: by)?|composers?|composed by|lyric(?:s|ist)(?: by)?|songwriters?|who wrote(?: it)?", "people", r"writ|compos|lyric|wrote|music|screenplay",
              _sure(r"\b(?:written|composed|lyrics|music|screenplay|words)\b[^.;]{0,40}? by (?:the )?(?:[a-z-]+ ){0,4}?{V}"), _loose(r"{V} (?:wrote|composed) (?:it|the)\b"), Idiom(r"\b(?:words|lyrics|music|screenplay|libretto|script) (?:is|are|was|were) by {V}")),
    _relation("starring", r"starring|stars|cast|leading (?:actors?|roles?)|actors?", "people", r"star|cast", _sure(r"\b(?:starring|stars|starred|co-stars|cast (?:includes|included|features)|film stars) (?:actors? )?{V}"), Idiom(r"\bfeatur(?:es?|ed|ing) {V}(?= (?:in|as)\b)"), Idiom(r"{V} (?:star|stars|starred|co-starred) (?:in (?:it|the)|as|alongside)\b"), Idiom(r"\bcast\b[^.;]{0,30}? (?:of|is|are|was|were|includ\w+|led by|headed by) {V}")),
    _relation("publication_year", r"publication (?:year|date)|year of publication|(?:published|release|released|pub|issue)(?: year| date| in| on)?|release year|first published|date of (?:publication|release)|premiere", "date", r"publish|releas|issued|premier|appeared|is an?|was an?",
              Idiom(r"\b(?:first |originally |anonymously )*(?:published|released|issued|premiered|appeared)\b[^.;]{0,70}?\b(?:in|on) (?:the \w+ of )?{V}", sure=True),
              _opening(rf"\b(?:is|was) (?:an?|the) {{V}}(?: [\w'\u2019-]+){{0,6}}? {_WORK}", "year", sure=True)),
    _relation("publisher", r"publishers?|published by|publishing house", "name", r"publish", _sure(r"\b(?:published|issued)(?: \w+){0,4}? by (?:the )?{V}"), _loose(r"\bpublisher,? {V}"), Idiom(r"\bpublished(?: [\w,]+){1,7}? by (?:the )?{V}"), Idiom(r"\bpublisher (?:is|was) (?:the )?{V}"), Idiom(r"(?:\b[Tt]he )?{V} (?:first )?(?:publishes|published) (?:it|(?:the|this) (?:book|novel|magazine|journal|game|series|newspaper|first edition|play|poem))\b")),
    _relation("editor", r"editors?(?: in chief)?|edited by", "person", r"edit", _sure(r"\bedited by {V}"), Idiom(r"\beditor(?:-in-chief| in chief)?(?: is| was|,)? {V}"), Idiom(r"{V},? (?:is|was|serves as|as) (?:the |its )?editor")),
    _relation("label", r"(?:record )?labels?|signed to", "names", r"record|releas|signed|label", Idiom(r"\b(?:released|issued|signed)\b[^.;]{0,50}? (?:on|by|through|via|to|with) (?:the )?(?P<v>(?:[A-Z][\w.&-]*(?: | & )){1,3}(?:Records|Music|Recordings|Entertainment|Sound|Discos))"), Idiom(r"\bsigned (?:\w+ ){0,4}?(?:to|with) {V}"), Idiom(r"\blabels?,? {V}")),
    _relation("genre", r"genres?|style of music|musical style", "phrases", r"is|was|are|were|genre|style|\u2013", Idiom(r"(?:\b(?:is|was|are|were)|\u2013) (?:an?|the|one of the [\w -]+?)(?: (?:popular|famous|successful|American|British))*(?: [A-Z][\w-]+)* (?P<v>[a-z][\w/ -]*?(?:, [a-z][\w/ -]*?)*(?:,? and [a-z][\w/ -]*?)?) (?:music(?:al)? )?(?:band|group|duo|trio|quartet|musician|singer|rapper)s?\b", opening=True, loose=True), Idiom(r"\b(?:genres?|musical style)\b[^.;]{0,30}? (?:of|is|as|include[sd]?|includes) {V}"), _opening(rf"\b(?:is|was) (?:an?|the)(?: \d{{4}})?(?: [A-Z][\w-]+)* (?P<v>[a-z][\w' \u2019-]*? {_WORK}s?)\b")),
    _relation("population", r"population(?: total| size| count| estimate)?|inhabitants|number of (?:people|residents|inhabitants)|how many people live|residents", "number", r"population|inhabitants|residents|people",
              _sure(r"\bpopulation\b(?: (?:count|figure|size|estimate|total))?(?: (?:of|in|for) (?P<of>(?:the )?[^\W\d][^.,;()\d]{1,30}?))?(?: \(\d{4}\))?,? ?(?:(?:is|was|had|has|of|at|stood|stands|reached|exceeds|exceeded|totall?ed|estimated|currently|now|recorded|numbered|reported|being|to|be|as|been|counted|grown|grew|in|on|by|the|census|\d{4}|January|July|April|June|October) )*(?:at |of )?{V}(?! ?(?:%|per|\)|percent|km|square|households|families|years))"),
              _sure(r"\b(?:has|had|with|home to|of|inhabited by|there (?:are|were))\s{V} (?:inhabitants|residents)\b"), _loose(r"\b(?:has|had|with|home to|there (?:are|were)) {V} people\b(?! per)"), Idiom(r"\b{V} (?:inhabitants|residents)\b(?! per)")
              , changes=True, refuses=r"density|urban|metropolitan|metro|diaspora|foreign|immigrant|working|labou?r|male|female|muslim|christian|jewish|student|native speakers|growth|decline|projected|rural|per cent|percent|black|white|indigenous"),
    _relation("area", r"(?:total |land |surface )?area(?: km2| sq km| total| size| in .*)?|surface|square kilomet(?:re|er)s|square miles", "area", r"area|cover|size|extend|occup|spans|square",
              _sure(r"\b(?:total (?:surface )?area|area|surface area|size)\b(?: (?:of|is|was|covers?|measures|totals|approximately|about|the|(?P<of>[A-Z]\w+)))*\s{V}"), Idiom(r"\b(?:covers?|covering|contains|occup(?:ies|ying)|spans|extends over|at|comprises|has)\b(?: (?:a|an|the|total|land|area|of|over|some))*\s{V}"),
              refuses=r"water|lakes?|forests?|parks?|reserves?|protected|farm|agricultur\w+|irrigated|basin"),
    _relation("density", r"(?:population )?density|(?:people|inhabitants) per .*", "number", r"density|per square|per km",
              _sure(r"\bdensity\b(?: (?:of|is|was|at|being|stands|approximately|about|around|over))*\s{V}"), Idiom(r"\b{V} (?:people|inhabitants|persons|residents)? ?(?:per|/|to the|a) ?(?:square kilomet|km|sq)")),
    _relation("elevation", r"elevation(?: m| in .*)?|altitude|height above sea(?: level)?", "length", r"elevation|altitude|above sea|height",
              _sure(r"\b(?:elevation|altitude)\b(?: (?:of|is|at|about|around|approximately|ranges|from|an|the))*\s{V}"), _sure(r"{V}(?: \([^)]*\))? above (?:mean )?sea level"), refuses=r"mountains?|peaks?|summit|highest|lowest|plane|flew|flying"),
    _relation("capital", r"capital(?: city)?", "place", r"capital", nouns=r"capital(?: city)?(?: and (?:chief|main|principal) (?:port|city|town))?(?:,? and (?:also )?(?:its |the )?(?:largest|most populous) (?:city|town))?|(?:largest|most populous) (?:city|town) and capital", refuses=r"former|until|previous|provincial|regional|cultural|moved|human|venture|district|capital of the (?:province|region|district|county|empire)"),
    _relation("largest_city", r"largest (?:city|town|settlement)|biggest (?:city|town)|most populous city", "place", r"largest|biggest|most populous", nouns=r"(?:capital,? and (?:also )?(?:its |the )?(?:(?:country|nation|state|island|province)['\u2019]s )?)?(?:largest|biggest|most populous) (?:city|cities|town|settlement)(?: and (?:\w+ )?capital)?|capital and (?:largest|most populous) (?:city|town)", refuses=r"(?:second|third|fourth|fifth|sixth|two|three|five|ten)[- ](?:largest|biggest|most populous)|formerly|once the|until"),
    _relation("official_languages", r"official languages?|national languages?|languages? spoken|languages", "names", r"language", nouns=r"(?:(?:sole|only|main|de facto) )?(?:official|national)(?: and \w+)? languages?(?: in \w+)?", refuses=r"minority|foreign|program\w+"),
    _relation("language", r"(?:original )?language(?: of (?:the )?\w+)?|written in", "name", r"language|written in|published in|in [A-Z]\w+", Idiom(r"\b(?:written|published|sung|broadcast|produced) (?:\w+ )?in {V}"), _opening(r"\b(?:is|was) an? (?:\w+ )*?{V}[- ]language\b", sure=True), _loose(r"\bin the {V} language\b"), _opening(rf"\b(?:is|was) an? (?:\d{{4}} )?(?P<v>{_TONGUE}) (?:[a-z-]+ ){{0,4}}?(?:{_WORK[3:-1]}|newspaper|nursery rhyme|folk song)\b")),
    _relation("currency", r"currency|money used|legal tender", "phrase", r"currency|legal tender|adopted the",
              _sure(r"\b(?:uses?|adopt(?:s|ed)|using|introduced) (?:the )?{V} as (?:its|the|their) (?:\w+ ){0,2}?(?:currency|legal tender)"), _sure(r"\bthe {V} replaced [^.;]{2,40} as (?:the |its )?(?:\w+ )?currency"), Idiom(r"\badopted the (?P<v>euro|US dollar|United States dollar)\b"), nouns=r"(?:official |national |unit of )?currency(?: unit)?|legal tender"),
    _relation("country", r"country(?: of origin| name)?|which country|nation", "place", r"in|is|was|of",
              _opening(r"\b(?:is|was|are|were)\b[^.;()]{2,160}?\b(?:in|of|from) (?:the )?(?:[a-z-]+ ){0,2}(?:\w+ of )?(?P<v>(?:[A-Z][\w.-]*(?: of)?(?: the)?(?: [A-Z][\w.-]*)*(?: [a-z]+)?, )*[A-Z][\w.-]*(?: [A-Z][\w.-]*)*)"),
              _opening(r"\b(?:is|was) an? (?:\d{4} )?(?:[a-z][\w'-]* )*?{V}(?= [a-z])", "name")),
    _relation("government_type", r"(?:type|form|system) of government|government (?:type|form|system)|political system|regime", "words", r"republic|monarchy|federation|democracy|government|state|council|mayor",
              Idiom(r"\b(?:is|as|became|become|remains)(?: now)? (?:a|an) (?:relatively |largely )?(?:stable )?(?P<v>(?:[\w-]+,? (?:and )?){0,5}?(?:republic|monarchy|federation|democracy|dictatorship|theocracy|principality|dependency|territory|emirate|sultanate))\b(?! (?:in|from|until|between|of (?!the)))"), Idiom(r"\bframework of (?:a|an) {V}"), Idiom(r"\bgovernment (?:is|takes the form of) (?:a|an) {V}"), Idiom(r"\b(?P<v>mayor[-\u2013]council|council[-\u2013]manager)\b")),
    _relation("drives_on", r"driv(?:es|ing)(?: on| side)|side of the road|traffic side", "words", r"driv|traffic", Idiom(r"\b(?:driv\w+|traffic)\b[^.;]{0,60}?\b(?:on )?(?:the )?(?P<v>left|right)\b")),
    _relation("location", r"location|located(?: in)?|place|venue|where (?:it|the \w+) (?:is|was|took place|stands|happened|lies)(?: located| held)?|site", "place", r"in|at|near|located|held|situated|stands|fought|took",
              Idiom(r"\b(?:located|situated|stands|lies) (?:in|at|on|near)(?: the (?:city|town|village|centre|heart|north|south|east|west|district|borough) of)? (?:the )?{V}"), Idiom(r"\b(?:held|took place|fought|takes place)\b[^.;]{0,40}? (?:in|at|near) (?:the )?{V}"),
              _opening(r"\b(?:is|was) an?\b[^.;()]{2,80}? (?:in|at) (?:the )?(?:\w+ of )?{V}"), _opening(r"^[^,]{3,60}, (?:in|at|near) (?:the (?:city|town|village) of )?{V},? (?:is|was)\b")),
    _relation("capacity", r"capacity|seats|seating(?: capacity)?|number of (?:seats|spectators)", "number", r"capacity|seat|accommodat|holds", _sure(r"\bcapacity\b(?: (?:of|is|was|for|about|around|at|to))*\s{V}"), Idiom(r"\b(?:seats|seating for|holds|accommodates|can (?:seat|hold|accommodate)|seating) {V}")),
    _relation("members", r"(?:number of )?members(?:hip)?(?: count)?", "number", r"member", _sure(r"\b(?:has|have|had|with|of)\s{V} (?:\w+ )?members\b"), Idiom(r"\bmembership (?:of|is|was|stands at) {V}"), changes=True),
    _relation("speakers", r"(?:number of |native )*speakers", "number", r"speak|spoken", _sure(r"\b(?:has|have|had|with|by|of)\s{V} (?:native |total |first-language )?(?:speakers|people)\b"), Idiom(r"\b{V} (?:native )?speakers\b"), Idiom(r"\bspoken (?:natively )?by {V}"), changes=True),
    _relation("spoken_in", r"(?:countries|where|states|regions?)(?: \w+){0,3} spoken|spoken in", "names", r"spoken|speakers|language", _sure(r"\bspoken\b[^.;]{0,50}? in (?:the )?(?:(?:north|south|east|west|central)\w* )?{V}"), Idiom(r"\b(?:official |national |indigenous )?language (?:of|in) (?:the )?{V}")),
    _relation("presenter", r"presenters?|presented by|awarded by|who presents.*", "name", r"present|award|given|bestow|administ|confer", Idiom(r"(?:\b[Tt]he )?{V} (?:presents?|awards|gives|bestows|confers) (?:it|the|this)\b"), _sure(r"\b(?:presented|awarded|given|bestowed|conferred) [^.;()]{2,60}? by (?:the )?{V}"), _sure(r"\b(?:presented|awarded|given|bestowed|administered|sponsored)(?: \w+){0,4}? by (?:the )?{V}")),
    _relation("operator", r"operators?|operated by|run by", "name", r"operat|run by|managed", _sure(r"\boperated by (?:the )?{V}"), Idiom(r"\b(?:run|managed) by (?:the )?{V}"), Idiom(r"\boperator (?:is|was) (?:the )?{V}"), Idiom(r"(?:\b[Tt]he )?{V} operates (?:it|the)\b")),
    _relation("owner", r"owners?|owned by|proprietors?", "name", r"own|propriet|property of", _sure(r"\bowned(?: and \w+)? by (?:the )?{V}"), Idiom(r"\b(?:owner|proprietor) (?:is|was) (?:the )?{V}"), Idiom(r"(?:\b[Tt]he )?{V} owns (?:it|the)\b"), _opening(r"\bproperty of (?:the )?{V}"), refuses=r"formerly|previously|until|part-owned|minority"),
    _relation("founders", r"(?:co )?founders?(?: names?)?|(?:co )?founded by", "people", r"found|establish|start|creat|formed|set up",
              Idiom(r"\b(?:co-)?(?:founded|established|started|created|formed|set up|launched)\b(?: [\w,]+){0,6}? by (?:the )?(?:[a-z-]+ ){0,4}?{V}"), Idiom(r"\b(?:co-)?founders? (?:is|was|are|were) {V}"), Idiom(r"\b(?:its|the) (?:co-)?founders?,? {V}"), Idiom(r"{V} (?:co-)?(?:founded|established|started|set up) (?P<of>it\b|the (?:company|firm|business|club|organi[sz]ation|school|college|society|institute|group|band)\b|[A-Z][\w'\u2019.&-]*(?: [A-Z][\w.&-]*)*)")),
    _relation("industry", r"industry|sector|line of business", "phrase", r"is|was|are",
              Idiom(rf"\b(?:is|was) (?:an?|the)(?: (?:{_PRAISE}))*(?: [A-Z][\w-]+)*(?: (?:{_PRAISE}))* (?P<v>(?!{_PRAISE})[a-z][\w &-]{{2,40}}?) (?:company|corporation|firm|conglomerate|business|group|retailer|provider|chain|cooperative|giant)\b", opening=True, loose=True),
              Idiom(rf"\b(?:is|was) (?:an?|the)(?: (?:{_PRAISE}))*(?: [A-Z][\w-]+)*(?: (?:{_PRAISE}))* (?P<v>(?:[a-z]+ ){{0,2}}(?:manufacturer|maker|producer|publisher|retailer|developer|supplier|distributor)(?: of (?:[a-z-]+ ){{0,2}}[a-z-]+)?|airline|bank|brewery|brewer|newspaper|automaker|carmaker|insurer|law firm)\b", opening=True, loose=True),
              Idiom(r"\b(?:operates|active|specialises|specializes|engaged) in (?:the )?(?P<v>[a-z][\w -]{2,40}?) (?:industry|sector|business)\b")),
    _relation("products", r"products?", "phrases", r"produc|manufactur|makes|made", Idiom(r"\b(?:produces|manufactures|makes)(?:,? (?:and )?(?:sells|markets|distributes|develops|designs))* {V}(?=[.;]|,? (?:for|in|under|at|from|to)\b)")),
    _relation("result", r"result|outcome", "words", r"victor|defeat|stalemate|draw|truce|ceasefire|armistice|won by", Idiom(r"\b(?:result\w* in|ended (?:in|with)|was|ending in) (?:an? |the )?(?P<v>(?:[\w-]+ ){0,3}(?:victory|defeat|stalemate|draw|truce|ceasefire|armistice)(?: (?:for|by|of|over) (?:the )?[A-Z][\w-]+(?: [A-Z][\w-]+)*)?)")),
    _relation("designer", r"designers?|architects?|designed by", "people", r"design|architect", _sure(r"\bdesigned by (?:the )?(?:[a-z]+ ){0,3}?{V}"), _loose(r"\barchitect,? {V}")),
    _relation("developer", r"developers?|developed by", "name", r"develop", _sure(r"\b(?:is|was|and) (?:\w+ )?developed by (?:the )?{V}"), _loose(r"\bdeveloped by (?:the )?{V}")),
    _relation("launch_date", r"launch(?:ed)?(?: date| on| day)?|date of (?:the )?launch", "date", r"launch", Idiom(r"\blaunch(?:ed)?\b[^.;]{0,90}?\b(?:on|in) {V}", sure=True), _loose(r"\bon {V}[^.;]{0,60}?\blaunched\b")),
    _relation("pages", r"(?:number of )?pages|page count", "number", r"pages?", Idiom(r"\b{V}[ -]pages?\b")),
    _relation("running_time", r"running ?time|run ?time|duration|length in minutes", "number", r"minute|running|runtime", _sure(r"\b(?:running time|runtime|duration|runs|lasts)\b[^.;\d]{0,20}{V}(?= ?min)"), Idiom(r"\b{V}[ -]minutes?\b")),
    _relation("established", r"founded|established|formed|formation|establishment|foundation|inception|creation(?: date)?|date created|founding|year .* (?:founded|established|formed)", "date", r"found|establish|form|creat|organi|settled|incorporated|built|opened|started|began|introduced|instituted",
              Idiom(r"\b(?:was|were|been) (?:first |originally |formally |officially )?(?:founded|established|formed|created|organi[sz]ed|set up|instituted|introduced)\b(?: \w+){0,8}?,? (?:in|on) (?:the \w+ of )?{V}"), Idiom(r"\b(?:was|were) (?:founded|established|formed|created|built|registered)\b(?: \w+){0,6}? in [A-Z][\w ,]{2,40}?,? (?:in |on )?{V}"), Idiom(r"\b(?:Founded|Established|Formed|Created)\b[^.;]{0,50}?\b(?:in|on) {V}"), _opening(r"\b(?:founded|established|formed|created|instituted)\b[^.;]{0,50}?\b(?:in|on) {V}", sure=True)),
)  # fmt: skip

BY_KIND = {relation.name: relation for relation in RELATIONS}
_WITH = {"founded": "established"}
JOINED = frozenset({"established", "country", "location", "owner", "founders", "industry", "products"})
"""Relations that add to what the vocabulary knows of the field, instead of replacing it."""


def relation_of(name: str, description: str, concept: str, kind: str) -> Relation | None:
    """Return the relation that a folded name, else a folded description, asks for; a known concept goes before the latter."""
    for relation in RELATIONS:
        if relation.asks.fullmatch(name):
            return relation
    if concept:
        return BY_KIND.get(_WITH.get(concept, ""))
    return next(
        (
            r
            for text in (name, description)
            for r in RELATIONS
            if text and r.asks.search(text) and _fits(r, kind)
        ),
        None,
    )


def _fits(relation: Relation, kind: str) -> bool:
    """Tell whether a relation's values are of the field's type: no figure answers a field that takes words."""
    numeric = relation.shape in {"number", "area", "length", "year", "date"}
    if kind in {"integer", "number"}:
        return numeric
    return kind in {"boolean", "enum"} or relation.shape in {"date", "year"} or not numeric


DATED = frozenset(relation.name for relation in RELATIONS if relation.shape in {"date", "year"})
"""Relations whose value is a date or a year."""

MEASURED = frozenset(relation.name for relation in RELATIONS if relation.shape in {"area", "length"})
"""Relations whose value has a unit."""
