import { cellRange } from "../../../analysis/addressMap.ts";
import {
  type AddressRange,
  cidrsOf,
  type EgressAnalysis,
  explain,
  formatCidr,
  formatRange,
  namesIn,
  type Point,
  type Protocol,
} from "../../../analysis/index.ts";
import { cellIndexAt } from "../../../analysis/partition.ts";
import { element } from "./dom.ts";
import { type State, shown } from "./state.ts";
import { allowedPorts, VERDICT_WORDS } from "./words.ts";

/** More stretches than this in one description and the reader should zoom in. */
const MOST_STRETCHES = 4;

/** Says what is so at a range of addresses, and why, for the side that is looked at. */
export function describeRange(range: AddressRange, state: State): HTMLElement {
  const { main, compared } = shown(state);
  const box = element(
    "div",
    { class: "description" },
    element("h3", {}, element("code", {}, formatRange(range))),
    element("p", { class: "names" }, namesIn(range, state.model.names).join(" · ")),
  );
  if (compared !== undefined) {
    box.append(...section("Before", range, compared, state), ...section("After", range, main, state));
  } else {
    box.append(...section(undefined, range, main, state));
  }
  return box;
}

function section(
  title: string | undefined,
  range: AddressRange,
  analysis: EgressAnalysis,
  state: State,
): HTMLElement[] {
  const stretches = stretchesIn(range, analysis);
  const items = stretches
    .slice(0, MOST_STRETCHES)
    .map((stretch) => describeStretch(stretch, stretches.length > 1, analysis, state));
  const hidden = stretches.length - items.length;
  return [
    ...(title === undefined ? [] : [element("p", { class: "side" }, title)]),
    ...items,
    ...(hidden > 0 ? [element("p", { class: "more" }, `… and ${hidden} more stretches; zoom in to see them.`)] : []),
  ];
}

function stretchesIn(range: AddressRange, analysis: EgressAnalysis): AddressRange[] {
  const partition = analysis.partitions[range.family];
  const found: AddressRange[] = [];
  for (let index = cellIndexAt(partition, { family: range.family, value: range.first }); ; index++) {
    const cell = cellRange(partition, index);
    const first = cell.first > range.first ? cell.first : range.first;
    const last = cell.last < range.last ? cell.last : range.last;
    found.push({ family: range.family, first, last });
    if (cell.last >= range.last) {
      return found;
    }
  }
}

function describeStretch(
  range: AddressRange,
  isPart: boolean,
  analysis: EgressAnalysis,
  { filter }: State,
): HTMLElement {
  const partition = analysis.partitions[range.family];
  const address = { family: range.family, value: range.first };
  const table = partition.cells[cellIndexAt(partition, address)]?.table;
  const point = filter === undefined ? tellingPoint(address, table?.spans ?? {}) : { address, ...filter };
  const { verdict, text } = explain(analysis, point);
  return element(
    "div",
    { class: "stretch" },
    isPart && element("p", {}, element("code", {}, shortRange(range))),
    element(
      "p",
      {},
      element(
        "span",
        { class: `chip ${verdict}` },
        table === undefined ? VERDICT_WORDS[verdict] : summary(allowedPorts(table)),
      ),
    ),
    element("p", { class: "why" }, text),
  );
}

function summary(ports: string): string {
  return ports === "nothing" ? "nothing allowed" : `allowed: ${ports}`;
}

/** A port about which there is something to say: an allowed one where there is one. */
function tellingPoint(address: Point["address"], spans: EgressAnalysisSpans): Point {
  for (const [protocol, list] of Object.entries(spans)) {
    const span = list.find(({ verdict }) => verdict !== "deny");
    if (span !== undefined) {
      const port = span.from <= 443 && 443 <= span.to ? 443 : Math.max(span.from, Math.min(1, span.to));
      return { address, protocol: protocol as Protocol, port };
    }
  }
  return { address, protocol: "TCP", port: 443 };
}

type EgressAnalysisSpans = Readonly<
  Record<string, readonly { readonly from: number; readonly to: number; readonly verdict: string }[]>
>;

/** A range as one block, or its ends. */
export function shortRange(range: AddressRange): string {
  const blocks = cidrsOf(range);
  return blocks.length === 1 && blocks[0] !== undefined ? formatCidr(blocks[0]) : formatRange(range);
}
