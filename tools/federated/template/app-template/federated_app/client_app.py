"""The client app: trains the global model on its own samples and sends the encoded update."""

from flwr.app import Context, Message
from flwr.clientapp import ClientApp

from edgewright.tools.federated.app.learner import train_round
from edgewright.tools.federated.app.settings import AppSettings
from edgewright.tools.federated.app.strategy import read_instruction, reply_content
from federated_app.task import TASK

app = ClientApp()


@app.train()
def train(message: Message, context: Context) -> Message:
    """Train one round."""
    client = int(context.node_config["partition-id"])
    instruction = read_instruction(message)
    settings = AppSettings.read(context.run_config)
    result = train_round(
        TASK, settings, instruction.arrays, client=client, round_number=instruction.round_number
    )
    return Message(reply_content(result, client), reply_to=message)
