"""Texts on a page: nothing that a person typed is read as Markdown; times and sizes look the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops.ui.text import ago, day, plain, short, size, utc
from modelops.ui.widgets import Tone, tone_of

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@given(st.text(alphabet=st.sampled_from("ab \\`*_{}[]()<>#+-.!|~$^:&=\"'/@1\n"), max_size=80))
def test_every_mark_of_markdown_is_escaped(text):
    shown = plain(text)
    bare = shown.replace("\\\\", "")
    for mark in "`*_{}[]()<>#!|~$^:&":
        assert all(bare[place - 1] == "\\" for place, letter in enumerate(bare) if letter == mark)


@pytest.mark.parametrize("text", [":red[x]", ":material/check:", ":smile:", "$x$", "<b>x</b>", "![](http://x)"])
def test_streamlits_own_marks_are_escaped(text):
    assert text not in plain(text)


def test_a_shortcode_is_no_longer_one_after_the_escapes_are_read():
    assert ":smile:" not in plain("so :smile: it is").replace("\\", "")
    assert ":material/check:" not in plain(":material/check:").replace("\\", "")


def test_an_address_does_not_become_a_link():
    assert "http://" not in plain("see http://evil.example").replace("\\", "")
    assert "www.evil" not in plain("see www.evil.example").replace("\\", "")


def test_indented_lines_do_not_become_code():
    assert plain("    x\n    y") == "x  \ny"


def test_ordinary_text_reads_as_it_was():
    assert plain("Credit model version 3") == "Credit model version 3"


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=26), "1 day ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(days=-3), "in 3 days"),
    ],
)
def test_how_long_ago(passed, words):
    assert ago(NOW - passed, NOW) == words


def test_what_never_was_says_so():
    assert (ago(None, NOW), utc(None), day(None)) == ("never", "never", "-")


def test_times_of_other_zones_are_shown_in_utc():
    from datetime import timezone

    assert utc(datetime(2026, 11, 23, 9, 30, tzinfo=timezone(timedelta(hours=9)))) == "2026-11-23 00:30 UTC"


def test_sizes_and_digests_are_short():
    assert (size(0), size(1023), size(5 * 1024**3)) == ("0 bytes", "1023 bytes", "5.0 GiB")
    assert short("sha256:" + "ab" * 32) == "abababababab"


def test_good_and_bad_states_look_different_and_unknown_ones_quiet():
    assert {tone_of("approved"), tone_of("rejected"), tone_of("something new")} == {Tone.GOOD, Tone.BAD, Tone.QUIET}
