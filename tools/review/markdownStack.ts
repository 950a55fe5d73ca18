import { codeBlock, codeSpan, details, escapeText, shorten, table } from "../markdown.ts";
import { capital, formatCount, plural } from "../words.ts";
import { diagram } from "./diagram.ts";
import type { Level } from "./levels.ts";
import { formatRowPorts, type ReviewRow } from "./rows.ts";
import type { ReachEntry, StackReview, SubjectReview } from "./stackReview.ts";
import {
  credentials,
  holds,
  namesOf,
  nextSteps,
  SIGNS,
  specialChanges,
  subjectName,
  type Wording,
  whyItMatters,
  wordingOf,
} from "./wording.ts";

/** Everything about one stack, as far as a level shows it. */
export function stackSection(review: StackReview, level: Level): string {
  const wording = wordingOf(review);
  return [
    `### ${codeSpan(shorten(review.stack, 80))}: ${SIGNS[review.verdict]} ${wording.verdicts[review.verdict]}`,
    ...review.cautions.map((caution) => `⚠️ **Caution:** ${escapeText(shorten(caution, level.message))}.`),
    ...obstacles(review, level),
    ...findings(review, level),
    ...facts(review, level),
    ...review.subjects.flatMap((subject) => subjectParts(review, subject, wording, level)),
    ...policyChanges(review),
    ...warnings(review, level),
  ].join("\n\n");
}

/** One sentence about a stack, where there is no room for more. */
export function stackSentence(review: StackReview): string {
  const wording = wordingOf(review);
  const sentences = review.subjects.map((subject) => summary(review, subject, wording));
  const [obstacle] = review.obstacles;
  return [
    `**${codeSpan(shorten(review.stack, 80))}**: ${wording.verdicts[review.verdict]}.`,
    ...review.cautions.map((caution) => `⚠️ ${capital(escapeText(shorten(caution, 120)))}.`),
    ...(obstacle === undefined ? sentences : [`${escapeText(shorten(obstacle, 120))}.`]),
  ].join(" ");
}

function obstacles({ obstacles: reasons }: StackReview, { message }: Level): string[] {
  return reasons.length === 0
    ? []
    : [
        "What the pods could reach can't be determined, so treat this change as unreviewed. Reasons:",
        codeBlock(shorten(reasons.map((reason) => `- ${reason}`).join("\n"), message)),
      ];
}

function subjectParts(review: StackReview, subject: SubjectReview, wording: Wording, level: Level): string[] {
  const { rows, stage, reach } = subject;
  const changes = (direction: ReviewRow["direction"]) =>
    rowsTable(
      capital(wording[direction]),
      rows.filter((row) => row.direction === direction),
      review,
      level,
    );
  const isFirst = stage === "first deploy";
  const cells = reach.map(reachCells);
  const isWhole = level.hasDiagram && reach.length > 0;
  return [
    summary(review, subject, wording),
    ...advice(subject, wording),
    ...changes("gained"),
    ...(isFirst
      ? [
          `**Still reachable**, and nothing else (${reach.length})`,
          ...limitedTable(REACH_HEADER, cells, level, "destination"),
        ]
      : changes("lost")),
    ...(isWhole ? [picture(subject, wording)] : []),
    // What the change is measured against.
    ...(isWhole && !isFirst && reach.length <= level.folded
      ? [details("Everything that the rules allow after the change", table(REACH_HEADER, cells))]
      : []),
  ];
}

