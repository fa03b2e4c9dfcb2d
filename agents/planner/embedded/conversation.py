"""The images of a conversation, and which of them a mention means."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from edgewright.agents.planner.embedded.grammar.described import parts_of
from edgewright.agents.planner.embedded.grammar.references import Mention
from edgewright.agents.planner.embedded.grammar.told import introduced
from edgewright.agents.planner.embedded.history import asked_about, topics
from edgewright.agents.planner.embedded.ordering import (
    Images,
    MissingImageError,
    absent,
    beside,
    few,
    inside,
    no_image,
    of_parity,
    own_numbers,
    regular,
)
from edgewright.agents.planner.request import PlanRequest, Turn
from edgewright.tools.contracts.images import ImageRef


def name_of(image: ImageRef) -> str:
    """Return the name of an image, with its folder where that is known."""
    return f"{image.folder}/{image.name}".lstrip("/")


def latest_turn(request: PlanRequest) -> Turn | None:
    """Return the latest turn with a plan: what "the same again" refers to."""
    return next((turn for turn in reversed(request.history) if turn.tasks), None)


class Conversation:
    """The images that a request can refer to.

    Args:
        request: The request, with the earlier turns.

    Attributes:
        seen: All images of the conversation, in order.
        focus: What "it" means: the attached images, or those of the latest turn.
        barred: Images that the request leaves out of all that it asks of several images.
        turns: The earlier turns.
        pointed: The images that the latest name or position means, even of images left out.
        labels: All numbers by which the request names images.
        problems: What to say of positions that do not exist beside others that do.
        batch: What positions are counted in: images that came together, or else all of them.
    """

    def __init__(self, request: PlanRequest) -> None:
        self.seen: Images = request.seen
        self.focus = request.subject
        together = request.images or next(
            (turn.images for turn in reversed(request.history) if turn.images), ()
        )
        self.batch = together if len(together) > 1 else self.seen
        self.attached = request.images
        self.latest = latest_turn(request)
        self.turns = request.history
        self.barred: Images = ()
        self.pointed: Images = ()
        self.problems: list[str] = []
        self.labels: tuple[int, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the images, in order, with the folder where one is known."""
        return [name_of(image) for image in self.seen]

    @cached_property
    def presented(self) -> list[frozenset[str]]:
        """What the person said of each image on sending it alone: "here's the chapel"."""
        said: dict[str, frozenset[str]] = {
            turn.images[0].uri: introduced(turn.request)
            for turn in self.turns
            if len(turn.images) == 1
        }
        return [said.get(image.uri, frozenset()) for image in self.seen]

    @cached_property
    def topics(self) -> list[frozenset[str]]:
        """Stems of the words with which something was asked of each image before."""
        return topics(self.turns, self.seen)

    def bar(self, images: Images) -> None:
        """Leave images out of all that is asked of several images."""
        self.barred += images
        self.focus = self._allowed(self.focus)

    def _allowed(self, images: Images) -> Images:
        """Return images without those that are barred, unless all of them are."""
        return tuple(image for image in images if image not in self.barred) or images

    def resolve(
        self, found: Sequence[Mention], aside: Sequence[ImageRef] = (), latest: Images = ()
    ) -> Images:
        """Return the images that the mentions of a clause mean together.

        Args:
            found: The mentions, at least one.
            aside: Images that the request mentioned before, which "the others" are not.
            latest: Images of the clause before, which "both" can mean.

        Raises:
            MissingImageError: There is no such image.
        """
        included: list[ImageRef] = []
        excluded: list[ImageRef] = []
        for mention in found:
            if mention.kind == "again":
                included.extend(() if included else latest)
                continue
            images = self._meant(mention, [*aside, *included], latest)
            if mention.shift and mention.kind not in ("beyond", "previous"):
                images = self._shifted(images, mention.shift)
            (excluded if mention.excluded else included).extend(images)
            if mention.kind in ("name", "position", "others", "previous", "next"):
                self.pointed = images
            if mention.excluded and mention.kind in ("both", "all", "them") and len(found) > 1:
                excluded = []  # "not both, only b.png"
        chosen = included or list(self._allowed(self.batch))
        return tuple(image for image in dict.fromkeys(chosen) if image not in excluded)

    def _meant(self, mention: Mention, aside: Sequence[ImageRef], latest: Images) -> Images:
        among = self.seen if mention.ever else self.batch
        match mention.kind:
            case "name":
                return self._named(mention)
            case "position" | "head" | "tail" | "half":
                return self._ordered(mention, among)
            case "others" | "every_other" | "regular" | "previous" | "next":
                return self._relative(mention, among, aside)
            case "done" | "that" | "here" | "turn" | "batch":
                return self._spoken_of(mention)
            case "both" | "all" | "them":
                return self._together(mention, among, aside, latest)
            case _:
                return self._by_place(mention, among, aside, latest)

    def _ordered(self, mention: Mention, among: Images) -> Images:
        """Return images by their order: at positions, the first or last so many, or a half."""
        count = mention.numbers[0] if mention.numbers else 0
        match mention.kind:
            case "head":
                return self._counted(among, count)
            case "tail":
                return self._counted(among, -count)
            case "half":
                return self._counted(among, count * (len(among) // 2))
            case _:
                return self._at(mention, among)

    def _spoken_of(self, mention: Mention) -> Images:
        """Return images by the turn with which they came, or by what was asked of them."""
        match mention.kind:
            case "done":
                return asked_about(mention.topic, self.turns, self.seen) or self.focus
            case "that":
                return self.pointed or self.focus
            case "turn":
                return self._of_turn(*mention.numbers[:1])
            case "batch":
                return self._of_batch(*mention.numbers)
            case _:
                return self.focus

    def _together(
        self, mention: Mention, among: Images, aside: Sequence[ImageRef], latest: Images
    ) -> Images:
        """Return both images, those just spoken of, or all of them."""
        if mention.kind == "both":
            return self._pair(latest, aside)
        if mention.kind == "them" and len(latest) > 1:
            return latest
        return self._all(among, ever=mention.ever)

    def _by_place(
        self, mention: Mention, among: Images, aside: Sequence[ImageRef], latest: Images
    ) -> Images:
        """Return images by their place: between others, beside one, at an end or in the middle."""
        if mention.kind in ("inner", "outer", "middle"):
            count = mention.numbers[0] if mention.numbers else 0
            return inside(mention.kind, among, count, [*aside, *latest])
        if not mention.of:
            return beside(mention.kind, among, latest)
        ends = [each for one in mention.of for each in self._meant(one, aside, latest)]
        among = among if set(ends) <= set(among) else self.seen
        places = sorted(among.index(each) for each in ends)
        first, last = (places[0], places[-1]) if places else (0, 0)
        if mention.kind == "beyond":
            return among[:first] if mention.shift < 0 else among[last + 1 :]
        if mention.kind == "around":
            return (*among[max(first - 1, 0) : first], *among[last + 1 : last + 2])
        found = among[first + 1 : last]
        if not found:
            raise MissingImageError("There is no image between these.")
        return found

    def _named(self, mention: Mention) -> Images:
        if not mention.numbers:
            here = ", ".join(image.name or "unnamed" for image in self.seen[-5:])
            raise MissingImageError(f"No image has that name; here are {here}.")
        named = tuple(self.seen[n] for n in mention.numbers)
        near = parts_of(name_of(self.pointed[0])) if len(self.pointed) == 1 else frozenset()
        if len(named) < 2 or not mention.single or not near:
            return named
        # "The before picture of the hall. How many lamps in the after?"
        shared = [len(near & parts_of(name_of(image))) for image in named]
        best = [image for image, count in zip(named, shared, strict=True) if count == max(shared)]
        return tuple(best) if len(best) == 1 else named

    def _all(self, among: Images, *, ever: bool) -> Images:
        """Return all images but those that are barred."""
        alone = len(self.attached) == 1 and not ever
        return self.focus if alone else self._allowed(among)

    def _at(self, mention: Mention, among: Images) -> Images:
        """Return the images at positions."""
        if mention.labelled and (named := self._numbered(mention.numbers)):
            return named
        there = [number for number in mention.numbers if 0 < abs(number) <= len(among)]
        if missing := [number for number in mention.numbers if number not in there]:
            if len(among) < 2 and mention.labelled:
                return self.focus  # with one image, a number is the person's own label for it
            problem = absent(missing[0], len(among))
            if not there:
                raise MissingImageError(problem)
            self.problems.append(problem)
        return tuple(among[number - 1 if number > 0 else number] for number in there)

    def _numbered(self, numbers: Sequence[int]) -> Images:
        """Return the images whose names have numbers of their own, if all of these are there."""
        known = own_numbers(self.seen)
        if any(number not in known for number in self.labels):
            return ()  # one of the numbers is no name's: all of them are positions
        exact = [image for number in numbers for image in known.get(number, ())]
        if len(exact) == len(numbers):
            return tuple(exact)
        ends = [i for n in numbers for k, same in known.items() if k % 100 == n for i in same]
        beyond = any(number > len(self.batch) for number in numbers)
        return tuple(ends) if beyond and len(ends) == len(numbers) else ()

    @staticmethod
    def _counted(among: Images, count: int) -> Images:
        """Return the first images, or the last if the count is negative."""
        if 0 < len(among) < abs(count):
            raise MissingImageError(few(len(among)))
        return among[:count] if count > 0 else among[count:]

    def _shifted(self, images: Images, distance: int) -> Images:
        """Return the images at a distance from others."""
        among = self.batch if set(images) <= set(self.batch) else self.seen
        positions = [among.index(image) + distance for image in images]
        if not all(0 <= position < len(among) for position in positions):
            where = "after" if distance > 0 else "before"
            raise MissingImageError(f"There is no image {where} {images[-1].name or 'that one'}.")
        return tuple(among[position] for position in positions)

    def _of_batch(self, number: int, position: int) -> Images:
        """Return the images that came with one message, or one of them."""
        together = [turn.images for turn in self.turns if turn.images]
        if self.attached:
            together.append(self.attached)
        index = number - 1 if number > 0 else len(together) + number
        if not 0 <= index < len(together):
            raise MissingImageError(few(len(self.seen)))
        batch = together[index]
        if not position:
            return batch
        if abs(position) > len(batch):
            raise MissingImageError(absent(position, len(batch)))
        return (batch[position - 1 if position > 0 else position],)

    def _of_turn(self, count: int = 1) -> Images:
        """Return the images of the turn that is so many before this one."""
        if count > len(self.turns):
            raise MissingImageError(few(len(self.seen)))
        turn = self.turns[-count]
        uris = {value for task in turn.tasks for value in task.args.values()}
        about = tuple(image for image in self.seen if image.uri in uris)
        return turn.images or about or self.focus

    def _pair(self, latest: Images, aside: Sequence[ImageRef]) -> Images:
        """Return two images: those spoken of or of the turn before, or the only or latest two."""
        for images in (latest, tuple(dict.fromkeys(aside)), self.focus, self.batch):
            if len(images) == 2:
                return images
        return self.batch[-2:] if len(self.batch) > 1 else self.seen[-2:]

    def _others(self, aside: Sequence[ImageRef]) -> Images:
        """Return the images that neither the request nor the turn before was about."""
        known = list(aside) or list(self.focus if len(self.focus) < len(self.batch) else ())
        others = tuple(image for image in self.batch if image not in known)
        others = others or tuple(image for image in self.seen if image not in known)
        if not others or len(others) == len(self.seen):
            raise MissingImageError("There is no other image; attach it, or give its name.")
        return others

    def _relative(self, mention: Mention, among: Images, aside: Sequence[ImageRef]) -> Images:
        """Return the images that are meant by those spoken of, or by their distance."""
        count = mention.numbers[0] if mention.numbers else 1
        match mention.kind:
            case "others":
                return self._others(aside)
            case "every_other":
                return self._every_other(among, aside)
            case "regular":
                return of_parity(among, mention) or regular(among, *mention.numbers)
            case "next":
                return self._after(count, aside)
            case _ if mention.shift and self.pointed:
                return self._shifted(self.pointed, mention.shift)
            case _:
                return self._before(count)

    def _every_other(self, among: Images, aside: Sequence[ImageRef]) -> Images:
        """Return all images but those spoken of, or else every second one, from the first."""
        spoken_of = aside or (not self.attached and len(self.focus) < len(self.batch))
        return self._others(aside) if spoken_of else regular(among, 1, 2)

    def _before(self, count: int) -> Images:
        """Return images before those in focus."""
        position = min((self.seen.index(image) for image in self.focus), default=0)
        if len(self.seen) == count == 1:
            return self.seen  # there is no other that it could mean
        if position < count:
            raise MissingImageError(f"There {no_image(count)} before this one.")
        return self.seen[position - count : position]

    def _after(self, count: int, aside: Sequence[ImageRef]) -> Images:
        """Return the images after the one spoken of; those that came with the request are next."""
        if self.attached and not aside:
            return self.focus
        spoken_of = aside[-1:] or self.focus
        position = max((self.seen.index(image) for image in spoken_of), default=-1) + 1
        if position + count > len(self.seen):
            raise MissingImageError(f"There {no_image(count)} after this one.")
        return self.seen[position : position + count]
