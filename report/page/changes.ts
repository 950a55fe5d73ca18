import { diff } from "../../analysis/index.ts";
import { plainPhrase } from "../../review/phrase.ts";
import { formatRowPorts, type ReviewRow, reviewRows } from "../../review/rows.ts";
import { formatCount, namesOf } from "../../review/wording.ts";
import { byId, element } from "./dom.ts";
import type { State, Store } from "./state.ts";

const MOST_ROWS = 200;

/** Lists what the change opens and closes under the chosen reading. */
export function startChanges(store: Store): void {
  const place = byId("changes");
  store.follow((state) => place.replaceChildren(...content(state)));
}

function content({ model, reading: { name, before, after } }: State): HTMLElement[] {
  if (before === undefined) {
    return [];
  }
  const rows = reviewRows([{ semantics: name, before, after, diff: diff(before, after, model.names) }]);
  if (rows.length === 0) {
    return [element("p", {}, "Exactly the same destinations before and after.")];
  }
  const hidden = rows.length - MOST_ROWS;
  return [
    element(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table of changes" },
      element(
        "table",
        {},
        element("thead", {}, element("tr", {}, ...HEADER.map((title) => element("th", { scope: "col" }, title)))),
        element("tbody", {}, ...rows.slice(0, MOST_ROWS).map(line)),
      ),
    ),
    ...(hidden > 0 ? [element("p", { class: "more" }, `… and ${hidden} more rows.`)] : []),
  ];
}

const HEADER = ["Change", "Destination", "What it is", "Ports", "Addresses", "Because"];

function line(row: ReviewRow): HTMLElement {
  return element(
    "tr",
    {},
    element(
      "td",
      {},
      element("span", { class: `chip ${row.direction}` }, row.direction === "gained" ? "opened" : "closed"),
    ),
    element("td", {}, element("code", {}, row.destination)),
    element("td", {}, namesOf(row).join("; ")),
    element("td", {}, formatRowPorts(row)),
    element("td", { class: "number" }, row.addresses === undefined ? "–" : formatCount(row.addresses)),
    element("td", { class: "why" }, plainPhrase(row.because)),
  );
}
