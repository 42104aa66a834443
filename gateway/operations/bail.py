"""How compiled code says that it does not know."""


class Bail(Exception):
    """Something unusual about this request: the reference executor says what comes of it."""


class NotCompilable(Exception):
    """Something unusual about this operation: it is always the reference's."""


BAIL = Bail()  # raised as it is: what was unusual is found again by the reference
