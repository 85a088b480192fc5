"""The labels of fields and of documents: their normal form, their synonyms, and how well two of them match."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from functools import cache, lru_cache

from rapidfuzz import fuzz

from rowcite.local.research.text.figures import without_unit
from rowcite.local.research.text.normalise import fold


@dataclass(frozen=True)
class Concept:
    """A kind of fact.

    `asks` matches a field's folded name or description; `labels` the whole of a document's folded label.
    `changes`: the newest statement wins. `many`: several values do not contradict each other.
    """

    name: str
    asks: str
    labels: str = "(?!)"
    _: KW_ONLY
    changes: bool = False
    many: bool = False


# Ordered: the first whose `asks` is found in the field's name wins, so special concepts are before general ones.
CONCEPTS: tuple[Concept, ...] = (
    Concept("employees", r"(?:(?:number|no|total|count) of )?(?:employees?|staff|ftes?)(?: count| number| total| range| size)?|head ?count|workforce|team size|company size|people employed", r"(?:(?:number|no|total|count) of )?(?:people|workers|team members|full time employees|personnel)|(?:employees|staff) (?:worldwide|globally)|team|size|mitarbeiter(?:zahl)?|average (?:number of )?(?:employees|staff|head ?count)|group employees|how (?:many (?:people|employees|staff)|big|large) .+", changes=True),
    Concept("founders", r"(?:co )?founders?(?: names?)?|(?:co )?founded by", r"founding team|who (?:founded|started|set up) .+", many=True),
    Concept("founded", r"(?:year |date )?(?:founded|founding|established)(?: in| on| year| date)?|establishment|inception|start year|(?:year|date) of foundation|foundation(?: year| date)", r"(?:year|date) of (?:founding|establishment)|est|since|(?:in business|trading) since|started|gegrundet|when (?:was|were|did|have) .*(?:founded|established|start|begin|began|set up|open).*|how (?:old|long) .*(?:company|business|you).*|since when"),
    Concept("incorporated", r"(?<!state of )(?<!country of )(?<!place of )(?<!jurisdiction of )(?:date of )?incorporat(?:ed|ion)(?: year| date| on)?|registration date|date registered|date of registration|registered on"),
    Concept("ceo", r"ceo(?: name)?|chief executive(?: officer| name)?|managing director|head of (?:the )?company|who (?:runs|leads|heads)|run by|led by|leader", r"ceo and (?:co )?founder|(?:co )?founder and ceo|geschaftsfuhrer|md|general manager|who (?:runs|leads|heads|is the (?:ceo|chief executive)).*", changes=True),
    Concept("public", r"(?:is )?(?:publicly|public)(?: traded| listed| company| quoted)|(?:is |stock )?listed|is public|stock exchange listed", r"listing|traded on|ownership(?: type| status| structure)?|owned by|owners?|listed on .+|.*(?:publicly traded|public company|stock exchange)|(?:where )?can (?:i|we|one) buy (?:your )?shares|who owns .+", changes=True),
    Concept("stage", r"(?:(?:latest|last|current|most recent) )?(?:funding|financing|investment) (?:stage|round|status|type)|(?:latest|last|current|most recent) (?:stage|round)(?: type| name)?|stage", r"(?:latest |last |current |most recent )?funding|round|(?:how|who) .*(?:fund|financed|backed|invest).*|have you raised.*", changes=True),
    Concept("funding_total", r"total (?:funding|raised|investment|capital raised)(?: raised| amount| to date| usd| eur)?|funding (?:total|to date|raised|amount)|capital raised|raised (?:to date|in total)|funding", changes=True),
    Concept("investors", r"(?:key |lead |main )?(?:investors?|backers?)|backed by", r"funders?", many=True),
    Concept("revenue", r"revenues?|turnover|annual sales|sales (?:volume|figure)", r"(?:annual |yearly |total |net |group )?(?:revenues?|turnover|sales)(?: usd| eur| gbp)?|umsatz", changes=True),
    Concept("industry", r"(?:main |primary )?(?:industry|industries|sector|line of business|vertical|branch)|what (?:the company|it) does|field of business|business area|main business", r"(?:main |primary )?(?:business sector|branche|field|nature of business|business|activity|activities|category)|industry type|sic description|what (?:industry|sector|field|business|line of business) .+"),
    Concept("city", r"(?:hq |headquarters? |head office |home |registered )?(?<!capital )(?:city|town)|city of (?:the )?headquarters", r"(?:[a-z]+ )?address locality|locality|(?:registered )?seat"),
    Concept("country", r"(?:hq |headquarters? )?country(?: code| name)?(?: of (?:registration|incorporation|the .*))?|nation", r"(?:[a-z]+ )?address country(?: name)?|jurisdiction"),
    Concept("hq", r"headquarters?|hq|head office|headquartered|based|location|(?<!street )(?<!mail )address|registered office|where (?:is|are) (?:it|they|the company)", r"(?:global |world |corporate |main |registered )?(?:headquarters?|hq|head office|location|address|head quarters|office)(?: location| address)?|(?:headquartered|based) in|sitz|anschrift|adresse|direccion|indirizzo|address of principal executive offices|where (?:is|are|do|can) .*(?:based|located|headquarter|head office|find you|you sit|office).*", changes=True),
    Concept("products", r"(?:key |main |core |flagship |top )?(?:products?|services?|offerings?|brands?|solutions?)(?: and (?:services|products|solutions))?(?: names?| lines?| list)?", r"(?:our |the )?(?:products?|services?|offerings?|brands?|solutions?|product lines?|range)(?: (?:and|or) (?:services|products|solutions))?(?: range)?|what we (?:make|do|build|offer|sell)|trade ?marks?|makes offer(?: item offered)?(?: name)?|has offer catalog.*name|owns|produkte|what (?:do|does) .*(?:sell|make|offer|produce)|(?:what|which) (?:are your )?(?:products|services).*", many=True),
    Concept("certifications", r"(?:our )?certifi(?:cations?|cates?|ed)|accreditations?|iso", r"has certification.*|has credential.*|standards|quality standards", many=True),
    Concept("phone", r"(?:contact point )?(?:tele)?phone(?: number)?|tel", r"call us|switchboard|registrants telephone number(?: including area code)?|telefon(?:nummer)?|telefono|telefone"),
    Concept("email", r"(?:contact point )?e ?mail(?: address)?"),
    Concept("website", r"(?:company |official )?(?:website|web ?site|homepage|domain|url)(?: url| address)?|web address", r"web|internet|site"),
    Concept("registration", r"(?:company |registration |registry |commercial register )(?:number|no|id)|crn", r"(?:register|registered|business|org(?:anisation)?|charity) ?(?:number|no|id|nr)|reg no|identifier|hrb"),
    Concept("ticker", r"ticker(?: symbol)?|stock symbol", r"(?:trading )?symbol"),
)  # fmt: skip

_compiled = cache(re.compile)  # not in the cache of re, which other patterns fill
BY_NAME = {concept.name: concept for concept in CONCEPTS}
_LONGEST_LABEL = 60
_LONG = 12  # words: a longer description is a sentence
# Phrases that name the same thing in fields, in labels and in schema.org's properties, and after "~" those that often do; a phrase may
# have several meanings.
_SYNONYMS = (
    "author|authors|writer|written by|creator|byline|posted by|by", "artist|creator|by artist", "~artist|author|performer", "host|hosted by|presenter", "~host|author", "developer|developed by", "~developer|author|creator|manufacturer", "publisher|published by|publisher name|site", "site|site name|publisher",
    "publication date|date of publication|date published|published|published time|pubdate|date posted|posted|first published|listing date|listed on|date listed|date it was listed", "publication date|publication year|year published|first release|first released|date of the first release|date published", "~publication date|date of publication|date published|published|published time|date|release date", "modified|date modified|modified time|updated|updated time|last updated|date of the last change|last modified|revised",
    "created|date created|creation date|date of creation|year created|year in which it was made", "~asking price|guide price|fee|course fee|admission|price", "shipping cost|shipping rate|delivery cost|postage|shipping", "price|cost|offer price|ticket price|rrp|msrp|recommended retail price|price of a ticket|list price|price amount", "lowest price|low price|price from|minimum price", "highest price|high price|maximum price", "currency|price currency|salary currency|currency of the price",
    "price range|room rates|prices", "age rating|content rating|certificate", "rating|aggregate rating|rating value|user score|customer rating|stars|star rating|score|average rating|game rating|user rating|review rating", "rating count|number of ratings|votes|number of votes|user votes", "review count|reviews|number of reviews", "in stock|availability|stock status|available",
    "start date|starts|start|from|begins|first day|date of the event|event date|day on which it starts", "~start date|date|event date|date of the event", "end date|ends|end|until|last day|finishes", "venue|location|place|where", "performers|performer|line up|lineup|artists", "actors|actor|cast|starring|main actors", "director|directed by", "writers|author|screenplay|script|authors of the script", "language|languages|in language", "pages|number of pages|page count|length",
    "closing date|application deadline|deadline|apply by|valid through", "reference|reference number|job id|identifier", "organizer|organiser|organised by|organized by", "running time|duration|runtime", "tutor|instructor|teacher|lecturer", "made in|country of manufacture|country of origin|manufactured in", "teaching language|language of teaching|language of instruction", "download url|content url|download link", "download size|file size", "exchange|stock exchange|listed on|name of each exchange on which registered", "employer|hiring organization|company|company that hires", "location|job location|place of work|office location", "salary|base salary|pay|yearly salary|compensation|estimated salary",
    "employment type|job type|type of employment|contract type", "working hours|weekly hours|work hours|hours", "education|education requirements|required education", "mileage|mileage from odometer|odometer", "floor area|floor size|living area|wohnfläche|surface habitable", "vat number|vat id|vat|vat registration number|ust idnr", "capacity|maximum attendee capacity|maximum capacity", "~monthly rent|rent per month|rent|price", "seller|dealer|sold by", "first registration|date of first registration|date vehicle first registered", "platform|game platform|operating system|platforms|os", "players|number of players", "issuer|issued by|issuing body", "expires|valid through|expiry date|valid until|expiration date", "free|free of charge|is accessible for free|free access|free entry", "postcode|postal code|zip|zip code", "street|street address|street and number", "address|adresse|anschrift|postal address",
    "city|town|address locality|locality|city of origin|founding location|ort", "state|region|address region|province|county", "country|address country|land|pays", "~phone|contact", "phone|telephone|telephone number|phone number|tel|telefon|telefone|téléphone", "fax|fax number|telefax", "email|e mail|contact email|email address|contact|mail|courriel", "website|web site|homepage|site|web|internet",
    "opening hours|hours|open|öffnungszeiten|horaires", "payment methods|payment accepted|accepted payments", "cuisines|serves cuisine|cuisine", "takes reservations|accepts reservations|reservations", "color|colour|farbe|couleur", "license|licence|lizenz", "licence name|license name|licence", "annual percentage rate|apr|interest rate", "provider|offered by|seller|provided by|vendor",
    "prep time|preparation time", "cook time|cooking time", "yield|recipe yield|servings|serves|portions", "ingredients|recipe ingredient", "instructions|recipe instructions|method|directions", "calories|nutrition calories|energy",
    "industry|sector|standard industrial classification|sic", "state of incorporation|state or other jurisdiction of incorporation|state or other jurisdiction of incorporation or organization|incorporation state country code|jurisdiction", "brand|manufacturer|make|maker|marke", "model|model number|mpn", "sku|item number|article number|product code|product id", "gtin|ean|barcode|gtin13|upc|gtin12|gtin8", "weight|gewicht|poids", "dimensions|size|measurements|abmessungen", "material|materials|made of|medium",
    "also known as|alternate name|aka|other names", "founded|founding date|established|year of foundation|opened|opening date|year opened|year of opening", "dissolved|dissolution date|year of dissolution", "members|member|line up", "born|birth date|date of birth|birthday", "died|death date|date of death", "birth place|place of birth|born in",
    "job title|position|role|occupation|title", "employer|works for|affiliation|organization", "nationality|citizenship", "alumni|graduates|alumnus", "education|alumni of|alma mater", "~university|alumni of|works for|affiliation", "knows about|research interests|expertise|skills|interests", "release date|released|launched|launch date", "headline|title|name", "summary|description|abstract|about|overview", "section|article section|rubric", "~section|category", "tags|keywords|article tag", "~tags|keywords|topics|subjects|categories", "topics|topic|subject|theme",
)  # fmt: skip
_DROPPED = frozenset(["a", "an", "the", "of", "in", "on", "at", "for", "to", "is", "it", "its", "and", "or", "as", "was", "are", "has", "have", "whether", "which", "that", "who", "when", "what", "no", "nr", "total", "name", "full", "value", "current", "latest", "main", "with", "their", "our", "your", "this", "average", "usd", "eur", "gbp", "chf", "yyyy", "mm", "dd", "iso", "8601", "per", "reported", "number", "known", "key", "used", "required", "he", "she", "they"])  # fmt: skip
# Words that make another thing of a label: the date of registration is not a registration.
_DISTINGUISHING = frozenset(["count", "date", "year", "time", "url", "type", "status", "maximum", "minimum", "id", "code", "currency", "country", "email", "phone", "image", "link", "fee", "share", "rank", "founder", "author", "parent", "seller", "employer", "owner", "director"])  # fmt: skip
_GENERIC = frozenset(["date", "type", "number", "title", "description", "status", "id", "url", "source", "code", "level", "time", "category", "size", "year", "amount", "rate", "first", "last", "end", "start", "unit", "text", "address", "person", "location", "text", "company"])  # fmt: skip
_PLURAL = re.compile(r"(?<=\w\w[^\Wsui])s\b")
_PLURAL_Y = re.compile(r"(?<=\w\w)ies\b")


@lru_cache(maxsize=16384)
def concept_of_label(label: str) -> str:
    """Return the concept that a document's folded label or question names, or an empty string."""
    found = (one.name for one in CONCEPTS if _compiled(f"{one.asks}|{one.labels}").fullmatch(label))
    return next(found, "") if len(label) < _LONGEST_LABEL else ""


