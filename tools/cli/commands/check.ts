import { Option } from "commander";
import {
  type Assertion,
  type AssertionResult,
  check,
  formatPoint,
  ProblemsError,
  parseAssertions,
  type Semantics,
} from "../../../analysis/index.ts";
import { CLEAN, type ExitCode, FINDING, INCONCLUSIVE, worst } from "../../exitCodes.ts";
import { junitXml } from "../../junit.ts";
import { escapeText, table } from "../../markdown.ts";
import { plural } from "../../words.ts";
import type { CommandDefinition } from "../command.ts";
import { UsageError } from "../errors.ts";
import { loadFile } from "../input/objects.ts";
import { loadQuestion, type Question } from "../input/question.ts";
import { type OutputFormat, type QuestionFlags, questionOptions } from "../options.ts";
import { explanationJson, type Json, portsJson, semanticsJson } from "../render/json.ts";
import { describeSemantics, type Forms, notesOf, printResult, styleOf, tally } from "../render/text.ts";
import { print, type Terminal } from "../terminal.ts";

type CheckFlags = Omit<QuestionFlags, "output"> & {
  readonly output: OutputFormat | "junit";
  readonly clusterFamilyOnly?: boolean;
};

/** Checks an assertion file: exit code 1 if an assertion fails or names nothing. */
export const command = {
  description: "Checks an assertion file exactly, over all destinations that it names (docs/assertions.md).",
  operands: ["the assertion file, YAML or JSON"],
  options: [
    new Option("--cluster-family-only", "vpc-cni: leave out addresses of the family that is not the cluster's"),
    ...questionOptions("both", "junit"),
  ],
  examples: [
    "check docs/examples/assertions.yaml --policy docs/examples/runner-staging.yaml --semantics kubernetes",
    "check docs/examples/assertions.yaml --policy docs/examples/runner-staging.yaml --cluster-family-only --output junit",
  ],
  run: runCheck,
} satisfies CommandDefinition;

/** How assertions fared under one semantics. */
interface CheckedSemantics {
  readonly semantics: Semantics;
  readonly results: readonly AssertionResult[];
}

const CODES: Readonly<Record<AssertionResult["outcome"], ExitCode>> = {
  holds: CLEAN,
  fails: FINDING,
  vacuous: FINDING,
  inconclusive: INCONCLUSIVE,
};

async function runCheck(terminal: Terminal, file: string, flags: CheckFlags): Promise<ExitCode> {
  const assertions = await loadAssertions(file);
  const question = await loadQuestion(flags, terminal);
  const checked = question.analyses.map((analysis): CheckedSemantics => {
    const { semantics } = analysis;
    const asked = flags.clusterFamilyOnly === true ? assertions.flatMap((one) => inFamily(one, semantics)) : assertions;
    return { semantics, results: check(analysis, asked) };
  });
  const { output } = flags;
  if (output === "junit") {
    await print(terminal, checkJunit(question, checked));
  } else {
    await printResult(output, checkForms(question, checked), terminal);
  }
  return worst(checked.flatMap(({ results }) => results.map(({ outcome }) => CODES[outcome])));
}

async function loadAssertions(file: string): Promise<Assertion[]> {
  const [document, ...more] = await loadFile(file);
  if (more.length > 0) {
    throw new UsageError(`${file}: holds ${more.length + 1} documents; an assertion file is one`);
  }
  try {
    return parseAssertions(document);
  } catch (error) {
    throw error instanceof ProblemsError ? new ProblemsError(`${file}: not an assertion file:`, error.problems) : error;
  }
}

/**
 * The assertion without the addresses of the family that the agent does not enforce, where pods have no address. One that
 * is about nothing else is left out; one that named nothing to begin with stays, to fail as vacuous.
 */
function inFamily(assertion: Assertion, semantics: Semantics): Assertion[] {
  if (semantics.name === "kubernetes" || (assertion.addresses.length === 0 && assertion.pods.length === 0)) {
    return [assertion];
  }
  const addresses = assertion.addresses.filter(({ family }) => family === semantics.ipFamily);
  return addresses.length === 0 && assertion.pods.length === 0 ? [] : [{ ...assertion, addresses }];
}

/** The result of `check`. */
function checkForms({ sender, analyses }: Question, checked: readonly CheckedSemantics[]): Forms {
  const outcomes = checked.flatMap(({ results }) => results.map(({ outcome }) => outcome));
  const sorted = [...outcomes].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  const summary = `${plural(outcomes.length, "check")}: ${tally(sorted)}\n`;
  return {
    json: () => ({
      sender: sender.text,
      notes: notesOf(analyses),
      checks: checked.map(({ semantics, results }) => ({
        semantics: semanticsJson(semantics),
        assertions: results.map(resultJson),
      })),
    }),
    heading: [`From ${sender.text}`, ...notesOf(analyses)],
    markdown: () => {
      const rows = checked.flatMap(({ semantics, results }) =>
        results.map(({ name, outcome, apart, text }) => [
          outcome,
          escapeText(name),
          semantics.name,
          outcome === "holds" && apart.length === 0 ? "" : escapeText(text),
        ]),
      );
      return `${table(["Outcome", "Assertion", "Semantics", "Why"], rows)}\n\n${summary}`;
    },
    text: (paint) => {
      const sections = checked.map(({ semantics, results }) => {
        const lines = results.map(
          ({ outcome, text }) => `  ${paint(styleOf(outcome), outcome.toUpperCase().padEnd(12))}  ${text}\n`,
        );
        return `${paint("bold", describeSemantics(semantics))}\n${lines.join("")}\n`;
      });
      return `${sections.join("")}${summary}`;
    },
  };
}

const ORDER: readonly AssertionResult["outcome"][] = ["holds", "fails", "vacuous", "inconclusive"];

/** The result of `check` as JUnit XML: a suite for each semantics, a case for each assertion. */
function checkJunit({ sender }: Question, checked: readonly CheckedSemantics[]): string {
  const cases = checked.flatMap(({ semantics, results }) =>
    results.map(({ name, outcome, text }) => ({
      suite: describeSemantics(semantics),
      name,
      ...((outcome === "fails" || outcome === "vacuous") && { failure: text }),
      ...(outcome === "inconclusive" && { error: text }),
    })),
  );
  return junitXml(`runner-egress check, from ${sender.text}`, "runner-egress check", cases);
}

function resultJson({ contradictions, name, expect, outcome, apart, text }: AssertionResult): Json {
  return {
    name,
    expect,
    outcome,
    apart,
    text,
    contradictions: contradictions.map(({ where, protocols, ports, verdict, witness, explanation, why }) => ({
      where,
      why,
      protocols,
      ports: portsJson(ports),
      verdict,
      witness: witness && formatPoint(witness),
      explanation: explanation && explanationJson(explanation),
    })),
  };
}
