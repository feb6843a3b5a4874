"""HTTP: the door in front of Streamlit, the pages for logging in, single sign-on, and the API.

`door` assembles routes and middleware for the server; `gate` lets nobody through who has not logged in; `endpoint`
turns a plain function into a route of ``/api/v1``; `routes` lists them all.
"""
