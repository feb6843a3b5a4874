"""Signing, sealing and proving: keys, envelopes, the audit trail's Merkle tree, checkpoints and bundles.

`keys` holds the Ed25519 key in a file of its own and the list of public keys. `dsse` signs bytes, `statement` seals the
statement of a review. `merkle` and `checkpoint` fix the audit trail; `bundle` writes everything to one zip that anybody
can verify offline. What judges is apart: `verifier`, which uses nothing of this project and travels in every bundle.
"""
