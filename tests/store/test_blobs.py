"""Files by digest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops.domain.digest import Digest
from modelops.errors import NotFound, TooLarge, VerificationFailed
from modelops.store import Blobs


@pytest.fixture(params=["folder", "remote"])
def blobs(request, tmp_path):
    return Blobs(str(tmp_path / "blobs") if request.param == "folder" else f"memory://blobs{tmp_path.name}")


@given(chunks=st.lists(st.binary(max_size=50), max_size=5))
def test_what_is_stored_in_pieces_reads_as_the_whole(tmp_path_factory, chunks):
    blobs = Blobs(str(tmp_path_factory.mktemp("blobs")))
    digest = blobs.add(chunks)
    assert blobs.read(digest) == b"".join(chunks)
    assert digest == Digest.of(b"".join(chunks))


def test_a_file_that_was_not_kept_leaves_nothing(blobs, tmp_path):
    with pytest.raises(RuntimeError), blobs.stage() as staged:
        staged.add(b"half")
        raise RuntimeError
    assert not list(blobs.all())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_file_over_the_limit_is_refused_while_it_arrives(blobs):
    with pytest.raises(TooLarge, match="limit of 10 bytes"), blobs.stage(limit=10) as staged:
        for _ in range(100):
            staged.add(b"four")
    assert not list(blobs.all())


def test_a_stored_file_can_be_read_as_a_local_one(blobs):
    digest = blobs.add(b"content")
    with blobs.local(digest) as path:
        assert path.read_bytes() == b"content"


def test_a_missing_file_is_named(blobs):
    with pytest.raises(NotFound, match="sha256:"):
        blobs.read(Digest.of(b"never stored"))


def test_changed_bytes_are_noticed_when_they_are_read(tmp_path):
    blobs = Blobs(str(tmp_path))
    digest = blobs.add(b"content")
    path = tmp_path / digest.hex[:2] / digest.hex
    path.chmod(0o600)
    path.write_bytes(b"c0ntent")
    with pytest.raises(VerificationFailed, match="has been changed"):
        blobs.read(digest)
