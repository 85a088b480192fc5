"""Facts about people: birth and death, family, schooling, work."""

from __future__ import annotations

from rowcite.local.research.kinds.relation import (
    PLACE_WITHIN,
    Relation,
    loose,
    opening,
    plain,
    relation,
    sure,
)

_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DAY = rf"(?=(?:\d{{1,2}} )?{_MONTH} |\d{{4}}\b)"
_LATER = r"|\b(?:he|she|they|began|started|moved|went|became|made|joined|grew|graduated|worked|emigrated|studied|attended)\b"
_DATE = rf"(?:\d{{1,2}} {_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}},? \d{{4}}|{_MONTH} \d{{4}}|\d{{4}})"
_SETTLED = r"(?:(?:the|a) (?:[a-z-]+ ){0,3}?(?:city|town|village|hamlet|port|suburb|district|area|parish|borough|community|commune|municipality) (?:of|called|named) )?(?:(?:the |a )?(?:then )?(?:[A-Z]\w+ )?(?:protectorate|colony|province|state|region|county|kingdom) of )?"
_BUILDING = r"(?:(?:the )?[A-Z][\w'\u2019.-]*(?: [A-Z][\w'\u2019.-]*){0,3} (?:Hospital|Clinic|Infirmary|Castle|House|Palace|Hall|Manor|Farm|Prison|Hotel|Center|Centre|Sanatorium|Abbey|Cottage|Lodge)(?:,| in| near|, in|, near) )?"
_HOME = r"(?:(?:his|her|their|the|an?) (?:[\w-]+ ){0,3}?(?:home|house|residence|apartment|flat|estate|villa|hospital|hospice|clinic|hotel|nursing home|farm|prison|sanatorium|room)(?:, [A-Z][\w'\u2019 ]{2,30},)?,? (?:in|at|near) )?"
_ENDED = r"(?:died|passed away|drowned|(?:committed|died by) suicide|(?:was|were) (?:shot|killed|executed|assassinated|murdered|beheaded|hanged|guillotined))"
_KIND = r"(?:(?:the |an? )?(?:(?!(?:and|by|with|or|in|on|from|to)\b)[A-Z]?[\w'\u2019-]+,? ){0,4}?(?!(?:and|by|with|or|in|on|from|to)\b)[a-z][\w-]*,? )??"
_WORKS = r"novels?|books?|works?|films?|albums?|plays?|poems?|paintings?|songs?|compositions?|operas?|essays?|stories|story|movies?|writings"
_ITEM = r"(?:novels?|books?|works?|memoir|films?|essays?|albums?|poems?|plays?|songs?|series)"
_SEAT = r"(?:[A-Z\u00c0-\u00de][\w'\u2019.&-]*(?: (?:of|the|for|and))* )*(?:University|College|School|Institute|Academy|Conservatory|Polytechnic|Seminary|Faculty|\u00c9cole|Universit\w+|Gymnasium|Lyc\u00e9e|Conservatoire|Escuela|Escola|Hochschule|INSEAD|MIT|Harvard|Yale|Princeton|Stanford|Oxford|Cambridge|Berkeley)(?:,? (?:of|for)(?: the)? [A-Z][\w&.-]*(?: (?:of |and |& )?[A-Z][\w&.-]*){0,3}|, (?:Oxford|Cambridge|London|[A-Z]\w+)(?=[ ,.;)])(?!,? (?:he|she|[A-Z]))| at [A-Z][\w&.-]*(?: [A-Z][\w&.-]*){0,2}| [A-Z][\w-]*)*"
_TAUGHT = (
    r"(?i:graduat\w+(?: [\w-]+){0,4} (?:from|at)|entered|matriculat\w+ (?:at|in)|read \w+ at|(?:scholarship|fellowship) (?:to|at)|admitted to|undergraduate at|schooling at|"
    r"education (?:at|from)|completed (?:his|her|their) (?:[\w-]+ ){1,3}at|educated (?:first |privately |locally )?at|stud(?:y|ied|ies|ying)\b[^.;]{0,60}? at|attend(?:ed|ing|s)|"
    r"(?:(?<!honorary )(?:degrees?|doctorate)|Ph\.?D\.?|B\.?A\.?|M\.?A\.?|B\.?Sc\.?|M\.?Sc\.?|MBA|LL\.?B\.?|J\.?D\.?|M\.?D\.?|diploma|thesis)(?!\w)[^.;]{0,60}? (?:from|at)|alumn\w+ of|enrol\w* (?:at|in)|"
    r"student (?:at|of)|transferred to|went (?:up |on )?to|(?:play\w*|football) (?:college \w+ )?(?:for|at))"
)
_HONOUR = r"[A-Z\u00c0-\u00de][\w'\u2019-]*(?: (?:of|for|in|the|de) )?(?: ?[A-Z\u00c0-\u00de][\w'\u2019-]*| (?:of|for|in|the|de))*? ?(?:Prize|Award|Medal|Order of [A-Z]\w+|Oscar|Emmy|Grammy|Cross|Trophy)s?(?: (?:for|in|of) (?:(?:the )?[A-Z]\w+)(?:(?: and)? [A-Z]\w+)*)?"
_MORE_HONOURS = rf"(?:(?: in \d{{4}})?(?:,? (?:and|as well as) |, )(?:the |an? |(?:two|three|four|five|several|\d+) )?(?:{_HONOUR}|(?:gold|silver|bronze) medal of the [A-Z]\w+(?: [A-Z]\w+)*))*"

