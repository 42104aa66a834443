import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommenders.text import READ_CHARACTERS, text_of, words

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A light tent for two TENTS", {"light": 1, "tent": 2, "two": 1}),
        ("The and with your", {}),
        ("Boots, shoes & a dress on the canvas bus: tennis", ["boot", "shoe", "dress", "canvas", "bus", "tennis"]),
        ("Straße straße STRASSE", {"strasse": 3}),
        ("Größe, żółw, Ελλάδα, Москва", ["grösse", "żółw", "ελλάδα", "москва"]),
        ("cafe\u0301 café", {"café": 2}),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("登山用テント", ["登山", "山用", "用テ", "テン", "ント"]),
        ("don't re-use 4x4 gear2go", ["don", "4x4", "gear2go"]),
        ("snake_case", ["snake", "case"]),
        ("x" * 31, {}),
        ("x" * 30, {"x" * 30: 1}),
        ("", {}),
    ],
)  # fmt: skip
def test_words_are_counted_without_case_plural_and_stop_words(text, expected):
    assert words(text) == (expected if isinstance(expected, dict) else dict.fromkeys(expected, 1))


def test_only_the_beginning_of_a_very_long_text_is_read():
    assert words("tent " * READ_CHARACTERS) == {"tent": READ_CHARACTERS // 5}


@given(st.text())
def test_words_are_words_whatever_the_text(text):
    for word, count in words(text).items():
        assert count > 0
        assert 2 <= len(word) <= 30
        assert not set(word) & set(" .,!?_-/<>")


@given(json_values)
def test_any_json_document_has_a_text(data):
    assert len(text_of(data)) <= READ_CHARACTERS + 1


def test_the_text_of_a_document_is_what_people_read():
    document = {
        "id": "hero",
        "headline": "Sleep under the stars",
        "body": "<p>Our <b class='big'>lightest</b> tent &amp; poles. See https://example.com/tents</p>",
        "image": "/img/tent-2x.jpg",
        "photo": "tent.webp",
        "imageUrl": "tent image",
        "text_color": "red",
        "background": "#ffcc00",
        "sku": "ABC",
        "asset": "9f1c6e0a-3c2b-4c9e-8a55-0d2f9e1c7b10",
        "from": "2026-12-01T00:00:00Z",
        "mail": "hello@example.com",
        "price": 129.5,
        "sale": True,
        "note": None,
        "points": ["Packs small", {"label": "Ultralight"}],
        "valid": "all winter",
    }
    assert " ".join(text_of(document).split()) == (
        "Sleep under the stars Our lightest tent & poles. See Packs small Ultralight all winter"
    )


def test_a_sentence_may_hold_what_alone_would_be_for_machines():
    assert text_of(["Open 24/7", "Winter 2026_27", "Was < 100 now > 50"]) == (
        "Open 24/7\nWinter 2026_27\nWas < 100 now > 50"
    )


def test_what_is_nested_too_deeply_is_not_read():
    document = "deep"
    for _ in range(5_000):
        document = [document]
    assert text_of(document) == ""


def test_reading_stops_after_enough_characters():
    assert len(text_of(["tent " * 1_000] * 1_000)) <= READ_CHARACTERS + 10


@pytest.mark.parametrize(
    "hostile",
    ["<" * 250_000, "/" * 250_000 + " x", "1" * 250_000, "1 " * 125_000, "a1" * 3 + "b" * 250_000, "<a " * 80_000,
     "http://" * 40_000, "&" * 250_000, "_" * 250_000, "A" * 250_000, "\u0301" * 250_000],
)  # fmt: skip
def test_no_text_takes_long_to_read(hostile):
    started = time.process_time()
    words(text_of({"body": hostile, hostile[:2_000]: "x"}))
    assert time.process_time() - started < 0.5
