"""Facts about countries, towns and rivers, and where things are."""

from __future__ import annotations

from rowcite.local.research.kinds.relation import (
    Relation,
    loose,
    opening,
    plain,
    quoted,
    quoted_first,
    relation,
    sure,
)
from rowcite.local.research.places import country_pattern, demonym_pattern

_IN = r"(?:the )?(?:(?:[a-z-]+ ){0,3}?(?:city|town|village|centre|center|heart|north|south|east|west|outskirts|district|borough|neighbou?rhood|suburbs?|hamlet|vicinity|islands?|municipality|part|side|end|edge|coast|shores?|banks?|foothills|region|state|province|territory|republic|kingdom|U\.S\. state|US state) of |(?:Canadian|Australian|Mexican|Indian|Brazilian|German|Austrian) (?:state|province) of |suburban |downtown |central |(?:north|south|east|west)(?:ern|-?east(?:ern)?|-?west(?:ern)?)? |nearby )?(?:the )?"
_NO_STREET = r"(?!(?:[A-Z][\w'\u2019-]+ )+(?:Street|Road|Avenue|Lane|Boulevard|Drive|Square)\b)"
_PART_OF = r"(?:(?:[A-Z][\w-]+ ){1,3}(?:district|neighbou?rhood|area|section|borough|quarter|community area|suburb|ward|county|province|region|department|municipality) (?:of|in) (?:the )?)?"
_PART_OF_COUNTRY = r"(?:the )?(?:(?:[a-z]+(?:ern|-east|-west)|north|south|east|west|central|mainland|modern|present-day|what is now|rural) )*(?:the )?"
COUNTRY = country_pattern()
DEMONYM = demonym_pattern()
_CITY = r"(?:the )?(?:[\w'\u2019-]+ ){0,2}?"
_CENSUS = r"(?:count|figure|size|estimate|total|estimates)"
_COUNTED = r"(?:is|was|had|has|of|at|stood|stands|reached|exceeds|exceeded|totall?ed|estimated|currently|now|recorded|numbered|reported|being|to|be|as|been|counted|grown|grew|in|on|by|the|census|\d{4}|January|July|April|June|October|an|a|estimate)"
_NOT_COUNT = r"(?! ?(?:%|per|\)|percent|km|square|households|families|years|times|deaths|births|higher|lower|faster|greater))"

