"""A worker that opens one file after the other and says what became of each. A real one opens one and ends."""

from modelops.errors import ModelOpsError
from modelops.sandbox import tables
from modelops.sandbox.detect import FileKind
from modelops.sandbox.model_process import open_model


def main(channel):
    while True:
        frame = channel.receive()
        channel.send({"kind": "outcome", "message": _outcome(channel, frame)})


def _outcome(channel, frame):
    try:
        model = open_model(channel.input(frame.text("file")), FileKind(frame.text("format")))
        rows = tables.decode(frame)
        model.predict(rows.iloc[:, : len(model.summary.features)].set_axis(list(model.summary.features), axis=1))
    except (ModelOpsError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"
    return ""