def concept_of_field(name: str, description: str) -> str:
    """Return the concept that most words of a field's folded name, else of a short folded description, name, or an empty string."""
    for named, text in ((True, name), (False, description)):
        for concept in CONCEPTS if text and len(text.split()) < _LONG else ():
            match = _compiled(rf"\b(?:{concept.asks})\b").search(text)
            if match and (not named or 2 * len(match[0].split()) > len(text.split())):
                return concept.name
    return ""


@lru_cache(maxsize=32768)
def normal_form(label: str) -> tuple[str, ...]:
    """Return the words of a label that carry meaning, in singular: "Number of reviews" is ("review", "count")."""
    folded = re.sub(r"\b(?:number|no|count) of (?!the\b)(.+)", r"\1 count", fold(label))
    folded = re.sub(r"\b(\w) (?=\w\b)", r"\1", folded)  # "I.R.S." is IRS
    folded = re.sub(r"\b(max|min)\b", r"\1imum", folded)
    words = _PLURAL.sub("", _PLURAL_Y.sub("y", folded)).split()
    return tuple(word for word in words if word not in _DROPPED) or tuple(words)


def field_phrases(words: str, description: str) -> tuple[tuple[str, ...], ...]:
    """Return the normal forms by which a field may be labelled: its name, its description, and words in brackets."""
    stated = re.sub(r"\([^)]*\)", " ", description)
    parts = [words, stated, *map(without_unit, (words, stated)), *re.findall(r"\(([^)]*)\)", description)]
    yearly = [part.lower() for part in parts if "year" in part.lower()]
    parts += [re.sub(r"\byear\b", other, part) for part in yearly for other in (" ", "date")]
    return tuple(dict.fromkeys(form for part in parts if len(part) < 100 and (form := normal_form(part))))


