"""The words of the trade: what columns are called, in several languages, in lower case and without accents."""

from dataclasses import dataclass
from typing import Literal

Side = Literal["store", "product"]


@dataclass(frozen=True)
class KeyWord:
    """A word for stores or products.

    side: which of the two. rank: how surely it names the key, 0 first. word, words: for people, one and many.
    """

    side: Side
    rank: int
    word: str
    words: str


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# side, rank, what people say, and what columns are called
_KEYS: tuple[tuple[Side, int, str, str, str], ...] = (
    ("store", 0, "store", "stores", "store shop outlet branch filiale filialen laden markt boutique magasin tienda"),
    ("store", 0, "store", "stores", "sucursal negozio winkel butik butikk loja sklep pos storenbr storenr storeid"),
    ("store", 0, "store", "stores", "shopid storenumber storecode storename"),
    ("store", 1, "site", "sites", "site siteid standort"),
    ("store", 1, "location", "locations", "location loc place ort lieu ubicacion locationid"),
    ("store", 2, "warehouse", "warehouses", "warehouse depot lager dc plant werk"),
    ("store", 3, "market", "markets", "market marketplace"),
    ("store", 4, "region", "regions", "region regione gebiet zone territory area district geography geo"),
    ("store", 4, "city", "cities", "city town stadt ville ciudad citta"),
    ("store", 5, "state", "states", "state province county bundesland departement provincia"),
    ("store", 6, "country", "countries", "country pays pais paese land nation"),
    ("store", 7, "channel", "channels", "channel kanal canal platform banner chain"),
    ("product", 0, "product", "products", "product produkt produit producto prodotto produto prod productid"),
    ("product", 0, "product", "products", "productcode productname stockcode material"),
    ("product", 0, "item", "items", "item itemid itemcode itemname itemnbr items"),
    ("product", 0, "article", "articles", "article artikel articulo articolo artigo artikelnr artikelnummer artnr"),
    ("product", 0, "SKU", "SKUs", "sku skuid upc ean gtin plu asin"),
    ("product", 2, "product", "products", "description bezeichnung designation descripcion"),
    ("product", 3, "brand", "brands", "brand marke marque marca"),
    ("product", 4, "type", "types", "type typ tipo"),
    ("product", 4, "variety", "varieties", "variety sorte flavor flavour"),
    ("product", 4, "model", "models", "model style"),
    ("product", 4, "department", "departments", "dept department deptid abteilung rayon"),
    ("product", 5, "category", "categories", "category cat kategorie categorie categoria warengruppe subcategory"),
    ("product", 5, "family", "families", "family familie familia famille"),
    ("product", 5, "group", "groups", "group class segment line size"),
    ("product", 6, "product", "products", "name code key series id"),
)
KEY_WORDS = {
    each: KeyWord(side, rank, word, words) for side, rank, word, words, names in _KEYS for each in names.split()
}

# Which writing of a key a column has; codes are preferred to names.
CODES = _words("id nr no num number nummer code key identifier nbr")
NAMES = _words("name description bezeichnung label title desc")
DATES = _words(
    "date day week datum tag woche fecha dia semana jour semaine data giorno settimana dag uke vecka dato time "
    "timestamp datetime period periode ds month year calendar kw"
)
DATE_ENDINGS = ("date", "datum", "week", "woche")
WEEKS = ("week", "woche", "semaine", "semana", "settimana")
STARTS = _words("start starting begin beginning von ab from weekstart startdate")
# What years, weekdays and the like are called: parts of a date beside it.
PARTS_OF_DATE = _words(
    "year month week day weekday dayofweek quarter weeknumber jahr monat annee mois weekofyear season yr hour num "
    "number of the name no nr kw ano mes date is in iso"
)
RECEIPTS = _words(
    "invoice invoiceno invoicenumber order orderid ordernumber transaction transactionid receipt basket bon"
)
NEVER_A_KEY = RECEIPTS | _words(
    "ticket beleg belegnr record recordid customer customerid client kunde user userid cashier row rowid index unnamed "
    "lineno linenumber"
)

