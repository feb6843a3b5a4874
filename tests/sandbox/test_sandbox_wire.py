"""Frames: what goes in comes out, and whatever else arrives is refused at once."""

import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from modelops.errors import WorkerFailed
from modelops.sandbox import wire
from modelops.sandbox.wire import BadFrame, EndOfStream, read_frame, write_frame

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
headers = st.dictionaries(st.text(max_size=12).filter(lambda name: name != "buffers"), plain, max_size=5)
shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)
arrays = st.one_of(hnp.arrays(kind, shapes) for kind in (np.float64, np.int64, np.uint8))


def written(header, buffers=()):
    stream = io.BytesIO()
    write_frame(stream.write, header, buffers)
    return stream.getvalue()


def read(content, **options):
    return read_frame(io.BytesIO(content).readinto, **options)


def framed(text, rest=b""):
    return len(text).to_bytes(8, "little") + text + rest


@given(headers, st.lists(arrays, max_size=4))
def test_a_frame_comes_back_as_it_was_written(header, buffers):
    try:
        content = written(header, buffers)
    except UnicodeEncodeError:
        return
    frame = read(content)
    assert json.dumps(frame.header) == json.dumps(header)
    assert len(frame.buffers) == len(buffers)
    for got, sent in zip(frame.buffers, buffers, strict=True):
        assert (got.dtype, got.shape, got.tobytes()) == (sent.dtype, sent.shape, sent.tobytes())


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_nothing_else_happens(content):
    try:
        frame = read(content)
    except (BadFrame, EndOfStream):
        return
    assert isinstance(frame.header, dict)


@given(st.binary(max_size=120))
def test_garbage_behind_a_right_length_is_refused_and_nothing_else_happens(text):
    try:
        frame = read(framed(text))
    except BadFrame:
        return
    assert isinstance(frame.header, dict)


@given(st.data())
def test_a_frame_that_is_cut_off_anywhere_is_refused(data):
    content = written({"kind": "x", "list": [1, 2]}, [np.arange(6.0).reshape(2, 3), b"abc"])
    place = data.draw(st.integers(1, len(content) - 1))
    with pytest.raises(BadFrame):
        read(content[:place])


@given(st.data())
def test_a_changed_byte_never_does_more_than_change_or_refuse_the_frame(data):
    content = bytearray(written({"kind": "x"}, [np.arange(6.0)]))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    try:
        read(bytes(content))
    except BadFrame:
        return


def test_the_end_between_two_frames_is_no_error_of_the_frame():
    with pytest.raises(EndOfStream):
        read(b"")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": Infinity}', "not valid JSON"),
        (b'{"a": 1e999}', "not valid JSON"),
        (b'{"base": 1' + b"0" * 400 + b"}", "not valid JSON"),
        (b'{"a": 1, "a": 2}', "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b'{"a": "\\ud800"}', "half of a character"),
        (b'{"\\ud800": 1}', "half of a character"),
        (b'{"a": ' + b"[" * 30 + b"]" * 30 + b"}", "nested deeper"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not valid JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"[]", "not an object"),
        (b'"text"', "not an object"),
        (b'{"buffers": {}}', "as a list"),
        (b'{"buffers": [1]}', "type and shape"),
        (b'{"buffers": [{"type": "float64"}]}', "type and shape"),
        (b'{"buffers": [{"type": "object", "shape": [1]}]}', "unknown type"),
        (b'{"buffers": [{"type": ["float64"], "shape": [1]}]}', "unknown type"),
        (b'{"buffers": [{"type": "float64", "shape": [1, 1, 1, 1]}]}', "unknown type"),
        (b'{"buffers": [{"type": "float64", "shape": [-1]}]}', "impossible size"),
        (b'{"buffers": [{"type": "float64", "shape": [true]}]}', "impossible size"),
        (b'{"buffers": [{"type": "float64", "shape": [1.0]}]}', "impossible size"),
        (b'{"buffers": [{"type": "uint8", "shape": [99999999999999999999]}]}', "impossible size"),
        (b'{"buffers": [{"type": "float64", "shape": [536870912, 536870912]}]}', "the limit is"),
    ],
)
def test_a_bad_header_is_refused_with_the_reason(text, reason):
    with pytest.raises(BadFrame, match=reason):
        read(framed(text))


def test_a_header_longer_than_allowed_is_refused_before_it_is_read():
    with pytest.raises(BadFrame, match="announced a header"):
        read((wire.MAX_HEADER + 1).to_bytes(8, "little"))


def test_memory_grows_with_what_arrives_and_not_with_what_was_announced():
    asked = []

    def source(into):
        asked.append(len(into))
        return stream.readinto(into)

    stream = io.BytesIO(framed(b'{"buffers": [{"type": "uint8", "shape": [400000000]}]}', b"x" * 100))
    with pytest.raises(BadFrame, match="cut off"):
        read_frame(source)
    assert max(asked) <= 1 << 20


def test_more_than_the_receiver_allows_is_refused():
    with pytest.raises(BadFrame, match="announced 80 bytes, the limit is 79"):
        read(written({}, [np.zeros(10)]), max_bytes=79)


def test_too_much_is_not_sent():
    with pytest.raises(WorkerFailed, match="Fewer rows"):
        written({"text": "x" * (wire.MAX_HEADER + 1)})


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([None]), np.array([1j]), np.array([2**63], np.uint64)])
def test_only_numbers_are_sent(array):
    with pytest.raises(TypeError, match="cannot be sent"):
        written({}, [array])


def test_narrow_numbers_are_sent_as_wide_ones():
    frame = read(written({}, [np.array([1, 2], np.int8), np.array([0.5], np.float32), np.array([True])]))
    assert [buffer.dtype.name for buffer in frame.buffers] == ["int64", "float64", "uint8"]
