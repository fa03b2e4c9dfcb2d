"""The learning task: the functions of the four code slots."""

from edgewright.tools.federated.app.learner import LearningTask
from federated_app.slots.augmentation import augment
from federated_app.slots.model import build_model
from federated_app.slots.optimiser import build_optimiser
from federated_app.slots.schedule import learning_rate

TASK = LearningTask(
    build_model=build_model,
    augment=augment,
    build_optimiser=build_optimiser,
    learning_rate=learning_rate,
)
