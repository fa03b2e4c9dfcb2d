"""The client: trains the global model on its own samples and sends the coded update."""

from flwr.app import Context, Message
from flwr.clientapp import ClientApp

from edgewright.tools.federated.app.learner import train_round
from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.app.strategy import read_order, reply_content
from federated_app.task import TASK

app = ClientApp()


@app.train()
def train(message: Message, context: Context) -> Message:
    """Train one round."""
    client = int(context.node_config["partition-id"])
    order = read_order(message)
    settings = AppSettings.read(context.run_config)
    result = train_round(
        TASK, settings, order.arrays, client=client, round_number=order.round_number
    )
    return Message(reply_content(result, client), reply_to=message)
