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

/** {@link notesOf} as lines; nothing where there is nothing to say. */
export function noteLines(analyses: readonly EgressAnalysis[]): string {
  return notesOf(analyses)
    .map((text) => `${text}\n`)
    .join("");
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
