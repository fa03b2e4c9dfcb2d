from __future__ import annotations

import pytest

from edgewright.agents.fl_coder.constraints.data_words import (
    means_digits,
    other_than_images,
    read_data,
)


@pytest.mark.parametrize(
    ("text", "source", "clients"),
    [
        ("ten clinics each have photos of handwritten digits", "digits", 10),
        ("train on Fashion-MNIST with 5 clients", "fashion-mnist", 5),
        ("train a model on /data/parts for our 12 small factories", "/data/parts", 12),
        ("use 'my pictures/of parts' please", "my pictures/of parts", None),
        ("digits from ./scans.npz", "./scans.npz", None),
        ("the file scans.npz holds them", "scans.npz", None),
        ("cats and/or dogs", "", None),
        ("a model that tells ripe from unripe tomatoes", "", None),
        ("0 clients", "", None),
    ],
)
def test_data_and_owners_are_read(text, source, clients):
    found = read_data(text)
    assert (found.source, found.clients) == (source, clients)


@pytest.mark.parametrize(
    "text",
    [
        "Classify diseases of maize leaves; losses are in double digits",
        "Photos of maize leaves from farms with a six-digit number each",
        "sort photos of parts by their shape; each has a 5-digit serial number",
        "tell ripe from unripe; the check digit of a crate does not matter",
        "a model for x-rays of broken digits of the hand",
        "classify pictures of birds, not digits",
        "Do the same as for the digits, with pictures of maize leaves",
        "predict double-digit growth",
        "recognise leaves, unlike the digits of last time",
        "a model that is right to three digits of accuracy",
        "our digital cameras hold photos of garments",
    ],
)
def test_digits_that_are_only_mentioned_are_not_trained_on(text):
    assert not means_digits(text)
    assert read_data(text).source == ""


@pytest.mark.parametrize(
    "text",
    [
        "recognise digits", "a digit classifier, please", "digits with a privacy budget of 5",
        "eight schools scan the digits their pupils write",
        "tell the ten handwritten digits apart",
        "we want handwritten digits on cheques read in our 33 branches",
        "pictures of electricity meters, and we would like the digits on them read",
        "train a digit reader across them",
    ],
)  # fmt: skip
def test_digits_that_are_meant_are(text):
    assert read_data(text).source == "digits"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Predict next month's sales from our spreadsheets", "figures in tables"),
        ("our shops keep their turnover in Excel; forecast it", "figures in tables"),
        ("sort customers' e-mails into complaints and praise", "texts"),
        ("recognise machine noises", "sounds"),
        ("find falls in videos", "videos"),
        ("photos of sales shelves in our shops", ""),
        ("classify mushrooms", ""),
    ],
)
def test_data_that_are_no_images_are_recognised(text, kind):
    assert other_than_images(text) == kind
