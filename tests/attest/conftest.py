import pytest

from tests.attest.attest_samples import Installation


@pytest.fixture(scope="session")
def sealed():
    """An installation with one sealed review. It is shared: tests that go on with its trail make their own."""
    return Installation.with_sealed_review()


@pytest.fixture(scope="session")
def exported(sealed, tmp_path_factory):
    """The bundle of that review."""
    return sealed.export(tmp_path_factory.mktemp("bundle") / "review.zip")
