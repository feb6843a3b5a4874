"""A worker that does on demand what a hostile or broken one might."""

import os
import signal
import sys
import threading
import time


def main(channel):
    frame = channel.receive()
    DO[frame.kind](channel, frame)


def answer_late(channel, frame):
    time.sleep(frame.header["seconds"])
    channel.send({"kind": "late"})


def allocate(channel, frame):
    held = [b"x" * (1 << 20) for _ in range(int(frame.header["mebibytes"]))]
    channel.send({"kind": "held", "count": len(held)})
    time.sleep(60)


def flood_log(channel, frame):
    while True:
        sys.stdout.write("x" * 65536)


def flood_frames(channel, frame):
    while True:
        channel.send({"kind": "more"}, [bytes(1 << 20)])


def raw(channel, frame):
    content = bytes(frame.buffers[0])
    while content:
        content = content[channel._sink.write(content) :]
    channel._sink.close()


def fork(channel, frame):
    try:
        child = os.fork()
    except OSError as error:
        channel.send({"kind": "no", "why": type(error).__name__})
    else:
        if child:
            channel.send({"kind": "forked"})


def threads(channel, frame):
    for _ in range(500):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    time.sleep(60)


def fill_scratch(channel, frame):
    for index in range(100):
        (channel.scratch / str(index)).write_bytes(bytes(4 << 20))
    time.sleep(60)


def make_mess(channel, frame):
    deep = channel.scratch
    for _ in range(50):
        deep = deep / "deep"
        deep.mkdir(mode=0o300)
    (deep / "file").write_bytes(b"x")
    channel.send({"kind": "done"})


def dig(channel, frame):
    for _ in range(int(frame.header["levels"])):
        os.mkdir("down", 0o300)  # noqa: PTH102 - relative on purpose: the path grows beyond what a path may be
        os.chdir("down")
    channel.send({"kind": "done"})


def read_only(channel, frame):
    path = channel.input(frame.text("file"))
    found = path.read_bytes()
    try:
        path.write_bytes(b"changed")
    except OSError:
        channel.send({"kind": "kept"}, [found])
    else:
        channel.send({"kind": "changed"})


def environment(channel, frame):
    channel.send({"kind": "environment", "names": sorted(os.environ), "arguments": sys.argv[1:2]})


def spin(channel, frame):
    channel.send({"kind": "spinning", "pid": os.getpid()})
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        pass


def crash(channel, frame):
    os.kill(os.getpid(), int(frame.header["signal"]))
    time.sleep(60)


def leave(channel, frame):
    os._exit(int(frame.header["code"]))


def unexpected(channel, frame):
    raise ZeroDivisionError("secret /etc/shadow")


def refuse(channel, frame):
    from modelops.errors import RefusedFile

    raise RefusedFile(frame.text("message"))


def talk(channel, frame):
    peer = channel.peer()
    peer.send({"kind": "hello", "from": frame.text("name")})
    channel.send({"kind": "heard", "text": peer.receive().text("from")})


def listen(channel, frame):
    peer = channel.peer()
    peer.receive()


def libraries(channel, frame):
    import numba
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import scipy.stats
    import sklearn.ensemble

    @numba.njit(parallel=True)
    def total(values):
        found = 0.0
        for index in numba.prange(len(values)):
            found += values[index]
        return found

    values = np.arange(1000.0)
    sklearn.ensemble.HistGradientBoostingRegressor(max_iter=2).fit(values[:, None], values)
    sums = [
        total(values),
        float(pa.compute.sum(pa.array(values)).as_py()) if hasattr(pa, "compute") else float(values.sum()),
        float(pd.Series(values).sum()),
        float(scipy.stats.ks_2samp(values, values).pvalue) * float(values.sum()),
    ]
    channel.send({"kind": "sums"}, [np.array(sums)])


DO = {name: thing for name, thing in globals().items() if callable(thing) and name != "main"}
