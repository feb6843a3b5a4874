"""The front door: the server with its routes, or, inside a running page, the way to the page that was asked for.

Streamlit runs this file again for every page; the server imports it once. Which of the two it is, the script context
says.
"""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

if get_script_run_ctx(suppress_warning=True) is not None:
    from modelops.ui import navigation

    navigation.show()
else:
    from pathlib import Path

    from streamlit.runtime.pages_manager import PagesManager

    from modelops.api.door import build_door
    from modelops.settings import settings
    from modelops.store.opened import opened
    from modelops.ui.frame import show_unexpected

    # Otherwise Streamlit would serve every file below pages/ by its own address, past this file.
    PagesManager.uses_pages_directory = False
    _door = build_door(opened(settings()), settings(), index=Path(st.__file__).parent / "static" / "index.html")
    app = st.App(
        __file__,
        routes=_door.routes,
        middleware=_door.middleware,
        lifespan=_door.lifespan,
        on_script_error=show_unexpected,
    )
