import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content_blocks.rendering import MAX_OUTPUT, TemplateProblem, compile_template


def html(source: str, data: Any = None, **facts: Any) -> str:
    return compile_template(source).render(data or {}, facts)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<h1>{{ data.title }}</h1>", "<h1>Tents &amp; more</h1>"),
        ('<a href="{{ data.url }}">', '<a href="/?a=1&amp;b=&#34;">'),
        ("{{ data.missing }}{{ data.deep.er.still[3] }}", ""),
        ("{{ data.none }}|{{ data.yes }}|{{ data.list }}", "|true|[&#34;a&#34;,&#34;b&#34;]"),
        (
            "{% for x in data.list %}{{ loop.index }}{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}",
            "1a, 2b",
        ),
        ("{% for x in data.missing %}{{ x }}{% else %}none{% endfor %}", "none"),
        ("{% for k, v in data.pairs %}{{ k }}={{ v }};{% endfor %}", "a=1;b=2;"),
        ("{% for x in data.list if x != 'a' %}{{ x }}{% endfor %}", "b"),
        ("{% if data.price > 9 and 'a' in data.list %}dear{% elif data.price %}cheap{% endif %}", "dear"),
        ("{% if data.price in (1, 9.5) %}yes{% endif %}{{ 'x' if data.yes else 'y' }}", "yesx"),
        ("{{ data.price|fixed }} {{ data.price|fixed(0) }} {{ data.missing|fixed }}", "9.50 10 "),
        ("{{ data.list|join(', ') }} {{ data.list|length }} {{ data.list[:1] }}", "a, b 2 [&#34;a&#34;]"),
        ("{{ data.missing|default('none')|upper }}", "NONE"),
        ("{{ data.items }} {{ data['keys'] }}", "a field called items a field called keys"),
        ("{% for x in data.list %}{{ 'odd' if loop.index is odd else 'even' }} {% endfor %}", "odd even "),
        ("{# a note #}{% raw %}{{ raw }}{% endraw %}", "{{ raw }}"),
    ],
)
def test_a_template_makes_html_of_data(source: str, expected: str) -> None:
    data = {
        "title": "Tents & more", "url": '/?a=1&b="', "none": None, "yes": True, "list": ["a", "b"], "price": 9.5,
        "pairs": [["a", 1], ["b", 2]], "items": "a field called items", "keys": "a field called keys",
    }  # fmt: skip
    assert html(source, data) == expected


def test_a_template_may_read_facts_and_is_contextual_then() -> None:
    template = compile_template("{{ data.title }} in {{ geo.city }}{% if 'vip' in segments %}!{% endif %}")
    facts = {"geo": {"city": "Oslo"}, "segments": ["vip"], "other": 1}
    assert template.render({"title": "Tents"}, facts) == "Tents in Oslo!"
    assert template.contextual


def test_a_template_of_data_alone_is_not_contextual() -> None:
    assert not compile_template("{% for x in data.list %}{{ x }}{{ loop.index }}{% endfor %}").contextual


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("\n\n{{ foo }}", "line 3: no name 'foo'"),
        ("{{ data.x }", "line 1: unexpected '}'"),
        ("\n{% if %}", "line 2: Expected an expression"),
        ("{% for x in data.l %}", "line 1: Unexpected end of template"),
        ("{{ data.x|shout }}", "line 1: no filter 'shout'"),
        ("{{ data.x is awake }}", "line 1: no test 'awake'"),
        ("x" * 20_001, "is longer than 20 KB"),
    ],
)
def test_a_template_that_cannot_be_read_says_where(source: str, says: str) -> None:
    with pytest.raises(TemplateProblem, match=re.escape(says)):
        compile_template(source)


def test_a_problem_carries_its_line() -> None:
    with pytest.raises(TemplateProblem) as problem:
        compile_template("\n{{ range(3) }}")
    assert (problem.value.line, problem.value.message[:21]) == (2, "calls are not allowed")


