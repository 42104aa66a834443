from gateway.core.segments import compile_segment, groups_of, segments_of

NIGHT = {"key": "night", "name": "Night owls", "when": {"time.hour": {"$gte": 21}}}
STAFF = {"key": "staff", "members": ["ann", "bob"]}
AWAKE = {"key": "awake", "when": {"visitor.id": {"$inGroup": "staff"}, "time.hour": {"$gte": 21}}}


def test_a_visitor_is_in_the_segments_whose_rules_hold_in_their_order():
    groups = groups_of([NIGHT, STAFF, AWAKE])
    segments = [compile_segment(document, groups) for document in (NIGHT, STAFF, AWAKE)]

    def of(visitor: str, hour: int) -> list[str]:
        return segments_of({"visitor": {"id": visitor}, "time": {"hour": hour}}, segments)

    assert of("ann", 22) == ["night", "staff", "awake"]
    assert of("ann", 9) == ["staff"]
    assert of("eve", 22) == ["night"]
    assert of("eve", 9) == []
    assert segments_of({}, segments) == []


def test_a_segment_without_a_name_is_called_by_its_key():
    assert compile_segment(STAFF, groups_of([STAFF])).name == "staff"
    assert compile_segment(NIGHT, {}).name == "Night owls"


def test_only_segments_with_members_are_groups():
    assert groups_of([NIGHT, STAFF, {"key": "empty", "members": []}]) == {"staff": ["ann", "bob"]}
