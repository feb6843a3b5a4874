import struct
import zipfile

import pytest

from modelops.attest import bundle
from modelops.attest.verify import verify_bundle
from tests.attest.attest_samples import members_of


@pytest.fixture
def written(tmp_path):
    return tmp_path / "bad.zip"


def only_failure(path):
    report = verify_bundle(path)
    assert report.outcome == "failed"
    return report.failures[-1]


def _zip(path, members, **changes):
    """Write a zip as our exporter does, but with entries changed as a hostile one would have them."""
    with zipfile.ZipFile(path, "w", changes.pop("compression", zipfile.ZIP_STORED)) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr, entry.compress_type = 3, 0o100644 << 16, archive.compression
            for field, value in changes.items():
                setattr(entry, field, value)
            archive.writestr(entry, content)
    return path


@pytest.fixture
def in_order(exported):
    return sorted(members_of(exported).items())


def test_what_the_exporter_writes_is_what_the_standard_library_writes(exported, written, in_order):
    assert _zip(written, in_order).read_bytes() == exported.read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/cron.d/x",
        "/etc/passwd",
        "..\\x",
        "C:\\x",
        "review.json/",
        "verify.pyc",
        "REVIEW.JSON",
        "__pycache__/verify.pyc",
    ],
)
def test_a_member_with_a_name_of_its_own_is_refused_and_named(written, in_order, name):
    failure = only_failure(_zip(written, [(name, b"x"), *in_order]))
    assert "no member that a bundle may have" in failure.found
    assert failure.subject.replace("\\\\", "\\") == name.replace("\\", "/") or failure.subject == name


def test_a_member_that_stands_twice_is_refused(written, in_order):
    with pytest.warns(UserWarning, match="Duplicate name"):
        _zip(written, [in_order[0], *in_order])
    assert "each once" in only_failure(written).found


def test_members_in_another_order_are_refused(written, in_order):
    assert "in the order of their names" in only_failure(_zip(written, [in_order[1], in_order[0], *in_order[2:]])).found


def test_a_compressed_member_is_refused_before_anything_is_unpacked(written, in_order):
    bomb = [(in_order[0][0], b"0" * 50_000_000), *in_order[1:]]
    assert "packed anew" in only_failure(_zip(written, bomb, compression=zipfile.ZIP_DEFLATED)).found
    assert written.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    "changes",
    [
        {"date_time": (2026, 1, 1, 0, 0, 0)},
        {"extra": b"\x99\x99\x01\x00x"},
        {"external_attr": 0o120777 << 16},
        {"comment": b"x"},
        {"create_system": 0},
        {"internal_attr": 1},
    ],
    ids=["dated", "extra field", "symbolic link", "comment", "other system", "internal"],
)
def test_a_member_with_anything_unusual_is_refused_and_named(written, in_order, changes):
    assert only_failure(_zip(written, in_order, **changes)).subject == in_order[0][0]


def test_an_encrypted_member_is_refused(exported, written, in_order):
    raw = bytearray(exported.read_bytes())
    raw[6] |= 1
    written.write_bytes(raw)
    failure = only_failure(written)
    assert (failure.subject, "is encrypted" in failure.found) == (in_order[0][0], True)


def test_bytes_after_the_end_are_refused(exported, written):
    written.write_bytes(exported.read_bytes() + b"x" * 5)
    assert only_failure(written).found == "5 bytes follow its end"


def test_bytes_before_the_beginning_are_refused(exported, written):
    written.write_bytes(b"#!/bin/sh\n" + exported.read_bytes())
    assert "does not begin with a member" in only_failure(written).found


def test_bytes_between_the_members_are_refused(exported, written, in_order):
    raw = exported.read_bytes()
    at = raw.index(b"PK\3\4", 10)
    written.write_bytes(raw[:at] + b"hidden" + raw[at:])
    assert verify_bundle(written).outcome == "failed"


def test_a_second_directory_is_refused(exported, written):
    raw = exported.read_bytes()
    start = raw.index(b"PK\1\2")
    written.write_bytes(raw[:start] + raw[start:] + raw[start:])
    assert "follow its end" in only_failure(written).found


def test_a_comment_of_the_zip_is_refused(written, in_order):
    _zip(written, in_order)
    with zipfile.ZipFile(written, "a") as archive:
        archive.comment = b"hello"
    assert only_failure(written).subject == "container"


def test_a_size_that_lies_is_refused_and_named(exported, written):
    raw = bytearray(exported.read_bytes())
    with zipfile.ZipFile(exported) as archive:
        struct.pack_into("<2I", raw, archive.getinfo("review.json").header_offset + 18, 0xFFFFFFFE, 0xFFFFFFFE)
    written.write_bytes(raw)
    failure = only_failure(written)
    assert (failure.subject, "was cut off" in failure.found) == ("review.json", True)


def test_an_absurd_number_of_members_is_refused(written):
    members = {f"evidence/{number:064x}": b"" for number in range(10_001)}
    bundle._write(written, members)
    assert "more than 10000 members" in only_failure(written).found


def test_a_huge_manifest_is_refused_before_it_is_read(written):
    bundle._write(written, {"manifest.json": b" " * ((64 << 20) + 1)})
    assert "at most" in only_failure(written).found


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\3\4", b"PK\5\6" + b"\0" * 18, b"not a zip"])
def test_a_file_that_is_no_bundle_is_refused(written, content):
    written.write_bytes(content)
    assert only_failure(written).subject == "container"
