import type { EgressAnalysis } from "../../../analysis/index.ts";
import { openedCredentials } from "../../review/concerns.ts";
import { formatRowPorts, type ReviewRow } from "../../review/rows.ts";
import { verdictOfRows } from "../../review/stackReview.ts";
import { alarmOf, namesOf } from "../../review/wording.ts";
import { capital, formatCount, plural } from "../../words.ts";
import { byId, element } from "./dom.ts";
import { changesOf, type State, type Store } from "./state.ts";

const MOST_ROWS = 200;

/** Lists what the change opens and closes under the chosen reading. */
export function startChanges(store: Store): void {
  const place = byId("changes");
  store.follow((state) => place.replaceChildren(...content(state)));
}

function content(state: State): HTMLElement[] {
  const { before, after } = state.reading;
  if (before === undefined) {
    return [];
  }
  const rows = changesOf(state);
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
    : [
        element(
          "p",
          { class: "alarm", tone: "gained", role: "alert" },
          element("strong", {}, said.headline),
          ` ${said.meaning}`,
        ),
      ];
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

const HEADER = ["Change", "Destination", "What it is", "Ports", "Addresses", "Because"];

function line(row: ReviewRow): HTMLElement {
  const cells: readonly (readonly [content: HTMLElement | string, kind?: string])[] = [
    [element("span", { class: "chip", tone: row.direction }, row.direction === "gained" ? "opened" : "closed")],
    [element("code", {}, row.destination)],
    [namesOf(row).join("; ")],
    [formatRowPorts(row)],
    [row.addresses === undefined ? "–" : formatCount(row.addresses), "number"],
    [row.because, "why"],
  ];
  return element(
    "tr",
    { role: "row" },
    // On a phone, where the header is out of sight, the cells that need one have it in front.
    ...cells.map(([content, kind], index) =>
      element("td", { role: "cell", class: kind, "data-label": index > 2 && HEADER[index] }, content),
    ),
  );
}