/** The comment in a nutshell: who, what, how much. */
function summary(review: StackReview, subject: SubjectReview, wording: Wording): string {
  const who = `${capital(escapeText(subjectName(subject)))}`;
  if (subject.stage === "first deploy" && review.perspective === "plan") {
    return `${who}: this stack restricts them for the first time. By its policy they reach what is listed here and nothing else.`;
  }
  if (subject.stage === "deletion") {
    const state = review.perspective === "plan" ? "nothing restricts them any more" : "no live policy restricts them";
    return `${who}: **${state}**. They could reach every destination, the instance metadata service and the whole VPC among them.`;
  }
  if (subject.rows.length === 0) {
    const isRewritten = review.policies.some(({ kind }) => kind === "changed");
    return `${who}: exactly the same destinations as before${isRewritten ? "; only the way the policy is written differs" : ""}.`;
  }
  const parts = (["gained", "lost"] as const).map((direction) => {
    const rows = subject.rows.filter((row) => row.direction === direction);
    const shown = rows.slice(0, 3).map(({ destination, names: [name], ...row }) => {
      const called = name === undefined ? "" : ` (${escapeText(name)})`;
      return `${codeSpan(destination)}${called} on ${escapeText(formatRowPorts(row))}`;
    });
    const rest = rows.length - shown.length;
    const list = rows.length === 0 ? "nothing" : `${shown.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
    return `${wording[direction]}: ${list}`;
  });
  return `${who}. ${parts.map(capital).join(". ")}.`;
}

/** What a reader who has never seen this makes of it. */
function advice(subject: SubjectReview, wording: Wording): string[] {
  const reasons = whyItMatters(subject.rows);
  const points = [
    ...credentials(subject).map((sentence) => `**${capital(sentence)}**`),
    ...(reasons.length === 0 ? [] : [`**Why it matters:** it opens the way to ${reasons.join("; ")}.`]),
    ...nextSteps(subject, wording).map((step) => capital(step).replace(/^Before approving:/, "**$&**")),
  ];
  return points.length === 0 ? [] : [points.map((point) => `- ${point}`).join("\n")];
}

function rowsTable(title: string, rows: readonly ReviewRow[], review: StackReview, level: Level): string[] {
  const differs = rows.some(({ semantics }) => semantics.length < review.semantics.length);
  const columns = ["Destination", "What it is", "Ports", "Addresses", "For example", "Because"];
  const cells = (row: ReviewRow) => [
    codeSpan(row.destination),
    whatItIs(row),
    `${escapeText(formatRowPorts(row))}${row.after === "order-dependent" ? " (at random)" : ""}`,
    row.addresses === undefined ? "–" : formatCount(row.addresses),
    row.witness === undefined ? "–" : codeSpan(row.witness),
    escapeText(shorten(row.because, level.message)),
    ...(differs ? [holds(row)] : []),
  ];
  return rows.length === 0
    ? []
    : [
        `**${title}** (${rows.length})`,
        ...limitedTable([...columns, ...(differs ? ["Holds"] : [])], rows.map(cells), level, "row"),
      ];
}

function whatItIs(row: Pick<ReviewRow, "names">): string {
  return escapeText(namesOf(row).join("; ")) || "–";
}

const REACH_HEADER = ["Destination", "What it is", "Ports"];

/** Excepted blocks of one rule in a table; a policy of ours has about fifteen. */
const MOST_EXCEPTS = 40;

function reachCells({ destination, names, ports, excepts }: ReachEntry): string[] {
  const shown = excepts
    .slice(0, MOST_EXCEPTS)
    .map(({ block, names }) => [codeSpan(block), escapeText(names.join("; "))].join(" ").trim());
  const rest = excepts.length - shown.length;
  const without = [...shown, ...(rest > 0 ? [plural(rest, "more block")] : [])].join(", ");
  return [
    codeSpan(destination),
    `${whatItIs({ names })}${excepts.length === 0 ? "" : `, except: ${without}`}`,
    escapeText(ports),
  ];
}

/** A table whose first rows are open, the next folded, and the rest counted. */
function limitedTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  level: Pick<Level, "open" | "folded">,
  what: string,
): string[] {
  const [open, folded] = [rows.slice(0, level.open), rows.slice(level.open, level.open + level.folded)];
  const hidden = rows.length - open.length - folded.length;
  return [
    ...(open.length > 0 ? [table(header, open)] : []),
    ...(folded.length > 0 ? [details(plural(folded.length, `more ${what}`), table(header, folded))] : []),
    ...(hidden > 0 ? [`… and ${plural(hidden, `further ${what}`)}; the JSON output has them.`] : []),
  ];
}

function picture(subject: SubjectReview, wording: Wording): string {
  const block = codeBlock(diagram(subject, wording), "mermaid");
  return subject.rows.length > 0 && subject.stage !== "first deploy"
    ? block
    : details("Picture of what these pods can reach", block);
}

function policyChanges({ policies, perspective }: StackReview): string[] {
  const changed = perspective === "drift" ? [] : specialChanges(policies);
  return changed.length === 0
    ? []
    : [changed.map(({ id, kind }) => `NetworkPolicy ${codeSpan(id)} is **${kind}**.`).join(" ")];
}

function facts({ facts: changes }: StackReview, { items }: Level): string[] {
  const rows = changes.map(({ what, before, after }) => [
    escapeText(what),
    before === undefined ? "(new)" : codeSpan(before),
    after === undefined ? "(gone)" : codeSpan(after),
  ]);
  return rows.length === 0
    ? []
    : [
        "**The network changed**: what was looked up is not what it was when this stack was last deployed, and the policy follows it:",
        ...limitedTable(["Fact", "Before", "Now"], rows, { open: items, folded: 0 }, "fact"),
      ];
}

const SEVERITIES = ["mandatory", "remediated", "advisory", "other"];

function findings({ findings: found = [], packs }: StackReview, { items, message: length }: Level): string[] {
  const rows = [...found]
    .sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity))
    .map(({ severity, policy, resource, message }) => [
      severity === "mandatory" ? "❌ mandatory" : severity === "advisory" ? "⚠️ advisory" : severity,
      codeSpan(policy),
      resource === "" ? "–" : codeSpan(resource),
      escapeText(shorten(message.replace(/\s+/g, " "), length)),
    ]);
  return rows.length === 0
    ? []
    : [
        `**Guardrails** (${packs.map(escapeText).join(", ")})`,
        ...limitedTable(["Level", "Policy", "Resource", "Message"], rows, { open: items, folded: 0 }, "finding"),
      ];
}

function warnings({ warnings: all }: StackReview, { items, message }: Level): string[] {
  const shown = all.slice(0, items);
  return shown.length === 0
    ? []
    : [details(plural(all.length, "warning"), codeBlock(shorten(shown.join("\n"), message)))];
}
