/** How a command or a workflow step ends; the one table that all of them share. */
export type ExitCode = 0 | 1 | 2 | 3;

/** There is nothing to object to. */
export const CLEAN: ExitCode = 0;
/** Denied, different, violated, refused, moved. */
export const FINDING: ExitCode = 1;
/** The input doesn't decide the question, or something that had to be asked gave no answer. */
export const INCONCLUSIVE: ExitCode = 2;
/** The command line or an input file is wrong; nothing was judged. */
export const USAGE_ERROR: ExitCode = 3;

/** What each exit code means, for `--help` and docs/cli.md. */
export const EXIT_CODE_MEANINGS: Readonly<Record<ExitCode, string>> = {
  [CLEAN]: "nothing to object to",
  [FINDING]: "a finding: denied, different, violated, refused or moved",
  [INCONCLUSIVE]: "inconclusive: the input doesn't decide it, or a tool, a cluster or AWS gave no answer",
  [USAGE_ERROR]: "the command line or an input file is wrong; nothing was judged",
};

/** The exit code of several results: the highest. */
export function worst(codes: Iterable<ExitCode>): ExitCode {
  return Math.max(CLEAN, ...codes) as ExitCode;
}
