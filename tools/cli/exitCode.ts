/** What the process says to its caller: clean; denied, different or failed; inconclusive; usage or input error. */
export type ExitCode = 0 | 1 | 2 | 3;

/** The command did what was asked and found nothing to object to. */
export const CLEAN: ExitCode = 0;
/** A destination is denied, two policies differ, an assertion fails. */
export const NEGATIVE: ExitCode = 1;
/** What was given does not decide the question. */
export const INCONCLUSIVE: ExitCode = 2;
/** The command line or the input is wrong; nothing was judged. */
export const USAGE_ERROR: ExitCode = 3;

/** The exit code of several results: the highest. */
export function worst(codes: Iterable<ExitCode>): ExitCode {
  let highest: ExitCode = CLEAN;
  for (const code of codes) {
    highest = code > highest ? code : highest;
  }
  return highest;
}
