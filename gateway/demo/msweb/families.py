"""What an area is about, told from the words of its title and URL.

The data set has no tags. Each family names the beginnings of words that put an area into it. An area
may belong to several families (`MS Access Support, /msaccesssupport` is `office`, `data` and `support`);
one that belongs to none is `general`.
"""

import re
from collections.abc import Mapping

GENERAL = "general"

# Beginnings of words; `$` ends one that must be the whole word, `_` is the space between two.
FAMILIES: Mapping[str, str] = {
    "office": "office$ excel word powerpoint access outlook publisher works$ project teammanager schedule msofc",
    "windows": "windows nt$ ntwks win32 regwiz",
    "servers": "server backoffice exchange sql sna sms systems transaction proxy message_queue iis isapi",
    "messaging": "exchange outlook mail$ message schedule netmeeting",
    "data": "access sql odbc ole_db ado$ adc data foxpro repository",
    "internet": "internet ie$ ie3 ie4 isp netmeeting netshow intranet",
    "web-building": (
        "site web_site frontpage interdev workshop workshoop activeplatform virtual_reality vbscript "
        "java_script javascript imagecomposer typography"
    ),
    "developer": (
        "dev visual vbasic msdn mdn mdsn activex ole odbc vba vbscript java fortran source_safe win32 isapi "
        "icp controls repository mastering jakarta"
    ),
    "multimedia": "media music netshow softimage imedia picture imagecomposer clip tv$ truetype opentype",
    "games": "game golf sidewinder sports",
    "home": (
        "athome mshome home kids money picture sidewalk autoroute automap cinemania encarta bookshelf garden "
        "wine master_chef complete_do"
    ),
    "support": "supp knowledge service_advantage technet",
    "downloads": "free download msdownload softlib trial promo",
    "news": "news magazine events conference advertising",
    "education": "education college k_12 hed training moli mastering professional_developers kids",
    "business": (
        "business corporate financial merchant industry executive volume solutions consulting switching "
        "it_technical management"
    ),
    "partners": "partner channel oem solution_providers sp_referral sales licenses anti_piracy user_group",
    "company": "corporation about job community msft mspress store usability feedback worldwide",
    "hardware": "hardware intellimouse sidewinder oem",
    "security": "security proxy piracy",
    "macintosh": "mac$ macintosh",
    "guides": "products$ catalog library search reference customer_guides",
    "europe": (
        "benelux belgium czech denmark europe finland france germany hungary ireland italy netherlands norway "
        "poland portugal russia slovakia slovenija spain sweden switzerland turkey uk$"
    ),
    "americas": (
        "argentina brazil canada caribbean central_america chile colombia latin mexico peru uruguay usa$ "
        "venezuela"
    ),
    "asia-pacific": "australia china hong india$ korea new_zealand taiwan thailand",
    "middle-east-africa": "israel middle_east north_africa south_africa",
}


def _pattern(beginnings: str) -> re.Pattern[str]:
    choices = (word.replace("$", r"\b").replace("_", " ") for word in beginnings.split())
    return re.compile(rf"\b(?:{'|'.join(choices)})")


_PATTERNS = {family: _pattern(beginnings) for family, beginnings in FAMILIES.items()}


def families(title: str, url: str) -> list[str]:
    words = re.sub(r"[^a-z0-9]+", " ", f"{title} {url}".casefold())
    return [family for family, pattern in _PATTERNS.items() if pattern.search(words)] or [GENERAL]
