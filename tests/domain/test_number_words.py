"""Numbers inside sentences, and that each kind is written in one way."""

import re

import pytest

from modelops.domain.number_words import percent
from modelops.settings import DATA

# Python's own way to write a share has no space: "0.8%" would stand beside "0.8 %".
_OTHER_WAY = re.compile(r"\{[^{}]*:[^{}]*%\}")


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.1234, "12.3 %"), (0.0012, "0.12 %"), (1, "100 %"), (0, "0 %"), (-0.05, "-5 %"), (0.00001, "0 %")],
)
def test_a_share_has_as_few_decimals_as_it_takes_and_a_space(share, words):
    assert percent(share) == words


@pytest.mark.parametrize("folder", ["modelops", "pages"])
def test_shares_are_written_in_one_way(folder):
    sources = {path: path.read_text(encoding="utf-8") for path in (DATA.parent / folder).rglob("*.py")}
    found = {
        f"{path.name}: {match[0]}"
        for path, text in sources.items()
        for match in _OTHER_WAY.finditer(re.sub(r"^    >>> .*$", "", text, flags=re.MULTILINE))
    }
    assert len(sources) > 5
    assert found == set()
