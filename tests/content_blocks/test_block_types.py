import pytest

from content_blocks.block_types import BlockType, InvalidBlockType, compile_block_type

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["headline"],
    "properties": {
        "headline": {"type": "string", "maxLength": 10},
        "price": {"type": "number", "minimum": 0},
        "tone": {"enum": ["warm", "cold"]},
        "links": {"type": "array", "items": {"$ref": "#/$defs/link"}},
    },
    "$defs": {"link": {"type": "object", "required": ["href"], "properties": {"href": {"format": "uri"}}}},
}


def hero(**changes: object) -> BlockType:
    return compile_block_type({"name": "Hero", "schema": SCHEMA, **changes})


def refusal(schema: object, **changes: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidBlockType) as refused:
        hero(schema=schema, **changes)
    return refused.value.problems


def with_property(schema: object) -> dict[str, object]:
    return {"type": "object", "properties": {"a": schema}}


def test_data_that_fits_has_no_problems() -> None:
    data = {"headline": "Welcome", "price": 3, "tone": "warm", "links": [{"href": "https://example.com/"}]}
    assert hero().problems(data) == []


def test_every_problem_is_named_with_its_place_in_a_sentence() -> None:
    data = {
        "headlin": "x",
        "price": -1,
        "tone": "loud",
        "links": [{"href": "https://a.b/"}, {"href": "no"}, {}, 3],
    }
    assert sorted(hero().problems(data)) == [
        ("", "has an unknown field 'headlin'; did you mean 'headline'?"),
        ("", "lacks the field 'headline'"),
        ("/links/1/href", "must be a whole URL, such as https://example.com/"),
        ("/links/2", "lacks the field 'href'"),
        ("/links/3", "must be an object"),
        ("/price", "must be at least 0"),
        ("/tone", 'must be one of "warm", "cold"'),
    ]


def test_pointers_escape_what_json_pointers_escape() -> None:
    block_type = hero(schema={"type": "object", "properties": {"a/b~c": {"type": "string"}}})
    assert block_type.problems({"a/b~c": 1}) == [("/a~1b~0c", "must be text")]


def test_true_is_not_a_number() -> None:
    assert hero().problems({"headline": "x", "price": True}) == [("/price", "must be a number")]


def test_the_problems_of_one_document_are_bounded() -> None:
    assert len(hero().problems({"headline": "x", "links": [1] * 1000})) == 100


@pytest.mark.parametrize("name", ["hero", "Hero Banner", "1Hero", "Hero_Banner", "", "H" * 65, "Hero\n"])
def test_a_name_that_is_not_pascal_case_is_refused(name: str) -> None:
    assert [place for place, _ in refusal(SCHEMA, name=name)] == ["/name"]


def test_the_names_of_the_api_are_refused_with_another_name() -> None:
    with pytest.raises(InvalidBlockType) as refused:
        compile_block_type({"name": "Page", "schema": SCHEMA}, reserved={"Page"})
    assert refused.value.problems == [("/name", "'Page' is a type of the API itself; call it PageBlock")]


def test_data_is_an_object() -> None:
    assert refusal({"type": "string"}) == [("/schema/type", "must be 'object': a block's data is an object")]
    assert refusal({}) == [("/schema/type", "must be 'object': a block's data is an object")]


def test_what_is_no_schema_is_refused_where_it_is_wrong() -> None:
    assert [place for place, _ in refusal(with_property({"type": "strin"}))] == ["/schema/properties/a/type"]


@pytest.mark.parametrize(
    "ref", ["https://example.com/a.json", "file:///etc/passwd", "other.json#/x", "#anchor", "#/$defs/none"]
)
def test_a_reference_that_leaves_the_schema_is_refused(ref: str) -> None:
    assert refusal(with_property({"$ref": ref})) == [
        ("/schema/properties/a/$ref", "refers to nothing in this schema; use #/$defs/... and define it there")
    ]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"$ref": "#"}}},
        {"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}},
        {"type": "object", "$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}},
    ],
)
def test_a_schema_that_leads_back_to_itself_is_refused(schema: object) -> None:
    assert refusal(schema)


def test_definitions_that_multiply_are_refused_at_once() -> None:
    double = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(40)}
    schema = {**with_property({"$ref": "#/$defs/d0"}), "$defs": {**double, "d40": {"type": "string"}}}
    assert refusal(schema)[-1][1].startswith("is ")  # too deep or too large


def test_a_schema_has_a_largest_size() -> None:
    wide = {"type": "object", "properties": {f"p{i}": {"type": "string"} for i in range(2_001)}}
    large = with_property({"description": "x" * 65_536})
    deep: dict[str, object] = {"type": "string"}
    for _ in range(30):
        deep = {"type": "array", "items": deep}
    assert "2,000 parts" in refusal(wide)[0][1]
    assert refusal(large) == [("/schema", "is larger than 64 KB")]
    assert "24 levels" in refusal(with_property(deep))[0][1]


@pytest.mark.parametrize("pattern", ["(?=a)b", "(a)\\1", "(a", "(a{1000}){1000}"])
def test_a_pattern_that_could_hang_is_refused(pattern: str) -> None:
    [(place, message)] = refusal(with_property({"type": "string", "pattern": pattern}))
    assert place == "/schema/properties/a/pattern"
    assert "regular expression" in message


def test_patterns_are_counted() -> None:
    schema = {"type": "object", "properties": {f"p{i}": {"pattern": "^a"} for i in range(51)}}
    assert refusal(schema) == [("/schema", "has more than 50 regular expressions")]


def test_a_hostile_pattern_runs_in_linear_time() -> None:
    block_type = hero(schema=with_property({"type": "string", "pattern": "^(a+)+$"}))
    assert block_type.problems({"a": "a" * 100_000 + "!"}) == [("/a", "must match ^(a+)+$")]


def test_values_that_look_like_keywords_are_left_alone() -> None:
    schema = {"type": "object", "properties": {"$id": {"const": {"$ref": "#"}}, "$ref": {"type": "string"}}}
    assert hero(schema=schema).problems({"$id": {"$ref": "#"}, "$ref": "x"}) == []


def test_a_template_is_compiled_with_its_type() -> None:
    block_type = hero(template="<h1>{{ data.headline }}</h1>", description="On top")
    assert block_type.template is not None
    assert block_type.template.render({"headline": "A & B"}, {}) == "<h1>A &amp; B</h1>"
    assert block_type.description == "On top"


def test_all_that_is_wrong_with_a_type_is_said_at_once() -> None:
    assert [place for place, _ in refusal({}, name="hero", template="{{ x() }}")] == [
        "/name",
        "/schema/type",
        "/template",
    ]
