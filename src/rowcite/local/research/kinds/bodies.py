"""Facts about firms, societies, teams, awards and missions, and about what is made."""

from __future__ import annotations

from rowcite.local.research.kinds.relation import NO_DEMONYM, Relation, loose, opening, plain, relation, sure

_PRAISE = r"leading|largest|major|multinational|global|international|private|privately held|privately owned|public|publicly traded|family-owned|small|large|independent|diversified|world's|state-owned|holding|former|limited|joint-stock|joint|listed|quoted|unlisted|new|young|growing|mid-sized|medium-sized|specialist"
_BODY = r"(?:company|firm|business|club|organi[sz]ation|school|college|society|institute|group|band|party|magazine|newspaper|university|hospital|museum|church|order|movement|site|website|label|studio|team|charity|foundation|award|prize|journal|city|town|village|colony|settlement|state|country|line|brand|service|channel|station|theatre|academy|association|union|league|network|chain|bank|airline|agency|force|army|ministry|department|corporation|partnership|festival|trust)"
_ROLE = r"(?:(?:the |an? |its |her |his )?(?:(?!(?:and|by|with|or|in|on|from)\b)[A-Z]?[\w'\u2019-]+,? ){0,4}?(?!(?:and|by|with|or|in|on|from)\b)[a-z][\w-]*,? )??"
_MADE = r"(?:founded|established|started|created|formed|set up|launched|organi[sz]ed|instituted|inaugurated)"
_SOMETHING = rf"(?:(?<!\bis )(?<!\bwas )(?<!\bare )\b(?:an?|another|several|many|some|other|two|three) (?:[\w-]+ ){{0,3}}[\w-]+(?: (?:of|in|at|for|on) [^,;]{{2,40}})?|(?<!\bis )(?<!\bwas )\b(?:its|their|his|her|first|last|new) (?:[\w-]+ ){{0,3}}?(?!{_BODY}\b)[\w-]+(?: (?:of|in|at|for|on) [^,;]{{2,40}})?|['\u2019]s (?:[\w-]+ ){{1,3}}|\(|, (?:which|who|that))"
_STAFF = r"(?:active(?:[- ]duty)?|serving|military|regular|full-time)"