FIELD_OF = {
    "mathematician": "mathematics", "physicist": "physics", "chemist": "chemistry", "biochemist": "biochemistry", "biologist": "biology", "astronomer": "astronomy",
    "botanist": "botany", "zoologist": "zoology", "geologist": "geology", "philosopher": "philosophy", "economist": "economics", "historian": "history",
    "linguist": "linguistics", "psychologist": "psychology", "sociologist": "sociology", "anthropologist": "anthropology", "archaeologist": "archaeology",
    "computer scientist": "computer science", "statistician": "statistics", "psychiatrist": "psychiatry", "naturalist": "natural history", "theologian": "theology",
}  # fmt: skip
"""What people are called by what they study, and what that is."""

PEOPLE: tuple[Relation, ...] = (
    relation(
        "birth_date", r"birth ?date|date of birth|birth ?day|birth year|year of birth|born(?: on| date| year)?", "date", r"born|birth|b\.|\(",
        sure(rf"\bborn\b(?:(?! and\b{_LATER})[^.;()\u2013]|\([^()]*\)){{0,90}}?\b(?:on |in ){{V}}"),
        opening(r"\bborn:? {V}", sure=True),
        opening(r"\((?:[^()\u2013\u2014]{0,120}?(?:[;:]|[^\d\W],) ?)?(?:born |b\. ?)?(?:in )?(?:(?:about|c\.) )?{V}(?:, [^()\u2013-]{2,60}?| in [^()\u2013-]{2,60}?)?\s*(?:[\u2013\u2014-]|\)|, to )", sure=True),
    ),
    relation(
        "death_date", r"death ?date|date of death|death year|year of death|died(?: on| date| year)?", "date", r"died|death|dies|killed|executed|assassinated|suicide|drowned|[\u2013-]\s*\w+",
        opening(r"(?<=\d)[^()\d]{0,60}?\s?[\u2013\u2014-]\s?(?:(?:died|d\.) )?(?:(?:about|c\.) )?{V}(?=\s*[);,])", sure=True),
        opening(r"\((?:[^()]{0,120}?[;,] ?)[\u2013\u2014-]\s?{V}\s*\)", sure=True),
        opening(r"\b{V}(?=\)) was\b"),
        sure(rf"\b(?:{_ENDED}|dies)\b[^.;()]{{0,90}}?\b(?:on|in) (?:the \w+ of )?{{V}}"),
        sure(rf"\b[Oo]n {{V}},? (?P<of>he|she|[A-Z][\w.-]*(?: [A-Z][\w.-]*){{0,3}}) {_ENDED}\b"),
        plain(r"\b(?:his|her) death\b(?: \w+){0,6}? (?:on|in) {V}"),
    ),
    relation(
        "birth_place", r"birth ?place|place of birth|born in|where .* born|home ?town|city of birth", "place", r"born|native|birth|\(",
        sure(rf"\bborn\b(?:(?! to\b| and\b)[^.;()]|\([^()]*\)){{0,80}}?\b(?:in|at|near) {_HOME}{_BUILDING}{_SETTLED}(?:the )?{{V}}{PLACE_WITHIN}"),
        sure(rf"\bborn\b[^.;()]{{0,60}}? in what (?:is now|is today|was then|would become) (?:called |known as )?{_SETTLED}{{V}}"),
        sure(r"\bborn\b[^.;()]{0,40}? (?:at|in) \d+ [A-Z][^.;(),]{3,30}, {V}"),
        loose(rf"\bborn\b(?:(?!\b(?:grew|lived|moved|studied|he|she|they)\b)[^.;()]|\([^()]*\)){{0,110}}?\b(?:in|at|near) {_HOME}{_BUILDING}{_SETTLED}{{V}}{PLACE_WITHIN}"),
        opening(r"\((?:[^()]{0,60}?)\d{4} ?(?:,| in) {V}\s*[\u2013-]"),
        plain(r"\b(?:[Aa] )?native of {V}"),
        opening(rf"\((?:[^()]{{0,60}}; )?(?:born |b\. )?(?:in )?{{V}},? {_DAY}"),
        opening(r"\((?:[^();]{0,60}[;,] )?born[^();]{0,40} in {V}"),
        opening(rf"\((?:[^()]{{0,60}}[;,] )?(?:born |b\. )?{_DATE},? (?:in )?{{V}}(?=[);]| ?[\u2013\u2014-]| now\b)"),
        opening(r"\b(?:is|was) an?\b[^.;,()]{2,60}? from {V}(?=[,.;]| who| and| known)", loose=True),
        plain(r"\b(?:born and (?:raised|brought up|educated)|originally) (?:in|from) {V}"),
        loose(r"\b(?:grew up|raised|brought up) in {V}"),
    ),
    relation(
        "death_place", r"death ?place|place of death|died in|where .* died", "place", r"died|death|dies|killed|found dead|suicide|drowned|passed|\(",
        sure(rf"\b{_ENDED}\b[^.;()]{{0,80}}?\b(?:in|at|near|outside) {_HOME}{_BUILDING}{_SETTLED}(?:the )?{{V}}{PLACE_WITHIN}"),
        opening(r"[\u2013\u2014-][^()]{0,40}?\d{4},? (?:in )?{V}\)"),
        opening(rf"(?:[\u2013\u2014]|(?<=\d)-|; died|; d\.) ?(?:d\. |died )?(?:in )?{{V}},? {_DAY}"),
        plain(rf"\b{_ENDED}\b[^.;()]{{0,60}}? \({{V}}\)"),
        loose(r"\b(?:moved|retired|returned|emigrated|settled|exile) (?:[^.;]{0,30} )?(?:to|in) {V}[^.;]{0,60}? until (?:his|her) death\b"),
        plain(r"\b(?:in|to|at|for) {V}(?: in \d{4})?,? where (?:he|she) (?:\w+ ){0,2}?(?:died|was (?:killed|executed|murdered)|committed suicide)\b"),
        plain(r"\b(?:to|in) {V}(?: in \d{4})?,? (?:and|but|where (?:he|she)) (?:\w+ )?died there\b"),
        plain(r"\bfound dead (?:in|at) (?:(?:his|her) (?:\w+ ){1,3}(?:in|at) )?{V}"),
        loose(r"\b(?:lived|living|remained|worked|stayed) (?:[^.;,]{0,20} )?in {V}(?: from \d{4})? until (?:his|her) death\b"),
        plain(r"\b(?:his|her) death (?:\w+ ){0,3}?(?:in|at) {V}"),
    ),
    relation(
        "birth_name", r"birth ?name|name at birth|born as|full name|real name|given name", "person", r"born|n\u00e9e|full name|birth name|real name|\(|,|is|was",
        sure(r"\bborn(?: as)? {V}"),
        sure(r"\b(?:birth|full|real) name(?: is| was|,|:)? {V}"),
        opening(r"^{V}(?=,? (?:[A-Z]+ )?\(|,? (?:is|was) |,? (?:better|best|also|professionally|commonly|popularly|known))"),
    ),
    relation("deceased", r"deceased|has died|is dead|still alive|is alive|living", "flag", r"died|death|killed|executed|[\u2013-]"),
    relation(
        "nationality", r"nationality|citizenship|national of", "name", r"is|was|citizen",
        opening(r"\b(?:is|was) (?:an?|the)(?: [a-z][\w-]*){0,3}?(?: [A-Z][\w]+-born)? {V}(?= [a-z])", sure=True),
        loose(r"\b(?:became|is|was) an? {V} citizen\b"),
    ),
    relation(
        "occupation", r"occupations?|professions?|job(?: title)?|what .* (?:does|did) for a living", "phrases", r"is|was",
        opening(r"\b(?:is|was) (?:an?|the)(?: (?:prominent|famous|noted|renowned|influential|former|leading|retired|well-known|pioneering|celebrated|professional|notable|popular|award-winning|acclaimed|important|great|major))*(?: [A-Z][\w-]+)*(?:-\w+)?(?:,? and [A-Z][\w-]+)?(?: (?:former|retired|professional|ex))* (?P<v>[a-z][\w /-]*?(?:, (?:and )?(?!best\b|known\b|most\b|one\b|who\b)[a-z][\w /-]*?)*(?:,? and (?!(?:\w+ )?(?:member|figure|leader|one)\b)[a-z][\w /-]*?)?)(?=,? and (?:\w+ )?(?:member|figure|leader|one)\b| (?:who|whose|known|best|from|of|in|for|at|with|that|based|working|and (?:the|an?|one))\b|,? who\b|[.;(]|, (?:best|known|the|most|one|and (?:the|one|an?)) )"),
    ),
    relation(
        "spouse", r"spouses?|wife|wives|husbands?|married to|partner name", "people", r"married|marri|wife|husband|spouse|wed|eloped|divorc|surviv",
        sure(rf"\b(?:is |was |got |been )?married (?:twice|three times|four times|firstly|first)[:,]? (?:first )?(?:to )?{_KIND}{{V}}"),
        sure(rf"\b(?:is |was |got |had |been )?(?:re)?married (?:to )?(?:(?:his|her) (?:[a-z-]+ ){{1,3}}?)?{_KIND}{{V}}"),
        plain(rf"\bmarried\b[^.;]{{0,60}}?,? (?:and then|then|secondly|second|later|and secondly)(?: to)? {_KIND}{{V}}"),
        sure(r"\b(?:[Hh]is|[Hh]er) (?:first |second |third |fourth |late |future |then[- ]|ex-|former )?(?:wife|husband|spouse),? (?:(?:the )?(?:[A-Z]?[\w-]+ ){0,3}?[a-z]+ )?{V}"),
        sure(r"\b(?:[Hh]is|[Hh]er|['\u2019]s) (?:first |second |third |late |only )?(?:wife|husband|spouse),? (?:(?:is|was),? )?(?:(?:the |an? )?(?:[A-Z]?[\w-]+ ){0,4}?[a-z]+ )??{V}"),
        plain(r"\b[Mm]arr(?:ied|ying|ies)\b[^.;,]{2,50}? (?:by the name of|named|called) {V}"),
        plain(r"\b(?:to|for \w+ to) marry {V}"),
        plain(r"\band (?:his|her) (?:first |second |third )?(?:wife|husband),? (?P<v>[A-Z\u00c0-\u00de][\w'\u2019-]+),? (?:have|had|has|live|lived|were|are|adopted|raised|moved)\b"),
        plain(r"\b(?:wife|husband|widow|widower) of (?:(?:the |an? )?(?:[a-z][\w-]* ){0,3})?{V}"),
        plain(r"\b(?:married|wed) (?:his|her) [a-z][\w -]{2,40}?, {V}"),
        plain(rf"\b(?:wed|eloped with) {_KIND}{{V}}"),
        plain(rf"\b(?:[Hh]is|[Hh]er) (?:first |second |third )?(?:marriage|wedding) (?:was )?to {_KIND}{{V}}"),
        plain(r"\b(?:[Hh]is|[Hh]er) divorce from {V}"),
        plain(r"{V}[,;]? (?:and )?(?:the (?:two|couple|pair)|they) (?:were |got |later )?(?:married|wed)\b"),
        loose(r"{V},? (?:his|her) (?:\w+ )?(?:wife|husband)"),
        loose(r"\b(?:first |second |third |late )?(?:wife|husband),? {V}"),
    ),
    relation(
        "alma_mater", r"alma ?mater|education|universit(?:y|ies)(?: attended)?|colleges?(?: attended)?|schools?(?: attended)?|studied at|educated at", "words",
        r"graduat|educated|entered|schol|fellow|read |admitted|matric|stud|attend|degree|doctora|ph|alumn|enrol|b\.|m\.|transferred|colle|went",
        plain(rf"\b(?:is|was) an? (?:\w+ )?(?:graduate|alumn\w+) of (?:the )?(?P<v>{_SEAT}(?:,? and (?:of )?(?:the )?{_SEAT})*)"),
        plain(rf"\b(?:[Hh]e|[Ss]he) (?:holds|has|had|earned|received|obtained|completed) (?:an? |his |her )?[^.;]{{2,80}}? (?:from|at) (?:the |[Tt]he )?(?P<v>{_SEAT}(?:(?:,| in [A-Z]\w+(?:, [A-Z]\w+)?,)? and[^.;]{{2,60}}? (?:from|at) (?:the |[Tt]he )?{_SEAT})*)"),
        sure(rf"{_TAUGHT} (?:the )?(?P<v>{_SEAT}(?:(?:,|,? and|,? then|,? and then)(?: at)?(?: the)? {_SEAT})*)"),
        plain(rf"\bplay\w* (?:college )?\w+ (?:for|at) (?:the )?(?P<v>{_SEAT})"),
        refuses=r"honorary (?:degrees?|doctorates?|doctor)|(?:teach|lectur|professor)\w* at",
    ),
    relation(
        "father", r"father|name of the father", "person", r"son|daughter|father|child",
        plain(rf"\b(?:son|daughter|child) of {_KIND}{{V}}(?!(?: [A-Z]\w+)* \(n\u00e9e)"),
        plain(rf"\b(?:[Hh]is|[Hh]er) father,? (?:was |is )?{_KIND}{{V}}"),
        refuses=r"mother",
    ),
    relation(
        "mother", r"mother|name of the mother", "person", r"mother|and",
        plain(rf"\b(?:[Hh]is|[Hh]er) mother,? (?:was |is )?{_KIND}{{V}}"),
        plain(r"\b(?:son|daughter|child) of [A-Z][^.;,()]{3,40}? and (?:his wife,? )?{V}"),
        plain(r"\b(?:son|daughter|child) of {V} \(n\u00e9e"),
    ),
    relation(
        "residence", r"residence|lives in|home|resides|place of residence", "place", r"live|living|resid|settled|home|divides",
        plain(r"\b(?:lives?|resides?|living|residing|has lived|resided) (?:(?!and [a-z]+s\b|until\b)\w+ ){0,9}?in {V}(?!\w)(?! until)"),
        plain(r"\b(?:lives?|resides?) and works? in {V}"),
        plain(r"(?P<of>\b[Ss]he|\b[Hh]e|[A-Z][\w-]+) and (?:his|her) (?:[a-z]+ )?(?:wife|husband|partner|family|children|sons?|daughters?)(?:,? [A-Z][\w-]+(?: [A-Z][\w-]+)?,?)? (?:now |currently )?(?:live|reside) (?:together )?in {V}"),
        plain(r"\b(?:divides? (?:his|her|their) time between|makes? (?:his|her|their) home in|(?:is )?a resident of) {V}"),
        plain(r"\bmakes? {V} (?:his|her) home\b"),
        loose(r"\b(?:settled|moved)\b[^.;]{0,40}? (?:in|to) {V}"),
        loose(r"\blived\b[^.;]{0,40}? in {V}(?!\w)(?! until| from| for| before| between)"),
    ),
    relation(
        "notable_works", r"notable ?works?|best known works?|major works?|famous works?|works", "names", r"known|author of|wrote|works|novel|film|book|famous|remembered",
        sure(rf"\bbest[- ](?:known|remembered) (?:for|works? (?:is|are|include))\b[^.;]{{0,60}}?{_ITEM}(?: \w+)?,? {{V}}"),
        plain(rf"\b(?:known|remembered|famous|noted) (?:\w+ )?for\b[^.;]{{0,60}}?{_ITEM}(?:,| include| includes| including)? {{V}}"),
        loose(r"\bauthor of (?:the )?(?:\w+ ){0,3}?{V}"),
        plain(rf"\b(?:best[- ]known|most (?:famous|notable|celebrated|popular|important|acclaimed|influential|successful)) (?:{_WORKS}) (?:is|are|was|were|include[sd]?|including)(?: the \w+)? {{V}}"),
        plain(r"\b(?:best|most widely) known (?:as the author of|for|for (?:writing|directing|creating|composing))(?: (?:the|his|her) [a-z ]{2,30}?)? {V}"),
        plain(rf"\b(?:[Hh]is|[Hh]er|[Tt]heir) (?:(?!early|first|last|favou?rite)[\w-]+ ){{0,2}}?(?:{_WORKS}) (?:include[sd]?|are) {{V}}"),
    ),
    relation(
        "known_for", r"known ?for|famous for|notable for|claim to fame", "words", r"known|famous|noted|renowned|remembered",
        plain(r"\b(?:best |well |widely |most |mainly |mostly )?(?:known|famous|noted|renowned|remembered) (?:\w+ )?for (?:(?:his|her|its|their) (?:[a-z]+ )?(?:work|contributions|research|role|studies) (?:on|in|to|of|as) )?(?:the |his |her |its )?{V}"),
        plain(r"\b(?:best|mainly|mostly|primarily) (?:known|remembered) as (?:the )?(?P<v>(?:inventor|founder|creator|discoverer|developer|designer|author|star) of [^.;:(),]{3,60})"),
    ),
    relation(
        "awards", r"awards?(?: won| received)?|prizes?(?: won)?|honou?rs", "words", r"award|prize|won|medal|honou?r|recipient|winner",
        plain(r"\b(?:[Aa]wards|[Hh]onou?rs|[Pp]rizes) (?:include[sd]?|are|were) (?:the |an? )?(?P<v>[A-Z][^.;:()]{3,120})"),
        plain(rf"\b(?:won|awarded|received|receiving|recipient of|winner of|winning|given|earned|presented with|honou?red with)\b[^.;]{{0,30}}? (?:the |an? |(?:two|three|four|five|six|several) )?(?:\d{{4}} )?(?P<v>{_HONOUR}{_MORE_HONOURS})"),
        loose(r"(?<=, the )(?P<v>[A-Z][\w'\u2019-]*(?: [A-Z][\w'\u2019-]*){0,4} (?:Prize|Award|Medal))(?= in \d{4})"),
    ),
    relation(
        "party", r"(?:political )?party|party affiliation", "words", r"elected|served|ran|stood|whig|member|leader|politician|candidate|chair|founder|party|democrat|republican|labour|conservative|liberal",
        plain(r"\b(?:member of|joined|candidate (?:for|of)|nominee of|leader of|represent\w*|nomination (?:for|of)|for) the (?P<v>(?:[A-Z][\w.-]* ){1,4}?(?:Party|Union|Front|Movement)(?: of (?:the )?[A-Z]\w+(?: [A-Z]\w+)*)?)"),
        plain(r"\b(?P<v>Democratic|Republican|Labour|Conservative|Liberal|Green) (?:politician|nominee|candidate|senator|congressman|governor|member)"),
        plain(r"\ba (?:member of the )?(?P<v>Democrat|Republican)\b"),
        plain(r"\b(?:elected|served|ran|stood|candidate|reelected|re-elected)\b[^.;]{0,50}? as an? (?P<v>[A-Z][\w-]+(?: [A-Z][\w-]+)?)(?= to| in| for| and|[.,])"),
        plain(r"\b(?P<v>Democratic|Republican|Labour|Conservative|Liberal|Green|Whig) (?:Party )?(?:nomination|ticket|primary|whip|leader|Member of)\b"),
        plain(r"\b(?:member|leader|chair\w*|politician|candidate|deputy leader|co-founder|founder) (?:of|for|from) (?:the )?(?P<v>(?:[A-Z][\w.-]* (?:of (?:the )?|for )?){0,4}?(?:Party|party|Congress|League|Alliance|Bloc|Coalition|Union|Front|Movement|Democrats|Liberals|Greens)(?: [A-Z]|(?: of (?:the )?| for )[A-Z][\w-]+(?: [A-Z][\w-]+)*)?)"),
        opening(r"\b(?:is|was) an? [A-Z]\w+ (?P<v>[A-Z]\w+(?: [A-Z]\w+)?) politician\b", loose=True),
        loose(r"\b(?P<v>[A-Z][\w-]+(?: [A-Z][\w-]+)* Party)\b"),
    ),
    relation(
        "religion", r"religion|faith|denomination|religious .*", "words", r"church|shi|sunni|sikh|pentecost|baptist|presbyt|catholic|protestant|muslim|jew|hindu|buddh|christian|anglican|luther|methodist|athei|agnost|orthodox|convert",
        plain(r"\b(?:became|turned|described (?:himself|herself) as|identifie[sd] as)(?: an?)?(?: [a-z]+)? (?P<v>(?:Roman )?Catholic|Protestant|Muslim|Jew|Hindu|Buddhist|Christian|Anglican|Lutheran|Methodist|atheist|agnostic)\b"),
        plain(r"\b(?:is|was|as|raised)(?: an?)?(?: \w+)? (?P<v>(?:Roman )?Catholic|Protestant|Muslim|Jewish|Hindu|Buddhist|Christian|Anglican|Lutheran|Methodist|atheist|agnostic|Orthodox)\b(?! family| parents| school| [A-Z])"),
        plain(r"\b(?:converted|converting|converts|conversion) to {V}(?= in| and|[,.;])", "name"),
        plain(r"\bof the (?P<v>[A-Z]\w+(?: [A-Z]\w+)?) (?:faith|religion)\b"),
        opening(r"\b(?:is|was) an? (?:[\w-]+ ){0,4}?(?:[A-Z]\w+-)?(?P<v>(?:Roman )?Catholic|Protestant|Muslim|Jewish|Hindu|Buddhist|Christian|Anglican|Lutheran|Methodist|Orthodox|Shia|Sunni|Sikh|Pentecostal|Baptist|Presbyterian) (?=[a-z])"),
        plain(r"\b(?:priest|bishop|minister|pastor|cleric|archbishop|cardinal|member) (?:of|in) the (?P<v>[A-Z][\w-]+(?: [A-Z][\w-]+)* Church)\b"),
    ),
    relation(
        "field", r"fields?(?: of (?:work|study))?|discipline|area of (?:work|study|expertise)|speciali[sz]\w+ in|subject area", "phrases", r"known|speciali|work|contribution|covering|research|field|journal|magazine",
        plain(r"\b(?:speciali[sz]\w+|contributions?) (?:in|to) (?:the field of )?{V}"),
        plain(r"\b(?:journal|magazine|publication)\b[^.;]{0,60}? (?:on|covering|about|of|in|devoted to) (?:the field of )?(?:(?:all )?(?:aspects|areas|fields|branches) of )?{V}"),
        opening(rf"\b(?:is|was) an?\b[^.;()]{{0,60}}?\b(?P<v>{'|'.join(FIELD_OF)})\b"),
        plain(r"\b(?:research (?:interests?|areas?)|(?:main |principal )?fields?)(?: of (?:research|study|work|interest))? (?:is|was|are|were|include[sd]?) (?:in )?{V}"),
        loose(r"\bin the fields? of {V}"),
        opening(r"\b(?:is|was) an?(?:,? (?:monthly|weekly|quarterly|annual|bimonthly|peer-reviewed|open[- ]access|online|international|academic|scientific|refereed|leading|scholarly|[A-Z]\w+))* (?P<v>[a-z][\w -]{2,30}?) (?:journal|magazine)\b"),
    ),
    relation(
        "draft_year", r"draft(?:ed)?(?: year| in)?", "year", r"draft",
        sure(r"\b(?:drafted|selected|picked|chosen)\b[^.;]{0,110}?\b(?:in|of) (?:the )?{V}"),
        plain(r"\b{V} (?:[A-Z]{2,4} )?(?:\w+ )?[Dd]raft\b"),
    ),
    relation(
        "turned_pro", r"turned ?pro(?:fessional)?", "year", r"turned|professional",
        sure(r"\bturned pro(?:fessional)?\b[^.;]{0,50}?\b(?:in|on) (?:\w+ )?{V}"),
    ),
)  # fmt: skip
