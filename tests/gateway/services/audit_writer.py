"""A process that writes to the audit log until it is killed: python -m tests.gateway.services.audit_writer URL PREFIX

It prints the id of each entry that is durable.
"""

import asyncio
import sys
from datetime import timedelta

from gateway.core.keys import Keys
from gateway.services.audit import Audit
from gateway.services.space import new_process_name
from gateway.storage.client import connect
from schemas.vocabulary import AuditKind
from tests.gateway.core.logs import KEYS


def audit_of(url: str, prefix: str, process: str, keys: Keys = KEYS) -> Audit:
    return Audit(connect(url, prefix).audit, process, keys, timedelta(days=30))


async def write(url: str, prefix: str) -> None:
    audit = audit_of(url, prefix, new_process_name())
    while True:
        for number in range(20):
            audit.note(AuditKind.ACCESS, "main", "website", details={"number": number})
        print(await audit.write(AuditKind.CONSENT, "main", "website"), flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(write(*sys.argv[1:]))
