"""The words by which the names of columns are recognised: English, German, French, Spanish, some Italian and Portuguese.

They are compared with `plain_words`: lower case, without accents, separated by spaces.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal[
    "company", "domain", "website", "linkedin", "registration", "person", "first_name", "last_name", "job_title", "email",
    "phone", "product", "brand", "sku", "category", "price", "place", "coordinate", "street", "city", "state", "postal_code",
    "country", "industry", "employees", "description", "id", "date", "name", "title", "other",
]  # fmt: skip


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"\b(?:{part.strip()})\b" for part in text.strip().split("\n")))


_WORDS: tuple[tuple[Kind, str], ...] = (
    # what only looks like something to send
    ("other", r"""
        label|labels|etiquetas?|etiquettes?|tags?|phonetic|prefix|suffix|nickname|file as|salutation|anrede|middle name
        owner|besitzer|eigentumer|propietario|proprietaire|responsable|assigned|verantwortlich\w*|zustandig\w*|\w*betreuer
        created by|modified by|account manager|sales rep|comercial|vendedor|verkaufer|commercial
    """),
    ("email", r"e ?mails?|correos?( electronicos?)?|courriel|mel|adresse mail|mail|posta elettronica"),
    ("linkedin", r"linkedin"),
    ("other", r"twitter|facebook|instagram|xing|tiktok|youtube|skype|im|ip address|fax|telefax"),
    ("phone", r"phones?|tel|telefon\w*|telephone|mobile?|movil|celular|handy|mobil\w*|portable|rufnummer|telefono"),
    ("registration", r"""
        vat|tax (id|number|exempt id)|ust ?id\w*|ust id nr|umsatzsteuer\w*|steuernummer|siren|siret|cif|nif|duns|lei|hrb|rfc
        handelsregister\w*|registration (number|no)|company number|n tva|tva( intracommunautaire)?|partita iva|cnpj
    """),
    ("sku", r"sku|gtin|ean|upc|barcode|isbn|asin|mpn|artikelnummer|artikel nr|codigo de barras|code barres|referencia|reference"),
    ("employees", r"""
        employees?|headcount|company size|mitarbeiter\w*|empleados|effectifs?|salaries|nombre de salaries|funcionarios|dipendenti
    """),
    ("price", r"price|preis|\w+preis|precio|prix|msrp|compare at"),
    ("coordinate", r"lat|latitude|lng|lon|longitude|breitengrad|langengrad|latitud|longitud"),
    ("date", r"""
        date|datum|\w+datum|fecha|created|updated|modified|erstellt\w*|geandert\w*|angelegt\w*|creado|modificado|cree|timestamp
        birthday|geburtstag|cumpleanos|anniversaire|last (activity|contacted|modified|seen|login)|\w+ at|connected on
    """),
    ("postal_code", r"zip|zip ?code|postal ?code|postcode|postleitzahl|plz|codigo postal|c ?p|code postal|cap|cep"),
    ("country", r"country|land|(rechnungs|liefer|herkunfts|geschafts)land|lander\w*|pais|pays|nation|staat|paese|nazione|country code"),
    ("city", r"city|town|ort|stadt|ciudad|poblacion|localidad|municipio|ville|commune|wohnort|(rechnungs|liefer|firmen|haupt|geschafts)(ort|stadt|sitz)|cidade|citta|localite"),
    ("state", r"state|province|provincia|bundesland|departement|county|canton|kanton|comunidad( autonoma)?|region|estado"),
    ("domain", r"domains?|dominio|domaine|domain name"),
    ("website", r"""
        web ?sites?|web|url|urls|homepage|webseite|sitio web|pagina web|site( web| internet)?|internet\w*|www|webadresse|sito web
    """),
    ("industry", r"industry|sector|branche|\w*branche|industria|secteur( d activite)?|sektor|naics|sic|giro|wirtschaftszweig|settore"),
    # what only looks like the name of something
    ("other", r"""
        status|stage|lead source|source|quelle|origen|etapa|estatus|estado|currency|wahrung|moneda|devise|language|sprache|idioma|langue
        time ?zone|locale|gender|geschlecht|sexe|department|abteilung|revenue|\w*umsatz|ingresos|facturacion|chiffre d affaires
        rating|score|size|deals?|pipeline|accepts|marketing|template|published|option\d?|orders?|total spent|delinquent|balance
        consent|people|open activities|inventory|fulfillment|requires|taxable|count|anzahl|amount|betrag|importe|montant|value
        stufe|kundentyp|account type|customer type|company type|ticker|parent|billing code|method|payment|lifecycle
    """),
    ("id", r"""
        id|ids|uuid|guid|key|nr|number|nummer|\w+nummer|no|n|kennung|identifiant|identificador|handle|code|codigo|external id|folio
        numero( de (cliente|cuenta|client|compte))?
    """),
    ("street", r"""
        street|strasse|str|anschrift|adress(e|zeile)( \d| 1)?$|address( line)?( ?\d)?$|direccion( \d)?$|calle|domicilio|rue|formatted
        indirizzo|endereco|\w+adresse$|hausnummer
    """),
    ("first_name", r"first ?name|given name|vorname|prenom|forename|nombre de pila|primer nombre|nome proprio"),
    ("last_name", r"last ?name|family name|surname|nachname|familienname|apellidos?|nom de famille|sobrenome|cognome"),
    ("job_title", r"""
        job ?title|position|role|funktion|cargo|puesto|poste|fonction|beruf|stellenbezeichnung|occupation|designation|organi[sz]ation( \d)? title
        qualifica|jobbezeichnung|intitule du poste|titre du poste
    """),
    ("description", r"""
        description|beschreibung|descripcion|about|notes?|notizen?|notas?|remarques?|bemerkung\w*|bio|comments?|comentarios|kommentar|body
        body html|descriptif|descrizione
    """),
    ("category", r"categor(y|ies|ia|ie)|kategorie|warengruppe|\w*gruppe|rubrique|product type|produkttyp|familia|famille|tipo|typ|type"),
    ("brand", r"brand|vendor|marke|marca|marque|manufacturer|hersteller|fabricante|fabricant|maker|produttore"),
    ("product", r"products?|produkt\w*|productos?|produits?|item|artikel\w*|articulo|article|bezeichnung|designation|prodotto|variant"),
    ("place", r"""
        place|venue|location|store|shop|hotel\w*|restaurant\w*|lugar|lieu|standort|filiale|sucursal|tienda|magasin|branch|site name
        etablissement|sehenswurdigkeit|museum|campus|facility
    """),
    ("person", r"""
        full name|display name|contact( name)?|person( name)?|nombre completo|nom complet|ansprechpartner\w*|kontakt\w*|contacto|persona
        nombre y apellidos?|nom et prenom|lead name|candidate|referente|interlocuteur|contatto
    """),
    ("company", r"""
        company|accounts?|organi[sz]ations?|business|employer|firm|firma|firmen\w*|unternehmen\w*|gesellschaft|arbeitgeber|kunden?\w*
        empresa|compania|razon social|cuenta|cliente|organizacion|negocio|entreprise|societe|raison sociale|compte|client|organisme
        societa|azienda|ragione sociale|customer|supplier|lieferant\w*|proveedor|fournisseur|merchant|denominazione|denominacion social
        employeur|empregador|organizacao|lead company|trading name|legal name
    """),
    ("title", r"title|titel|titre|titulo|titolo"),
    ("name", r"name|namen|nombre|nom|nome|denominacion"))  # fmt: skip
NAMES = tuple((kind, _pattern(text)) for kind, text in _WORDS)
"""Kinds in this order: the first whose words are in the name."""
