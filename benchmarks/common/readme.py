"""Puts the generated tables into README, so that no figure there is typed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

BEGIN, END = "<!-- results -->\n", "<!-- /results -->"
#: Headline of each benchmark, in the order of README.
TITLES = {
    "planner": "Planning: task accuracy and latency",
    "split-elpv": "Co-inference, bytes against accuracy: EfficientNet-Lite0 on solar cells (ELPV)",
    "split-fashion-vit": "Co-inference, bytes against accuracy: ViT on Fashion-MNIST",
    "split-easy-vqa-questions": "Co-inference, bytes against accuracy: BLIP that answers questions",
    "split-easy-vqa-captions": "Co-inference, bytes against CIDEr: BLIP that writes captions",
    "accuracy-retention": "Accuracy retention of EfficientNet-Lite0 under each encoding",
    "split-photographs": "Co-inference, bytes against unchanged labels: photographs",
    "split-photographs-early": "The same, cut earlier",
    "latency": "End-to-end latency against the link's rate",
    "latency-replay": "The offloading policy against an oracle, on a recorded trace",
    "queueing": "Response times of a busy edge server, measured and modelled",
    "federated-fashion-mnist": "Federated training on Fashion-MNIST: the agent against searches",
    "federated-digits": "Federated training on digits: the agent against searches",
    "federated-problems": "Sixteen worded problems, each beside plain FedAvg",
    "runtime": "What a node adds to a request: the tail route without a model, against an echo",
}
#: Their tables have a line for each quality of each coding; README shows them on demand.
_FOLDED = ("split-", "accuracy-retention")


def tables(folder: Path) -> str:
    """Return the section with all tables.

    Args:
        folder: Where the benchmarks left their results.
    """
    parts: list[str] = []
    for name, title in TITLES.items():
        raw = folder / f"{name}.json"
        if not raw.is_file():
            continue
        where = json.loads(raw.read_text("utf-8"))["circumstances"]
        content = (
            f"{(folder / f'{name}.md').read_text('utf-8')}\n"
            f"{where['processor']}, {where['cores']} cores; "
            f"[raw figures](docs/results/{name}.json), [plot](docs/results/{name}.png)\n"
        )
        if name.startswith(_FOLDED):
            parts.append(f"<details><summary><b>{title}</b></summary>\n\n{content}</details>\n")
        else:
            parts.append(f"**{title}**\n\n{content}")
    return "\n".join(parts)


def with_tables(readme: str, section: str) -> str:
    """Return README with its section replaced.

    Args:
        readme: Text of README, with both marks.
        section: What is to stand between them.
    """
    head, rest = readme.split(BEGIN)
    _, tail = rest.split(END)
    return f"{head}{BEGIN}{section}{END}{tail}"


def main() -> int:
    """Rewrite README in the working folder.

    Returns:
        0.
    """
    readme = Path("README.md")
    text = readme.read_text("utf-8")
    readme.write_text(with_tables(text, tables(Path("docs/results"))), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
