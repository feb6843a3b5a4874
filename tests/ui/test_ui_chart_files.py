"""One chart as a file: every point in the table, the drawing on a page of its own."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree as ET

from modelops.domain.result import Curve, Series, Shape
from modelops.ui.chart_files import CHART_FILES, file_name, points_file, svg_file


def curve(rows: int = 200) -> Curve:
    names = tuple(f"feature {row} with a name that is rather long, and says so at length" for row in range(rows))
    values = tuple(float(row) for row in range(rows))
    series = Series(name="rate", x=names, y=values, low=values, high=values, size=(7,) * rows)
    return Curve(name="c", title="Rate by feature", shape=Shape.FOREST, x_title="f", y_title="r", series=(series,))


def test_the_points_are_whole_where_the_picture_leaves_rows_out():
    rows = list(csv.reader(io.StringIO(points_file(curve()).decode("utf-8-sig"))))
    assert len(rows) == 201
    assert rows[200][4:] == [curve().series[0].x[199], "199.0", "199.0", "199.0", "7"]


def test_the_drawing_is_a_file_of_its_own_with_a_white_page():
    root = ET.fromstring(svg_file(curve(3)).decode())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "#fff" in root.attrib["style"]


def test_every_kind_of_file_is_made_without_a_browser():
    assert [file.ending for file in CHART_FILES] == ["png", "svg", "csv"]
    assert all(len(file.make(curve(3))) > 200 for file in CHART_FILES)


def test_a_file_name_holds_nothing_that_a_file_system_refuses():
    wild = curve(1).model_copy(update={"title": '../a\\b: "c" <d> | 日本 ?*'})
    assert file_name(wild, "csv") == "a-b-c-d-日本.csv"
