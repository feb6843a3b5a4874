"""Numbers that people, cards and accounts carry, told from other numbers by their check digits."""

from __future__ import annotations

import re
import string

_LETTERS = {letter: str(place + 10) for place, letter in enumerate(string.ascii_uppercase)}


def is_card(digits: str) -> bool:
    """Say whether these are the digits of a payment card: 13 to 19, a usual beginning, the Luhn check digit.

    Examples
    --------
    >>> is_card("4111111111111111"), is_card("4111111111111112")
    (True, False)
    """
    usual = re.match(r"4|5[1-5]|2[2-7]|3[0-9]|6", digits)
    return 13 <= len(digits) <= 19 and usual is not None and len(set(digits)) > 1 and luhn(digits)


def luhn(digits: str) -> bool:
    """Say whether the last digit is the check digit of the others (ISO/IEC 7812)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_iban(text: str) -> bool:
    """Say whether this is an international bank account number: its remainder by 97 is 1 (ISO 13616).

    Examples
    --------
    >>> is_iban("DE89370400440532013000"), is_iban("DE88370400440532013000")
    (True, False)
    """
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", text):
        return False
    turned = text[4:] + text[:4]
    return int("".join(_LETTERS.get(character, character) for character in turned)) % 97 == 1


def is_us_social_security(text: str) -> bool:
    """Say whether this is written as a United States social security number, in a range that was ever given out."""
    return re.fullmatch(r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}", text) is not None


def is_uk_national_insurance(text: str) -> bool:
    """Say whether this is a national insurance number of the United Kingdom."""
    compact = text.replace(" ", "").upper()
    return re.fullmatch(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]", compact) is not None


def is_spanish_identity(text: str) -> bool:
    """Say whether this is a Spanish DNI or NIE: the letter is the number's remainder by 23."""
    compact = text.replace("-", "").upper()
    if not re.fullmatch(r"[XYZ\d]\d{7}[A-Z]", compact):
        return False
    number = int(compact[:-1].translate(str.maketrans("XYZ", "012")))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == compact[-1]


def is_italian_fiscal_code(text: str) -> bool:
    """Say whether this is written as an Italian codice fiscale."""
    return re.fullmatch(r"[A-Z]{6}\d{2}[A-EHLMPR-T][0-7]\d[A-Z]\d{3}[A-Z]", text.upper()) is not None


def is_swiss_insurance(text: str) -> bool:
    """Say whether this is a Swiss AHV number: 756 and ten digits, the last a check digit of EAN-13."""
    digits = text.replace(".", "")
    if not re.fullmatch(r"756\d{10}", digits):
        return False
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits[:-1]))
    return (10 - total % 10) % 10 == int(digits[-1])


def is_german_tax_number(digits: str) -> bool:
    """Say whether these are the 11 digits of a German tax identification number (ISO/IEC 7064, MOD 11,10)."""
    if not re.fullmatch(r"[1-9]\d{10}", digits) or not 8 <= len(set(digits[:10])) <= 9:
        return False
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def is_polish_identity(digits: str) -> bool:
    """Say whether these are the 11 digits of a Polish PESEL, with a month that exists."""
    if not re.fullmatch(r"\d{11}", digits) or not 1 <= int(digits[2:4]) % 20 <= 12:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), strict=False))
    return (10 - total % 10) % 10 == int(digits[10])


def is_french_social_security(digits: str) -> bool:
    """Say whether these are the 15 digits of a French NIR: the last two are 97 less the remainder of the others."""
    if not re.fullmatch(r"[12]\d{14}", digits):
        return False
    return 97 - int(digits[:13]) % 97 == int(digits[13:])


def is_dutch_citizen_number(digits: str) -> bool:
    """Say whether these are the 9 digits of a Dutch BSN (the eleven test)."""
    if not re.fullmatch(r"\d{9}", digits) or len(set(digits)) == 1:
        return False
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11 == 0
