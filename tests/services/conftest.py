"""The signing key of a test's own store."""

import pytest

from modelops.services.keyring import open_keys


@pytest.fixture
def keys(store, tmp_path, now):
    return open_keys(tmp_path / "keys", store, at=now)
