"""An analysis process that asks the model for its scores of a table."""

import pandas as pd

from modelops.sandbox.model_client import ModelClient


def main(channel):
    frame = channel.receive()
    model = ModelClient(channel.peer())
    channel.send({"kind": "scores"}, [model.scores(pd.read_csv(channel.input(frame.text("file"))))])
