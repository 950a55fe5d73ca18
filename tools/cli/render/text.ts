import {
  type EgressAnalysis,
  formatAddress,
  formatPorts,
  isolationNotes,
  NEWEST_AGENT,
  PROTOCOLS,
  type SelectorRegion,
  type Semantics,
} from "../../../analysis/index.ts";
import { abortReasons } from "../aborts.ts";
import type { OutputFormat } from "../options.ts";
import { type Paint, painter, print, type Style, type Terminal } from "../terminal.ts";
import { type Json, toJsonText } from "./json.ts";

/** A result in each form; only the one that is asked for is made. */
export interface Forms {
  readonly json: () => Json;
  /** What the result is about, and what has to be said beside it. */
  readonly heading: readonly string[];
  readonly markdown: () => string;
  readonly text: (paint: Paint) => string;
}

/** Prints a result in the form that was asked for. */
export async function printResult(
  format: OutputFormat,
  { json, heading, markdown, text }: Forms,
  terminal: Terminal,
): Promise<void> {
  const paint = painter(terminal);
  const forms = {
    json: () => toJsonText(json()),
    markdown: () => `${heading.join("\n")}\n\n${markdown()}`,
    text: () => `${paint("dim", heading.join("\n"))}\n\n${text(paint)}`,
  };
  await print(terminal, forms[format]());
}

const STYLES: Readonly<Record<string, Style>> = {
  allow: "green",
  holds: "green",
  deny: "red",
  fails: "red",
  vacuous: "red",
  "over-allow": "red",
};

/** The colour of a verdict, an outcome or a direction. */
export function styleOf(word: string): Style {
  return STYLES[word] ?? "yellow";
}

/** How policies were read, for people: `vpc-cni (ipv4 cluster, agent 1.4.2)`. */
export function describeSemantics(semantics: Semantics): string {
  if (semantics.name === "kubernetes") {
    return semantics.ipBlockMatchesPods === false ? "kubernetes (ipBlock does not match pods)" : "kubernetes";
  }
  const { ipFamily, nodeIp, agentVersion } = semantics;
  const node = nodeIp === undefined ? "" : `, node ${formatAddress(nodeIp)}`;
  return `vpc-cni (${ipFamily} cluster, agent ${agentVersion ?? NEWEST_AGENT}${node})`;
}

/** What has to be said beside every verdict, once for all analyses of a question. */
export function notesOf(analyses: readonly EgressAnalysis[]): string[] {
  const semantics = new Map<string, Semantics["name"][]>();
  for (const analysis of analyses) {
    for (const note of isolationNotes(analysis)) {
      semantics.set(note, [...(semantics.get(note) ?? []), analysis.semantics.name]);
    }
  }
  return [...semantics].map(([note, names]) => (names.length === analyses.length ? note : `${names.join()}: ${note}`));
}

/** Why the agent cannot load the policies. */
export function abortLines(analyses: readonly EgressAnalysis[], when = ""): string[] {
  return analyses.flatMap(abortReasons).map((reason) => `The agent cannot load the policies${when}: ${reason}.`);
}

/** {@link notesOf} and {@link abortLines}. */
export function remarksOf(analyses: readonly EgressAnalysis[]): string[] {
  return [...notesOf(analyses), ...abortLines(analyses)];
}

/** What a rule allows on pods by label: `TCP 53`, `UDP all ports`, `TCP port "metrics"`. */
export function allowedPorts({ table, namedPorts }: SelectorRegion): string[] {
  return [
    ...PROTOCOLS.flatMap((protocol) =>
      (table.spans[protocol] ?? [])
        .filter(({ verdict }) => verdict === "allow")
        .map((span) => `${protocol} ${formatPorts(span)}`),
    ),
    ...namedPorts.map(({ protocol, name }) => `${protocol} port "${name}"`),
  ];
}

/** How often each word occurs, in order of appearance: `2 allow, 1 deny`. */
export function tally(words: readonly string[]): string {
  return [...Map.groupBy(words, (word) => word)].map(([word, all]) => `${all.length} ${word}`).join(", ");
}
