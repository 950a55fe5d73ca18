import { Option } from "commander";
import {
  type Assertion,
  type AssertionResult,
  check,
  ProblemsError,
  parseAssertions,
  type Semantics,
} from "../../../analysis/index.ts";
import { CLEAN, type ExitCode, FINDING, INCONCLUSIVE, worst } from "../../exitCodes.ts";
import type { CommandDefinition } from "../command.ts";
import { loadFile } from "../input/objects.ts";
import { loadQuestion } from "../input/question.ts";
import { type OutputFormat, type QuestionFlags, questionOptions } from "../options.ts";
import { checkForms, checkJunit } from "../render/check.ts";
import { printResult } from "../render/text.ts";
import { print, type Terminal } from "../terminal.ts";
import { UsageError } from "../usageError.ts";

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
export interface CheckedSemantics {
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
