"""A worker that compiles one function with numba's cache."""


def main(channel):
    channel.receive()
    from sandbox_compiled import total

    total(1.0)
    hits = sum(total.stats.cache_hits.values())
    channel.send({"kind": "compiled", "hits": hits})
