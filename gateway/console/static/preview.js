// What is clicked on the page becomes an event; the page is then asked for again, and what changed is marked.

const known = () => document.querySelector("#known").dataset;
const told = document.querySelector(".told");
const slots = () => [...document.querySelectorAll("[data-slot]")];
const blocks = (slot) => [...slot.querySelectorAll("[data-block]")];
const choice = (block) => `${block.dataset.block}:${block.dataset.variant}`;

const TRACK = `mutation($events: [EventInput!]!) {
  track(events: $events) { accepted rejected { message } visitors { profileVersion } }
}`;
const FORGET = `mutation($visitor: ID!) { forget(visitor: $visitor) { events } }`;

async function graphql(query, variables) {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", "blockloom-space": known().space },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Error(errors[0].message);
  return data;
}

async function track(events) {
  const { visitor, page } = known();
  const { track: taken } = await graphql(TRACK, { events: events.map((event) => ({ ...event, visitor, page })) });
  if (taken.rejected.length) throw new Error(taken.rejected[0].message);
  return taken.visitors[0]?.profileVersion;
}

// Ask for the page that includes what was just said, and put it in the place of this one.
async function refresh(version) {
  const before = new Map(slots().map((slot) => [slot.dataset.slot, new Set(blocks(slot).map(choice))]));
  const address = new URL(location.href);
  if (version) address.searchParams.set("atLeast", version);
  const answer = await fetch(address);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok) throw new Error(fresh.querySelector("main p")?.textContent ?? "the page cannot be shown");
  for (const id of ["known", "stage"]) {
    document.getElementById(id).replaceWith(document.adoptNode(fresh.getElementById(id)));
  }
  const changed = slots().flatMap((slot) =>
    blocks(slot).filter((block) => !before.get(slot.dataset.slot)?.has(choice(block))));
  for (const block of changed) block.dataset.changed = "";
  return changed.length;
}

// One thing after another: a second click waits for the first.
let last = Promise.resolve();
function tell(what, work) {
  last = last.then(async () => {
    document.body.dataset.busy = "";
    try {
      const changed = await refresh(await work());
      say(`${what}: ${changed === 0 ? "the same blocks, weighed anew" : changed === 1 ? "1 block changed" : `${changed} blocks changed`}`);
    } catch (error) {
      say(`That did not work: ${error.message}`);
    }
    delete document.body.dataset.busy;
  });
}

function say(text) {
  told.textContent = text;
  told.classList.remove("shown");
  requestAnimationFrame(() => told.classList.add("shown"));
}

function event(type, block) {
  const { block: key, variant, decision } = block.dataset;
  return { type, block: key, variant, decision };
}

document.addEventListener("click", (click) => {
  const block = click.target.closest("[data-block]");
  const button = click.target.closest("button[data-action]");
  const again = click.target.closest("button[data-story]");
  if (button) {
    tell(`${button.textContent} ${block.dataset.block}`, () => track([event(button.dataset.action, block)]));
  } else if (again) {
    tell("Begun again", async () => {
      await graphql(FORGET, { visitor: known().visitor });
      const story = JSON.parse(again.dataset.story);
      return story.length ? track(story) : undefined;
    });
  } else if (block && click.target.closest("a")) {
    click.preventDefault(); // the pages behind the links do not exist; the click itself says enough
    if (known().visitor) tell(`Click on ${block.dataset.block}`, () => track([event("click", block)]));
  }
});

document.querySelector(".personas [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const controls = document.querySelector(".controls");
controls.addEventListener("change", () => controls.requestSubmit());
controls.elements.hour.addEventListener("input", ({ target }) => {
  controls.querySelector("output").textContent = `${target.value.padStart(2, "0")}:00`;
});
