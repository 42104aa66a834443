"""After a publication: note until when the replaced rows counted, and sweep what was never shown.

Readers are right without it. It spares them the replaced rows and lets those expire.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from gateway.storage.batches import batches
from gateway.storage.pointer import Pointer, Position
from gateway.storage.rows import Rows, removals, replaced


async def tidy(rows: Rows, pointer: Pointer, expires: datetime) -> None:
    """May be stopped and repeated anywhere. The embedded engine marks about a thousand rows a second."""
    position = await pointer.read()
    span = {"from": {"$gt": position.tidied, "$lte": position.revision}}
    fields = {"ref": 1, "over": 1}
    refs = {row["ref"] async for row in rows.find(span, fields) if row.get("over")}
    for batch in batches(sorted(refs)):
        await _mark(rows, batch, position, expires)
    for number in sorted(position.voids):
        while await rows.sweep_some(number):
            pass
    await pointer.tidied(position.revision)


async def _mark(rows: Rows, refs: Sequence[str], position: Position, expires: datetime) -> None:
    found = [row async for row in rows.find({"ref": {"$in": list(refs)}}, {"body": 0})]
    live = [row for row in found if position.shows(row["from"])]
    # In this order: a removal may go when nothing older can be seen any more.
    for ends in (replaced(live), removals(live)):
        for end, group in groupby(sorted(ends), key=lambda pair: pair[0]):
            await rows.end([row_id for _, row_id in group], end, expires)