@pytest.mark.parametrize(
    "source",
    [
        "{{ range(10**9) }}",
        "{% for x in range(10) %}{% endfor %}",
        "{{ 'a' * 10**9 }}",
        "{{ 10 ** 9 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ data.a + data.a }}",
        "{{ data.a ~ data.a }}",
        "{{ 'a'.join(data.l) }}",
        "{{ '{0.__class__}'.format(data) }}",
        "{{ data.x|attr('__class__') }}",
        "{{ '%999999999d'|format(1) }}",
        "{{ 'x'|center(999999999) }}",
        "{{ data.x|safe }}",
        "{{ data.l|join(data.big) }}",
        "{{ data.l|map('upper') }}",
        "{{ data.x|default(value=1) }}",
        "{{ data.x|looped(-999) }}",
        "{{ self }}",
        "{{ loop }}",
        "{% for x in data.l %}{{ loop.cycle }}{% endfor %}",
        "{% for x in data.l %}{{ loop.__class__ }}{% endfor %}",
        "{% for x in data.l recursive %}{% endfor %}",
        "{% for a in data.l %}{% for b in a %}{% for c in b %}{% endfor %}{% endfor %}{% endfor %}",
        "{% macro m() %}{% endmacro %}",
        "{% call m() %}{% endcall %}",
        "{% set x = data.x %}",
        "{% set x %}{% endset %}",
        "{% with x = 1 %}{% endwith %}",
        "{% include 'x' %}",
        "{% import 'x' as x %}",
        "{% extends 'x' %}",
        "{% block x %}{% endblock %}",
        "{% filter upper %}x{% endfilter %}",
        "{% autoescape false %}{{ data.x }}{% endautoescape %}",
        "{{ {'a': 1} }}",
        "{{ " + "9" * 5_000 + " }}",
        "{{ " + "(" * 5_000 + " }}",
        "{{ data" + ".a" * 9_000 + " }}",
        "{{ data" + "[0]" * 100 + " }}",
        "{{ data.x" + "|upper" * 3_000 + " }}",
    ],
)
def test_what_could_escape_or_hang_is_refused_when_it_is_compiled(source: str) -> None:
    with pytest.raises(TemplateProblem):
        compile_template(source)


MANY = [1] * 100_000
BIG = "x" * 250_000


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in data.many %}{% for b in data.many %}{% endfor %}{% endfor %}",
        "{% for a in data.many %}{{ a }}{% endfor %}",
        "{% for a in data.few %}{{ data.big|upper|length }}{% endfor %}",
        "{% for a in data.few %}{% if data.many == data.many %}{% endif %}{% endfor %}",
        "{% for a in data.few %}{% if 2 in data.many %}{% endif %}{% endfor %}",
        "{% for a in data.few %}{% if data.big < data.big %}{% endif %}{% endfor %}",
        "{{ data.big }}" * 100,
        "{{ data.many|join('1234567890') }}",
        "{{ data.amps }}",
        "{% for a in data.big %}{% endfor %}",
    ],
)
def test_what_takes_too_long_or_grows_too_large_is_stopped(source: str) -> None:
    template = compile_template(source)
    with pytest.raises(TemplateProblem):
        template.render({"many": MANY, "big": BIG, "few": [1] * 1_000, "amps": "&" * 100_000}, {})


@pytest.mark.parametrize(
    "source", ["{{ ''.__class__ }}", "{{ data['__class__'].__mro__ }}", "{{ data.get }}"]
)
def test_there_are_fields_and_no_attributes(source: str) -> None:
    assert html(source) == ""


@pytest.mark.parametrize("test", ["odd", "even"])
def test_a_test_does_not_format_texts(test: str) -> None:
    assert html("{% if data.x is " + test + " %}yes{% endif %}", {"x": "%999999999d"}) == ""


@pytest.mark.parametrize("source", ["{{ data.x|fixed }}", "{{ data.x < 3 }}", "{{ data.y|length }}"])
def test_data_that_does_not_suit_the_template_is_a_problem(source: str) -> None:
    with pytest.raises(TemplateProblem, match="cannot be rendered with this data"):
        html(source, {"x": "text", "y": 5})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from("abx"), inner, max_size=3),
    max_leaves=20,
)
PIECES = (
    "{{ data.a }}", "{{ data.b.x|upper }}", "{% for x in data.a %}", "{{ x.b }}", "{% endfor %}", "{% if data.b %}",
    "{% else %}", "{% endif %}", "{{ data.a|join(',') }}", "{{ data.a[0] == data.b }}", "<p>", "{{ geo.x|fixed }}",
)  # fmt: skip
sources = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


@given(sources, st.dictionaries(st.sampled_from("abx"), json_values), json_values)
@settings(max_examples=150)
def test_rendering_gives_bounded_html_or_a_problem_and_nothing_else(source: str, data: Any, geo: Any) -> None:
    with suppress(TemplateProblem):
        assert len(html(source, data, geo=geo)) <= MAX_OUTPUT


@given(st.text())
@settings(max_examples=100)
def test_no_text_leaves_its_place_in_the_html(text: str) -> None:
    assert not set(html("{{ data.x }}", {"x": text})) & set("<>\"'")
