from gateway.core.keys import Keys, SigningKey, derived

ONE, OTHER = "one secret that is long enough", "another secret, long enough too"


def test_each_purpose_has_a_key_of_its_own():
    assert len({derived(b"secret", purpose) for purpose in ("signing", "sealing", "pseudonyms main")}) == 3


def test_the_same_secrets_give_the_same_keys_in_every_process():
    here, there = Keys.of([ONE, OTHER], b"s"), Keys.of([ONE, OTHER], b"s")
    assert (here.signing.id, list(here.public)) == (there.signing.id, list(there.public))
    assert there.sealer.open(here.sealer.seal("ann")) == "ann"
    assert here.pseudonyms("main").of("ann") == there.pseudonyms("main").of("ann")


def test_the_first_signs_and_all_verify():
    keys = Keys.of([ONE, OTHER], b"s")
    assert list(keys.public) == [keys.signing.id, SigningKey.of(OTHER).id]


def test_a_rotation_leaves_pseudonyms_as_they_are():
    assert Keys.of([ONE], b"s").pseudonyms("main").of("ann") == Keys.of([OTHER], b"s").pseudonyms("main").of(
        "ann"
    )


def test_a_visitor_of_two_spaces_cannot_be_put_together():
    keys = Keys.of([ONE], b"s")
    assert keys.pseudonyms("main").of("ann") != keys.pseudonyms("shop").of("ann")
