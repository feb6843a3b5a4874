"""Charts of every shape: what they show, in both themes, interactive and static."""

import itertools
import json
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelops.charts import arrangement, figure, figure_and_note, static_png, static_svg
from modelops.charts.palette import DARK, LIGHT, channels, contrast
from modelops.domain.result import Curve, Series, Shape


def curve(shape, *series, **changes):
    fields = {"name": "c", "title": "A title", "x_title": "Across", "y_title": "Up", **changes}
    return Curve(shape=shape, series=series, **fields)


def forest(rows, **changes):
    names = tuple(f"group {k}" for k in range(rows))
    series = Series(name="rate", x=names, y=(0.4,) * rows, low=(0.3,) * rows, high=(0.6,) * rows, size=(1234,) * rows)
    return curve(Shape.FOREST, series, **changes)


def texts(drawn):
    """Return every text of a figure, as the browser gets it."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)
        elif isinstance(value, str):
            found.append(value)

    walk(json.loads(drawn.to_json()))
    return found


LABELS = st.text(max_size=60) | st.sampled_from(["<b>x</b>", "$a_1$", "%{y}", "a\nb", "", "1e5", "&amp;", "\u202eabc"])
NUMBERS = st.floats(-1e6, 1e6) | st.integers(-5, 5)
MAYBE = st.none() | NUMBERS


@st.composite
def any_series(draw, shape, length, named):
    fields = {
        "name": draw(LABELS),
        "x": tuple(draw(LABELS if named else NUMBERS) for _ in range(length)),
        "y": tuple(draw(MAYBE) for _ in range(length)),
    }
    if draw(st.booleans()):
        fields["low"] = tuple(draw(MAYBE) for _ in range(length))
        fields["high"] = tuple(draw(MAYBE) for _ in range(length))
    if draw(st.booleans()):
        fields["size"] = tuple(draw(st.integers(0, 10**7)) for _ in range(length))
    if draw(st.booleans()):
        fields["shade"] = tuple(draw(st.none() | st.floats(0, 1)) for _ in range(length))
    if shape is Shape.BEESWARM:
        fields["x"], fields["y"] = tuple(draw(MAYBE) for _ in range(length)), (fields["name"],) * length
    elif draw(st.integers(0, 5)) == 0:
        fields["part"] = draw(st.sampled_from(["backdrop", "density"]))
    return Series(**fields)


@st.composite
def any_curve(draw):
    shape = draw(st.sampled_from(list(Shape)))
    named = shape in {Shape.FOREST, Shape.HEATMAP} or draw(st.booleans())
    series = [draw(any_series(shape, draw(st.integers(0, 6)), named)) for _ in range(draw(st.integers(0, 3)))]
    reference = draw(st.none() | st.just("diagonal") | st.floats(-10, 10))
    return curve(
        shape, *series, title=draw(LABELS), y_title=draw(LABELS), note=draw(st.none() | LABELS), reference=reference
    )


@given(any_curve(), st.booleans())
@settings(max_examples=80, deadline=None)
def test_every_curve_can_be_drawn(given_curve, dark):
    drawn = figure(given_curve, dark=dark)
    assert 150 <= drawn.layout.height <= 2_000
    for text in texts(drawn):
        assert "<script" not in text
        assert "$" not in text.replace("&#36;", "")


@given(any_curve())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_curve_becomes_an_svg_element(given_curve):
    root = ET.fromstring(static_svg(given_curve))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("role") == "img"


def test_a_page_can_write_title_and_note_itself():
    shown = curve(Shape.LINE, Series(name="a", x=(0, 1), y=(0, 1)), title="T", note="a < b & $c$")
    drawn, note = figure_and_note(shown)
    assert (drawn.layout.title.text, note) == (None, "a < b & $c$")
    whole = figure(shown)
    assert whole.layout.height - drawn.layout.height == whole.layout.margin.t - drawn.layout.margin.t > 0


def test_series_without_names_are_drawn_without_a_legend():
    nameless = Series(name="", x=(0, 1), y=(0, 1))
    assert static_svg(curve(Shape.LINE, nameless, nameless))


def test_a_name_that_begins_with_an_underscore_stands_in_the_legend():
    first, second = (Series(name=name, x=(0, 1), y=(0, 1)) for name in ("_first", "second"))
    assert "_first" in static_svg(curve(Shape.LINE, first, second))


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_has_a_contrast_of_three_to_one_on_its_page(palette):
    colours = [
        *palette.series,
        palette.reference,
        palette.low,
        palette.middle,
        palette.high,
        palette.cold,
        palette.warm,
    ]
    assert min(contrast(colour, palette.page) for colour in colours) >= 3
    assert min(contrast(colour, palette.page) for colour in (palette.text, palette.muted)) >= 4.5


def test_contrast_is_that_of_wcag():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)  # the value of WebAIM's checker


# Machado, Oliveira, Fernandes 2009, severity 1.0: how colours look without red or green cones.
BLIND = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}


@pytest.mark.parametrize("kind", BLIND)
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_the_first_four_colours_differ_for_the_colour_blind(palette, kind):
    seen = [as_seen(colour, BLIND[kind]) for colour in palette.series[:4]]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 20


def as_seen(colour, matrix):
    """Return a colour as CIE L*a*b*: 20 is far beyond a just noticeable difference of about 2.3."""
    linear = np.clip(np.array(matrix) @ (np.array(channels(colour)) / 255) ** 2.2, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear
    xyz = xyz / [0.9505, 1, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_both_themes_show_the_same_points():
    light, dark = figure(forest(3)), figure(forest(3), dark=True)
    assert light.data[0].x == dark.data[0].x
    assert light.data[0].marker.color != dark.data[0].marker.color
    assert light.layout.font.color != dark.layout.font.color


def test_labels_are_never_markup():
    series = Series(name="<i>s</i>", x=("<b>bold</b>", "a & b", "$x^2$", "%{y}"), y=(1.0, 2.0, 3.0, 4.0))
    for shape in (Shape.BARS, Shape.FOREST, Shape.HEATMAP, Shape.LINE):
        drawn = figure(curve(shape, series, series, title="<img src=x onerror=alert(1)>", note="<u>n</u>"))
        for text in texts(drawn):
            own = text.replace("<br>", "").replace("<b>&lt;i&gt;s&lt;/i&gt;</b>", "")
            assert "<" not in own


def test_hovering_tells_the_value_its_interval_and_the_rows():
    assert figure(forest(1)).data[0].hovertext[0] == "group 0<br>0.4 (0.3 to 0.6)<br>n = 1,234"


def test_hovering_tells_which_series_where_there_are_several():
    series = [Series(name=name, x=(1, 2), y=(1.0, 2.0)) for name in ("then", "now")]
    drawn = figure(curve(Shape.LINE, *series))
    assert drawn.data[1].hovertext[0].startswith("<b>now</b>")
    assert drawn.layout.showlegend


def test_a_single_series_needs_no_legend():
    assert not figure(forest(2)).layout.showlegend


def test_long_names_are_shortened_in_the_middle_and_full_on_hovering():
    name = "number_of_late_payments_on_any_account_during_the_last_24_months"
    drawn = figure(curve(Shape.FOREST, Series(name="s", x=(name,), y=(1.0,))))
    (tick,) = drawn.layout.yaxis.ticktext
    assert len(tick) < len(name)
    assert tick.startswith("number_of")
    assert tick.endswith("24_months")
    assert name in drawn.data[0].hovertext[0]


@given(st.text(alphabet="ab _&:", min_size=1, max_size=52))
def test_the_lines_of_a_label_are_short_and_lose_nothing_but_space(label):
    found = arrangement.in_two_lines(label, 27)
    assert "".join(found).replace(" ", "") == label.replace(" ", "")
    assert len(found) <= 2
    assert max(map(len, found)) <= 40


def test_a_long_label_takes_two_lines_and_a_higher_row():
    names = tuple(f"income: under {k}500 & employment_years: under 2" for k in range(9))
    drawn = figure(curve(Shape.FOREST, Series(name="s", x=names, y=(1.0,) * 9)))
    assert drawn.layout.yaxis.ticktext[0] == "income: under 0500<br>&amp; employment_years: under 2"
    assert drawn.layout.height > figure(forest(9)).layout.height


def test_the_title_of_values_beside_rows_wraps_instead_of_running_over_the_edge():
    said = "Target less prediction (above 0: the model says too little)"
    drawn = figure(curve(Shape.FOREST, Series(name="s", x=("a", "b"), y=(1.0, 2.0)), y_title=said))
    (title,) = drawn.layout.annotations
    assert not drawn.layout.xaxis.title.text
    assert title.text.replace("<br>", " ") == said
    assert (title.x, title.xanchor) == (1, "right")
    assert max(map(len, title.text.split("<br>"))) <= 46
    assert drawn.layout.margin.b > figure(forest(2)).layout.margin.b


def test_many_columns_of_a_heat_map_are_named_upright_in_small_letters_with_room_below():
    names = tuple(f"scenario number {k}" for k in range(21))
    few = figure(curve(Shape.HEATMAP, Series(name="r", x=("a", "b"), y=(1.0, 0.5))))
    many = figure(curve(Shape.HEATMAP, Series(name="r", x=names, y=(0.5,) * 21)))
    assert (few.layout.xaxis.tickangle, many.layout.xaxis.tickangle) == (0, -90)
    assert many.layout.xaxis.tickfont.size < few.layout.xaxis.tickfont.size
    assert many.layout.height - few.layout.height > 80


def test_the_bar_of_colours_lies_under_a_heat_map_and_costs_no_width():
    drawn = figure(curve(Shape.HEATMAP, Series(name="r", x=("a", "b"), y=(1.0, 0.5))))
    assert drawn.data[0].colorbar.orientation == "h"
    assert drawn.data[0].colorbar.yref == "container"


def test_names_that_look_alike_when_shortened_keep_rows_of_their_own():
    names = tuple("x" * 30 + f"{k}" + "y" * 30 for k in range(3))
    drawn = figure(curve(Shape.FOREST, Series(name="s", x=names, y=(1.0, 2.0, 3.0))))
    assert drawn.data[0].y == (0, 1, 2)
    assert len(set(drawn.layout.yaxis.ticktext)) == 3


def test_what_was_not_measured_is_said_in_its_row():
    drawn = figure(curve(Shape.FOREST, Series(name="s", x=("a", "b"), y=(None, 1.0))))
    assert ("not measured", 0) in [(a.text, a.y) for a in drawn.layout.annotations]


def test_a_forest_grows_with_its_rows_up_to_a_height_from_which_it_is_dragged():
    heights = [figure(forest(rows)).layout.height for rows in (5, 20, 30, 31, 300)]
    assert heights[0] < heights[1] < heights[2]
    assert heights[3] == heights[4]
    long = figure(forest(300))
    assert long.layout.dragmode == "pan"
    assert tuple(long.layout.yaxis.range) == (29.5, -0.5)
    assert "30 of 300 rows" in long.layout.title.subtitle.text


def test_the_first_label_is_on_top():
    first, last = figure(forest(4)).layout.yaxis.range
    assert first > last


def test_bars_with_long_names_lie_flat_and_those_with_short_ones_stand():
    short = curve(Shape.BARS, Series(name="s", x=("a", "b"), y=(1.0, 2.0)))
    long = curve(Shape.BARS, Series(name="s", x=("a rather long name", "b"), y=(1.0, 2.0)))
    assert figure(short).data[0].orientation == "v"
    assert figure(long).data[0].orientation == "h"
    assert [a.text for a in figure(long).layout.annotations] == ["Up"]


def test_bars_whose_labels_would_touch_side_by_side_on_a_telephone_lie_flat():
    series = Series(name="s", x=("rent", "mortgage", "family", "own"), y=(1.0, 2.0, 3.0, 4.0))
    counted = Series(name="rows", x=series.x, y=(516, 279, 131, 124), part="density")
    assert figure(curve(Shape.BARS, series)).data[0].orientation == "v"
    assert figure(curve(Shape.BARS, series, counted)).data[0].orientation == "h"


def test_error_bars_reach_to_the_ends_of_the_interval():
    drawn = figure(forest(1))
    assert drawn.data[0].error_x.array[0] == pytest.approx(0.2)
    assert drawn.data[0].error_x.arrayminus[0] == pytest.approx(0.1)


def test_a_band_breaks_where_the_interval_is_not_known():
    series = Series(name="s", x=(1, 2, 3, 4), y=(1.0,) * 4, low=(0.0, None, 0.0, 0.0), high=(2.0, None, 2.0, 2.0))
    fills = [trace for trace in figure(curve(Shape.LINE, series)).data if trace.fill]
    assert [trace.x for trace in fills] == [(1,), (3, 4)]


@pytest.mark.parametrize(("shape", "across"), [(Shape.LINE, False), (Shape.FOREST, True), (Shape.BEESWARM, True)])
def test_a_level_is_drawn_across_the_direction_of_the_values(shape, across):
    x, y = ((1.0, 2.0), ("f", "f")) if shape is Shape.BEESWARM else (("a", "b"), (1.0, 2.0))
    (line,) = figure(curve(shape, Series(name="f", x=x, y=y), reference=0.5)).layout.shapes
    assert (line.x0 == line.x1 == 0.5) is across
    assert (line.y0 == line.y1 == 0.5) is not across


def test_a_diagonal_runs_over_both_extents():
    series = Series(name="s", x=(0.0, 2.0), y=(1.0, 5.0))
    (line,) = figure(curve(Shape.SCATTER, series, reference="diagonal")).layout.shapes
    assert (line.x0, line.y0, line.x1, line.y1) == (0, 0, 5, 5)


def test_times_get_an_axis_of_times_and_names_one_of_names():
    times = curve(Shape.LINE, Series(name="s", x=("2026-01-01", "2026-02-01"), y=(1.0, 2.0)))
    names = curve(Shape.LINE, Series(name="s", x=("10", "9"), y=(1.0, 2.0)))
    assert figure(times).layout.xaxis.type == "date"
    assert figure(names).layout.xaxis.ticktext == ("10", "9")
    assert figure(names).data[0].x == (0, 1)


def test_periods_are_named_by_their_first_day_and_whole_on_hovering():
    periods = ("2025-10-01 to 2025-10-02", "2025-10-03 to 2025-10-06")
    drawn = figure(curve(Shape.LINE, Series(name="s", x=periods, y=(1.0, 2.0))))
    assert drawn.layout.xaxis.ticktext == ("2025-10-01", "2025-10-03")
    assert periods[0] in drawn.data[0].hovertext[0]


def test_density_and_backdrop_stay_out_of_the_legend_and_off_the_axis():
    main = [Series(name=name, x=(1, 2, 3), y=(0.1, 0.2, 0.3)) for name in ("average", "local")]
    density = Series(name="rows", x=(1, 2, 3), y=(10, 500, 20), part="density")
    single = Series(name="row", x=(1, 2, 3), y=(0.0, 0.5, 0.1), part="backdrop")
    drawn = figure(curve(Shape.LINE, single, *main, density))
    assert [trace.name for trace in drawn.data if trace.showlegend is not False] == ["average", "local"]
    (bars,) = [trace for trace in drawn.data if trace.type == "bar"]
    assert bars.yaxis == "y2"


def test_rows_behind_each_level_stand_in_its_label():
    levels = Series(name="pd", x=("yes", "no"), y=(0.4, 0.2))
    density = Series(name="rows", x=("yes", "no"), y=(1200, 30), part="density")
    assert figure(curve(Shape.BARS, levels, density)).layout.xaxis.ticktext == ("yes (n = 1,200)", "no (n = 30)")


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ((0.2, 0.7), (0, 1)),
        ((-0.2, 0.7), (-1, 1)),
        ((3.0, 40.0), (0, 40)),
        ((-30.0, 5.0), (-30, 30)),
        ((0.0, 0.0), (0, 1)),
    ],
)
def test_the_scale_of_a_heat_map_starts_at_zero_and_is_even_around_it(values, ends):
    cells = arrangement.cells(curve(Shape.HEATMAP, Series(name="r", x=("a", "b"), y=values)))
    assert (cells.low, cells.high) == ends


def test_cells_are_numbered_readably_and_an_empty_one_says_so():
    drawn = figure(curve(Shape.HEATMAP, Series(name="r", x=("a", "b"), y=(1.0, None))))
    cells = [a for a in drawn.layout.annotations if a.name != "x title"]
    assert [a.text for a in cells] == ["1.00", "n/a"]
    assert cells[0].font.color == "#FFFFFF"


def test_points_of_a_swarm_do_not_cover_each_other_more_than_they_must():
    offsets = arrangement.swarm([0.5] * 9, (0.0, 1.0))
    assert len(set(offsets)) == 9
    assert max(map(abs, offsets)) <= 0.4
    assert arrangement.swarm([0.0, 0.5, 1.0], (0.0, 1.0)) == [0, 0, 0]


def big_curves():
    rng = np.random.default_rng(0)
    x = tuple(np.linspace(0, 1, 500))
    line = [Series(name=f"s{k}", x=x, y=tuple(rng.random(500)), low=(0.0,) * 500, high=(1.0,) * 500) for k in range(4)]
    yield curve(Shape.LINE, *line)
    yield curve(Shape.SCATTER, Series(name="rows", x=tuple(rng.random(5_000)), y=tuple(rng.random(5_000))))
    swarm = [
        Series(name=f"feature_{k}", x=tuple(rng.normal(size=250)), y=("f",) * 250, shade=tuple(rng.random(250)))
        for k in range(10)
    ]
    yield curve(Shape.BEESWARM, *swarm)
    names = tuple(f"some_column_name_{k}" for k in range(40))
    yield curve(Shape.HEATMAP, *(Series(name=name, x=names, y=tuple(rng.random(40))) for name in names))
    yield forest(200)


@pytest.mark.parametrize("big", list(big_curves()), ids=lambda big: big.shape)
def test_static_charts_stay_small(big):
    assert len(static_svg(big)) < 60_000


@pytest.mark.parametrize("shape", [Shape.SCATTER, Shape.BEESWARM])
def test_every_point_of_a_static_chart_is_drawn(shape):
    x = tuple(np.random.default_rng(0).normal(100, 9, 150))
    points = Series(name="rows", x=x, y=tuple(reversed(x)) if shape is Shape.SCATTER else ("f",) * 150)
    assert static_svg(curve(shape, points)).count("h0") == 150


def test_static_charts_of_one_curve_are_the_same_bytes():
    assert static_svg(forest(3)) == static_svg(forest(3))


@pytest.mark.parametrize("big", list(big_curves()), ids=lambda big: big.shape)
def test_every_shape_is_a_picture_without_a_browser(big):
    drawn = static_png(big)
    assert drawn.startswith(b"\x89PNG\r\n\x1a\n")
    # Width and height stand in the first chunk (PNG specification, 11.2.2); 7.2 inches at 200 dots are 1440.
    assert int.from_bytes(drawn[16:20]) == 1440
    assert len(drawn) < 600_000


def test_pictures_of_one_curve_are_the_same_bytes():
    assert static_png(forest(3)) == static_png(forest(3))


def test_static_charts_carry_their_title_for_those_who_listen():
    root = ET.fromstring(static_svg(forest(1, title='Rate of "a" < b & c')))
    assert root.get("aria-label") == 'Rate of "a" < b & c'


def test_static_charts_hold_no_script_and_no_foreign_address():
    svg = static_svg(forest(2, title="<script>alert(1)</script>"))
    assert "<script" not in svg
    assert "http" not in svg.replace("http://www.w3.org/", "")


def test_what_a_static_chart_leaves_out_is_counted():
    from modelops.charts.static import _left_out

    assert _left_out(forest(90)) == "The first 64 of 90 rows."


def test_neither_way_of_drawing_touches_global_settings():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    static_svg(forest(2))
    assert dict(mpl.rcParams) == before


def test_the_room_imports_no_drawing_library_until_it_draws():
    code = "import sys, modelops.charts; print([m for m in ('plotly', 'matplotlib') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def on_a_log_scale():
    return curve(Shape.LINE, Series(name="a", x=(30, 90, 900), y=(0.6, 0.7, 0.9)), x_scale="log")


def test_equal_ratios_are_equal_distances_on_a_log_scale():
    axis = figure(on_a_log_scale()).layout.xaxis
    assert axis.type == "log"
    assert (axis.tickvals, axis.ticktext) == ((50, 100, 200, 500), ("50", "100", "200", "500"))
    # In a picture: of the way from 30 to 900, a factor of 30, the factor of 3 up to 90 takes log 3 / log 30.
    path = next(one for one in static_svg(on_a_log_scale()).split("<path ") if "stroke-width: 1.6" in one)
    first, middle, last = (float(place.split()[0]) for place in path.split('d="M')[1].split('"')[0].split("L"))
    assert (middle - first) / (last - first) == pytest.approx(np.log(3) / np.log(30), abs=0.001)


@pytest.mark.parametrize("x", [(0, 1), ("a", "b"), (-1, 5), (None, 2)])
def test_what_has_no_place_on_a_log_scale_is_refused(x):
    with pytest.raises(ValueError, match="on a log scale every x is a number above 0"):
        curve(Shape.LINE, Series(name="a", x=x, y=(1, 2)), x_scale="log")


def test_a_scale_is_written_only_where_it_is_not_linear():
    assert "x_scale" not in curve(Shape.LINE, Series(name="a", x=(1,), y=(1,))).model_dump_json()
    assert '"x_scale":"log"' in on_a_log_scale().model_dump_json()


def far_out(reference=None):
    """A hundred points between 0 and 10, and one at 1,000."""
    points = Series(name="rows", x=tuple(k / 10 for k in range(101)), y=(*(k / 10 for k in range(100)), 1000.0))
    return drawn_of(Shape.SCATTER, points, reference=reference)


def drawn_of(shape, *series, reference=None):
    return Curve(name="c", title="C", shape=shape, x_title="x", y_title="y", series=tuple(series), reference=reference)


def test_a_point_far_out_does_not_squash_the_others_and_is_counted():
    figure, note = figure_and_note(far_out())
    assert figure.layout.yaxis.range[1] < 20
    assert note == "1 of 101 points lies beyond the edges. Double-click the chart to see all."
    assert "1 of 101 points lies beyond the edges." in static_svg(far_out())


def test_points_that_are_spread_are_all_shown():
    figure, note = figure_and_note(drawn_of(Shape.SCATTER, Series(name="rows", x=tuple(range(50)), y=tuple(range(50)))))
    assert figure.layout.yaxis.range is None
    assert note == ""


def test_the_diagonal_does_not_stretch_the_axis_that_is_not_far_out():
    shape = figure(far_out("diagonal")).layout.shapes[0]
    assert (shape.x0, shape.x1) == (0, 10)


def test_an_interval_of_a_tiny_group_does_not_squash_the_others():
    names = tuple(f"group {k}" for k in range(30))
    rates = Series(
        name="rate",
        x=names,
        y=(0.5,) * 28 + (0.6, 0.6),
        low=(0.45,) * 28 + (-9.0, -8.0),
        high=(0.55,) * 28 + (9.0, 8.0),
    )
    drawn, note = figure_and_note(drawn_of(Shape.FOREST, rates))
    low, high = drawn.layout.xaxis.range
    assert 0.3 < low < 0.45
    assert 0.6 < high < 0.8
    assert "2 of 30 intervals reach beyond the edges." in note


def test_estimates_that_are_all_alike_stand_in_the_middle_of_a_short_axis():
    same = Series(name="accuracy", x=("seed 0", "seed 1"), y=(0.5, 0.5))
    assert figure(drawn_of(Shape.FOREST, same)).layout.xaxis.range == pytest.approx((0.446, 0.554))
