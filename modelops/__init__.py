"""The map of the house.

Rooms, in the order in which they may be imported (a test holds to it)::

    errors, settings     the error tree; every setting, read once
    domain               rules and records: checklist, readiness, review, policy, audit, attestation
    treeshap             exact Shapley values of trees, from arrays alone
    datasets             reading tables: formats, limits, column roles
    analyses             data in, measurements out; `analyses.registry.ANALYSES` declares them all
    charts               a `Curve` in, a picture out
    attest               keys, signatures, the Merkle log, bundles and their verifier
    store                tables, transactions with their audit entries, files by digest, migrations
    sandbox              the only room that touches the bytes of an uploaded file
    evaluation           model + data + analysis -> result, in two sandboxed processes
    reports              what people take away
    services             one function for each human act
    jobs                 the runner that works off the queue
    demo                 the example workspace
    api, ui              HTTP routes; what the pages share
    serve, cli           one command, one address; the command line

One path through: a page or a route hands a file to `services.inventory`, which has the sandbox look at it and writes
row and audit entry in one transaction. `services.runs` queues an analysis; `jobs.runner` claims it and lets
`evaluation` compute it; the policy judges the result, and it is stored by its digest. People answer
(`services.answers`), attach it (`services.evidence`), submit (`services.reviews`) and sign (`services.signing`). The
last signature seals one statement (`services.sealing`, `attest`), `services.exporting` hands it out, and
`services.gating` opens the gate for exactly these bytes.
"""