# Patterns of the words of a name, and how surely they name the quantity sold.
QUANTITIES: tuple[tuple[int, str], ...] = (
    (100, r"units?|units? (sales|sold|volume)|sold units|sales (units|qty|quantity|volume)"),
    (100, r"(num|number|nb|volume|items) sold"),
    (100, r"(sold )?(qty|quantity)( sold)?|sold|menge|absatz|absatzmenge|stueck|stuck|stk|anzahl|verkaufsmenge"),
    (100, r"(verkaufte|verkauft) (menge|stuck|stueck)|unidades( vendidas)?|cantidad( vendida)?|quantite( vendue)?|qte"),
    (100, r"unites( vendues)?|quantita( venduta)?|pezzi|venduto|aantal|antal|ilosc|quantidade|demand|y|cnt|pieces"),
    (
        80,
        r".*\b(units?|quantity|qty|menge|absatz|cantidad|quantite|quantita|unidades|stueck|stuck|sold|demand|anzahl)\b.*",
    ),
    (70, r"(total )?volumes?|volumen"),
    (60, r".*\bvolume\b.*"),
    (50, r"((weekly|daily|total|net|item|actual) )?sales?|verkauf|verkaufe|abverkauf"),
    (50, r"ventas|ventes|vendite|vendas|verkopen"),
    (40, r".*\b(sales|ventas|ventes|vendite)\b.*"),
    (30, r"count|kg|litres?|liters?|cases|cartons|bottles|boxes|packs|orders|value|target|total"),
)
NO_QUANTITY = _words(
    "price preis cost kosten costs stock inventory bestand onhand hand forecast prognose planned plan id discount "
    "returned returns lag rolling year month margin profit tax rate previous last"
)
REVENUE = (
    r".*\b(revenue|turnover|umsatz|erlos|erloes|importe|ingresos?|fatturato|omzet|chiffre|faturamento)\b.*|ca|amount|"
    r"(sales|total|net|gross|line|dollar) (amount|value|price|dollars)|dollar sales|sales? (dollars|usd|eur|gbp)|"
    r"betrag|montant"
)
MONEY = _words("sales revenue umsatz ventas ventes vendite dollars amount value")
PRICES = _words(
    "price preis prix precio prezzo preco prijs pris cena stuckpreis verkaufspreis einzelpreis unitprice "
    "averageprice avgprice sellprice vk vkpreis pvp"
)
# Words that the name of a price may have beside: the price of fuel is another one.
LISTED = _words("base list regular")
PAID = _words("unit average avg mean selling sell sale sales sold actual net total")
BESIDE_PRICE = _words(
    "unit average avg mean median selling sell sale sales sold retail item net gross list regular shelf actual "
    "usd eur gbp chf per kg each the a product artikel article sku base in of store week weekly vente unitaire "
    "unitario medio moyen di de durchschnitt brutto netto vat incl local current"
)
KNOWN_FLAGS = _words(
    "holiday holidays feiertag ferie festivo promo promotion promoted onpromotion deal feat feature featured "
    "display advert ad advertised flyer leaflet discount coupon campaign event special aktion angebot promocion "
    "oferta offre offer open closed school ferien isholiday ispromo onpromo schoolholiday stateholiday weekend "
    "payday snap"
)
KNOWN_NUMBERS = _words(
    "temperature temp temperatur fuel cpi unemployment markdown weather rain rainfall precipitation discount "
    "rabatt index footfall tv radio spend budget advertising marketing grp promo promotion onpromotion holiday "
    "interest wage inflation humidity sunshine oil events feature display feat deal"
)
# Where an empty number of the weeks to come means that there is none.
ZERO_IF_EMPTY = _words("markdown discount rabatt promo promotion deal feat feature display spend budget coupon grp")
# The words for what is counted, one and many, by a word in the name of the quantity.
_COUNTED = (
    ("kg", "kg", "kg kilo kilos"),
    ("litre", "litres", "litre litres liter liters"),
    ("piece", "pieces", "piece pieces stuck stueck stk pezzi"),
    ("case", "cases", "case cases"),
    ("carton", "cartons", "carton cartons"),
    ("bottle", "bottles", "bottle bottles"),
    ("box", "boxes", "box boxes"),
    ("pack", "packs", "pack packs"),
    ("pound", "pounds", "pound pounds"),
)
COUNTED = {each: (one, many) for one, many, names in _COUNTED for each in names.split()}
