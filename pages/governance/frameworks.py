"""Which clauses of which framework the checklist serves: a reading, not legal advice."""

import streamlit as st

from modelops.domain.crosswalk import NOTE, SIGN_OFF, load_framework
from modelops.domain.people import Right
from modelops.services import catalogue
from modelops.settings import DATA
from modelops.ui import frame, widgets
from modelops.ui.text import plain

page = frame.open_page("Frameworks", needs=Right.READ)
widgets.heading("Frameworks", lead=f"What the areas of the checklist answer to. {NOTE}")
frameworks = [load_framework(path.read_text(encoding="utf-8")) for path in sorted((DATA / "crosswalks").glob("*.yaml"))]
with page.store.reading() as reader:
    template = catalogue.template(reader, catalogue.latest(reader)[0].digest)
titles = {section.id: section.title for area in template.areas for section in area.sections}
titles |= {area.id: area.title for area in template.areas} | {SIGN_OFF: "Sign-off"}
chosen = st.segmented_control(
    "Framework",
    [framework.id for framework in frameworks],
    default=frameworks[0].id,
    format_func={framework.id: framework.title for framework in frameworks}.__getitem__,
    key="framework",
    bind="query-params",
    required=True,
)
framework = next(each for each in frameworks if each.id == chosen)
st.info(plain(framework.status), icon=":material/info:")
named = framework.titles
for reading in framework.readings:
    with st.container(border=True, gap="small"):
        st.markdown(f"**{plain(titles.get(reading.section, reading.section))}**")
        if reading.no_clause:
            st.markdown(plain(reading.no_clause))
            if reading.nearest:
                st.caption(plain(f"Nearest: {', '.join(reading.nearest)}"))
        else:
            st.markdown(plain("; ".join(f"{c} {named[c]}" if named[c] else c for c in reading.clauses)))
if framework.unserved:
    with st.expander(f"Clauses that no question answers to ({len(framework.unserved):d})"):
        st.markdown(plain("; ".join(f"{clause.id} {clause.title or ''}".strip() for clause in framework.unserved)))
