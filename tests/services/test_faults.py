"""Power cuts while signing: afterwards a review is either signed and sealed, or untouched."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from modelops.attest.verify import VERIFIED, verify_bundle
from modelops.domain.review import ReviewState
from modelops.services import exporting
from modelops.store.failpoints import NAMES
from modelops.store.queries_audit import verify
from modelops.store.tables import AttestationRow, ReviewRow, SignOffRow
from tests import behind
from tests.services.road import sign, submitted

ROOT = Path(__file__).resolve().parent.parent.parent
SIGNER = """
import sys
from datetime import datetime
from pathlib import Path
from modelops.domain.people import Actor, Authentication
from modelops.services.keyring import open_keys
from modelops.store import Store
from modelops.store.queries_people import person_of_login
from tests.services.road import sign
database, blobs, keys, review, login, at = sys.argv[1:]
store, now = Store.open(database, blobs), datetime.fromisoformat(at)
with store.reading() as reader:
    person = person_of_login(reader, login)
actor = Actor(person.id, person.login, person.name, person.roles, Authentication.PASSWORD)
sign(store, int(review), actor, open_keys(Path(keys), store, at=now), now)
"""


@pytest.fixture
def last_signature(store, people, keys, now, tmp_path):
    """Return a review that lacks one signature, and a function that gives it in a process of its own."""
    review = submitted(store, people, now)
    sign(store, review.id, people["reviewer"], keys, now)
    places = [behind.address(store), str(tmp_path / "blobs"), str(tmp_path / "keys")]

    def begin(failpoint: str = "", login: str = "approver") -> subprocess.Popen:
        command = [sys.executable, "-c", SIGNER, *places, str(review.id), login, now.isoformat()]
        environment = {**os.environ, "MODELOPS_FAILPOINT": failpoint, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)

    return review, begin


def state_of(store, review_id: int) -> tuple[ReviewState, int, bool]:
    with store.reading() as reader:
        assert verify(reader) is None
        review = reader.get(ReviewRow, review_id, what="review")
        signatures = len(reader.all(SignOffRow, review_id=review_id))
        return review.state, signatures, reader.find(AttestationRow, review_id) is not None


UNTOUCHED = (ReviewState.SUBMITTED, 1, False)
SEALED = (ReviewState.APPROVED, 2, True)


@pytest.mark.parametrize("name", NAMES)
def test_a_power_cut_at_any_point_leaves_a_review_sealed_or_untouched(store, last_signature, name):
    review, begin = last_signature
    assert begin(name).wait(timeout=120) == -signal.SIGKILL
    assert state_of(store, review.id) == (SEALED if name == "after commit" else UNTOUCHED)


def test_after_a_power_cut_the_signature_can_be_given_again(store, people, keys, now, last_signature, tmp_path):
    review, begin = last_signature
    begin("before commit").wait(timeout=120)
    sign(store, review.id, people["approver"], keys, now)
    path = tmp_path / "record.zip"
    exporting.export_bundle(store, review.id, path, keys=keys, actor=people["auditor"], at=now)
    assert verify_bundle(path, trust=keys.ring.trusted).outcome == VERIFIED


def test_a_kill_at_random_moments_leaves_a_review_sealed_or_untouched(store, last_signature):
    review, begin = last_signature
    for wait in (0.8, 1.2, 1.6, 2.0):
        process = begin()
        try:
            process.wait(timeout=wait)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert state_of(store, review.id) in (UNTOUCHED, SEALED)


def test_of_several_approvers_at_once_exactly_one_gives_the_last_signature(store, last_signature):
    review, begin = last_signature
    racing = [begin(login=login) for login in ("approver", "second_approver") * 2]
    codes = [process.wait(timeout=120) for process in racing]
    assert sorted(codes)[:2] == [0, 1]
    assert state_of(store, review.id) == SEALED
