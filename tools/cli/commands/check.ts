import {
  type Assertion,
  type AssertionResult,
  check,
  ProblemsError,
  parseAssertions,
  type Semantics,
} from "../../../analysis/index.ts";
import { CLEAN, type ExitCode, FINDING, INCONCLUSIVE, worst } from "../../exitCodes.ts";
import { loadFile } from "../input/objects.ts";
import { loadQuestion } from "../input/question.ts";
import type { OutputFormat, PolicyFlags, SemanticsFlags } from "../options.ts";
import { renderCheck } from "../render/check.ts";
import { checkJunit } from "../render/checkJunit.ts";
import { print, type Terminal } from "../terminal.ts";
import { UsageError } from "../usageError.ts";

/** The flags of `check`. */
export type CheckFlags = PolicyFlags &
  SemanticsFlags & { readonly output: OutputFormat | "junit"; readonly clusterFamilyOnly?: boolean };

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

/** Checks an assertion file: exit code 1 if an assertion fails or names nothing. */
export async function checkCommand(file: string, flags: CheckFlags, terminal: Terminal): Promise<ExitCode> {
  const assertions = await loadAssertions(file);
  const question = await loadQuestion(flags, terminal);
  const checked = question.analyses.map((analysis): CheckedSemantics => {
    const { semantics } = analysis;
    const asked = flags.clusterFamilyOnly === true ? assertions.flatMap((one) => inFamily(one, semantics)) : assertions;
    return { semantics, results: check(analysis, asked) };
  });
  const { output } = flags;
  const text = output === "junit" ? checkJunit(question, checked) : renderCheck(question, checked, output, terminal);
  await print(terminal, text);
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
