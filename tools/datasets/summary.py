"""What was read of a folder of images and what was not, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

#: Maximum number of files that are named for each reason; the others are counted.
MAX_NAMED = 20


class Left(BaseModel):
    """Files that were left out for one reason, or that a person should look at.

    Attributes:
        count: How many there are.
        names: The first of them, with details.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int = 0
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: list[str]) -> Left:
        """Count all names and keep the first ones."""
        return cls(count=len(names), names=tuple(names[:MAX_NAMED]))


class DataSummary(BaseModel):
    """A folder as it was read.

    Attributes:
        layout: ``classes``: one folder per class; ``clients``: one per client, with class folders;
            ``splits``: ``train``, ``validation`` and ``test``, with class folders.
        read: Number of images that were read.
        classes: Images of each class.
        foreign: Number of hidden files and files of other programs.
        others: Number of files that are no images.
        unsupported: Images in formats that cannot be read here.
        unreadable: Damaged images, dangling links, and images that are in no class folder.
        duplicates: Number of images that are copies of others, exact or nearly so. Copies are never
            distributed over training and test.
        conflicts: Images that are in several classes.
        removed: Training images left out because the folder's own test or validation split has
            them too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    layout: Literal["classes", "clients", "splits"]
    read: int
    classes: dict[str, int]
    foreign: int = 0
    others: int = 0
    unsupported: Left = Left()
    unreadable: Left = Left()
    duplicates: int = 0
    conflicts: Left = Left()
    removed: int = 0

    def lines(self) -> Iterator[str]:
        """Yield the summary as lines of text: what was read, then what needs attention."""
        counts = ", ".join(f"{name} {count}" for name, count in list(self.classes.items())[:12])
        more = f" and {len(self.classes) - 12} more" if len(self.classes) > 12 else ""
        kinds = {"classes": "class folders", "clients": "client folders with class folders",
                 "splits": "its own training and test split"}  # fmt: skip
        yield f"read {_number(self.read, 'image')} from {kinds[self.layout]}: {counts}{more}"
        ignored = [
            f"{_number(count, 'file')} {kind}"
            for count, kind in (
                (self.foreign, "hidden or of other programs"),
                (self.others, "without an image"),
            )
            if count
        ]
        if ignored:
            yield f"left out {' and '.join(ignored)}"
        if self.duplicates:
            copies = "is a copy of another" if self.duplicates == 1 else "are copies of others"
            yield f"{_number(self.duplicates, 'image')} {copies}; copies stay in one split"
        if self.removed:
            yield (
                f"left out {_number(self.removed, 'training image')} that validation or test has "
                "too"
            )
        for thing, reason, left in (
            ("image", "in a format that cannot be read here", self.unsupported),
            ("file", "that cannot be used", self.unreadable),
            ("image", "in several classes", self.conflicts),
        ):
            if left.count:
                hidden = left.count - len(left.names)
                rest = f" and {hidden} more" if hidden else ""
                names = "; ".join(left.names)
                yield f"{_number(left.count, thing)} {reason}: {names}{rest}"


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
