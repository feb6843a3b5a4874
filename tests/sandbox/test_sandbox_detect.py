"""Good files are accepted for what they are, whatever they are called."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from modelops.errors import InvalidInput
from modelops.sandbox.detect import FileKind, detect
from modelops.sandbox.messages import one_line, shown_name, without_paths
from modelops.sandbox.refusals import is_pickle
from tests.sandbox import sandbox_models as made

TABLE = pd.DataFrame({"city": ["Oslo", "Ålesund", None], "income": [1.5, np.nan, 3.0], "n": [1, 2, 3]})


def kind_of(content, folder, name="upload.bin"):
    path = folder / "upload"
    path.write_bytes(content)
    return detect(path, name=name)


def kind_or_reason(path):
    try:
        return detect(path, name="the upload")
    except InvalidInput as error:
        return str(error)


@pytest.mark.parametrize(
    ("train", "options", "expected"),
    [
        (made.xgboost, {}, FileKind.XGBOOST_JSON),
        (made.xgboost, {"suffix": "ubj"}, FileKind.XGBOOST_UBJ),
        (made.lightgbm, {}, FileKind.LIGHTGBM),
        (made.catboost, {}, FileKind.CATBOOST),
    ],
)
def test_boosters_are_known_by_content(train, options, expected, tmp_path):
    case = train(tmp_path, "binary", missing=False, text=False, **options)
    assert kind_of(case.path.read_bytes(), tmp_path) is expected
    assert expected.is_model


def test_skops_is_known_by_content_packed_or_not(tmp_path):
    import zipfile

    from skops.io import dumps

    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert kind_of(dumps(model, compression=method), tmp_path) is FileKind.SKOPS


def test_onnx_is_known_by_content(tmp_path):
    case = made.onnx(tmp_path, LogisticRegression(), "binary")
    assert kind_of(case.path.read_bytes(), tmp_path) is FileKind.ONNX


def test_xgboost_json_with_spaces_is_known(tmp_path):
    assert kind_of(b'{\n  "version": [3, 2, 0],\n  "learner": {}}', tmp_path) is FileKind.XGBOOST_JSON


def test_tables_are_known_by_content(tmp_path):
    parquet, workbook = io.BytesIO(), io.BytesIO()
    TABLE.to_parquet(parquet)
    TABLE.to_excel(workbook, index=False)
    lines = TABLE.to_json(orient="records", lines=True).encode()
    assert kind_of(parquet.getvalue(), tmp_path) is FileKind.PARQUET
    assert kind_of(workbook.getvalue(), tmp_path) is FileKind.XLSX
    assert kind_of(lines, tmp_path) is FileKind.JSONL
    assert not FileKind.JSONL.is_model


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "iso-8859-15"]
)
def test_csv_of_any_encoding_is_text(encoding, tmp_path):
    assert kind_of(TABLE.to_csv(index=False).encode(encoding), tmp_path) is FileKind.CSV


@pytest.mark.parametrize(
    "text",
    [
        "customer_id,age\n1,2\n",
        "city\nnew\nold\n",
        "id\nabc\ndef\n",
        "col\n1.\n2.\n",
        "N\n1\n",
        "tree\nbirch\noak\n",
        "x^2,y\n1,2\n",
        "learner,score\na,1\n",
        "a\tb\n1\t2\n",
        "a;b\n1,5;2\n",
        "BZ,h\n1,2\n",
        '"quoted","<b>"\n1,2\n',
        "---,b\n1,2\n",
    ],
)
def test_tables_that_look_a_little_like_something_else_are_tables(text, tmp_path):
    assert kind_of(text.encode(), tmp_path) is FileKind.CSV


def test_a_record_with_a_learner_is_a_table(tmp_path):
    assert kind_of(b'{"learner": "tom", "score": 1}\n{"learner": "ann", "score": 2}\n', tmp_path) is FileKind.JSONL


@given(st.binary(max_size=300))
def test_any_bytes_get_a_kind_or_a_reason(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    assert isinstance(kind_or_reason(path), FileKind) or kind_or_reason(path).startswith("the upload ")


@given(
    st.binary(max_size=200),
    st.sampled_from([b"PK\x03\x04", b"\x08\x07\x12", b"PAR1", b"{L", b"CBM1", b"tree\nversion=v4", b"\x80\x04"]),
)
def test_any_bytes_behind_a_known_beginning_get_a_kind_or_a_reason(tmp_path_factory, content, start):
    path = tmp_path_factory.getbasetemp() / "begun"
    path.write_bytes(start + content)
    assert isinstance(kind_or_reason(path), FileKind) or kind_or_reason(path).startswith("the upload ")


def test_the_name_is_only_shown(tmp_path):
    with pytest.raises(InvalidInput) as caught:
        kind_of(b"\x80\x04.", tmp_path, name="../../etc/\x1b[31m\u202egnp.csv\x00")
    assert str(caught.value).startswith("[31mgnp.csv is a Python pickle")
    assert "skops.io.dump" in str(caught.value)


@given(st.text(max_size=400))
def test_a_shown_name_is_short_printable_and_no_path(name):
    shown = shown_name(name)
    assert shown
    assert len(shown) <= 150
    assert shown.isprintable()
    assert "/" not in shown
    assert "\\" not in shown


@given(st.text(max_size=3000))
def test_a_shown_line_is_one_printable_line(text):
    line = one_line(text)
    assert len(line) <= 600
    assert line.isprintable()
    assert line == one_line(line)


def test_paths_of_this_machine_are_not_shown():
    told = without_paths(r"cannot open /srv/app/x.bin and C:\data\x.bin, see 'https://example.org/a/b'; 1/2 is fine")
    assert "srv" not in told
    assert "data" not in told
    assert "1/2 is fine" in told


@given(st.binary(max_size=400))
def test_looking_for_a_pickle_never_fails(content):
    assert is_pickle(content) in (True, False)
