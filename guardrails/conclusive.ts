import { MOST_WORLDS } from "../analysis/reach/labelWorlds.ts";
import { isUnread } from "./plannedPolicy.ts";
import { idOf, selecting } from "./policySet.ts";
import type { Situation } from "./situation.ts";
import type { Objection } from "./violation.ts";

/**
 * The guardrail that the others rest on: whatever may select runner pods can be judged. What cannot is said here, once; the
 * others judge what is known.
 */
export function conclusive({ runners, plan, joint, deployed, opaque, groups }: Situation): Objection[] {
  const sets = [plan, joint, ...(deployed === undefined ? [] : [deployed])];
  const unread = new Set(runners.flatMap((runner) => sets.flatMap((set) => selecting(set, runner).filter(isUnread))));
  const found: Objection[] = [
    ...[...unread].map((policy) => {
      const { resource } = policy.planned;
      const id = idOf(policy);
      const message = `NetworkPolicy ${id ?? resource} may select runner pods, and ${policy.reason}.`;
      return { resource, policy: id, message, fix: policy.fix };
    }),
    ...opaque.map(({ resource, what, fix = OPAQUE_FIX }) => ({ resource, message: `${what}.`, fix })),
    ...groups.tooMany.map(({ runner: { namespace }, policies }) => {
      const ids = [...new Set(policies.map((policy) => idOf(policy) as string))].sort();
      return {
        message: `the policies of namespace ${namespace} select runner pods in more than ${MOST_WORLDS} combinations, of which ${MOST_WORLDS} were judged: ${ids.join(", ")}.`,
        fix: "select runners by fewer labels, or declare the labels that no runner has (runner.notLabels).",
      };
    }),
  ];
  return found.map((each) => ({ ...each, message: `cannot conclude: ${each.message}` }));
}

const OPAQUE_FIX = "limit it to other pods or namespaces, or judge it by hand and set this guardrail to advisory.";
