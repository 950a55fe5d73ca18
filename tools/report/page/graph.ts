import { diff, type EgressAnalysis } from "../../../analysis/index.ts";
import { reachOf } from "../../review/reach.ts";
import { reviewRows } from "../../review/rows.ts";
import type { ReachEntry } from "../../review/stackReview.ts";
import { namesOf } from "../../review/wording.ts";
import { plural } from "../../words.ts";
import { byId, element } from "./dom.ts";
import { type State, type Store, shown } from "./state.ts";

/** Rows of blocks beyond this are counted, not drawn. */
const MOST_EDGES = 60;

/** Draws what the runner is connected to: pods, blocks, the internet; changed edges marked. */
export function startGraph(store: Store, runner: string): void {
  const place = byId("graph");
  store.follow((state) => place.replaceChildren(element("div", { class: "runner" }, runner), edges(state)));
}

interface Edge {
  readonly entry: ReachEntry;
  readonly change: "" | "gained" | "lost";
}

function edges(state: State): HTMLElement {
  const { main, compared } = shown(state);
  const all =
    compared === undefined
      ? entries(main, state).map((entry): Edge => ({ entry, change: "" }))
      : changed(main, compared, state);
  const sorted = all.sort((a, b) => ORDER.indexOf(a.entry.kind) - ORDER.indexOf(b.entry.kind));
  const hidden = sorted.length - MOST_EDGES;
  return element(
    "ul",
    { class: "edges" },
    ...sorted.slice(0, MOST_EDGES).map(edge),
    hidden > 0 && element("li", { class: "edge" }, `… and ${hidden} more destinations`),
    sorted.length === 0 && element("li", { class: "edge" }, "no destination at all"),
  );
}

const ORDER: readonly ReachEntry["kind"][] = ["pods", "addresses", "everything"];

function entries(analysis: EgressAnalysis, { model }: State): ReachEntry[] {
  return reachOf(analysis, model.known);
}

function changed(after: EgressAnalysis, before: EgressAnalysis, state: State): Edge[] {
  const key = ({ destination, ports, excepts }: ReachEntry) =>
    [destination, ports, ...excepts.map(({ block }) => block)].join(" ");
  const [old, fresh] = [entries(before, state), entries(after, state)];
  const [oldKeys, freshKeys] = [new Set(old.map(key)), new Set(fresh.map(key))];
  // A rule that is only written anew opens nothing, and one that another rule makes up for closes nothing.
  const { known: blocks, names } = state.model;
  const rows = reviewRows([{ semantics: state.reading.name, before, after, diff: diff(before, after, names) }], blocks);
  const has = (direction: "gained" | "lost") => rows.some((row) => row.direction === direction);
  const [gained, lost] = [has("gained"), has("lost")];
  return [
    ...fresh.map((entry): Edge => ({ entry, change: gained && !oldKeys.has(key(entry)) ? "gained" : "" })),
    ...old.filter((entry) => lost && !freshKeys.has(key(entry))).map((entry): Edge => ({ entry, change: "lost" })),
  ];
}

const CHANGE_WORDS = { "": "", gained: "new rule: ", lost: "rule gone: " } as const;

function edge({ entry, change }: Edge): HTMLElement {
  const { destination, names, ports, kind, excepts } = entry;
  return element(
    "li",
    { class: `edge ${change}` },
    element("span", { class: "line" }, element("span", { class: "port" }, `${CHANGE_WORDS[change]}${ports}`)),
    element(
      "span",
      { class: `node ${kind}` },
      element("strong", {}, destination),
      excepts.length > 0 && element("span", { class: "excepts" }, ` except ${plural(excepts.length, "block")}`),
      names.length > 0 && element("span", { class: "names" }, namesOf({ names, destination }).slice(0, 2).join(" · ")),
    ),
  );
}
