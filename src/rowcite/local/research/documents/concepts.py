"""The kinds of company fact that the engine knows, and how fields and documents name them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Concept:
    """A kind of fact.

    `asks` matches a field's folded name or description; `labels` matches the whole of a document's folded label.
    `changes`: the newest statement wins. `many`: several values do not contradict each other.
    """

    name: str
    asks: re.Pattern[str]
    labels: re.Pattern[str]
    changes: bool = False
    many: bool = False


def _concept(name: str, asks: str, labels: str, *, changes: bool = False, many: bool = False) -> Concept:
    return Concept(name, re.compile(rf"\b(?:{asks})\b"), re.compile(rf"(?:{labels})"), changes, many)


# Ordered: the first whose `asks` is found in the field's name wins, so special concepts are before general ones.
CONCEPTS: tuple[Concept, ...] = (
    _concept("employees", r"(?:number of |no of )?employees?(?: count| number| total| range| size)?|head ?count|staff(?: count| size| number)?|workforce|team size|company size|fte|people employed",
             r"(?:(?:number|no|total|count) of )?(?:employees?|staff|people|workers|team members|ftes?|full time employees|personnel)(?: count| number| total| worldwide| globally| size| range)?|head ?count|workforce|team(?: size)?|company size|size|mitarbeiter(?:zahl)?|people employed|average (?:number of )?(?:employees|staff|head ?count)|group employees", changes=True),
    _concept("founders", r"founders?(?: names?)?|co founders?|founded by", r"(?:co )?founders?(?: name)?|(?:co )?founded by|founding team", many=True),
    _concept("founded", r"found(?:ed|ing)(?: in| year| date| on)?|year founded|established|establishment|inception|start year|year of foundation|foundation(?: year| date)|incorporat(?:ed|ion)(?: year| date| on)?",
             r"(?:year |date )?(?:founded|established)(?: in| on| year| date)?|found(?:ing|ation)(?: year| date)|(?:year|date) of (?:foundation|founding|establishment)|est|since|in business since|trading since|started|gegrundet"),
    _concept("incorporated", r"incorporat(?:ed|ion)(?: year| date| on)?|registration date|date registered", r"(?:date of )?incorporat(?:ed|ion)(?: on| date)?|incorporated on|registered on|registration date|date of registration"),
    _concept("ceo", r"ceo|chief executive(?: officer)?|managing director|head of (?:the )?company|who (?:runs|leads|heads)|run by|led by|leader",
             r"ceo|chief executive(?: officer)?|managing director|ceo and (?:co )?founder|(?:co )?founder and ceo|geschaftsfuhrer|md|general manager|ceo name|chief executive name", changes=True),
    _concept("public", r"(?:is )?(?:publicly|public)(?: ly)?(?: traded| listed| company| quoted)|(?:is |stock )?listed|is public|stock exchange listed",
             r"publicly traded|public company|listed|listed on (?:an |the )?(?:stock )?exchange|listing|stock exchange(?: listing)?|traded on|ownership(?: type| status| structure)?|owned by|owners?", changes=True),
    _concept("stage", r"funding (?:stage|round|status)|(?:latest|last|current) (?:funding )?(?:stage|round)(?: type| name| stage)?|investment stage|financing stage|stage",
             r"(?:(?:latest|last|current|most recent) )?(?:funding|financing|investment) (?:stage|round|status|type)|(?:latest|last|current|most recent) (?:round|funding|stage)|stage|funding|round", changes=True),
    _concept("funding_total", r"total (?:funding|raised|investment)(?: raised| amount| usd| eur)?|funding (?:total|to date|raised|amount)|(?:amount|money|capital) raised|raised (?:to date|in total)|funding",
             r"total (?:funding|raised|investment|capital raised)(?: raised| amount| to date)?|funding (?:total|to date|raised)|raised to date|capital raised", changes=True),
    _concept("round_amount", r"(?:last|latest) (?:round|raise|funding) (?:amount|size)|round (?:size|amount)|(?:last|latest) funding amount|amount of the (?:last|latest) round", r"(?:last|latest) (?:round|funding) (?:size|amount)|round size|amount raised|raised", changes=True),
    _concept("investors", r"investors?|backers?|backed by|lead investor", r"(?:key |lead |main )?investors?|backers?|backed by|funders?|funder", many=True),
    _concept("revenue", r"revenues?|turnover|annual sales|sales (?:volume|figure)", r"(?:annual |yearly |total |net |group )?(?:revenues?|turnover|sales)(?: usd| eur| gbp)?|umsatz", changes=True),
    _concept("industry", r"industry|sector|line of business|vertical|branch|what (?:the company|it) does|field of business|business area|main business",
             r"(?:main |primary )?(?:industry|industries|sector|business sector|line of business|branche|vertical|field|nature of business|business|activity|activities|main activity|category)(?: type)?|sic description"),
    _concept("postcode", r"post ?code|postal code|zip(?: code)?", r"post ?code|(?:address )?postal code|zip(?: code)?"),
    _concept("street", r"street(?: address)?", r"(?:address )?street(?: address)?"),
    _concept("city", r"(?:hq |headquarters? |head office |home )?(?:city|town)|city of (?:the )?headquarters", r"(?:hq |headquarters? |head office |registered )?(?:city|town)|(?:[a-z]+ )?address locality|locality|seat|registered seat"),
    _concept("country", r"(?:hq |headquarters? )?country(?: code| name| of .*)?|nation", r"(?:hq |headquarters? )?country(?: of (?:registration|incorporation))?|(?:[a-z]+ )?address country(?: name)?|jurisdiction"),
    _concept("region", r"(?:hq )?(?:(?<!head of )state|region|province|county)", r"(?:hq )?(?:state|region|province|county)|(?:[a-z]+ )?address region"),
    _concept("hq", r"headquarters?|hq|head office|headquartered|based|location|address|registered office|where", r"(?:global |world |corporate |main )?(?:headquarters?|hq|head office|headquartered in|location|based in|based|address|registered (?:office|address)|head quarters|main office|office)(?: location| address)?|sitz", changes=True),
    _concept("products", r"(?:key |main |core |flagship |top )?(?:products?|services?|offerings?|brands?|solutions?)(?: and (?:services|products|solutions))?(?: names?| lines?| list)?",
             r"(?:our |key |main |core |flagship |the )?(?:products?|services?|offerings?|brands?|solutions?|product lines?|range)(?: (?:and|or) (?:services|products|solutions))?(?: lines?| range| name)?|what we (?:make|do|build|offer|sell)|trade ?marks?|brand names?|makes offer(?: item offered)?(?: name)?|has offer catalog.*name|owns|produkte", many=True),
    _concept("customers", r"(?:key |main |notable )?(?:customers?|clients?)(?: names?| list)?", r"(?:our |key |main |notable |selected )?(?:customers?|clients?)(?: include| list)?|who we work with", many=True),
    _concept("certifications", r"certifi(?:cations?|cates?|ed)|accreditations?|iso", r"(?:our )?certifi(?:cations?|cates?|ed)|accreditations?|has certification.*|has credential.*|standards|quality standards", many=True),
    _concept("phone", r"(?:tele)?phone(?: number)?|tel", r"(?:tele)?phone(?: number)?|tel|(?:contact point )?telephone|call us|switchboard"),
    _concept("email", r"e ?mail(?: address)?", r"e ?mail(?: address)?|(?:contact point )?email"),
    _concept("linkedin", r"linkedin(?: url| page| profile)?", r"linkedin(?: url| page)?"),
    _concept("website", r"website|web ?site|homepage|domain|web address|url", r"(?:company |official )?(?:website|web ?site|web|homepage|domain|url|internet|site)(?: url| address)?"),
    _concept("registration", r"(?:company |registration |registry |commercial register )(?:number|no|id)|crn", r"(?:company|registration|registry|register|commercial register|business|org(?:anisation)?|charity) ?(?:number|no|id|nr)|reg no|crn|identifier|hrb|registered number"),
    _concept("vat", r"vat(?: id| number| no)?|tax id", r"vat(?: id| number| no)?|tax id|ust idnr"),
    _concept("legal_form", r"legal form|company type|entity type", r"legal form|company type|entity type|type of company|rechtsform"),
    _concept("legal_name", r"legal name|registered name|full name", r"legal name|registered name|company name|full name"),
    _concept("ticker", r"ticker(?: symbol)?|stock symbol", r"ticker(?: symbol)?|(?:stock )?symbol"),
    _concept("parent", r"parent(?: company| organi[sz]ation)?|owned by|owner|acquired by|acquirer", r"parent(?: company| organi[sz]ation)?(?: name)?|acquired by|part of", changes=True),
    _concept("status", r"(?:company |registration |operating |trading )?status|active or|still active|dissolved", r"(?:company |registration |operating |trading |register )?status", changes=True),
    _concept("about", r"(?:short |brief |one line |company )?(?:description|summary|overview|tagline)|what they do", r"description|about|summary|overview|slogan"),
)  # fmt: skip

_QUESTIONS = (
    (
        "employees",
        r"how (?:many (?:people|employees|staff)|big is (?:the|your) (?:team|company))|how large is",
    ),
    (
        "founded",
        r"when (?:was|were|did|have)\b.*\b(?:founded|established|start(?:ed)?|begin|began|set up|open(?:ed)?)|how (?:old|long)\b.*\b(?:company|business|you)|since when",
    ),
    (
        "hq",
        r"where (?:is|are|do|can)\b.*\b(?:based|located|headquarter\w*|head office|find you|you sit|office)",
    ),
    (
        "public",
        r"(?:are|is)\b.*\b(?:listed|publicly traded|public company|stock exchange)|(?:can|where can) (?:i|we|one) buy (?:your )?shares|who owns",
    ),
    (
        "products",
        r"what (?:do|does) .*\b(?:sell|make|offer|produce)|(?:what|which) (?:are your )?(?:products|services)",
    ),
    (
        "industry",
        r"what (?:industry|sector|field|business|line of business)",
    ),
    ("ceo", r"who (?:runs|leads|heads|is (?:the|your) (?:ceo|chief executive|managing director|boss))"),
    ("founders", r"who (?:founded|started|set up)"),
    ("stage", r"(?:how|who) .*\b(?:funded|financed|backed|investors?)|have you raised"),
)
BY_NAME = {concept.name: concept for concept in CONCEPTS}
_TRIMMED = re.compile(
    r"^(?:our|the|its|current|reported|approx|approximate|estimated)\s+|\s+(?:19|20)\d\d$|\s+(?:approx|est|estimated)$"
)


@lru_cache(maxsize=16384)
def concept_of_label(label: str) -> str:
    """Return the concept that a document's folded label names, or an empty string."""
    for text in dict.fromkeys((label, _TRIMMED.sub("", label))):
        for concept in CONCEPTS:
            if concept.labels.fullmatch(text):
                return concept.name
    return ""


def concept_of_field(name: str, description: str) -> str:
    """Return the concept that a field's folded name, else its folded description, names, or an empty string."""
    for text in (name, description):
        for concept in CONCEPTS:
            if text and concept.asks.search(text):
                return concept.name
    return ""


def concept_of_question(question: str) -> str:
    """Return the concept that a folded question on a page is about, or an empty string."""
    return next((name for name, pattern in _QUESTIONS if re.search(rf"\b(?:{pattern})", question)), "")
