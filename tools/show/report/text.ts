import { styleText } from "node:util";
import type { Peer } from "../../../runner/networkPolicy.ts";
import { layout, wrapList } from "../../layout.ts";
import { differences } from "./differences.ts";
import type { StackReport } from "./stackReport.ts";
import { describePeer, describePorts, exceptOf, factRows } from "./words.ts";

/** Width to which lists of blocks are wrapped. */
const LIST_WIDTH = 72;

/** Stacks as a person reads them: the facts and the rules of each, then what differs between them. */
export function textReport(reports: readonly StackReport[]): string {
  const parts = reports.map(stackText);
  if (reports.length > 1) {
    parts.push(differencesText(reports));
  }
  return `${parts.join("\n\n")}\n`;
}

function stackText({ stack, facts, policy }: StackReport): string {
  const { metadata, spec } = policy;
  const pods = Object.entries(spec.podSelector.matchLabels).map(([name, value]) => `${name}=${value}`);
  const factLines = factRows(facts)
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => [name, values.join("\n")]);
  const ruleLines = spec.egress.map(({ to, ports }, index) => [
    `${index}`,
    describePorts(ports).join("\n"),
    to.map(peerText).join("\n"),
  ]);
  return [
    heading(stack),
    layout(factLines, "  "),
    "",
    `  NetworkPolicy ${metadata.namespace}/${metadata.name} lets pods ${pods.join(",")} reach only:`,
    "",
    layout([["rule", "ports", "destination"], ...ruleLines], "  "),
  ].join("\n");
}

function peerText(peer: Peer): string {
  const except = exceptOf(peer);
  if (except.length === 0) {
    return describePeer(peer);
  }
  return `${describePeer(peer)} except\n  ${wrapList(except, LIST_WIDTH).replaceAll("\n", "\n  ")}`;
}

function differencesText(reports: readonly StackReport[]): string {
  const stacks = reports.map(({ stack }) => stack);
  const found = differences(reports);
  const title = heading(`Differences between ${new Intl.ListFormat("en").format(stacks)}`);
  if (found.length === 0) {
    return `${title}\n  none`;
  }
  const rows = found.map(({ what, values }) => [what, ...values.map((list) => list.join("\n") || "-")]);
  return [title, layout([["", ...stacks], ...rows], "  ")].join("\n");
}

/** Bold on a terminal. */
function heading(text: string): string {
  return styleText("bold", text, { stream: process.stdout });
}