PLACES: tuple[Relation, ...] = (
    relation(
        "demonym", r"demonym|inhabitants are called|what .* inhabitants are called", "name", r"people|citizens?|nationals?|population|known as|called|\w+(?:ans?|ese|ish|ites?)\b",
        plain(r"\b(?P<v>[A-Z][a-z]+) (?:people|citizens?|nationals|population|nationality)\b"),
        plain(r"\b(?:inhabitants|citizens|people|residents|natives) (?:\w+ ){0,3}?(?:are|is) (?:called|known as|referred to as) {V}"),
        plain(r"\b(?P<v>[A-Z][a-z]+(?:an|ese|ish|ite))s?(?= [a-z])"),
    ),
    relation(
        "motto", r"mottos?|slogan", "name", r"motto|slogan",
        plain(quoted("motto|slogan")),
        plain(quoted_first("motto|slogan")),
        plain(r"\b(?:motto|slogan)(?: of (?P<of>(?:the )?[^\"\u201c,.;]{2,30}?))? (?:is|was) (?P<v>[A-Z][^.;:()\"\u201c]{3,60})(?=[.;(])"),
    ),
    relation(
        "nickname", r"nick ?names?", "name", r"nicknam|known as",
        plain(quoted("nickname")),
        loose(r"\b(?:nicknamed|(?:also|popularly|affectionately|commonly) known as) (?:the )?[\"\u201c]?{V}"),
        nouns=r"nickname",
    ),
    relation("anthem", r"(?:national )?anthem|theme song", "name", r"anthem|theme song", plain(quoted("anthem|theme song")), plain(quoted_first("anthem|theme song")), nouns=r"(?:national )?anthem|theme song"),
    relation(
        "population", r"population(?: total| size| count| estimate)?|inhabitants|number of (?:people|residents|inhabitants)|how many people live|residents", "number", r"population|inhabit|residents|people",
        sure(rf"\bpopulation\b(?: {_CENSUS})?(?: (?:of|in|for) (?P<of>the [a-z][^.,;()\d]{{1,30}}?|(?:the )?[A-Z\u00c0-\u00de][^.,;()\d]{{1,30}}?)(?!\w))?(?: \(\d{{4}}\))?,? ?(?:{_COUNTED} )*(?:at |of )?{{V}}{_NOT_COUNT}"),
        plain(r"\b(?:census|survey) (?:reported|recorded|counted|gave|found|showed) (?:an? (?:total )?population of )?{V}(?= (?:people|inhabitants|residents|persons)\b(?! of| who| with)|[.,;])"),
        sure(r"(?<!per )\b(?:has|had|with|home to|of|inhabited by|populated by|there (?:are|were))\s{V} (?:inhabitants|residents)\b"),
        plain(r"\b(?:inhabited by|populated by)\s{V} people\b"),
        loose(r"\b(?:has|had|with|home to|there (?:are|were)) {V} people\b(?! per)"),
        loose(r"(?<!per )\b{V} (?:inhabitants|residents)\b(?! per)"),
        changes=True,
        others=r"\b(?:cities|towns|villages|places|areas|states|counties|provinces|regions|districts|islands|countries|municipalities|which|them)\b[^,;]{0,20}",
        refuses=r"density|urban|metropolitan|metro|diaspora|foreign|(?:im)?migrant|working|labou?r|male|female|muslim|christian|jewish|student|native speakers|growth|decline|projected|rural|black|white|indigenous|prison|birth rate|death rate|life expectancy|adult|religious|of the (?:\w+ ){0,2}population|of the total population",
    ),
    relation(
        "area", r"(?:total |land |surface )?area(?: km2| sq km| total| size| in .*)?|surface|square kilomet(?:re|er)s|square miles", "area", r"area|cover|size|extend|occup|spans|square|km",
        sure(r"\b(?:total (?:surface )?area|area|surface area|size)\b(?: of (?P<of>the (?:country|city|town|state|island|province|territory|district|county|region|municipality)))?(?: (?:of|is|was|covers?|measures|totals|approximately|about|the|(?P<of2>[A-Z]\w+)))*\s{V}"),
        plain(r"\b(?:covers?|covering|contains|occup(?:ies|ying)|spans|extends over|at|comprises|has)\b(?: (?:a|an|the|total|land|area|of|over|some))*\s{V}"),
        plain(r"\b(?:largest|smallest|biggest) (?:[a-z]+ ){1,3}(?:by area )?(?:with|at|,) {V}"),
        refuses=r"water|lakes?|forests?|parks?|reserves?|protected|farm|agricultur\w+|irrigated|basin|airport|campus|project",
    ),
    relation(
        "density", r"(?:population )?density|(?:people|inhabitants) per .*", "number", r"density|per square|per km|/ ?km",
        sure(r"\bdensity\b[^.;]{0,60}?[(\u2013,] ?{V} ?(?:people |inhabitants )?(?:/|per) ?(?:km|square kilomet)"),
        sure(r"\bdensity\b(?: (?:of|is|was|at|being|stands|approximately|about|around|over))*\s{V}(?! [a-z]+ per square mile)(?!/sq mi)"),
        plain(r"\b{V} (?:people|inhabitants|persons|residents)? ?(?:per|/|to the|a) ?(?:square kilomet|km|sq\.? km)"),
    ),
    relation(
        "elevation", r"elevation(?: m| in .*)?|altitude|height above sea(?: level)?", "length", r"elevation|altitude|above sea|height",
        sure(r"\b(?:elevation|altitude)\b(?: (?:of|is|at|about|around|approximately|ranges|from|an|the))*\s{V}"),
        sure(r"{V}(?: \([^)]*\))? above (?:mean )?sea level"),
        refuses=r"mountains?|peaks?|summit|highest|lowest|plane|flew|flying",
    ),
    relation(
        "length", r"length(?: km| m| mi| in .*)?|how long", "length", r"long|length|flows|runs|stretch",
        sure(r"\blength\b(?: (?:of|is|was|about|around|approximately|total|some|over))*\s{V}"),
        opening(r"\b(?:is|was) an? {V}[- ]long\b", sure=True),
        plain(r"\b(?:is|was|runs|flows|stretches|extends)(?: (?:for|about|around|approximately|some|over))*\s{V}(?: long\b| from\b| before\b| (?:to|into)\b)"),
    ),
    relation(
        "mouth", r"(?:river )?mouth|flows into|outflow|empties into", "place", r"inlet|bay|arm|branch|estuary|gulf|runs|running|to meet|flow|empt|join|discharg|drain|mouth|debouch|tributary",
        sure(r"\b(?:flow(?:s|ing)|empt(?:ies|ying)|discharg(?:es|ing)|drain(?:s|ing)|debouches|runs)(?: [a-z-]+){0,4}? into (?:the )?{V}"),
        plain(r"\b(?:joins|meets|join|to meet) (?:the )?{V}"),
        opening(r"\btributary of (?:the )?{V}"),
        opening(r"\b(?:inlet|bay|arm|branch|estuary|gulf)\b[^.;,]{0,50}? of (?:the )?{V}"),
        plain(r"\b(?:flows?|running|runs|drains?|discharges?)\b[^.;]{0,60}? (?:into|to) (?:the )?{V}(?= (?:River|Sea|Ocean|Lake|Bay)\b|[.,;]| at| near| in| and|$)"),
    ),
    relation(
        "source", r"(?:river )?source|rises in|headwaters|origin of the river", "place", r"rises|source|spring|originat|headwaters",
        sure(r"\b(?:rises|originates|springs) (?:[a-z-]+ ){0,3}?(?:in|on|at|near|from) (?:the )?{V}"),
        plain(r"\b(?:its|the) (?:source|headwaters) (?:is|are|lies?) (?:in|on|at|near) (?:the )?{V}"),
    ),
    relation(
        "capital", r"capital(?: city)?", "place", r"capital",
        plain(r"\bcapital (?:was|were|has been) (?:moved|transferred|relocated)(?: from [A-Z][\w -]+?)? to {V}"),
        plain(r"\b(?:[Tt]he|[Ii]ts|[Tt]heir) (?:[a-z'\u2019-]+ )?capital(?: city)?,? (?:is |was )?(?:located |situated )?(?:at|in) {V}"),
        plain(r"(?:\bwith |\b(?:and|has|having) ){V} as (?:the |its )(?:[a-z]+ )?capital"),
        plain(r"\bwith (?:the |its )?capital (?:city )?(?:at|in) {V}"),
        nouns=r"capital(?: city)?(?: and (?:chief|main|principal) (?:port|city|town))?(?:,? and (?:also )?(?:its |the )?(?:largest|most populous) (?:city|town|settlement))?|(?:largest|most populous) (?:city|town) and capital",
        refuses=r"\d+th[- ]century|former|until|previous|provincial|regional|cultural|human|venture|investors?|capital of the (?:province|region|district|county|empire)",
    ),
    relation(
        "largest_city", r"largest (?:city|town|settlement)|biggest (?:city|town)|most populous city", "place", r"largest|biggest|most populous",
        plain(r"(?:\bwith |\b(?:and|has|having) ){V} as (?:the |its )(?:capital(?: city)? and )?(?:largest|biggest|most populous) (?:city|town)"),
        plain(r"\b[Tt]he (?:largest|biggest|most populous) (?:city|town|settlement)(?: in (?P<of>the [a-z]+|[A-Z]\w+(?: [A-Z]\w+)*))?,? (?:is|being) {V}"),
        plain(r"\bcapital,? (?:and|while) {V} (?:is )?(?:the|its) (?:largest|biggest|most populous) city"),
        nouns=r"(?:capital,? and (?:also )?(?:its |the )?(?:(?:country|nation|state|island|province)['\u2019]s )?)?(?:largest|biggest|most populous) (?:city|cities|town|settlement)(?: and (?:\w+ )?capital)?|capital and (?:largest|most populous) (?:city|town)",
        refuses=r"century|(?:second|third|fourth|fifth|sixth|two|three|five|ten)[- ](?:largest|biggest|most populous)|formerly|once the|until",
    ),
    relation(
        "official_languages", r"official languages?|national languages?|languages? spoken|languages", "names", r"language",
        nouns=r"(?:(?:sole|only|main|de facto) )?(?:official|national)(?: and \w+)? languages?(?: in \w+)?", refuses=r"minority|foreign|program\w+",
    ),
    relation(
        "currency", r"currency|money used|legal tender", "phrase", r"currency|legal tender|adopted the",
        sure(r"\b(?:uses?|adopt(?:s|ed)|using|introduced) (?:the )?{V} as (?:its|the|their) (?:\w+ ){0,2}?(?:currency|legal tender)"),
        sure(r"\bthe {V} replaced [^.;]{2,40} as (?:the |its )?(?:\w+ )?currency"),
        plain(r"\b(?:[Tt]he|[Ii]ts) (?:[A-Z][a-z]+ )?(?:official |national )?(?:currency(?: unit)?|unit of currency) is (?:called )?the (?P<v>(?:[A-Z][a-z]+ )?[a-z][\w-]+)"),
        plain(r"\badopted the (?P<v>euro|US dollar|United States dollar)\b"),
        nouns=r"(?:official |national |unit of )?currency(?: unit)?|legal tender",
    ),
    relation(
        "calling_code", r"(?:(?:country|international|telephone) )*(?:calling|dialling|dialing) code|phone code", "words", r"calling|diall?ing|country code",
        sure(r"\b(?:calling|diall?ing|country) code(?: (?:of|for) (?P<of>(?:the )?[A-Z][\w ]+?))? (?:is|was|:) (?P<v>\+?\d[\d -]{0,7}\d|\+\d)"),
    ),
    relation(
        "country", r"country(?: of origin| name)?|which country|nation", "place", r"in|is|was|of|from|are",
        opening(rf"\b(?:is|was|are|were)\b[^;]{{2,240}}?(?:\b(?:in|of|from|across|throughout|off|near) {_PART_OF_COUNTRY}|, {_PART_OF_COUNTRY}|\()(?P<v>{COUNTRY})(?![\w'\u2019-])(?! [A-Z])"),
        opening(rf"\b(?:is|was|are|were) (?:an? |the |one of the )?(?:\d{{4}} )?(?:(?!by\b|of\b|from\b)[a-z][\w'-]* ){{0,6}}?(?P<v>{DEMONYM})(?: [A-Z][\w-]+)? [a-z]"),
        opening(rf"\b(?:is|was|are|were)\b[^;.]{{2,60}}? (?:by|of|from) (?:the )?(?:[a-z-]+ ){{0,6}}?(?P<v>{DEMONYM}) [a-z]", loose=True),
        plain(rf"\b(?:[Ii]t|[Tt]he [a-z]+) (?:is|was|lies) (?:located|situated|based|found|held) in [^.;]{{0,80}}?(?P<v>{COUNTRY})(?![\w'\u2019-])(?! [A-Z])"),
        refuses=r"(?:border|bordering|borders|than) ",
    ),
    relation(
        "government_type", r"(?:type|form|system) of government|government (?:type|form|system)|political system|regime", "words", r"republic|monarchy|federation|democracy|government|state|council|mayor",
        plain(r"\b(?:is|as|became|become|remains)(?: now)? (?:a|an) (?:relatively |largely |landlocked |island |small |sovereign )*(?:stable )?(?P<v>(?:[\w-]+,? (?:and )?){0,5}?(?:republic|monarchy|federation|democracy|dictatorship|theocracy|principality|dependency|territory|emirate|sultanate))\b(?! (?:from|until|between|of (?!the)))"),
        plain(r"\b[Pp]olitics of (?P<of>(?:the )?[A-Z][^.,;]{2,40}?) takes? place in (?:a|the) framework of (?:a|an) (?P<v>(?:[\w-]+,? (?:and )?){0,5}?(?:republic|monarchy|federation|democracy|dependency))\b"),
        plain(r"\bframework of (?:a|an) (?P<v>(?:[\w-]+,? (?:and )?){0,5}?(?:republic|monarchy|federation|democracy|dependency))\b"),
        plain(r"\bgovernment (?:is|takes the form of) (?:a|an) {V}"),
        plain(r"\b(?P<v>mayor[-\u2013]council|council[-\u2013]manager)\b"),
    ),
    relation(
        "drives_on", r"driv(?:es|ing)(?: on| side)|side of the road|traffic side", "words", r"driv|traffic",
        plain(r"\b(?:driv\w+|traffic)\b[^.;]{0,60}?\b(?:on )?(?:the )?(?P<v>left|right)\b"),
    ),
    relation(
        "location", r"location|located(?: in)?|place|venue|where (?:it|the \w+) (?:is|was|took place|stands|happened|lies)(?: located| held)?|site", "place", r"in|on|at|near|from|located|held|situated|stands|fought|took|based",
        opening(rf"\b(?:is|was|are|were) (?:an?|the|one of the|two|three)\b[^;()]{{2,120}}? (?:located|situated|based|headquartered|held|fought) (?:in|at|on|near) {_IN}{_PART_OF}{_NO_STREET}{{V}}"),
        plain(rf"\b(?:located|situated|stands|lies|lying) (?:[a-z]+ ){{0,3}}?(?:in|at|on|near) {_IN}{_PART_OF}{_NO_STREET}{{V}}"),
        plain(rf"\b(?:(?:was|were|is|are|been) (?:held|fought)|took place|takes place|fought on)\b[^.;]{{0,40}}? (?:in|at|near) {_IN}{{V}}"),
        opening(rf"\b(?:is|was|are|were) (?:an?|the|one of the|two|three) [^.;(),]{{2,90}}? (?:in|at|from|based in) {_IN}{_PART_OF}(?:\w+ of )?{_NO_STREET}{{V}}"),
        opening(rf"\b(?:is|was|are|were) (?:an?|the|one of the) [^.;(),]{{2,90}}? on {_IN}{_PART_OF}{_NO_STREET}{{V}}"),
        opening(rf"\b(?:is|was|are|were) (?:an?|the|one of the)\b[^.;()]{{2,120}}? (?:in|at|based in) {_IN}{_PART_OF}(?:\w+ of )?{{V}}"),
        opening(r"^[^,]{3,60}, (?:in|at|near) (?:the (?:city|town|village) of )?{V},? (?:is|was)\b"),
        plain(r"\b(?:head office|offices?|headquarters) (?:is|are) (?:based |located |situated )?(?:in|at) (?:the (?:city|town) of )?{V}"),
        others=r"\b(?:an?|their|its|his|her|several|many|some|other|most|all|first) (?:[\w-]+ ){0,4}[\w-]+(?: of [^,;]{2,40})?|\bthe (?:[\w-]+ ){0,3}[a-z][\w-]+ of [^,;]{2,50}?",
    ),
)  # fmt: skip
