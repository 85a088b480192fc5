"""Headers of exports as CRMs, shops and address books write them, each with rows about invented companies and people."""

from typing import NamedTuple


class Export(NamedTuple):
    """An export: its text, what a row describes, the column of each input, and how it is written."""

    name: str
    text: str
    entity: str
    inputs: dict[str, str]
    encoding: str = "utf-8"
    separator: str = ","


EXPORTS = [
    Export(
        "hubspot-companies",
        "Record ID,Company name,Company owner,Create Date,Phone Number,Last Activity Date,City,Country/Region,Industry,Company Domain Name,Lead Status\n"
        "9001,Fjordcell AS,Sales North,2024-02-01 09:10,+47 555 010 01,2024-05-02,Bergen,Norway,,fjordcell.example,New\n"
        "9002,Malabar Loom,Sales South,2024-02-03 11:30,,,Kochi,India,TEXTILES,malabarloom.example,Open\n"
        "9003,Aoba Robotics,,2024-03-09 08:00,,,Sendai,Japan,,aoba-robotics.example,\n",
        "company",
        {"company_name": "Company name", "website": "Company Domain Name", "city": "City", "country": "Country/Region"},
    ),
    Export(
        "hubspot-contacts",
        "Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Associated Company,Job Title,Lead Status,Create Date\n"
        "1,Ada,Sample,ada@fjordcell.example,,Sales North,Fjordcell AS,Buyer,New,2024-02-01\n"
        "2,Ben,Placeholder,ben@malabarloom.example,,Sales South,Malabar Loom,Head of Design,Open,2024-02-03\n",
        "person",
        {"first_name": "First Name", "last_name": "Last Name", "job_title": "Job Title", "company_name": "Associated Company"},
    ),
    Export(
        "hubspot-deals",
        "Record ID,Deal Name,Deal Stage,Close Date,Deal owner,Amount,Associated Company,Associated Contact\n"
        "11,Renewal 2024,Closed won,2024-04-01,Sales North,1200,Fjordcell AS,Ada Sample\n"
        "12,Pilot,Proposal,2024-06-01,Sales South,800,Malabar Loom,Ben Placeholder\n",
        "company",
        {"company_name": "Associated Company"},
    ),
    Export(
        "salesforce-accounts",
        '"Account ID","Account Name","Type","Parent Account","Billing Street","Billing City","Billing State/Province","Billing Zip/Postal Code","Billing Country","Phone","Website","Industry","Employees","Account Owner"\n'
        '"001A","Juniper Gate Security","Customer","","1 Sample Street","Tallinn","","10111","Estonia","","https://www.junipergate.example","Security","120","Sales East"\n'
        '"001B","Wärmeland Technik GmbH","Prospect","","Musterweg 2","Bregenz","Vorarlberg","6900","Austria","","waermeland.example","","","Sales West"\n',
        "company",
        {"company_name": "Account Name", "website": "Website", "city": "Billing City", "state": "Billing State/Province", "country": "Billing Country"},
    ),
    Export(
        "salesforce-accounts-api",
        "Id,Name,Type,BillingCity,BillingState,BillingCountry,Website,Industry,NumberOfEmployees,OwnerId,CreatedDate,IsDeleted\n"
        "001000000000001AAA,Juniper Gate Security,Customer,Tallinn,,Estonia,junipergate.example,Security,120,005A,2023-01-01T00:00:00Z,false\n"
        "001000000000002AAA,Wärmeland Technik,Prospect,Bregenz,Vorarlberg,Austria,waermeland.example,,,005B,2023-01-02T00:00:00Z,false\n",
        "company",
        {"company_name": "Name", "website": "Website", "city": "BillingCity", "state": "BillingState", "country": "BillingCountry"},
    ),
    Export(
        "salesforce-leads",
        "Lead ID,First Name,Last Name,Title,Company,Email,Lead Source,Street,City,Country,Website,Rating\n"
        "00Q1,Ada,Sample,Buyer,Fjordcell AS,ada@fjordcell.example,Web,Sampleveien 1,Bergen,Norway,fjordcell.example,Hot\n"
        "00Q2,Ben,Placeholder,Head of Design,Malabar Loom,ben@malabarloom.example,Fair,,Kochi,India,,Warm\n",
        "person",
        {"first_name": "First Name", "last_name": "Last Name", "job_title": "Title", "company_name": "Company", "company_website": "Website", "city": "City", "country": "Country"},
    ),
    Export(
        "salesforce-contacts",
        "Salutation,First Name,Last Name,Title,Account Name,Mailing Street,Mailing City,Mailing Country,Phone,Mobile,Fax,Email,Account Owner\n"
        "Ms.,Ada,Sample,Buyer,Fjordcell AS,Sampleveien 1,Bergen,Norway,,,,ada@fjordcell.example,Sales North\n"
        "Mr.,Ben,Placeholder,Head of Design,Malabar Loom,,Kochi,India,,,,ben@malabarloom.example,Sales South\n",
        "person",
        {"first_name": "First Name", "last_name": "Last Name", "job_title": "Title", "company_name": "Account Name", "city": "Mailing City", "country": "Mailing Country"},
    ),
    Export(
        "pipedrive-organizations",
        "Organization - ID,Organization - Name,Organization - Label,Organization - Owner,Organization - People,Organization - Open deals,Organization - Address,Organization - Website\n"
        '1,Fjordcell AS,Customer,Sales North,3,1,"Sampleveien 1, Bergen, Norway",https://fjordcell.example\n'
        '2,Malabar Loom,,Sales South,1,0,"Loom Road 4, Kochi, India",https://www.malabarloom.example\n',
        "company",
        {"company_name": "Organization - Name", "website": "Organization - Website"},
    ),
    Export(
        "pipedrive-people",
        "Person - Name,Person - Label,Person - Organization,Person - Email - Work,Person - Email - Home,Person - Phone - Work,Person - Closed deals,Person - Owner\n"
        "Ada Sample,Hot,Fjordcell AS,ada@fjordcell.example,,,2,Sales North\n"
        "Ben Placeholder,,Malabar Loom,ben@malabarloom.example,,,0,Sales South\n",
        "person",
        {"full_name": "Person - Name", "company_name": "Person - Organization"},
    ),
    Export(
        "shopify-products",
        "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Price,Variant Barcode,Image Src,Status\n"
        'trail-shoe,Ridge Trail Shoe,<p>Light shoe</p>,Kestrel Run,Apparel > Shoes,Shoes,"trail,run",true,Size,42,KR-42,310,129.00,,https://cdn.shop.example/1.png,active\n'
        "rain-shell,Cloud Rain Shell,<p>Jacket</p>,Kestrel Run,Apparel > Jackets,Jackets,rain,true,Size,M,KR-M,280,189.00,,https://cdn.shop.example/2.png,active\n",
        "product",
        {"product_name": "Title", "brand": "Vendor", "category": "Product Category", "sku": "Variant SKU"},
    ),
    Export(
        "shopify-customers",
        "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,Default Address City,Default Address Province Code,Default Address Country Code,Default Address Zip,Phone,Total Spent,Total Orders,Note,Tax Exempt,Tags\n"
        "'7001,Ada,Sample,ada@fjordcell.example,yes,Fjordcell AS,Sampleveien 1,Bergen,,NO,5003,,129.00,1,,no,vip\n"
        "'7002,Ben,Placeholder,ben@malabarloom.example,no,,Loom Road 4,Kochi,KL,IN,682001,,0.00,0,,no,\n",
        "person",
        {"first_name": "First Name", "last_name": "Last Name", "company_name": "Default Address Company", "city": "Default Address City", "country": "Default Address Country Code"},
    ),
    Export(
        "stripe-customers",
        "id,Description,Email,Name,Created (UTC),Delinquent,Card ID,Card Address City,Card Address Country,Currency,Total Spend\n"
        "cus_A1,Annual plan,billing@fjordcell.example,Fjordcell AS,2024-01-02 10:00,false,card_1,Bergen,NO,nok,1200.00\n"
        "cus_A2,,accounts@waermeland.example,Wärmeland Technik GmbH,2024-01-05 12:00,false,card_2,Bregenz,AT,eur,300.00\n",
        "company",
        {"company_name": "Name", "city": "Card Address City", "country": "Card Address Country"},
    ),
    Export(
        "stripe-payments",
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Customer ID,Customer Email,Description,Status\n"
        "ch_1,2024-01-02 10:00,1200.00,0.00,nok,true,cus_A1,billing@fjordcell.example,Annual plan,Paid\n"
        "ch_2,2024-01-05 12:00,300.00,0.00,eur,true,cus_A2,accounts@waermeland.example,Annual plan,Paid\n",
        "company",
        {"company_domain": "Customer Email"},
    ),
    Export(
        "linkedin-connections",
        "First Name,Last Name,URL,Email Address,Company,Position,Connected On\n"
        "Ada,Sample,https://www.linkedin.com/in/ada-sample-example,,Fjordcell AS,Buyer,02 May 2024\n"
        "Ben,Placeholder,https://www.linkedin.com/in/ben-placeholder-example,,Malabar Loom,Head of Design,11 Apr 2023\n",
        "person",
        {"first_name": "First Name", "last_name": "Last Name", "job_title": "Position", "company_name": "Company", "linkedin_url": "URL"},
    ),
    Export(
        "linkedin-company-pages",
        "companyName,companyUrl,website,companySize,headquarters,industry\n"
        "Fjordcell AS,https://www.linkedin.com/company/fjordcell-example,fjordcell.example,51-200,Bergen,\n"
        "Malabar Loom,https://www.linkedin.com/company/malabar-loom-example,malabarloom.example,11-50,Kochi,\n",
        "company",
        {"company_name": "companyName", "website": "website", "company_linkedin": "companyUrl"},
    ),
    Export(
        "google-contacts",
        "First Name,Middle Name,Last Name,Phonetic First Name,Nickname,File As,Organization Name,Organization Title,Organization Department,Birthday,Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Address 1 - Label,Address 1 - Formatted,Address 1 - City,Address 1 - Country,Website 1 - Label,Website 1 - Value\n"
        'Ada,,Sample,,,,Fjordcell AS,Buyer,Purchasing,,,,* myContacts,* Work,ada@fjordcell.example,Work,+47 555 010 01,Work,"Sampleveien 1, Bergen",Bergen,Norway,Work,https://fjordcell.example\n'
        "Ben,,Placeholder,,,,Malabar Loom,Head of Design,,,,,* myContacts,* Work,ben@malabarloom.example,,,Work,,Kochi,India,,\n",
        "person",
        {"first_name": "First Name", "last_name": "Last Name", "job_title": "Organization Title", "company_name": "Organization Name", "company_website": "Website 1 - Value", "city": "Address 1 - City", "country": "Address 1 - Country"},
    ),
    Export(
        "google-contacts-old",
        "Name,Given Name,Family Name,Group Membership,E-mail 1 - Type,E-mail 1 - Value,Organization 1 - Name,Organization 1 - Title\n"
        "Ada Sample,Ada,Sample,* myContacts,Work,ada@fjordcell.example,Fjordcell AS,Buyer\n"
        "Ben Placeholder,Ben,Placeholder,* myContacts,Work,ben@malabarloom.example,Malabar Loom,Head of Design\n",
        "person",
        {"first_name": "Given Name", "last_name": "Family Name", "job_title": "Organization 1 - Title", "company_name": "Organization 1 - Name"},
    ),
    Export(
        "places",
        "id,Place name,Street,Postcode,City,Country,Latitude,Longitude\n"
        "1,Harbour Light Hotel,1 Quay Street,5003,Bergen,Norway,60.39,5.32\n"
        "2,Museum of Looms,4 Loom Road,682001,Kochi,India,9.93,76.26\n",
        "place",
        {"place_name": "Place name", "street": "Street", "postal_code": "Postcode", "city": "City", "country": "Country"},
    ),
    Export(
        "domains-only",
        "domain\nfjordcell.example\nmalabarloom.example\naoba-robotics.example\n",
        "company",
        {"website": "domain"},
    ),
    Export(
        "hubspot-companies-de",
        "Datensatz-ID;Unternehmensname;Zuständiger Mitarbeiter;Erstellungsdatum;Telefonnummer;Ort;Land/Region;Branche;Domainname des Unternehmens\n"
        "9001;Wärmeland Technik GmbH;Vertrieb West;01.02.2024;;Bregenz;Österreich;;waermeland.example\n"
        "9002;Müllers Gartenbau KG;Vertrieb Süd;03.02.2024;;Köln;Deutschland;Gartenbau;muellers-gartenbau.example\n",
        "company",
        {"company_name": "Unternehmensname", "website": "Domainname des Unternehmens", "city": "Ort", "country": "Land/Region"},
        "cp1252",
        ";",
    ),
    Export(
        "salesforce-accounts-de",
        '"Kundenname";"Kundennummer";"Rechnungsadresse Straße";"Rechnungsort";"Rechnungs-PLZ";"Rechnungsland";"Telefon";"Website";"Branche";"Mitarbeiter";"Kundeninhaber"\n'
        '"Wärmeland Technik GmbH";"K-100";"Musterweg 2";"Bregenz";"6900";"Österreich";"";"www.waermeland.example";"";"40";"Vertrieb West"\n'
        '"Müllers Gartenbau KG";"K-101";"Musterallee 7";"Köln";"50667";"Deutschland";"";"www.muellers-gartenbau.example";"Gartenbau";"";"Vertrieb Süd"\n',
        "company",
        {"company_name": "Kundenname", "website": "Website", "city": "Rechnungsort", "country": "Rechnungsland"},
        "utf-8-sig",
        ";",
    ),
    Export(
        "kontakte-de",
        "Anrede;Vorname;Nachname;Firma;Position;E-Mail-Adresse;Telefon;Straße;PLZ;Ort;Land\n"
        "Frau;Ada;Muster;Wärmeland Technik GmbH;Einkäuferin;ada@waermeland.example;;Musterweg 2;6900;Bregenz;Österreich\n"
        "Herr;Ben;Beispiel;Müllers Gartenbau KG;Geschäftsführer;ben@muellers-gartenbau.example;;Musterallee 7;50667;Köln;Deutschland\n",
        "person",
        {"first_name": "Vorname", "last_name": "Nachname", "job_title": "Position", "company_name": "Firma", "city": "Ort", "country": "Land"},
        "cp1252",
        ";",
    ),
    Export(
        "artikel-de",
        "Artikelnummer;Bezeichnung;Hersteller;Warengruppe;EAN;Verkaufspreis\n"
        "4711;Akku-Heckenschere 36 V;Müllers Gerätebau;Gartengeräte;;149,00\n"
        "4712;Bewässerungscomputer;Grünwerk;Bewässerung;;59,90\n",
        "product",
        {"product_name": "Bezeichnung", "brand": "Hersteller", "category": "Warengruppe", "sku": "Artikelnummer"},
        "utf-8",
        ";",
    ),
    Export(
        "empresas-es",
        "Nombre de la empresa;Propietario;Sitio web;Correo electrónico;Teléfono;Ciudad;Provincia;País;Sector;Número de empleados\n"
        "Telares del Ejemplo S.L.;Ventas Norte;https://www.telares.example;info@telares.example;;León;León;España;;35\n"
        "Cerámica Muestra S.A.;Ventas Sur;ceramica-muestra.example;hola@ceramica-muestra.example;;Málaga;Málaga;España;Cerámica;\n",
        "company",
        {"company_name": "Nombre de la empresa", "website": "Sitio web", "city": "Ciudad", "state": "Provincia", "country": "País"},
        "cp1252",
        ";",
    ),
    Export(
        "contactos-es",
        "Nombre,Apellidos,Cargo,Empresa,Correo,Móvil,Población,País\n"
        "Ada,Muestra,Compras,Telares del Ejemplo S.L.,ada@telares.example,,León,España\n"
        "Ben,Ejemplo,Dirección,Cerámica Muestra S.A.,ben@ceramica-muestra.example,,Málaga,España\n",
        "person",
        {"first_name": "Nombre", "last_name": "Apellidos", "job_title": "Cargo", "company_name": "Empresa", "city": "Población", "country": "País"},
    ),
    Export(
        "clientes-es",
        "Código|Razón social|CIF|Domicilio|Código postal|Población|Provincia|Fecha alta\n"
        "00012|Telares del Ejemplo S.L.|B00000000|Calle Muestra 1|24001|León|León|01/02/2024\n"
        "00013|Cerámica Muestra S.A.|A00000000|Calle Muestra 2|29001|Málaga|Málaga|03/02/2024\n",
        "company",
        {"company_name": "Razón social", "city": "Población", "state": "Provincia", "registration_number": "CIF"},
        "utf-8",
        "|",
    ),
    Export(
        "productos-es",
        "Referencia,Nombre del producto,Marca,Categoría,Precio,Stock\n"
        "A-1,Zapatilla de montaña Cresta,Cernícalo,Calzado,129.00,4\n"
        "A-2,Chaqueta de lluvia Nube,Cernícalo,Chaquetas,189.00,2\n",
        "product",
        {"product_name": "Nombre del producto", "brand": "Marca", "category": "Categoría", "sku": "Referencia"},
    ),
    Export(
        "entreprises-fr",
        "Identifiant;Raison sociale;SIRET;Site internet;Adresse;Code postal;Ville;Pays;Secteur d'activité;Effectif;Commercial\n"
        "1;Métiers à tisser Exemple SARL;00000000000000;www.tisser-exemple.example;1 rue Exemple;69001;Lyon;France;;12;Ventes Nord\n"
        "2;Céramiques Modèle SAS;00000000000001;ceramiques-modele.example;2 rue Exemple;35000;Rennes;France;Céramique;;Ventes Sud\n",
        "company",
        {"company_name": "Raison sociale", "website": "Site internet", "city": "Ville", "country": "Pays", "registration_number": "SIRET"},
        "cp1252",
        ";",
    ),
    Export(
        "contacts-fr",
        "Civilité\tPrénom\tNom\tFonction\tSociété\tAdresse e-mail\tTéléphone\tVille\tPays\n"
        "Mme\tAda\tModèle\tAcheteuse\tMétiers à tisser Exemple SARL\tada@tisser-exemple.example\t\tLyon\tFrance\n"
        "M.\tBen\tExemple\tGérant\tCéramiques Modèle SAS\tben@ceramiques-modele.example\t\tRennes\tFrance\n",
        "person",
        {"first_name": "Prénom", "last_name": "Nom", "job_title": "Fonction", "company_name": "Société", "city": "Ville", "country": "Pays"},
        "utf-16",
        "\t",
    ),
    Export(
        "etablissements-fr",
        "Nom de l'hôtel,Adresse,Code postal,Ville,Pays,Latitude,Longitude,Étoiles\n"
        "Hôtel du Phare,1 quai Exemple,29200,Brest,France,48.39,-4.48,3\n"
        "Hôtel des Vignes,2 rue Exemple,21000,Dijon,France,47.32,5.04,4\n",
        "place",
        {"place_name": "Nom de l'hôtel", "street": "Adresse", "postal_code": "Code postal", "city": "Ville", "country": "Pays"},
        "mac_roman",
    ),
    Export(
        "hubspot-companies-fr",
        "ID de fiche d'informations,Nom de l'entreprise,Propriétaire de l'entreprise,Date de création,Numéro de téléphone,Ville,Pays/Région,Secteur,Nom de domaine de l'entreprise\n"
        "9001,Métiers à tisser Exemple,Ventes Nord,2024-02-01,,Lyon,France,,tisser-exemple.example\n"
        "9002,Céramiques Modèle,Ventes Sud,2024-02-03,,Rennes,France,Céramique,ceramiques-modele.example\n",
        "company",
        {"company_name": "Nom de l'entreprise", "website": "Nom de domaine de l'entreprise", "city": "Ville", "country": "Pays/Région"},
    ),
    Export(
        "pipedrive-organizaciones-es",
        "Organización - Nombre,Organización - Propietario,Organización - Dirección,Organización - Página web,Organización - Negocios abiertos\n"
        'Telares del Ejemplo,Ventas Norte,"Calle Muestra 1, León",telares.example,2\n'
        'Cerámica Muestra,Ventas Sur,"Calle Muestra 2, Málaga",ceramica-muestra.example,0\n',
        "company",
        {"company_name": "Organización - Nombre", "website": "Organización - Página web"},
    ),
    Export(
        "firmy-pl-en",
        "Company;Website;City;Country\nZakład Przykład;zaklad-przyklad.example;Łódź;Polska\nŻuraw Wzór;zuraw-wzor.example;Gdańsk;Polska\n",
        "company",
        {"company_name": "Company", "website": "Website", "city": "City", "country": "Country"},
        "cp1250",
        ";",
    ),
]  # fmt: skip
