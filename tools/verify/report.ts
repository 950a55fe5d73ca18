import { dump } from "js-yaml";
import { formatPoint } from "../../analysis/point.ts";
import type { Verdict } from "../../analysis/verdict.ts";
import { junitXml, type TestCase } from "../junit.ts";
import { layout } from "../layout.ts";
import { codeSpan, details, escapeText, table } from "../markdown.ts";
import { plural } from "../words.ts";
import type { Finding, FindingLevel } from "./preflight/finding.ts";
import { EXIT_CODES, type TargetResult, type VerifyResult } from "./result.ts";
import type { Prepared } from "./run.ts";
import type { Plan, Target, Uncovered } from "./targets.ts";

/** A finding's level as a reader sees it. */
const LEVEL_WORDS: Readonly<Record<FindingLevel, string>> = {
  ok: "ok",
  note: "note",
  doubt: "DOUBT",
  contradiction: "WRONG",
  stop: "STOP",
};

/** What an expectation says. */
const EXPECTED_WORDS: Readonly<Record<Verdict, string>> = {
  allow: "allowed",
  deny: "denied",
  "order-dependent": "at random",
};

const OUTCOME_WORDS = { "as-expected": "ok", contradicted: "WRONG", inconclusive: "UNPROVED" } as const;

/** A target in words. */
interface TargetWords {
  readonly name: string;
  /** `10.1.7.7:443/tcp` */
  readonly address: string;
  readonly expected: string;
  /** One word for how it came out. */
  readonly outcome: string;
  /** What was seen of it and what that means, in one sentence. */
  readonly seen: string;
  /** What the analysis expects of it, under which semantics, and why; `undefined` for one that is as expected. */
  readonly why: string | undefined;
}

/** Each target of a result in words. */
function targetWords({ targets, semantics }: VerifyResult): TargetWords[] {
  return targets.map(({ target, verdict, because, said, accepted, assessment }: TargetResult) => {
    const expected = EXPECTED_WORDS[target.expected];
    const { specified, name, point, why } = target;
    const otherwise = specified === undefined ? "" : ` (Kubernetes specifies: ${EXPECTED_WORDS[specified]})`;
    return {
      name,
      address: formatPoint(point),
      expected,
      outcome: assessment === "inconclusive" && accepted !== undefined ? "accepted" : OUTCOME_WORDS[assessment],
      seen:
        `${verdict}: ${because}${said === undefined ? "" : ` ("${said}")`}` +
        `${accepted === undefined ? "" : `; accepted: ${accepted}`}`,
      why: assessment === "as-expected" ? undefined : `expected ${expected} under ${semantics}${otherwise}: ${why}`,
    };
  });
}

/** For how long new pods were open, as a sentence; empty where nothing was measured. */
function openSentence({ openSeconds }: VerifyResult): string {
  return openSeconds === undefined
    ? ""
    : `A new runner pod could reach what it must not for ${openSeconds.toFixed(1)} s after its first instruction.`;
}

/** Findings, each with what to do. */
function findingsText(findings: readonly Finding[]): string {
  return findings
    .map(({ check, level, text, remedy }) => {
      const line = `  ${LEVEL_WORDS[level].padEnd(5)}  ${check}: ${text}\n`;
      return remedy === undefined ? line : `${line}         → ${remedy}\n`;
    })
    .join("");
}

/** What is not going to be, or was not, tried. */
function uncoveredText(uncovered: readonly Uncovered[]): string {
  return uncovered
    .map(({ what, why, isRequired }) => `  ${isRequired ? "DOUBT" : "note "}  ${what}: ${why}\n`)
    .join("");
}

/** A part of a text with its title; nothing where it would be empty. */
function section(title: string, body: string): string {
  return body === "" ? "" : `\n${title}\n${body}`;
}

/** A result for a terminal. */
export function textReport(result: VerifyResult): string {
  const words = targetWords(result);
  const rows = words.map(({ outcome, expected, address, name }, index) => {
    const { runner, control } = result.targets[index] ?? {};
    return [outcome, expected, address, name, `runner ${runner}, control ${control}`];
  });
  const details = words.map(({ address, seen, why }) =>
    why === undefined ? "" : `  ${address}\n    ${seen}\n    ${why}\n`,
  );
  return [
    `${result.policy}: ${result.status}\n`,
    `${result.summary}\n`,
    section("Before the probes", findingsText(result.findings)),
    section("Not tried", uncoveredText(result.uncovered)),
    section("Targets", rows.length === 0 ? "" : `${layout(rows, "  ")}\n`),
    section("Why", details.join("")),
    `\n${[openSentence(result), `${result.seconds} s in all.`].filter((text) => text !== "").join(" ")}\n`,
  ].join("");
}

const ICONS: Readonly<Record<VerifyResult["status"], string>> = {
  verified: "✅",
  contradicted: "❌",
  inconclusive: "❔",
  "could not run": "⛔",
};