BODIES: tuple[Relation, ...] = (
    relation(
        "abbreviation", r"abbreviation|acronym|initials|short(?:ened)? (?:name|form)", "name", r"abbreviat|acronym|\(|known as",
        opening(r"\((?:[^()]*?(?:abbreviated|abbr\.|acronym|also|or|the|;|,) )?(?:as )?(?P<v>[A-Z][A-Z&.-]{1,9}s?)(?=[),;])", sure=True),
        plain(r"\babbreviated (?:as |to )?[\"\u201c]?(?P<v>[A-Z][\w.&-]*(?: [A-Z][\w.]*){0,4})"),
    ),
    relation(
        "crew", r"crew(?: members?)?|astronauts?", "people", r"crew|astronaut|command|carr|pilot",
        plain(r"\b(?:crew|astronauts|cosmonauts)\b[^.;]{0,40}?(?: of| was| were| consisted of| comprised| included|:|,) {V}"),
        plain(r"\b(?:crewed|manned|flown|piloted) by {V}"),
        plain(r"\b[Cc]ommander (?P<v>[A-Z][\w.-]+(?: [A-Z][\w.-]*)+(?:(?:,| and|, and) (?:[\w-]+ ){1,4}?[A-Z][\w.-]+(?: [A-Z][\w.-]*)+)+)"),
        loose(r"\b(?:commander|astronauts?|pilot),? {V}"),
    ),
    relation(
        "headquarters", r"headquarters?|head office|hq|hq location|headquarters? location|seat of the head office", "place", r"headquarter|based|head office|seat",
        opening(r"\b(?:is|was|are|were) (?:an?|the|one of the)\b[^;]{2,160}? (?:headquartered|based|with (?:its |the )?(?:headquarters|head office|main office) (?:located )?) ?(?:in|at) (?:the )?(?:[a-z-]+ ){0,3}?(?:(?:[A-Z][a-z]+ )?(?:city|town|province|suburb|village|state) of )?{V}"),
        plain(r"\b(?:[Ii]ts|[Tt]he [a-z]+['\u2019]s) (?:main |global |world |corporate |administrative )?(?:headquarters|head office|seat|main office) (?:is|are|was|were) (?:located |situated |based )?(?:in|at) (?:the (?:city|town) of )?{V}"),
        plain(r"\bwith (?:its )?headquarters (?:located )?in (?:the (?:city|town) of )?{V}"),
    ),
    relation(
        "member_of", r"member of|memberships|affiliations?|affiliated with", "names", r"member|affiliat|join",
        plain(r"\b(?:is|was|as|became|been|remains|were|are)(?: also)? an? (?:[a-z-]+,? (?:and )?){0,4}?members? of (?:the )?(?:[a-z]+ ){0,2}{V}"),
        plain(r"\baffiliated (?:to|with) (?:the )?{V}"),
    ),
    relation(
        "preceded_by", r"preceded by|predecessors?|prequel|follows|previous (?:work|album|holder)", "name", r"preced|succeed|follow|replac|sequel|took over",
        plain(r"\bpreceded (?:\w+ ){0,3}?by (?:the )?(?:\d{4} )?(?:[a-z]+ )*?{V}"),
        plain(r"\b(?:succeed(?:ed|ing)|replac(?:ed|ing)|took over from) (?!by\b)(?:the )?(?:[a-z]+ )*?{V}"),
        plain(r"\b(?:follow-up|sequel|successor) (?:to|of) (?:the )?(?:[a-z0-9' -]+ )*?{V}"),
    ),
    relation(
        "followed_by", r"followed by|successors?|succeeded by|sequel|next (?:work|album|holder)", "name", r"succeed|follow|replac|sequel",
        plain(r"\b(?:is|was|were|and|,) (?:succeeded|followed|replaced) (?:\w+ ){0,3}?by (?:the )?(?:\d{4} )?(?:[a-z]+ )*?{V}"),
        plain(r"\b(?:a|its|the) sequel,? (?:titled |called |entitled )?[\"\u201c]?{V}"),
    ),
    relation(
        "league", r"league|division|conference|competition", "name", r"play|compet|member|league|division|team|club",
        plain(r"\b(?:plays?|competes?|competing|playing|participates?) (?:\w+ )?in (?:the )?{V}"),
        plain(r"\b(?:members?|team|club|franchise|side|plays?|compet\w+)\b[^.;]{0,60}? (?:of|in) (?:the )?(?P<v>(?:[A-Z][\w-]+ )+(?:League|Conference|Championship|Association)(?: [A-Z]\w+)?)"),
    ),
    relation(
        "capacity", r"capacity|seats|seating(?: capacity)?|number of (?:seats|spectators)", "number", r"capacity|seat|accommodat|holds",
        sure(r"\bcapacity\b(?: (?:of|is|was|for|about|around|at|to))*\s{V}"),
        plain(r"\b(?:seats|seating for|holds|accommodates|can (?:seat|hold|accommodate)|seating) {V}"),
    ),
    relation(
        "members", r"(?:number of )?members(?:hip)?(?: count)?", "number", r"member",
        sure(r"\b(?:has|have|had|with|of)\s{V} (?:\w+ ){0,2}?members\b"),
        plain(r"\bmembership (?:of|is|was|stands at|stood at|numbered|reached|totall?ed|had grown to) {V}"),
        loose(r"\b{V} (?:individual |active |paying |registered )?members\b"),
        changes=True,
    ),
    relation(
        "speakers", r"(?:number of |native )*speakers", "number", r"speak|spoken",
        sure(r"\b(?:has|have|had|with|by|of)\s{V} (?:native |total |first-language )?(?:speakers|people)\b"),
        plain(r"\b{V} (?:native )?speakers\b"),
        plain(r"\bspoken (?:natively )?by {V}"),
        changes=True,
    ),
    relation(
        "spoken_in", r"(?:countries|where|states|regions?)(?: \w+){0,3} spoken|spoken in", "names", r"spoken|speakers|language",
        sure(r"\bspoken\b[^.;]{0,50}? in (?:the )?(?:(?:north|south|east|west|central)\w* )?{V}"),
        plain(r"\b(?:official |national |indigenous )?language (?:of|in) (?:the )?{V}"),
    ),
    relation(
        "troops", r"active (?:troops|personnel)|(?:number of )?(?:active |serving )?(?:troops|soldiers|personnel)", "number", r"personnel|troops|soldiers|strength",
        sure(rf"\b(?:has|have|had|of|with|totall?ing|numbers|numbered|about|some)\s{{V}} (?:{_STAFF} )?(?:military )?(?:personnel|troops|soldiers|members)\b"),
        plain(rf"\b{{V}} {_STAFF} (?:military )?(?:personnel|troops|soldiers|members)\b"),
        changes=True, refuses=r"reserves? only|casualties|killed|enemy|foreign",
    ),
    relation(
        "students", r"(?:number of )?students|enrol?lment|undergraduates", "number", r"student|enrol|undergraduate",
        sure(r"\b(?:has|have|had|with|of|enrolls?|enrolled|serves|approximately|about|over|some)\s{V} (?:(?!graduate|postgraduate|foreign|international)[\w-]+ )?students\b"),
        plain(r"\benrol?lment (?:of|is|was|stood at) {V}"),
        changes=True,
    ),
    relation(
        "presenter", r"presenters?|presented by|awarded by|who presents.*", "name", r"present|award|given|bestow|administ|confer",
        plain(r"(?:\b[Tt]he )?{V} (?:presents?|awards|gives|bestows|confers) (?:it|the|this)\b"),
        sure(r"\b(?:presented|awarded|given|bestowed|conferred) [^.;()]{2,60}? by (?:the )?{V}"),
        sure(r"\b(?:presented|awarded|given|bestowed|administered|sponsored)(?: \w+){0,4}? by (?:the )?{V}"),
    ),
    relation(
        "operator", r"operators?|operated by|run by", "name", r"operat|run by|managed",
        sure(r"\boperated by (?:the )?{V}"),
        plain(r"\b[Ss]ervices (?:on the \w+ )?are (?:operated|run|provided) by (?:the )?{V}"),
        plain(r"\b(?:run|managed|maintained|administered) by (?:the )?(?:[a-z]+ ){0,3}{V}"),
        plain(r"\boperated by (?:the )?(?:[a-z]+ ){0,4}{V}"),
        opening(r"\b(?:built|constructed) for (?:the )?{V}"),
        plain(r"\boperator (?:is|was) (?:the )?{V}"),
        plain(r"(?:\b[Tt]he )?{V} operates (?:it|the)\b"),
    ),
    relation(
        "owner", r"owners?|owned by|proprietors?", "name", r"own|propriet|property of|acquired|bought|purchased|sold to|subsidiary|parent",
        sure(r"\bowned(?: and \w+)? by (?:the )?{V}"),
        plain(r"\b(?:owner|proprietor) (?:is|was) (?:the )?{V}"),
        plain(r"(?:\b[Tt]he )?{V} owns (?:it|the)\b"),
        opening(r"\bproperty of (?:the )?{V}"),
        plain(r"(?P<of>\b[Ii]t|\b[Tt]he [a-z]+|[A-Z][\w'\u2019.&-]*(?: [A-Z][\w.&-]*)*) (?:was|were|has been|is) (?:\w+ ){0,2}?(?:acquired|bought|purchased|taken over) (?:\w+ ){0,3}?by (?:the )?{V}"),
        plain(r"(?P<of>\b[Ii]t|\b[Tt]he [a-z]+|[A-Z][\w'\u2019.&-]*(?: [A-Z][\w.&-]*)*) (?:was|were|has been|is) sold (?:\w+ ){0,2}?to (?:the )?{V}"),
        plain(r"(?:\b[Tt]he )?{V} (?:acquired|bought|purchased|took over) (?P<of>it\b|the (?:company|firm|club|team|newspaper|station|building|magazine|band|label|brand)\b|[A-Z][\w'\u2019.&-]*(?: [A-Z][\w.&-]*)*)"),
        opening(r"\bflagship (?:\w+ )?of (?:the )?(?:\w+ )?{V}"),
        plain(r"\b(?:wholly[- ]owned )?subsidiary of (?:the )?{V}"),
        plain(r"\bparent company (?:is|was) (?:the )?{V}"),
        refuses=r"formerly|previously|until|part-owned|minority|stake|shares? in|rights?",
    ),
    relation(
        "founders", r"(?:co )?founders?(?: names?)?|(?:co )?founded by", "people", r"found|establish|start|creat|formed|set up|launch",
        plain(rf"\b(?:co-)?{_MADE}\b(?: [\w,]+){{0,6}}? by {_ROLE}{{V}}"),
        plain(rf"\b(?:co-)?{_MADE}\b(?: [\w,]+){{0,6}}? by {_ROLE}(?P<v>[A-Z][\w.-]+(?: [A-Z][\w.-]*)+,? and (?:[a-z-]+ ){{1,4}}?[A-Z][\w.-]+(?: [A-Z][\w.-]*)+)"),
        plain(r"\bco-founded (?P<of>it|the [a-z]+|[A-Z][\w'\u2019.&-]*(?: [A-Z][\w.&-]*)*) (?:(?:in|on) [\w ]{4,20})?(?:together |along )?with {V}"),
        plain(r"\b(?:co-)?founders? (?:is|was|are|were) {V}"),
        plain(r"\b(?:its|the) (?:co-)?founders?,? {V}"),
        plain(rf"\b(?:co-)?{_MADE}\b[^.;()]{{0,60}}? by {_ROLE}{{V}}"),
        plain(r"\b(?:[Tt]he (?:company|firm|club|band|group|school) (?:first )?(?:began|started))\b[^.;]{0,100}? by {V}"),
        plain(r"{V} (?:is|was) (?:a |the |one of (?:the|its) )?(?:original |co-)?found(?:er|ers|ing member)s?(?: and \w+)? of (?P<of>it\b|the [a-z]+|[A-Z][\w'\u2019.&-]*(?: [A-Z][\w.&-]*)*)"),
        plain(rf"{{V}} (?:co-)?(?:founded|established|started|set up|launched) (?P<of>it\b|the {_BODY}\b|[A-Z][\w'\u2019.&-]*(?: [A-Z][\w.&-]*)*)"),
    ),
    relation(
        "industry", r"industry|sector|line of business", "phrase", r"is|was|are",
        opening(rf"\b(?:is|was) (?:an?|the)(?: (?:{_PRAISE}))*(?: [A-Z][\w-]+)*(?: (?:{_PRAISE}))* (?P<v>(?!{_PRAISE})[a-z][\w &-]{{2,40}}?) (?:company|corporation|firm|conglomerate|business|group|retailer|provider|chain|cooperative|giant)\b", loose=True),
        opening(rf"\b(?:is|was) (?:an?|the)(?: (?:{_PRAISE}))*(?: [A-Z][\w-]+)*(?: (?:{_PRAISE}))* (?P<v>(?:[a-z]+ ){{0,2}}(?:manufacturer|maker|producer|publisher|retailer|developer|supplier|distributor|operator)(?: of (?:[a-z-]+ ){{0,2}}[a-z-]+)?|airline|bank|brewery|brewer|newspaper|automaker|carmaker|insurer|law firm)\b", loose=True),
        plain(r"\b(?:operates|active|specialises|specializes|engaged) in (?:the )?(?P<v>[a-z][\w -]{2,40}?) (?:industry|sector|business)\b"),
    ),
    relation(
        "products", r"products?", "phrases", r"produc|manufactur|makes|made|maker",
        plain(r"\b(?:produces|manufactures|makes)(?:,? (?:and )?(?:sells|markets|distributes|develops|designs))* (?!up\b|use\b|it\b|its\b)(?!\d){V}(?=[.;]|,? (?:for|in|under|at|from|to)\b)"),
        opening(r"\b(?:manufacturer|maker|producer) of {V}(?=[.;,]| based| headquartered| in\b)"),
    ),
    relation(
        "manufacturer", r"manufacturers?|manufactured by|made by|makers?|built by|builders?", "name", r"manufactur|made|built|produc",
        sure(r"\b(?:manufactured|made|built)(?: and \w+)? by (?:the )?{V}"),
        plain(r"\bproduced by (?:the )?{V}"),
        plain(r"\bmanufacturer (?:is|was) (?:the )?{V}"),
    ),
    relation(
        "result", r"result|outcome", "words", r"victor|defeat|stalemate|draw|truce|ceasefire|armistice|won by",
        plain(r"\b(?:result\w* in|ended (?:in|with)|was|ending in) (?:an? |the )?(?P<v>(?:[\w-]+ ){0,3}(?:victory|stalemate|draw|truce|ceasefire|armistice)(?: (?:for|by|of) (?:the )?[A-Z][\w-]+(?: [A-Z][\w-]+)*)?)"),
        plain(r"\b(?:result\w* in|ended (?:in|with)|ending in) (?:an? |the )?(?P<v>(?:[\w-]+ ){0,3}defeat(?: (?:for|of) (?:the )?[A-Z][\w-]+(?: [A-Z][\w-]+)*)?)"),
    ),
    relation(
        "designer", r"designers?|architects?|designed by", "people", r"design|architect",
        sure(rf"\bdesigned by {_ROLE}{{V}}"),
        plain(r"\barchitects? (?:is|was|were) {V}"),
        loose(r"\barchitect,? {V}"),
    ),
    relation(
        "developer", r"developers?|developed by", "name", r"develop",
        sure(rf"\b(?:is|was|and) (?:\w+ )?developed by (?:the )?{_ROLE}{NO_DEMONYM}{{V}}"),
        plain(rf"\bdeveloped(?:,? (?:and )?[a-z]+){{1,3}} by (?:the )?{_ROLE}{NO_DEMONYM}{{V}}"),
        loose(rf"\bdeveloped by (?:the )?{_ROLE}{NO_DEMONYM}{{V}}"),
    ),
    relation(
        "launch_date", r"launch(?:ed)?(?: date| on| day)?|date of (?:the )?launch", "date", r"launch",
        sure(r"\blaunch(?:ed)?\b[^.;]{0,90}?\b(?:on|in) {V}"),
        loose(r"\bon {V}[^.;]{0,60}?\blaunched\b"),
    ),
    relation(
        "admission", r"admission date|admitted(?: on| date)?|date of admission.*|statehood", "date", r"admi|became|statehood|joined|entered",
        sure(r"\b(?:was |were )?admitted (?:to|into) (?:the )?[A-Z][\w ]{2,30}?(?: as [^.;,]{3,40}?)?,? on {V}"),
        sure(r"\b(?:was |were )?admitted as [^.;,]{3,50}? on {V}"),
        sure(r"\b(?:became|become) (?:the )?[\w-]+ (?:U\.?S\.? )?(?:state|member)(?: (?:admitted |to join |of )?[^.;,]{0,40}?)?,? on {V}"),
        plain(r"\b[Oo]n {V},? (?P<of>it|[A-Z][\w]+(?: [A-Z]\w+)*) (?:became|was admitted|joined|entered)\b[^.;]{0,60}?\b(?:state|Union|member)\b"),
    ),
    relation(
        "completion", r"complet(?:ed|ion)(?: date| year| in)?|finished(?: in)?|opening date|opened(?: in| on)?", "date", r"complet|finish|open",
        sure(r"\b(?:was|were|and) (?:finally |officially |first )?(?:completed|finished|opened)\b[^.;]{0,40}?\b(?:in|on) {V}"),
        plain(r"\b(?:[Cc]ompleted|[Oo]pened) (?:in|on) {V}"),
    ),
    relation(
        "established", r"founded|established|formed|formation|establishment|foundation|inception|creation(?: date)?|date created|founding|year .* (?:founded|established|formed)", "date",
        r"found|establish|form|creat|organi|settled|incorporated|built|open|started|began|introduced|originat|dat(?:es|ing)|sign|activ|exist|operat|ratif|erect|construct|commission|designat|dedicat|consecrat|commenc|raised|came in|held|running|ran|service|since|instituted|award|register|set up|being|inaugurated|charter",
        plain(rf"\b(?:was|were|been) (?:first |originally |formally |officially )?(?:{_MADE}|introduced)\b(?: \w+){{0,8}}?,? (?:in|on) (?:the \w+ of )?{{V}}"),
        plain(rf"\b(?:was|were) (?:first |originally |formally |officially )?(?:{_MADE}|built|registered|incorporated|chartered|settled)\b(?: [\w-]+){{0,6}}? in [A-Z][\w ,]{{2,40}}?,? (?:in |on )?{{V}}"),
        plain(r"\b(?:was|were) (?:first |originally |formally |officially )?(?:registered|incorporated|chartered|built|settled|first (?:awarded|given|presented|held|settled))\b(?: [\w-]+){0,6}? (?:in|on) {V}"),
        plain(r"\b(?:came into (?:being|existence|effect|force)|originat(?:ed|es)|dates|dating|began|begun|commenced|went on (?:the )?air|signed on|was raised|went into operation)\b(?: [\w-]+){0,5}? (?:in|on|from|back to|to|around) (?:the \w+ of )?{V}"),
        plain(r"\b(?:was|were|been) (?:first |originally |formally |officially )?(?:signed|ratified|erected|constructed|begun|commissioned|designated|dedicated|consecrated|held|inaugurated|opened)\b(?: [\w-]+){0,4}? (?:in|on) {V}"),
        opening(r"\b(?:existed|active|operated|operating|ran|running|lasted|in (?:use|operation|service|existence|effect)|held)\b(?: [a-z]+){0,3}? (?:from|since|between) (?:the \w+ of )?{V}"),
        opening(r"\b(?:has|have) (?:\w+ ){1,4}since {V}"),
        plain(r"(?:\b[Tt]he|\b[Ii]ts) (?:foundation|founding|establishment|formation|creation) (?:in|on|of \w+ in) {V}"),
        plain(rf"\b(?:was|were|been) (?:first |originally |formally |officially )?{_MADE}\b[^.;]{{0,80}}? (?:in|on) (?:the \w+ of )?{{V}}"),
        plain(r"\b(?:awarded|given|presented|held) (?:annually|every year|yearly|each year) since {V}"),
        plain(r"\b(?:Founded|Established|Formed|Created|Registered|Incorporated|Set up|Chartered|Built)\b[^.;]{0,50}?\b(?:in|on) {V}"),
        opening(rf"\b(?:{_MADE}|registered|incorporated|chartered)\b[^.;]{{0,50}}?\b(?:in|on) {{V}}", sure=True),
        others=_SOMETHING,
    ),
)  # fmt: skip
