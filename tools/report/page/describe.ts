import {
  type AddressRange,
  type EgressAnalysis,
  explain,
  formatRange,
  namesIn,
  type Point,
  witnessOf,
} from "../../../analysis/index.ts";
import type { PortTable } from "../../../analysis/ports.ts";
import { PROTOCOLS } from "../../../analysis/protocol.ts";
import { type Stretch, stretchesIn } from "../tones.ts";
import { element } from "./dom.ts";
import { type State, shown } from "./state.ts";
import { allowedPorts, VERDICT_TONES } from "./words.ts";

/** More stretches than this in one description and the reader should zoom in. */
const MOST_STRETCHES = 4;

/** Says what is so at a range of addresses, and why, for the side that is looked at. */
export function describeRange(range: AddressRange, state: State): HTMLElement {
  const { main, compared } = shown(state);
  return element(
    "div",
    { class: "description" },
    element("h3", {}, element("code", {}, formatRange(range))),
    element("p", { class: "names" }, namesIn(range, state.model.names.blocks).join(" · ")),
    ...(compared === undefined
      ? section("", range, main, state)
      : [...section("Before", range, compared, state), ...section("After", range, main, state)]),
  );
}

function section(title: string, range: AddressRange, analysis: EgressAnalysis, { filter }: State): HTMLElement[] {
  const stretches = stretchesIn(analysis.partitions[range.family], range);
  const hidden = stretches.length - MOST_STRETCHES;
  const items = stretches.slice(0, MOST_STRETCHES).map((stretch) => {
    const address = { family: range.family, value: stretch.range.first };
    const { verdict, text } = explain(analysis, filter === undefined ? tellingPoint(stretch) : { address, ...filter });
    const allowed = allowedPorts(stretch.value.table);
    return element(
      "div",
      { class: "stretch" },
      stretches.length > 1 && element("p", {}, element("code", {}, formatRange(stretch.range))),
      element(
        "p",
        {},
        element(
          "span",
          { class: "chip", tone: VERDICT_TONES[verdict] },
          allowed === "nothing" ? "nothing allowed" : `allowed: ${allowed}`,
        ),
      ),
      element("p", { class: "why" }, text),
    );
  });
  return [
    ...(title === "" ? [] : [element("p", { class: "side" }, title)]),
    ...items,
    ...(hidden > 0 ? [element("p", { class: "more" }, `… and ${hidden} more stretches; zoom in to see them.`)] : []),
  ];
}

/** A destination about which there is something to say: an allowed one where there is one. */
function tellingPoint({ range, value: { table } }: Stretch<{ readonly table: PortTable }>): Point {
  for (const protocol of PROTOCOLS) {
    const ports = table.spans[protocol]?.find(({ verdict }) => verdict !== "deny");
    if (ports !== undefined) {
      return witnessOf({ range, protocols: [protocol], ports });
    }
  }
  return witnessOf({ range, protocols: ["TCP"], ports: { from: 0, to: 65535 } });
}
