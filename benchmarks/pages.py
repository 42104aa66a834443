"""The page over HTTP: Blockloom choosing it, against servers that merely send the same page.

    python benchmarks/pages.py [--rounds 5] [--seconds 3] [--only page,mercurius-jit,...]

`blockloom serve` on the embedded engine holds 10,000 blocks; 64 visitors with warm profiles ask for a page of 8
slots of 20 variants and a feed of 10, another visitor at each request, under load from wrk. What it answered is
what the others send: the floor is a Starlette route and orjson, then GraphQL servers of npm with a schema of the
same shape and the same query. All servers stand side by side, one process each, and are measured in turns; CPU is
the server's own (the engine's is told apart). Then what is asked for the first time, and a steady 70 % of the load.

`--profile FILE` samples the gateway under load instead, with py-spy. Needs wrk, and node for the peers.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import orjson
from rig import content, firsts, machine, ours, peers, rounds, wrk
from rig.findings import FINDINGS, Bench, Finding, run
from rig.ours import Gateway
from rig.peers import PEERS
from rig.processes import Server
from rig.report import Verdict, table
from rig.rounds import Target
from rig.sampling import sample

OURS: Mapping[str, str] = {
    "page": "**Blockloom**",
    "get": "Blockloom, GET by persisted hash",
    "gzip": "Blockloom, gzip accepted",
    "without-data": "Blockloom, without `data`",
    "typed": "Blockloom, typed `content` in place of `data`",
    "reasons": "Blockloom, with full reasons and candidates",
}
QUERIES = {"without-data": content.WITHOUT_DATA, "typed": content.TYPED, "reasons": content.REASONED}
EVERYTHING = (*OURS, "floor", *PEERS, *FINDINGS)
ALWAYS = {"page", "floor"}  # what all else is compared with


def main(given: argparse.Namespace) -> None:
    wrk.require()
    if not PEERS.keys().isdisjoint(given.only):
        peers.require()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        say("loading 10,000 blocks")
        gateway = stack.enter_context(ours.gateway(folder))
        say("64 visitors look around")
        run(ours.warm(gateway))
        page, *variations = own_targets(gateway, folder, given.only)
        if given.profile:
            sample(page, given.profile, given.seconds)
            return
        pages = run(ours.pages(gateway))
        targets = [page]  # what is compared with it stands next to it, in time as in the table
        for server in others(stack, folder, pages, given.only):
            check(server, gateway, pages)
            title = PEERS.get(server.name, "floor: Starlette + orjson, no GraphQL")
            targets.append(Target(server.name, title, server, page.requests))
        targets += variations
        rounds.measure(targets, given.rounds, given.seconds)
        tell(gateway, targets, pages, given)


def own_targets(gateway: Gateway, folder: Path, wanted: Collection[str]) -> Iterator[Target]:
    asking: dict[str, Callable[[], list[bytes] | None]]
    asking = {name: partial(gateway.pages, QUERIES.get(name, content.PAGE)) for name in OURS}
    asking["gzip"] = partial(gateway.pages, **{"accept-encoding": "gzip"})
    asking["get"] = lambda: run(firsts.persisted(gateway))
    for name in (name for name in OURS if name in wanted):
        requests = asking[name]()
        if not requests:
            say("no GET by hash: this gateway keeps no persisted queries")
            continue
        file = folder / f"{name}.requests"
        wrk.write(file, requests)
        # Reasons are for editors: one asks at a time.
        yield Target(name, OURS[name], gateway.server, file, 1 if name == "reasons" else wrk.CONNECTIONS)


def others(
    stack: ExitStack, folder: Path, pages: Mapping[str, Any], wanted: Collection[str]
) -> Iterator[Server]:
    saved = folder / "pages.json"
    saved.write_bytes(orjson.dumps(pages))
    yield stack.enter_context(peers.floor(saved))
    for name in PEERS:
        if name in wanted:
            say(f"starting {name}")
            yield stack.enter_context(peers.peer(name, saved))


def check(server: Server, gateway: Gateway, pages: Mapping[str, Any]) -> None:
    """It answers each visitor what the gateway answered."""
    with httpx.Client(base_url=server.address, headers=content.headers(gateway.token)) as client:
        for visitor, page in pages.items():
            found = client.post("/graphql", content=content.asked(visitor)).json()
            if found != {"data": {"page": page}}:
                raise SystemExit(f"{server.name} answers something else: {str(found)[:500]}")


def tell(
    gateway: Gateway, targets: Sequence[Target], pages: Mapping[str, Any], given: argparse.Namespace
) -> None:
    named = {target.name: target for target in targets}
    page, floor, jit = named["page"], named["floor"], named.get("mercurius-jit")
    bench = Bench(gateway, page, floor, given.rounds, given.seconds)
    findings = [finding(bench) for name, finding in FINDINGS.items() if name in given.only]
    size = sum(len(orjson.dumps({"data": {"page": page}})) for page in pages.values()) / len(pages)
    print("\n".join(machine.described(with_peers=not PEERS.keys().isdisjoint(named))))
    print(
        f"A page of {size:,.0f} bytes; {given.rounds} rounds of {given.seconds:g} s, {wrk.CONNECTIONS} connections\n"
    )
    print("\n".join(table(targets, floor, jit)))
    print(f"\nThe engine took {page.median(lambda run: run.children_cpu):.1f} us a page beside the gateway.")
    print("\n".join([*(finding.sentence for finding in findings), ""]))
    print("\n".join(map(str, verdicts(page, floor, jit, findings))))


def verdicts(
    page: Target, floor: Target, jit: Target | None, findings: Sequence[Finding]
) -> Iterator[Verdict]:
    yield Verdict("CPU of the page, x floor", page.ratio(floor, lambda run: run.cpu), 2.0)
    if jit:
        yield Verdict("CPU of the page, x Mercurius with JIT", page.ratio(jit, lambda run: run.cpu), 1.0)
    yield from (finding.verdict for finding in findings)


def say(text: str) -> None:
    print(text, file=sys.stderr)


def names(text: str) -> frozenset[str]:
    found = frozenset(text.split(","))
    if unknown := found.difference(EVERYTHING):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known are {', '.join(EVERYTHING)}")
    return found | ALWAYS


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--only", type=names, default=frozenset(EVERYTHING), help=", ".join(EVERYTHING))
    parser.add_argument("--profile", type=Path, metavar="FILE", help="collapsed stacks go there")
    return parser.parse_args()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # as with Ctrl-C: the servers end first
    try:
        main(arguments())
    except KeyboardInterrupt:
        sys.exit("stopped")
