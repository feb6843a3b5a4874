"""Tables: formats, limits, schema, column roles.

Everything here runs inside the sandboxed analysis process; the web process and the job runner never parse a table.
`modelops.datasets.opening.open_table` opens a file, `modelops.datasets.roles.guess_roles` and
`modelops.datasets.summary.summarise` say what is in it. This module itself imports nothing heavy.
"""

from modelops.datasets.limits import TableFormat, TableLimits

__all__ = ["TableFormat", "TableLimits"]
