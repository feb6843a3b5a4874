"""The store: tables, transactions with their audit entries, queries, files by digest, migrations.

SQLModel is used here and nowhere else. Services open a `Transaction`, pages and the API a `Reader`.
"""

from modelops.store.blobs import Blobs
from modelops.store.store import Store
from modelops.store.transaction import Reader, Transaction

__all__ = ["Blobs", "Reader", "Store", "Transaction"]