/** A result for a pull request: the verdict, a table of targets, and what was found before, folded. */
export function markdownReport(result: VerifyResult): string {
  const { status, policy, summary, uncovered, findings } = result;
  const words = targetWords(result);
  const rows = [
    ...words.map((each) => [
      each.outcome,
      codeSpan(each.address),
      escapeText(each.name),
      each.expected,
      escapeText(each.seen),
    ]),
    ...uncovered.map(({ what, why, isRequired }) => [
      isRequired ? "UNPROVED" : "not tried",
      "",
      escapeText(what),
      "",
      escapeText(why),
    ]),
  ];
  const before = findings.map(({ level, check, text, remedy = "" }) => [
    LEVEL_WORDS[level],
    check,
    escapeText(text),
    escapeText(remedy),
  ]);
  const why = words.flatMap(({ address, why }) =>
    why === undefined ? [] : [`- ${codeSpan(address)}: ${escapeText(why)}`],
  );
  const parts = [
    `### ${ICONS[status]} Egress of ${escapeText(policy)}: ${status}`,
    escapeText(summary),
    openSentence(result),
    rows.length === 0 ? "" : table(["", "Target", "What", "Expected", "Seen"], rows),
    why.join("\n"),
    details(
      `Before the probes: ${plural(before.length, "finding")}`,
      table(["", "Check", "Found", "What to do"], before),
    ),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** A result for machines; members are as in {@link VerifyResult}, addresses are text. */
export function jsonReport({ status, summary, policy, semantics, run, seconds, ...rest }: VerifyResult): string {
  const { openSeconds, findings, uncovered } = rest;
  const targets = rest.targets.map(({ target, verdict, because, assessment, control, runner, ...seen }) => {
    const { accepted, openSeconds, said } = seen;
    return { ...targetJson(target), verdict, because, assessment, control, runner, accepted, openSeconds, said };
  });
  const end = { status, exitCode: EXIT_CODES[status], summary, policy, semantics, run, seconds, openSeconds };
  return toText({ ...end, targets, findings, uncovered });
}

/** A plan's targets for machines. */
function planJson({ targets, uncovered }: Plan) {
  return { targets: targets.map(targetJson), uncovered };
}

function targetJson({ id, point, name, source, expected, specified, why }: Target) {
  return { id, address: formatPoint(point), name, source, expected, specified, why };
}

/** JSON as every report writes it. */
function toText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/**
 * A result as JUnit XML, which CI systems show as tests: a case for each target and for each finding. What is wrong or
 * unproved fails; what was accepted or need not be tried is skipped.
 */
export function junitReport(result: VerifyResult): string {
  const { findings, uncovered, status, summary, targets, policy, seconds } = result;
  const suite = "before the probes";
  const cases: TestCase[] = [
    ...findings.map(({ check, level, text, remedy }) => ({
      suite,
      name: `${check}: ${text}`,
      ...(level !== "ok" && level !== "note" && { failure: `${text}. To do: ${remedy ?? "nothing known"}` }),
    })),
    ...uncovered.map(({ what, why, isRequired }) => ({
      suite,
      name: `not tried: ${what}`,
      ...(isRequired ? { failure: why } : { skipped: why }),
    })),
    // A run without targets must not look like a run without failures.
    ...(targets.length === 0 ? [{ suite, name: "the probes ran", failure: `${status}: ${summary}` }] : []),
    ...targetWords(result).map(({ address, name, outcome, seen, why }) => ({
      suite: "targets",
      name: `${address} ${name}`,
      ...(why !== undefined && { [outcome === "accepted" ? "skipped" : "failure"]: `${seen}; ${why}` }),
    })),
  ];
  return junitXml(`egress verify ${policy}: ${status}`, "egress verify", cases, seconds);
}

/** What a run would do: targets and findings for people, all of it for machines, or the manifests as they would be sent. */
export const PLAN_REPORTS = {
  table: ({ findings, plan, semantics }: Prepared): string => {
    const rows = plan.targets.map((target) => [
      target.id,
      EXPECTED_WORDS[target.expected],
      formatPoint(target.point),
      target.name,
    ]);
    return [
      `Targets, expectations under ${semantics.name}\n`,
      `${layout([["", "expected", "address", "what"], ...rows], "  ")}\n`,
      section("Not tried", uncoveredText(plan.uncovered)),
      section("Before the probes", findingsText(findings)),
    ].join("");
  },
  json: ({ findings, plan, semantics, jobs }: Prepared): string =>
    toText({ semantics: semantics.name, ...planJson(plan), findings, manifests: jobs ?? [] }),
  yaml: ({ jobs }: Prepared): string =>
    (jobs ?? []).map((job) => `---\n${dump(job, { lineWidth: -1, noRefs: true })}`).join(""),
};
