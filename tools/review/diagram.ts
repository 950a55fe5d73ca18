import { plural } from "../words.ts";
import { formatRowPorts, type ReviewRow } from "./rows.ts";
import type { ReachEntry, SubjectReview } from "./stackReview.ts";
import { namesOf } from "./wording.ts";

/** Changed and unchanged edges each; more than this and nobody reads the picture. */
const MOST_EDGES = 12;

const CLASSES = [
  ["gained", "stroke:#cf222e,stroke-width:3px"],
  ["lost", "stroke:#6e7781,stroke-dasharray:4 4"],
] as const;

interface Edge {
  readonly label: string;
  readonly lines: readonly string[];
  readonly kind: "kept" | "gained" | "lost";
}

/**
 * A Mermaid flowchart of what the pods may reach afterwards; what the change opens is a thick line, what it closes a
 * dotted one, both said in words too.
 */
export function diagram(subject: SubjectReview, words: { readonly gained: string; readonly lost: string }): string {
  const changed = subject.stage === "first deploy" ? [] : subject.rows;
  const shown = changed.slice(0, MOST_EDGES);
  const changes = new Set(changed.map(({ destination }) => destination));
  const kept = subject.reach.filter(({ destination }) => !changes.has(destination));
  const edges: Edge[] = [
    ...kept.slice(0, MOST_EDGES).map(keptEdge),
    ...rest(kept.length, "kept"),
    ...shown.map((row) => changedEdge(row, words[row.direction])),
    ...rest(changed.length, "gained", changed.slice(MOST_EDGES)),
  ];
  const lines = ["flowchart LR", `  runner(["${runnerLabel(subject)}"])`];
  const styles: string[] = [];
  for (const [index, { label, lines: node, kind }] of edges.entries()) {
    const arrow = kind === "gained" ? "==>" : kind === "lost" ? "-.->" : "-->";
    lines.push(
      `  d${index}["${node.map(mermaidText).join("<br>")}"]`,
      `  runner ${arrow}|"${mermaidText(label)}"| d${index}`,
    );
    if (kind !== "kept") {
      lines.push(`  class d${index} ${kind}`);
      styles.push(`  linkStyle ${index} stroke:${kind === "gained" ? "#cf222e" : "#6e7781"}`);
    }
  }
  return [
    ...lines,
    ...styles,
    ...CLASSES.filter(([kind]) => edges.some((edge) => edge.kind === kind)).map(
      ([kind, style]) => `  classDef ${kind} ${style}`,
    ),
  ].join("\n");
}

function keptEdge({ destination, names, ports, excepts }: ReachEntry): Edge {
  const suffix = excepts.length === 0 ? "" : ` except ${plural(excepts.length, "block")}`;
  return {
    kind: "kept",
    label: ports,
    lines: [`${destination}${suffix}`, ...namesOf({ names, destination }).slice(0, 1)],
  };
}

function changedEdge(row: ReviewRow, word: string): Edge {
  const kind = row.direction === "gained" ? "gained" : "lost";
  return { kind, label: `${word}: ${formatRowPorts(row)}`, lines: [row.destination, ...namesOf(row).slice(0, 1)] };
}

function rest(total: number, kind: Edge["kind"], rows: readonly ReviewRow[] = []): Edge[] {
  if (total <= MOST_EDGES) {
    return [];
  }
  const isGain = rows.some(({ direction }) => direction === "gained");
  const what = kind === "kept" ? "destinations" : "changes";
  return [
    {
      kind: kind === "kept" ? kind : isGain ? "gained" : "lost",
      label: "and",
      lines: [`${total - MOST_EDGES} more ${what}`],
    },
  ];
}

function runnerLabel({ source }: SubjectReview): string {
  if (source === undefined) {
    return "the selected pods";
  }
  const labels = Object.entries(source.labels).map(([key, value]) => `${key}=${value}`);
  return `${labels.map(mermaidText).join("<br>")}<br>in ${mermaidText(source.namespace)}`;
}

/** Mermaid reads `#…;` as an entity and some words as syntax; quotes end the text. */
function mermaidText(text: string): string {
  return (
    text
      .replaceAll("#", "#35;")
      .replaceAll('"', "#quot;")
      .replaceAll("<", "#lt;")
      .replaceAll(">", "#gt;")
      .replaceAll("`", "#96;")
      .replaceAll("\\", "#92;")
      // Two of them would begin a formula.
      .replaceAll("$", "#36;")
      .replace(/\s+/g, " ")
  );
}
