import { type Edge, edgesOf, reachOf } from "../../review/reach.ts";
import { plural } from "../../words.ts";
import { byId, element } from "./dom.ts";
import { changesOf, type State, type Store, shown } from "./state.ts";

/** Rows of blocks beyond this are counted, not drawn. */
const MOST_EDGES = 60;

/** Draws what the runner is connected to: pods, blocks, the internet; changed edges marked. */
export function startGraph(store: Store, runner: string): void {
  const place = byId("graph");
  store.follow((state) => place.replaceChildren(element("div", { class: "runner" }, runner), edges(state)));
}

function edges(state: State): HTMLElement {
  const { main, compared } = shown(state);
  const all = edgesOf(reachOf(main, state.model.names), compared === undefined ? [] : changesOf(state));
  const sorted = all.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  const hidden = sorted.length - MOST_EDGES;
  return element(
    "ul",
    { class: "edges" },
    ...sorted.slice(0, MOST_EDGES).map(edge),
    hidden > 0 && element("li", { class: "edge" }, `… and ${hidden} more destinations`),
    sorted.length === 0 && element("li", { class: "edge" }, "no destination at all"),
  );
}

const ORDER: readonly Edge["kind"][] = ["pods", "addresses", "everything"];

const CHANGE_WORDS = { kept: "", gained: "opened: ", lost: "closed: " } as const;

function edge({ change, destination, names, ports, excepts }: Edge): HTMLElement {
  return element(
    "li",
    { class: `edge ${change}`, tone: change === "kept" ? undefined : change },
    element("span", { class: "port" }, `${CHANGE_WORDS[change]}${ports}`),
    element(
      "span",
      { class: "node" },
      element("strong", {}, destination),
      excepts.length > 0 && ` except ${plural(excepts.length, "block")}`,
      names.length > 0 && element("span", { class: "names" }, names.slice(0, 2).join(" · ")),
    ),
  );
}
