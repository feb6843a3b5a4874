"""The signing key of a test's own store."""

import shutil

import pytest

from modelops.attest.keys import create_key
from modelops.services.keyring import open_keys


@pytest.fixture(scope="session")
def key_file(tmp_path_factory):
    """A signing key, made once: stores that were signed alike are then alike."""
    path = tmp_path_factory.mktemp("key") / "signing_key.pem"
    create_key(path)
    return path


@pytest.fixture
def keys(store, key_file, tmp_path, now):
    (tmp_path / "keys").mkdir(mode=0o700)
    shutil.copy(key_file, tmp_path / "keys")
    return open_keys(tmp_path / "keys", store, at=now)
