import { EXIT_CODES, type VerifyResult } from "../result.ts";
import type { Plan, Target } from "../targets.ts";
import { targetAddress } from "../targets.ts";

/** A result for machines; members are as in {@link VerifyResult}, addresses are text. */
export function jsonReport(result: VerifyResult): string {
  const { status, summary, policy, semantics, run, seconds, openSeconds, findings, uncovered } = result;
  const targets = result.targets.map(
    ({ target, verdict, because, assessment, control, runner, accepted, openSeconds: open, said }) => ({
      ...targetJson(target),
      verdict,
      because,
      assessment,
      control,
      runner,
      accepted,
      openSeconds: open,
      said,
    }),
  );
  const exitCode = EXIT_CODES[status];
  return toText({
    status,
    exitCode,
    summary,
    policy,
    semantics,
    run,
    seconds,
    openSeconds,
    targets,
    findings,
    uncovered,
  });
}

/** A plan's targets for machines. */
export function planJson({ targets, uncovered }: Plan) {
  return { targets: targets.map(targetJson), uncovered };
}

function targetJson(target: Target) {
  const { id, name, source, expected, specified, why } = target;
  return { id, address: targetAddress(target), name, source, expected, specified, why };
}

/** JSON as every report writes it. */
export function toText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
