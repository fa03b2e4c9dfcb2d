"""Holds a conversation of thirty turns about six images and writes it to the documentation.

Run ``make transcript``. Each turn names the tasks that a careful person would expect; the script
ends with an error if the planner reads one differently.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import skimage.data

from edgewright.agents.planner.plan import Plan
from edgewright.graphs.assistant.session import open_session
from edgewright.tools.images.files import resolve_image

PAGE = Path("docs/explanation/conversation.md")
#: The person's names for six images that come with scikit-image.
IMAGES = {
    "cat.png": "chelsea.png",
    "cup.png": "coffee.png",
    "launch.jpg": "rocket.jpg",
    "garage.png": "motorcycle_left.png",
    "portrait.png": "astronaut.png",
    "moon.png": "moon.png",
}
_CARDS = {
    "C": "image-classification",
    "T": "image-to-text",
    "V": "visual-question-answering",
}
#: Request, images attached to it, and the expected tasks as "C:cat.png"; "?" marks a condition.
TURNS: tuple[tuple[str, str, str], ...] = (
    ("What is this?", "cat.png", "C:cat.png"),
    ("And this one?", "cup.png", "C:cup.png"),
    ("Is there a dog in it?", "", "V:cup.png"),
    ("And a cat?", "", "V:cup.png"),
    ("And in the first picture?", "", "V:cat.png"),
    ("Are you sure?", "", "V:cat.png"),
    ("Describe both.", "", "T:cat.png T:cup.png"),
    ("Here are two more. Classify the second one.", "launch.jpg garage.png", "C:garage.png"),
    ("What about the other one?", "", "C:launch.jpg"),
    ("Don't classify it, just describe it.", "", "T:launch.jpg"),
    ("Now the same for garage.png.", "", "T:garage.png"),
    ("Is there a motorcycle in it?", "", "V:garage.png"),
    ("If so, describe the cup.", "", "V:garage.png T:cup.png?"),
    (
        "Classify all the pictures I sent except the last one.",
        "",
        "C:cat.png C:cup.png C:launch.jpg",
    ),
    ("Please don't describe this picture.", "portrait.png", ""),
    ("Is there a person in it? If not, classify it.", "", "V:portrait.png C:portrait.png?"),
    ("Classify it unless there is a car in it.", "", "V:portrait.png C:portrait.png?"),
    ("Which of the first two shows a cat?", "", "V:cat.png V:cup.png"),
    ("- describe it\n- is there a moon?", "moon.png", "T:moon.png V:moon.png"),
    ("once more please", "", "T:moon.png V:moon.png"),
    (
        "I need a caption and a class label for the previous one.",
        "",
        "T:portrait.png C:portrait.png",
    ),
    ("Describe the ninth picture.", "", ""),
    ("Turn off the lamp and describe the launch picture.", "", "T:launch.jpg"),
    ("wht is in teh cup pitcure?", "", "T:cup.png"),
    ("Is there a cat in cat.png, and is there a cup in cup.png?", "", "V:cat.png V:cup.png"),
    ("Was ist auf dem Bild zu sehen?", "", ""),
    ("Skip the caption; is there a rocket in launch.jpg?", "", "V:launch.jpg"),
    (
        "If there is a dog in cat.png, classify it, otherwise describe it.",
        "",
        "V:cat.png C:cat.png? T:cat.png?",
    ),
    ("No, I meant the cup.", "", "V:cup.png C:cup.png? T:cup.png?"),
    ("Thanks, that's all!", "", ""),
)
_HEAD = """\
<!-- Written by make transcript. -->
# A conversation

Thirty turns about six images, held with the embedded planner and the default experts. Lines in
italics show what was planned: the card and image of each task, and `if` for one that depends on an
earlier answer.
[Planning](planning.md) explains how requests are read.
"""


def steps(plan: Plan, names: dict[str, str]) -> list[str]:
    """Return the steps of a plan in the form of ``TURNS``."""
    letters = {card: letter for letter, card in _CARDS.items()}
    return [
        f"{letters.get(task.tool, task.tool)}:{names.get(task.args.get('image', ''), '')}"
        f"{'?' if task.when else ''}"
        for task in plan.tasks
    ]


async def hold(folder: Path) -> list[str]:
    """Hold the conversation and return the lines of the page."""
    for name, packaged in IMAGES.items():
        shutil.copy(Path(skimage.data.__file__).parent / packaged, folder / name)
    lines: list[str] = []
    async with open_session(threads=folder / "threads.sqlite") as session:
        images = {name: resolve_image(folder / name, session.services.images) for name in IMAGES}
        names = {image.uri: name for name, image in images.items()}
        for number, (text, attached, expected) in enumerate(TURNS, start=1):
            reply = await session.ask(text, images=[images[name] for name in attached.split()])
            planned = steps(reply.plan, names)
            if planned != expected.split():
                sys.exit(f"turn {number}, {text!r}: planned {planned}, not {expected.split()}")
            lines += _shown(number, text, attached.split(), reply.plan, names, reply.answer)
    return lines


def _shown(
    number: int, text: str, attached: Iterable[str], plan: Plan, names: dict[str, str], answer: str
) -> list[str]:
    """Return one turn in Markdown."""
    sent = "".join(f" `{name}`" for name in attached)
    tasks = ", ".join(
        f"{task.tool} of {names.get(task.args.get('image', ''), 'no image')}"
        f"{' if ' + ', '.join(dict.fromkeys(task.checks)) if task.when else ''}"
        for task in plan.tasks
    )
    quoted = [f"> {line}" for line in text.splitlines()]
    return [
        f"\n**{number}.**{sent}\n",
        "\n".join(quoted),
        f"\n*{tasks or 'nothing'}*\n",
        "\\\n".join(answer.splitlines()),
    ]


def main() -> None:
    """Hold the conversation in a folder of its own and write the page."""
    with TemporaryDirectory() as folder:
        lines = asyncio.run(hold(Path(folder)))
    PAGE.write_text("\n".join([_HEAD, *lines]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