@lru_cache(maxsize=65536)
def similarity(phrase: tuple[str, ...], label: str, context: str = "") -> float:
    """Return how well a label, with the words above it, matches a field's normal form: 0.98 is the same, 0 another."""
    form = normal_form(label)
    if context and set(form) <= _DROPPED:  # "Area" over "total: 652,230 sq km"
        form, context = normal_form(context), ""
    if not form or len(form) > 8:
        return 0.0
    if sorted(form) == sorted(phrase) or "".join(form) == "".join(phrase):
        return 0.98
    if shared := _MEANINGS.get(phrase, frozenset()) & _MEANINGS.get(form, frozenset()):
        return 0.75 if all(_SYNONYMS[group].startswith("~") for group in shared) else 0.95
    wanted, stated, above = set(phrase), set(form), set(normal_form(context)) if context else set[str]()
    if (stated - wanted) & _DISTINGUISHING:
        return 0.0
    if wanted - stated == {"count"}:
        return 0.0 if "rating" in stated else 0.85
    named = wanted & stated and (wanted & stated) - _GENERIC | (wanted & above)
    if wanted <= stated | above and named and len(stated - wanted) < 2:
        return 0.95 if stated <= wanted else 0.85 if len(wanted) > 1 else 0.7
    if stated < wanted and stated - _GENERIC and (len(stated) > 1 or len(wanted) < 3):
        return 0.85 if len(stated) > 1 and 2 * len(stated) > len(wanted) else 0.75
    close = fuzz.ratio(" ".join(sorted(form)), " ".join(sorted(phrase)), score_cutoff=90)
    return 0.85 if close and min(len("".join(form)), len("".join(phrase))) > 4 else 0.0


def _meanings() -> dict[tuple[str, ...], frozenset[int]]:
    """Return the groups of synonyms that each normal form belongs to."""
    found: dict[tuple[str, ...], set[int]] = {}
    for number, group in enumerate(_SYNONYMS):
        for phrase in group.removeprefix("~").split("|"):
            found.setdefault(normal_form(phrase), set()).add(number)
    return {form: frozenset(groups) for form, groups in found.items()}


_MEANINGS = _meanings()
