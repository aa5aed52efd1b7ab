"""How people in India and the Gulf round, write and say amounts of money."""

from decimal import Decimal

_LAKH = 100_000
_CRORE = 10_000_000
_MILLION = 1_000_000
_STEPS = {"INR": 500_000, "AED": 25_000, "QAR": 25_000, "SAR": 25_000}


def rounded(amount: float, currency: str) -> Decimal:
    """Return an asking price that somebody would print."""
    step = _STEPS[currency]
    return Decimal(max(1, round(amount / step)) * step)


def short(amount: Decimal | float, currency: str) -> str:
    """Return an amount as it is said in a conversation: ₹14.25 Cr, ₹85 lakh, AED 6.4M."""
    value = float(amount)
    if currency == "INR":
        if value >= _CRORE:
            return f"₹{_plain(value / _CRORE)} Cr"
        return f"₹{_plain(value / _LAKH)} lakh" if value >= _LAKH else f"₹{value:,.0f}"
    return f"{currency} {_plain(value / _MILLION)}M" if value >= _MILLION else f"{currency} {value:,.0f}"


def rate(amount: float, currency: str) -> str:
    """Return a price per square foot, grouped as its country groups."""
    value = round(amount / 10) * 10
    if currency != "INR":
        return f"{currency} {value:,}"
    head, tail = divmod(value, 1000)
    thousands, below = divmod(head, 100)
    return f"₹{thousands},{below:02d},{tail:03d}" if thousands else f"₹{value:,}"


def _plain(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
