"""The client app: trains the global model on its own samples and sends the encoded update."""

from flwr.app import Context, Message
from flwr.clientapp import ClientApp

from edgewright.tools.federated.app.learner import train_round
from edgewright.tools.federated.app.messages import read_instruction, reply_content
from edgewright.tools.federated.app.settings import AppSettings
from federated_app.task import TASK

app = ClientApp()


@app.train()
def train(message: Message, context: Context) -> Message:
    """Train one round."""
    client = int(context.node_config["partition-id"])
    settings = AppSettings.read(context.run_config)
    result = train_round(TASK, settings, read_instruction(message), client=client)
    return Message(reply_content(result, client), reply_to=message)
