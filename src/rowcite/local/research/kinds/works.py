"""Facts about books, films, music and journals."""

from __future__ import annotations

from rowcite.local.research.kinds.relation import NO_DEMONYM, Relation, loose, opening, plain, relation, sure
from rowcite.local.research.shapes import PERSON

_WORK = r"(?:novel|novella|book|memoir|poem|essay|play|film|movie|documentary|album|song|single|EP|series|story|stories|collection|pamphlet|magazine|journal|opera|game|comic|manga|musical|short film|tract|treatise|satire|hymn|anthem|ballet|sonata|symphony)"
_TONGUE = r"French|German|Spanish|Italian|Russian|Portuguese|Japanese|Chinese|Polish|Swedish|Danish|Norwegian|Dutch|Finnish|Hungarian|Czech|Greek|Turkish|Hebrew|Arabic|Persian|Hindi|Bengali|Tamil|Korean|Latin|English|Welsh|Icelandic|Romanian|Catalan"
_ROLE = r"(?:(?:the |an? |his |her |its )?(?:(?!(?:and|by|with|or|in|on|from)\b)[A-Z]?[\w'\u2019-]+,? ){0,5}?(?!(?:and|by|with|or|in|on|from)\b)[a-z][\w-]*,? )??"
_IT = r"(?:it\b|(?:the|this) (?:[a-z]+ )?(?:book|novel|poem|play|essay|story|song|text|work|pamphlet|hymn|lyrics|words|screenplay|script|libretto|music|score)\b)"
_ADAPTATION = r"(?<!\bis )(?<!\bwas )\b(?:an?|another|the|later|first|second) (?:[\w-]+ ){0,3}?(?:version|adaptation|remake|sequel|(?<!first )edition|translation|film|play|musical|opera|production|series|documentary|cover),?(?: (?:which|that))?(?: (?:is|was|were|has been|had been))?"
_MUSIC = r"(?:music(?:al)? )?(?:band|group|duo|trio|quartet|quintet|ensemble|musician|singer|rapper|singer-songwriter|songwriter|composer|DJ|artist|producer)s?\b"

_FORMAT = r"animated|television|tv|web|short|feature|graphic|book|manga|anime|debut|studio|live|first|second|third|fourth|fifth|silent|annual|monthly|weekly|limited|ongoing|adult|computer-animated|illustrated"
_BREAK = r"(?:known|that|which|for|by|of|from|in|its|his|her|and|on|with|about|who)\b"

