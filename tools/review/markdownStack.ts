import { codeBlock, codeSpan, details, escapeText, shorten, table } from "../markdown.ts";
import { capital, formatCount, plural } from "../words.ts";
import { diagram } from "./diagram.ts";
import type { Level } from "./levels.ts";
import type { FactChange } from "./networkFacts.ts";
import type { PackFinding } from "./plan.ts";
import { formatRowPorts, type ReviewRow } from "./rows.ts";
import type { ReachEntry, StackReview, SubjectReview } from "./stackReview.ts";
import {
  credentials,
  holds,
  namesOf,
  nextSteps,
  SIGNS,
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
    ...facts(review.facts, level),
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

function obstacles(review: StackReview, { message }: Level): string[] {
  const [first] = review.obstacles;
  if (first === undefined) {
    return [];
  }
  return [
    "What the pods could reach can't be determined, so treat this change as unreviewed. Reasons:",
    codeBlock(shortenLines(review.obstacles.map((obstacle) => `- ${obstacle}`).join("\n"), message)),
  ];
}

function shortenLines(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length).trimEnd()}…`;
}

function subjectParts(review: StackReview, subject: SubjectReview, wording: Wording, level: Level): string[] {
  const of = (direction: ReviewRow["direction"]) => subject.rows.filter((row) => row.direction === direction);
  const isFirst = subject.stage === "first deploy";
  return [
    summary(review, subject, wording),
    ...advice(subject, wording),
    ...rowsTable(`**${capital(wording.gained)}**`, of("gained"), review, level),
    ...(isFirst
      ? reachTable(subject.reach, level)
      : rowsTable(`**${capital(wording.lost)}**`, of("lost"), review, level)),
    ...(level.hasDiagram && subject.reach.length > 0 ? [picture(subject, wording)] : []),
    ...(isFirst ? [] : wholeReach(subject, level)),
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
    const shown = rows
      .slice(0, 3)
      .map((row) => `${codeSpan(row.destination)}${nameOf(row)} on ${escapeText(formatRowPorts(row))}`);
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

function nameOf(row: Pick<ReviewRow, "names">): string {
  const [name] = namesOf(row);
  return name === undefined ? "" : ` (${escapeText(name)})`;
}

function whatItIs(row: Pick<ReviewRow, "names">): string {
  return escapeText(namesOf(row).join("; ")) || "–";
}

function rowsTable(title: string, rows: readonly ReviewRow[], review: StackReview, level: Level): string[] {
  if (rows.length === 0) {
    return [];
  }
  const differs = rows.some(({ semantics }) => semantics.length < review.semantics.length);
  const header = [
    "Destination",
    "What it is",
    "Ports",
    "Addresses",
    "For example",
    "Because",
    ...(differs ? ["Holds"] : []),
  ];
  const line = (row: ReviewRow) => [
    codeSpan(row.destination),
    whatItIs(row),
    `${escapeText(formatRowPorts(row))}${row.after === "order-dependent" ? " (at random)" : ""}`,
    row.addresses === undefined ? "–" : formatCount(row.addresses),
    row.witness === undefined ? "–" : codeSpan(row.witness),
    escapeText(shorten(row.because, level.message)),
    ...(differs ? [holds(row)] : []),
  ];
  return foldedTable(title, header, rows.map(line), level, "row");
}

function reachTable(reach: readonly ReachEntry[], level: Level): string[] {
  return foldedTable(REACH_TITLE, REACH_HEADER, reach.map(reachLine), level, "destination");
}

const REACH_TITLE = "**Still reachable**, and nothing else";
const REACH_HEADER = ["Destination", "What it is", "Ports"];

/** Excepted blocks of one rule in a table; a policy of ours has about fifteen. */
const MOST_EXCEPTS = 40;

function reachLine({ destination, names, ports, excepts }: ReachEntry): string[] {
  const shown = excepts
    .slice(0, MOST_EXCEPTS)
    .map(({ block, names }) => `${codeSpan(block)}${names.length === 0 ? "" : ` ${escapeText(names.join("; "))}`}`);
  const rest = excepts.length - shown.length;
  const without = [...shown, ...(rest > 0 ? [plural(rest, "more block")] : [])].join(", ");
  return [
    codeSpan(destination),
    `${whatItIs({ names })}${excepts.length === 0 ? "" : `, except: ${without}`}`,
    escapeText(ports),
  ];
}

/** The whole reach after a change, folded: what the change is measured against. */
function wholeReach(subject: SubjectReview, level: Level): string[] {
  return subject.reach.length === 0 || !level.hasDiagram || subject.reach.length > level.folded
    ? []
    : [details("Everything that the rules allow after the change", table(REACH_HEADER, subject.reach.map(reachLine)))];
}

/** A table whose first rows are open, the next folded, and the rest counted. */
function foldedTable(title: string, header: string[], rows: string[][], level: Level, what: string): string[] {
  const [open, folded] = [rows.slice(0, level.open), rows.slice(level.open, level.open + level.folded)];
  const hidden = rows.length - open.length - folded.length;
  return [
    `${title} (${rows.length})`,
    ...(open.length > 0 ? [table(header, open)] : []),
    ...(folded.length > 0 ? [details(`${plural(folded.length, `more ${what}`)}`, table(header, folded))] : []),
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
  const changed = policies.filter(({ kind }) => kind !== "unchanged" && kind !== "changed");
  return changed.length === 0 || perspective === "drift"
    ? []
    : [changed.map(({ id, kind }) => `NetworkPolicy ${codeSpan(id)} is **${kind}**.`).join(" ")];
}

function facts(changes: readonly FactChange[], { items }: Level): string[] {
  if (changes.length === 0) {
    return [];
  }
  const shown = changes
    .slice(0, items)
    .map(({ what, before, after }) => [
      escapeText(what),
      before === undefined ? "(new)" : codeSpan(before),
      after === undefined ? "(gone)" : codeSpan(after),
    ]);
  const hidden = changes.length - shown.length;
  return [
    "**The network changed**: what was looked up is not what it was when this stack was last deployed, and the policy follows it:",
    ...(shown.length > 0 ? [table(["Fact", "Before", "Now"], shown)] : []),
    ...(hidden > 0 ? [`… and ${plural(hidden, "more fact")}.`] : []),
  ];
}

function findings({ findings, packs }: StackReview, { items, message }: Level): string[] {
  if (findings === undefined || findings.length === 0) {
    return [];
  }
  const order = ["mandatory", "remediated", "advisory", "other"];
  const sorted = [...findings].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  const shown = sorted.slice(0, items);
  const hidden = findings.length - shown.length;
  return [
    `**Guardrails** (${packs.map((pack) => escapeText(pack)).join(", ")})`,
    ...(shown.length > 0
      ? [
          table(
            ["Level", "Policy", "Resource", "Message"],
            shown.map((finding) => findingRow(finding, message)),
          ),
        ]
      : []),
    ...(hidden > 0 ? [`… and ${plural(hidden, "more finding")}; the JSON output has them.`] : []),
  ];
}

function findingRow({ severity, policy, resource, message }: PackFinding, length: number): string[] {
  return [
    severity === "mandatory" ? "❌ mandatory" : severity === "advisory" ? "⚠️ advisory" : severity,
    codeSpan(policy),
    resource === "" ? "–" : codeSpan(resource),
    escapeText(shorten(message.replace(/\s+/g, " "), length)),
  ];
}

function warnings({ warnings }: StackReview, { items, message }: Level): string[] {
  const shown = warnings.slice(0, items);
  return shown.length === 0
    ? []
    : [details(plural(warnings.length, "warning"), codeBlock(shortenLines(shown.join("\n"), message)))];
}
