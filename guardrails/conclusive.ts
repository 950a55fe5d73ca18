import { MOST_WORLDS } from "../analysis/reach/labelWorlds.ts";
import type { UnreadPolicy } from "./plannedPolicy.ts";
import { idOf, selecting } from "./policySet.ts";
import type { OpaquePolicy, Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";

/**
 * The guardrail that the others rest on: whatever may select runner pods can be judged. What cannot is said here, once; the
 * others judge what is known.
 */
export function conclusive({ runners, plan, joint, deployed, opaque, groups }: Situation): Violation[] {
  const sets = [plan, joint, ...(deployed === undefined ? [] : [deployed])];
  const unread = new Set(runners.flatMap((runner) => sets.flatMap((set) => selecting(set, runner).unread)));
  return [
    ...[...unread].map(unreadPolicy),
    ...opaque.map(opaquePolicy),
    ...groups.tooMany.map(({ runner: { namespace }, policies }): Violation => {
      const ids = [...new Set(policies.map((policy) => idOf(policy) as string))].sort();
      return violation(undefined, undefined, {
        message: `the policies of namespace ${namespace} select runner pods in more than ${MOST_WORLDS} combinations, of which ${MOST_WORLDS} were judged: ${ids.join(", ")}.`,
        fix: "select runners by fewer labels, or declare the labels that no runner has (runner.notLabels).",
      });
    }),
  ];
}

function unreadPolicy(policy: UnreadPolicy): Violation {
  const { planned, reason, fix } = policy;
  const id = idOf(policy);
  return violation(planned.resource, id, {
    message: `NetworkPolicy ${id ?? planned.resource} may select runner pods, and ${reason}.`,
    fix,
  });
}

function opaquePolicy({ resource, what, fix = OPAQUE_FIX }: OpaquePolicy): Violation {
  return violation(resource, undefined, { message: `${what}.`, fix });
}

const OPAQUE_FIX = "limit it to other pods or namespaces, or judge it by hand and set this guardrail to advisory.";

function violation(
  resource: string | undefined,
  policy: string | undefined,
  { message, fix }: Pick<Violation, "message" | "fix">,
): Violation {
  return {
    guardrail: "conclusive",
    resource,
    policy,
    rule: undefined,
    witness: undefined,
    message: `cannot conclude: ${message}`,
    fix,
  };
}