WORKS: tuple[Relation, ...] = (
    relation(
        "author", r"authors?|written by|who wrote(?: it)?", "person", r"by|author|wrote|writ|novel|book|play|poem|story|of",
        opening(rf"\b{_WORK}s?\b[^.;]{{0,60}}? by {_ROLE}{{V}}", sure=True),
        sure(rf"\b(?:written|authored|penned)\b[^.;]{{0,40}}? by {_ROLE}{{V}}"),
        opening(rf"\b{_WORK}s?\b[^.;]{{0,60}}? by {_ROLE}{{V}}", "name"),
        opening(rf"{{V}}['\u2019]s (?:[\w-]+ ){{0,2}}?{_WORK}\b"),
        opening(rf"\b(?:first|second|third|fourth|fifth|sixth|last|final|debut) (?:[\w-]+ )?{_WORK} (?:of|from) {_ROLE}{{V}}"),
        loose(r"\bauthor,? {V}"),
        loose(rf"{{V}} (?:wrote|published) (?:{_IT}|the\b)"),
        opening(rf"^[^,]{{2,80}}, by {_ROLE}{{V}},? (?:is|was)\b", sure=True),
        plain(rf"\b(?:is|was) by {_ROLE}{{V}}(?=[.,]| and\b)"),
    ),
    relation(
        "illustrator", r"illustrat(?:or|ors|ed by)", "person", r"illustrat|artwork|drawings|pictures",
        sure(rf"\billustrated\b[^.;]{{0,30}}? by {_ROLE}{{V}}"),
        loose(r"\billustrator,? {V}"),
        plain(rf"\b(?:illustrations|artwork|drawings|pictures)(?: are| were)? by {_ROLE}{{V}}"),
        plain(r"{V} illustrated (?:it|the)\b"),
        opening(r"\billustrated\b[^.;]{0,60}? by {V}"),
    ),
    relation(
        "director", r"directors?|directed by", "person", r"direct|film by",
        sure(rf"\b(?:co-)?directed(?: and \w+)?(?:,? \w+)? by {_ROLE}{{V}}"),
        loose(r"\bdirector {V}"),
        plain(r"\b[Tt]he director, {V}"),
        plain(r"\bfilm by {V}"),
        sure(rf"\bdirected by {_ROLE}{{V}}", "name"),
        sure(rf"\b(?:written|produced|created)[a-z, ]{{0,40}},? and directed by {_ROLE}{{V}}"),
        plain(r"{V}-directed\b"),
        plain(r"\bdirector (?:is|was) {V}"),
        plain(r"{V} directed (?:it|(?:the|this) (?:[a-z]+ )?(?:film|movie|play|series|picture|documentary|production|episode))\b"),
        others=_ADAPTATION,
    ),
    relation(
        "producer", r"producers?|produced by", "people", r"produc",
        sure(rf"\bproduced(?: and \w+)? by {_ROLE}{{V}}"),
        loose(r"\bproducer,? {V}"),
        others=_ADAPTATION,
    ),
    relation(
        "writer", r"writers?|screenplay(?: by)?|composers?|composed by|lyric(?:s|ist)(?: by)?|songwriters?|who wrote(?: it)?", "people", r"writ|compos|lyric|wrote|music|screenplay",
        sure(rf"\b(?:co-)?(?:written|composed|lyrics|music|screenplay|words|penned)\b(?: and \w+)?[^.;]{{0,40}}? by {_ROLE}{{V}}"),
        plain(r"\b(?:co-)?(?:written|composed|penned) by (?P<v>[A-Z][\w-]+(?:(?:, | and |, and )[A-Z][\w-]+(?: [A-Z][\w-]+)*)+)"),
        plain(rf"{{V}} (?:co-)?(?:wrote|composed) {_IT}"),
        loose(r"{V} (?:wrote|composed) the\b"),
        sure(rf"\b(?:co-)?(?:written|composed|penned)(?:,? (?:and )?[a-z]+){{1,3}} by {_ROLE}{{V}}"),
        plain(r"\b(?:lyrics|words|music|screenplay|script|libretto|dialogue) (?:penned |written |composed )?by (?:the )?(?:[a-z]+ ){0,3}{V}"),
        plain(rf"\b(?:words|lyrics|music|screenplay|libretto|script) (?:is|are|was|were) by {_ROLE}{{V}}"),
        others=_ADAPTATION,
    ),
    relation(
        "starring", r"starring|stars|cast|leading (?:actors?|roles?)|actors?", "people", r"star|cast|featur",
        sure(r"\b(?:starring|stars|starred|co-stars|cast (?:includes|included|features)|film stars) (?:actors? )?{V}"),
        sure(rf"\b(?:starring|stars|starred) (?P<v>{PERSON} as [^,;.]{{2,50}}?(?:,? (?:and |with )?{PERSON} as [^,;.]{{2,50}}?)+)(?=[,;.]|$)"),
        plain(r"\bfeatur(?:es?|ed|ing) {V}(?= (?:in|as)\b)"),
        plain(r"\bfeatur(?:es?|ed|ing) (?:the voices? of|an ensemble cast of|performances by) {V}"),
        plain(r"\b(?:is|was) (?:\w+ )?starred(?: and \w+)? by {V}"),
        plain(r"{V} (?:star|stars|starred|co-starred) (?:in (?:it|the)|as|alongside)\b"),
        plain(r"\bcast\b[^.;]{0,30}? (?:of|is|are|was|were|includ\w+|led by|headed by) {V}"),
        others=_ADAPTATION,
    ),
    relation(
        "publication_year", r"publication (?:year|date)|year of publication|(?:published|release|released|pub|issue)(?: year| date| in| on)?|release year|first published|date of (?:publication|release)|premiere", "date",
        r"publish|releas|issued|premier|appeared|came out|aired|debut|available|shown|broadcast|screened|launch|opened|print|wrote|written|composed|is an?|was an?",
        sure(r"\b(?:first |originally |anonymously )*(?:published|released|issued|premiered|appeared|printed)\b[^.;]{0,70}?\b(?:in|on) (?:the \w+ of )?{V}"),
        opening(rf"\b(?:is|was) (?:an?|the) {{V}}(?: [\w'\u2019-]+){{0,6}}? {_WORK}", "year", sure=True),
        opening(r"^[^()]{2,80} \({V}\),? (?:is|was) (?:an?|the|\w+ [A-Z]\w+['\u2019]s)\b", "year", sure=True),
        opening(r"\) an? {V} (?:[A-Z]?[\w-]+ ){1,4}?(?:film|movie|novel|album|song)\b", "year"),
        opening(rf"\b(?:is|was) (?:an?|the|his|her) [^.;()]{{0,60}}?\b{_WORK}\b(?:(?!\b(?:based|adapt\w+|after|novel|set|published|born)\b)[^.;,]){{0,60}}? (?:in|from|of) {{V}}(?=[.,]| by\b)", "year", loose=True),
        plain(r"\b(?:[Ii]t|(?:[Tt]he|[Tt]his) (?:book|novel|album|single|song|film|game|record|episode|series)) (?:originally |first )?(?:aired|debuted|opened|was (?:made available|shown|broadcast|screened|launched))\b[^.;]{0,70}? (?:in|on) {V}"),
        plain(r"\b(?:[Tt]he|[Tt]his) (?:book|novel|album|single|song|film|game|record) (?:came out|was out)\b[^.;]{0,30}? (?:in|on) {V}"),
        loose(r"\b(?:wrote|written|composed)\b[^.;]{0,50}? in {V}"),
        others=_ADAPTATION,
    ),
    relation(
        "publisher", r"publishers?|published by|publishing house", "name", r"publish|issued",
        sure(r"\b(?:published|issued)(?: \w+){0,4}? by (?:the )?{V}"),
        loose(r"\bpublisher,? {V}"),
        sure(r"\b[a-z]+ed(?:,| and|, and) published by (?:the )?{V}"),
        plain(r"\bpublished(?: [\w,]+){1,7}? by (?:the )?{V}"),
        plain(r"\bpublisher (?:is|was) (?:the )?{V}"),
        plain(r"(?:\b[Tt]he )?{V} (?:first )?(?:publishes|published) (?:it|(?:the|this) (?:book|novel|magazine|journal|game|series|newspaper|first edition|play|poem))\b"),
    ),
    relation(
        "artist", r"artists?|performers?|performed by|recording artist|singer|band", "name", r"by|record|perform|sung",
        opening(rf"\b(?:song|album|single|EP|ballad|compilation|mixtape|soundtrack)s?\b[^.;,()]{{0,50}}? (?:by|from|of) {_ROLE}{NO_DEMONYM}{{V}}", sure=True),
        plain(rf"\b(?:recorded|performed|sung|released) by {_ROLE}{NO_DEMONYM}{{V}}"),
        others=_ADAPTATION,
    ),
    relation(
        "editor", r"editors?(?: in chief)?|edited by", "person", r"edit",
        sure(rf"\bedited by {_ROLE}{{V}}"),
        plain(r"\beditor(?:-in-chief| in chief)?(?: is| was|,)? {V}"),
        plain(r"{V},? (?:is|was|serves as|as) (?:the |its )?(?:\w+ )?editor"),
    ),
    relation(
        "label", r"(?:record )?labels?|signed to", "names", r"record|releas|signed|label",
        plain(r"\b(?:released|issued|signed)\b[^.;]{0,50}? (?:on|by|through|via|to|with) (?:the )?(?P<v>(?:[A-Z][\w.&-]*(?: | & )){1,3}(?:Records|Music|Recordings|Entertainment|Sound|Discos))"),
        plain(r"\bsigned (?:\w+ ){0,4}?(?:to|with) {V}"),
        plain(r"\b(?:on|under) the {V} (?:record )?label\b"),
        plain(r"\b(?:released|issued)\b[^.;]{0,70}? (?:via|through) (?:the )?{V}"),
        plain(r"\b(?:single|album|EP|record)\b[^.;]{0,60}?\breleased\b[^.;]{0,50}? by {V}"),
        plain(r"\b[Ii]t was (?:first )?released\b[^.;]{0,70}? by {V}(?= on | in |[.,])"),
        plain(r"\b(?:record )?labels? (?:is|was|,)? ?{V}"),
    ),
    relation(
        "genre", r"genres?|style of music|musical style", "phrases", r"is|was|are|were|genre|style|music|\u2013|combin|blend|mix",
        plain(r"\b(?:genres?|musical style)(?: of (?:the|its|their) \w+)? (?:of|is|are|as|include[sd]?|includes) {V}"),
        plain(r"\b(?:[Tt]heir|[Hh]is|[Hh]er|[Ii]ts|[Tt]he band['\u2019]s|[Tt]he group['\u2019]s) (?:music|musical style|style|sound|songs) (?:is a (?:mix|mixture|blend|fusion|combination) of|combines?|mixes|blends|fuses|incorporates|includes?|features?|(?:has been|is|was) (?:described|classified|categori[sz]ed|labell?ed) as) (?:elements of )?{V}"),
        plain(r"\b(?:plays?|performs?|playing|performing) (?:a (?:mix|mixture|blend|fusion|combination) of )?(?P<v>[a-z][\w-]*(?: [\w-]+)?(?:, [a-z][\w-]*(?: [\w-]+)?)*,? and [a-z][\w-]*(?: [\w-]+)?)(?= music|[.,;]| songs)"),
        plain(r"\b(?:[Tt]hey|[Tt]he (?:band|group|duo)) (?:combines?|mixes|blends|fuses|plays?) (?:elements of )?{V}"),
        plain(r"\b(?:in|of) the (?:genres?|styles?) of {V}"),
        plain(r"\bstyles? (?:(?:which|that) )?[\w' ]{0,40}?include[sd]? {V}"),
        opening(rf"(?:\b(?:is|was|are|were)|\u2013) (?:an?|the|one of the [\w -]+?)?(?: ?(?:popular|famous|successful|American|British))*(?: [A-Z][\w-]+)* (?P<v>(?!(?:music|musical|vocal|singing|popular|famous)\b)[a-z][\w/ -]*?(?:, [a-z][\w/ -]*?)*(?:,? and [a-z][\w/ -]*?)?) {_MUSIC}", loose=True),
        opening(rf"\b(?:is|was) (?:an?|the)(?: \d{{4}})?(?: [A-Z][\w-]+)* (?!(?:{_FORMAT})(?: (?:{_FORMAT}|{_WORK[3:-1]}))*\b)(?P<v>(?:(?!{_BREAK})[a-z][\w'\u2019-]*,? ){{1,5}}?{_WORK}s?)\b", loose=True),
    ),
    relation(
        "pages", r"(?:number of )?pages|page count", "number", r"pages?",
        plain(r"\b{V}[ -]pages?\b"),
    ),
    relation(
        "running_time", r"running ?time|run ?time|duration|length in minutes", "number", r"minute|running|runtime",
        sure(r"\b(?:running time|runtime|duration|runs|lasts)\b[^.;\d]{0,20}{V}(?= ?min)"),
        plain(r"\b{V}[ -]minutes?\b"),
    ),
    relation(
        "language", r"(?:original )?language(?: of (?:the )?\w+)?|written in", "name", r"language|written in|published in|in [A-Z]\w+|is|was",
        plain(rf"\b(?:written|published|sung|broadcast|produced|composed) (?:\w+ )?in (?P<v>{_TONGUE})\b(?! by)"),
        opening(r"\b(?:is|was) an? (?:\w+ )*?{V}[- ]language\b", sure=True),
        loose(r"\bin the {V} language\b"),
        opening(rf"\b(?:is|was) an? (?:\d{{4}} )?(?P<v>{_TONGUE}) (?:[a-z-]+ ){{0,4}}?(?:{_WORK[3:-1]}|newspaper|nursery rhyme|folk song)\b"),
    ),
)  # fmt: skip
