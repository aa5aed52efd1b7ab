"""The cities where the demo sells: localities, prices, currencies and who lives there."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Locality:
    """`low` and `high` bound the price of a square foot in the city's currency."""

    name: str
    low: int
    high: int
    latitude: float
    longitude: float
    landmark: str


@dataclass(frozen=True, slots=True)
class City:
    """`share` weighs how many people live here; `cultures` weighs the names they carry."""

    name: str
    code: str
    country: str
    currency: str
    offset: timedelta
    share: int
    cultures: tuple[tuple[str, int], ...]
    localities: tuple[Locality, ...]
    schools: tuple[str, ...]
    banks: tuple[str, ...]
    villas: int

    @property
    def in_india(self) -> bool:
        return self.country == "IN"


_INDIA = timedelta(hours=5, minutes=30)
_EMIRATES = timedelta(hours=4)
_ARABIA = timedelta(hours=3)
_INDIAN_BANKS = ("Sahyadri Bank", "Bharat Trust Bank", "Coromandel Bank", "Deccan Mercantile Bank")
_GULF_BANKS = ("Creek National Bank", "Al Manara Islamic Bank", "Gulf Horizon Bank", "First Dune Bank")

MUMBAI = City(
    "Mumbai",
    "MUM",
    "IN",
    "INR",
    _INDIA,
    22,
    (("Marathi", 3), ("Gujarati", 4), ("Marwari", 2), ("Parsi", 1), ("Sindhi", 2), ("Punjabi", 1)),
    (
        Locality("Worli", 62_000, 105_000, 19.0176, 72.8152, "the Sea Link"),
        Locality("Malabar Hill", 75_000, 120_000, 18.9548, 72.7985, "the Hanging Gardens"),
        Locality("Bandra West", 55_000, 92_000, 19.0596, 72.8295, "Bandstand"),
        Locality("Juhu", 48_000, 80_000, 19.1075, 72.8263, "Juhu beach"),
        Locality("Lower Parel", 42_000, 68_000, 18.9977, 72.8302, "the Phoenix mills"),
        Locality("Powai", 26_000, 38_000, 19.1176, 72.9060, "Powai lake"),
    ),
    ("Seabreeze International School", "St Aloysius Academy", "The Banyan School", "Bombay Crescent School"),
    _INDIAN_BANKS,
    4,
)
GURUGRAM = City(
    "Gurugram",
    "GGN",
    "IN",
    "INR",
    _INDIA,
    13,
    (("Punjabi", 4), ("Hindi", 4), ("Marwari", 2), ("Bengali", 1)),
    (
        Locality("Golf Course Road", 28_000, 62_000, 28.4419, 77.1025, "the golf links"),
        Locality("Golf Course Extension Road", 17_000, 29_000, 28.4016, 77.0900, "Sector 58 chowk"),
        Locality("DLF Phase 5", 30_000, 55_000, 28.4430, 77.0960, "the Rapid Metro"),
        Locality("Sohna Road", 12_000, 19_000, 28.4089, 77.0420, "Subhash Chowk"),
    ),
    ("Aravalli World School", "The Meridian Academy", "Shivalik Public School"),
    _INDIAN_BANKS,
    14,
)
DELHI = City(
    "New Delhi",
    "DEL",
    "IN",
    "INR",
    _INDIA,
    7,
    (("Punjabi", 5), ("Hindi", 4), ("Marwari", 3), ("Bengali", 1)),
    (
        Locality("Vasant Vihar", 38_000, 70_000, 28.5603, 77.1617, "the diplomatic enclave"),
        Locality("Greater Kailash II", 34_000, 56_000, 28.5309, 77.2430, "M Block market"),
        Locality("Defence Colony", 36_000, 62_000, 28.5745, 77.2330, "the flyover market"),
    ),
    ("Lutyens Day School", "Ridgeview Academy", "Shivalik Public School"),
    _INDIAN_BANKS,
    22,
)
BENGALURU = City(
    "Bengaluru",
    "BLR",
    "IN",
    "INR",
    _INDIA,
    11,
    (("Kannada", 4), ("Tamil", 2), ("Telugu", 2), ("Malayali", 1), ("Hindi", 1)),
    (
        Locality("Lavelle Road", 24_000, 38_000, 12.9719, 77.5986, "Cubbon Park"),
        Locality("Koramangala", 17_000, 27_000, 12.9352, 77.6245, "the 80 Feet Road"),
        Locality("Whitefield", 12_000, 18_000, 12.9698, 77.7500, "the ITPL gate"),
        Locality("Hebbal", 13_000, 21_000, 13.0358, 77.5970, "Hebbal lake"),
    ),
    ("Cauvery International School", "Garden City Academy", "The Silver Oak School"),
    _INDIAN_BANKS,
    18,
)
HYDERABAD = City(
    "Hyderabad",
    "HYD",
    "IN",
    "INR",
    _INDIA,
    9,
    (("Telugu", 5), ("Deccani", 2), ("Marwari", 1)),
    (
        Locality("Jubilee Hills", 16_000, 26_000, 17.4326, 78.4071, "KBR Park"),
        Locality("Banjara Hills", 15_000, 24_000, 17.4156, 78.4347, "Road No. 12"),
        Locality("Kokapet", 9_500, 15_000, 17.3958, 78.3390, "the Outer Ring Road"),
        Locality("Gachibowli", 9_000, 14_000, 17.4401, 78.3489, "the Financial District"),
    ),
    ("Golconda International School", "Pearl City Academy", "The Peepal Grove"),
    _INDIAN_BANKS,
    24,
)
PUNE = City(
    "Pune",
    "PNQ",
    "IN",
    "INR",
    _INDIA,
    7,
    (("Marathi", 6), ("Gujarati", 1), ("Sindhi", 1), ("Hindi", 1)),
    (
        Locality("Koregaon Park", 15_000, 24_000, 18.5362, 73.8940, "Lane 7"),
        Locality("Kalyani Nagar", 14_000, 21_000, 18.5463, 73.9033, "the river front"),
        Locality("Baner", 10_500, 15_500, 18.5590, 73.7868, "the Balewadi High Street"),
    ),
    ("Sahyadri Hill School", "The Orchard Academy", "Mula River School"),
    _INDIAN_BANKS,
    16,
)
GOA = City(
    "Goa",
    "GOI",
    "IN",
    "INR",
    _INDIA,
    4,
    (("Goan", 5), ("Marathi", 1), ("Gujarati", 1)),
    (
        Locality("Assagao", 18_000, 32_000, 15.5937, 73.7838, "the Anjuna road"),
        Locality("Dona Paula", 15_000, 25_000, 15.4589, 73.8077, "the Zuari bay"),
        Locality("Siolim", 16_000, 28_000, 15.6230, 73.7660, "the Chapora river"),
    ),
    ("Mandovi International School", "St Catherine's Academy"),
    _INDIAN_BANKS,
    80,
)
CHENNAI = City(
    "Chennai",
    "MAA",
    "IN",
    "INR",
    _INDIA,
    6,
    (("Tamil", 6), ("Telugu", 1), ("Malayali", 1), ("Marwari", 1)),
    (
        Locality("Boat Club", 24_000, 38_000, 13.0230, 80.2540, "the Adyar estuary"),
        Locality("Nungambakkam", 18_000, 28_000, 13.0569, 80.2425, "Khader Nawaz Khan Road"),
        Locality("ECR Neelankarai", 13_000, 22_000, 12.9490, 80.2590, "the beach road"),
    ),
    ("Coromandel School", "The Banyan Tree Academy", "Adyar Day School"),
    _INDIAN_BANKS,
    28,
)
DUBAI = City(
    "Dubai",
    "DXB",
    "AE",
    "AED",
    _EMIRATES,
    13,
    (
        ("Emirati", 4),
        ("Levantine", 2),
        ("British", 3),
        ("Gujarati", 1),
        ("Malayali", 1),
        ("Sindhi", 2),
        ("Punjabi", 1),
        ("Pakistani", 2),
    ),
    (
        Locality("Palm Jumeirah", 3_400, 6_800, 25.1124, 55.1390, "the Crescent"),
        Locality("Downtown Dubai", 2_600, 4_600, 25.1972, 55.2744, "the Boulevard"),
        Locality("Dubai Marina", 2_000, 3_500, 25.0805, 55.1403, "Marina Walk"),
        Locality("Dubai Hills Estate", 1_900, 3_300, 25.1030, 55.2440, "the golf course"),
        Locality("Jumeirah Bay", 5_500, 9_500, 25.2110, 55.2370, "the bay bridge"),
        Locality("Dubai Creek Harbour", 2_100, 3_300, 25.2063, 55.3420, "the creek promenade"),
    ),
    ("Creek British School", "Palm Grove Academy", "Al Noor International School", "The Falcon School"),
    _GULF_BANKS,
    26,
)
ABU_DHABI = City(
    "Abu Dhabi",
    "AUH",
    "AE",
    "AED",
    _EMIRATES,
    4,
    (("Emirati", 6), ("Levantine", 2), ("Egyptian", 1), ("Malayali", 1), ("British", 1)),
    (
        Locality("Saadiyat Island", 1_900, 3_900, 24.5430, 54.4340, "the cultural district"),
        Locality("Yas Island", 1_500, 2_400, 24.4960, 54.6080, "the marina circuit"),
        Locality("Al Reem Island", 1_300, 2_000, 24.4960, 54.4050, "Reem Central Park"),
    ),
    ("Saadiyat Bay School", "The Pearl Academy", "Al Bateen Day School"),
    _GULF_BANKS,
    36,
)
DOHA = City(
    "Doha",
    "DOH",
    "QA",
    "QAR",
    _ARABIA,
    2,
    (("Qatari", 6), ("Egyptian", 1), ("Levantine", 2), ("Malayali", 1)),
    (
        Locality("The Pearl", 1_200, 2_000, 25.3690, 51.5510, "Porto Arabia"),
        Locality("West Bay Lagoon", 1_300, 2_200, 25.3870, 51.5330, "the lagoon"),
        Locality("Lusail", 1_100, 1_800, 25.4180, 51.5020, "the marina promenade"),
    ),
    ("Lagoon International School", "Doha Crescent Academy"),
    _GULF_BANKS,
    30,
)
RIYADH = City(
    "Riyadh",
    "RUH",
    "SA",
    "SAR",
    _ARABIA,
    2,
    (("Saudi", 8), ("Levantine", 1), ("Egyptian", 1)),
    (
        Locality("Hittin", 900, 1_600, 24.7610, 46.6010, "the boulevard"),
        Locality("Al Nakheel", 850, 1_450, 24.7420, 46.6300, "the university gate"),
        Locality("Diriyah", 1_100, 2_000, 24.7340, 46.5750, "the old mud-brick quarter"),
    ),
    ("Najd International School", "Wadi Hanifah Academy"),
    _GULF_BANKS,
    60,
)

CITIES: tuple[City, ...] = (
    MUMBAI,
    GURUGRAM,
    DELHI,
    BENGALURU,
    HYDERABAD,
    PUNE,
    GOA,
    CHENNAI,
    DUBAI,
    ABU_DHABI,
    DOHA,
    RIYADH,
)
