import { formatPoint } from "../../../analysis/point.ts";
import { EXIT_CODES, type VerifyResult } from "../result.ts";
import type { Plan, Target } from "../targets.ts";

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
export function planJson({ targets, uncovered }: Plan) {
  return { targets: targets.map(targetJson), uncovered };
}

function targetJson({ id, point, name, source, expected, specified, why }: Target) {
  return { id, address: formatPoint(point), name, source, expected, specified, why };
}

/** JSON as every report writes it. */
export function toText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
