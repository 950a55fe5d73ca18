import { diff, type EgressAnalysis } from "../../../analysis/index.ts";
import { openedCredentials } from "../../review/concerns.ts";
import { formatRowPorts, type ReviewRow, reviewRows } from "../../review/rows.ts";
import { verdictOfRows } from "../../review/stackReview.ts";
import { alarmOf, namesOf } from "../../review/wording.ts";
import { capital, formatCount, plural } from "../../words.ts";
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
  const rows = reviewRows([{ semantics: name, before, after, diff: diff(before, after, model.names) }], model.known);
  if (rows.length === 0) {
    return [element("p", {}, "Exactly the same destinations before and after.")];
  }
  const hidden = rows.length - MOST_ROWS;
  return [
    ...alarm(before, after),
    verdictText(rows),
    element(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table of changes" },
      element(
        "table",
        // On a phone the rows are blocks, which would take the table's meaning away.
        { role: "table" },
        element("thead", {}, element("tr", {}, ...HEADER.map((title) => element("th", { scope: "col" }, title)))),
        element("tbody", {}, ...rows.slice(0, MOST_ROWS).map(line)),
      ),
    ),
    ...(hidden > 0 ? [element("p", { class: "more" }, `… and ${hidden} more rows.`)] : []),
  ];
}

/** What must not be overlooked, in red. */
function alarm(before: EgressAnalysis, after: EgressAnalysis): HTMLElement[] {
  const said = alarmOf({
    perspective: "plan",
    subjects: [{ openedCredentials: openedCredentials([{ before, after }]) }],
  });
  return said === undefined
    ? []
    : [element("p", { class: "alarm", role: "alert" }, element("strong", {}, said.headline), ` ${said.meaning}`)];
}

/** The verdict of the change in a sentence. */
function verdictText(rows: readonly ReviewRow[]): HTMLElement {
  const [opened, closed] = (["gained", "lost"] as const).map(
    (direction) => rows.filter((row) => row.direction === direction).length,
  );
  const regions = (count = 0) => (count === 0 ? "nothing" : plural(count, "region"));
  return element(
    "p",
    { class: "summary" },
    element("strong", {}, capital(verdictOfRows(rows))),
    `: opens ${regions(opened)}, closes ${regions(closed)}.`,
  );
}

/** A cell whose header is out of sight on a phone. */
function cell(label: string, text: string, kind = ""): HTMLElement {
  return element("td", { role: "cell", class: kind, "data-label": label }, text);
}

const HEADER = ["Change", "Destination", "What it is", "Ports", "Addresses", "Because"];

function line(row: ReviewRow): HTMLElement {
  return element(
    "tr",
    { role: "row" },
    element(
      "td",
      { role: "cell" },
      element("span", { class: `chip ${row.direction}` }, row.direction === "gained" ? "opened" : "closed"),
    ),
    element("td", { role: "cell" }, element("code", {}, row.destination)),
    element("td", { role: "cell" }, namesOf(row).join("; ")),
    cell("Ports", formatRowPorts(row)),
    cell("Addresses", row.addresses === undefined ? "–" : formatCount(row.addresses), "number"),
    cell("Because", row.because, "why"),
  );
}
