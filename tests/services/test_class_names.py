"""A version whose file numbers its classes is given their names once, for every run."""

import pytest

from modelops.domain.columns import ColumnRoles, Task
from modelops.domain.inventory import DatasetRole
from modelops.errors import InvalidInput
from modelops.services import inventory, runs
from modelops.store.tables import VersionRow
from tests import model_files
from tests.services.road import opened


@pytest.fixture
def register(store, people, now, tmp_path):
    opened(store, people, now)
    path = model_files.train("lightgbm", tmp_path, model_files.applicants()).path

    def act(classes):
        with store.blobs.stage() as staged:
            staged.add(path.read_bytes())
            return inventory.register_version(
                store, 1, actor=people["author"], at=now, label="2.0", artifact=staged, classes=classes
            )

    return act


def test_a_run_is_asked_with_the_names_that_the_version_was_given(register, store, people, now):
    version = register("kept, lost")
    assert version.summary["classes"] == ["0", "1"]
    assert version.summary["class_names"] == ["kept", "lost"]
    who = {"actor": people["author"], "at": now}
    with store.blobs.stage() as staged:
        staged.add(b"age,income,debt,outcome\n50,40,3,kept\n30,20,9,lost\n")
        given = {"name": "test", "role": DatasetRole.TEST, "file_name": "test.csv"}
        data = inventory.add_dataset(store, 1, **who, staged=staged, **given)
    roles = ColumnRoles(features=model_files.FEATURES, target="outcome")
    inventory.correct_columns(store, data.id, **who, roles=roles, task=Task.CLASSIFICATION, positive="lost")
    run = runs.request_run(store, "performance", **who, data_id=data.id, version_id=version.id)
    assert run.request["classes"] == {"model": ["kept", "lost"]}


@pytest.mark.parametrize("classes", ["kept", "kept, kept", "kept,,lost", "a,b,c"])
def test_names_that_do_not_fit_keep_nothing(register, store, classes):
    with pytest.raises(InvalidInput):
        register(classes)
    with store.reading() as reader:
        assert reader.first(VersionRow, label="2.0") is None
