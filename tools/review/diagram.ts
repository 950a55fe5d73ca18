import { plural } from "../words.ts";
import { type Edge, edgesOf } from "./reach.ts";
import type { SubjectReview } from "./stackReview.ts";

/** Changed and unchanged edges each; more than this and nobody reads the picture. */
const MOST_EDGES = 12;

/** How each kind of edge is drawn: its arrow, its colour, and the style of what it leads to. */
const KINDS = {
  kept: { arrow: "-->" },
  gained: { arrow: "==>", colour: "#cf222e", style: "stroke-width:3px" },
  lost: { arrow: "-.->", colour: "#6e7781", style: "stroke-dasharray:4 4" },
} as const;

/**
 * A Mermaid flowchart of what the pods may reach afterwards; what the change opens is a thick line, what it closes a
 * dotted one, both said in words too.
 */
export function diagram(subject: SubjectReview, words: { readonly gained: string; readonly lost: string }): string {
  const all = edgesOf(subject.reach, subject.stage === "first deploy" ? [] : subject.rows);
  const edges = [
    ...limited(all.filter(({ change }) => change === "kept")),
    ...limited(all.filter(({ change }) => change !== "kept")),
  ];
  const lines = edges.flatMap(({ change, destination, names, ports, excepts }, index) => {
    const suffix = excepts.length === 0 ? "" : ` except ${plural(excepts.length, "block")}`;
    const node = [`${destination}${suffix}`, ...names.slice(0, 1)].map(mermaidText).join("<br>");
    const label = mermaidText(change === "kept" ? ports : `${words[change]}: ${ports}`);
    return [
      `  d${index}["${node}"]`,
      `  runner ${KINDS[change].arrow}|"${label}"| d${index}`,
      ...(change === "kept" ? [] : [`  class d${index} ${change}`]),
    ];
  });
  const links = edges.flatMap(({ change }, index) =>
    change === "kept" ? [] : [`  linkStyle ${index} stroke:${KINDS[change].colour}`],
  );
  const classes = (["gained", "lost"] as const)
    .filter((kind) => edges.some(({ change }) => change === kind))
    .map((kind) => `  classDef ${kind} stroke:${KINDS[kind].colour},${KINDS[kind].style}`);
  return ["flowchart LR", `  runner(["${runnerLabel(subject)}"])`, ...lines, ...links, ...classes].join("\n");
}

/** The first edges, and one for the rest. */
function limited(edges: readonly Edge[]): Edge[] {
  const rest = edges.slice(MOST_EDGES);
  const [worst] = ["gained", "lost", "kept"].flatMap((kind) => rest.find(({ change }) => change === kind) ?? []);
  return worst === undefined
    ? [...edges]
    : [
        ...edges.slice(0, MOST_EDGES),
        {
          ...worst,
          destination: `${rest.length} more ${worst.change === "kept" ? "destinations" : "changes"}`,
          ports: "and",
          names: [],
          excepts: [],
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
