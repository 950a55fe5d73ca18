import { formatSelector, type NetworkPolicy, policyId } from "../analysis/index.ts";
import type { ReadPolicy } from "./plannedPolicy.ts";
import { idOf, selecting, shells } from "./policySet.ts";
import { memberIn } from "./remedies.ts";
import { selectionOf, selectorOf, selectsOthers } from "./selection.ts";
import { groupsThatDiffer, type PlannedPods, type Situation } from "./situation.ts";
import type { Violation } from "./violation.ts";

type Found = Pick<Violation, "message" | "fix">;

/**
 * Guardrail 3: every runner pod is selected by a policy that isolates its egress, the policies that the declaration names
 * are in the plan, and they select exactly the runner pods.
 */
export function isolation(situation: Situation): Violation[] {
  const { declaration, runners, plan, named, scope } = situation;
  const violations = shells(named).flatMap((policy) => namedPolicyViolations(situation, policy));
  // A policy of which not even the name or the selector is known may be the one that seems to be missing.
  const isHidden = runners.some((runner) => selecting(plan, runner).unread.some(({ shell }) => shell === undefined));
  if (scope === "alone" || isHidden) {
    return violations;
  }
  for (const id of declaration.policies) {
    if (![...plan.read, ...plan.unread].some((policy) => idOf(policy) === id)) {
      violations.push(missing(id, situation));
    }
  }
  for (const { runner, pods, policies } of groupsThatDiffer(situation, "plan")) {
    if (policies.plan.some(({ policy }) => policy.isolatesEgress)) {
      continue;
    }
    const { labels } = declaration.runner;
    const who = `every pod ${formatSelector(selectorOf(labels))}`;
    violations.push({
      ...of(undefined, undefined),
      message: `no NetworkPolicy of the plan isolates the egress of ${who} in namespace ${runner.namespace}, so ${pods === "" ? "such a pod" : `one with ${pods}`} may reach everything.`,
      fix: `give a policy in namespace ${runner.namespace} the podSelector ${JSON.stringify({ matchLabels: labels })} and policyTypes ["Egress"].`,
    });
  }
  return [...violations, ...situation.pods.flatMap((pods) => plannedPods(situation, pods))];
}

/** Runner pods that the plan itself starts where no policy of the runners applies to them. */
function plannedPods({ declaration: { runner } }: Situation, { resource, what, ...pods }: PlannedPods): Violation[] {
  const { namespaces, labels, notLabels = [] } = runner;
  if (Object.entries(labels).some(([key, value]) => pods.labels[key] !== value)) {
    return [];
  }
  const found: Found[] = [];
  if (pods.hostNetwork) {
    found.push({
      message: "in the network of their node, to which no policy applies",
      fix: "take hostNetwork out of the pods.",
    });
  }
  if (pods.namespace === undefined || !namespaces.includes(pods.namespace)) {
    found.push({
      message: `in ${pods.namespace === undefined ? "a namespace that is unknown until up" : `namespace ${pods.namespace}`}, where no runners are declared`,
      fix: `start them in ${namespaces.join(" or ")}, or declare the namespace and give it a policy.`,
    });
  }
  for (const { key, value } of notLabels) {
    const own = pods.labels[key];
    if (own !== undefined && (value === undefined || own === value)) {
      found.push({
        message: `with the label ${key}=${own}, which the declaration says that no runner has`,
        fix: "take the label away, or take it out of runner.notLabels.",
      });
    }
  }
  return found.map(({ message, fix }) => ({
    ...of(resource, undefined),
    message: `${what} starts runner pods ${message}.`,
    fix,
  }));
}

/** What is wrong with the selector or the types of a policy that the declaration names, or with where it goes. */
function namedPolicyViolations({ declaration, runners }: Situation, { policy, planned }: ReadPolicy): Violation[] {
  const found: Found[] = [];
  const { labels } = declaration.runner;
  const wanted = formatSelector(selectorOf(labels));
  const exact = `set podSelector to ${JSON.stringify({ matchLabels: labels })}.`;
  const own = `podSelector "${formatSelector(policy.podSelector)}"`;
  if (!runners.some(({ namespace }) => namespace === policy.namespace)) {
    found.push({
      message: `is in namespace ${policy.namespace}, where no runner pods are declared.`,
      fix: `put it into ${declaration.runner.namespaces.join(" or ")}, or correct ${memberIn(declaration, "runner.namespaces")}.`,
    });
  } else if (
    runners.some((runner) => runner.namespace === policy.namespace && selectionOf(policy, runner) !== "every")
  ) {
    found.push({ message: `does not select every runner pod: ${own} asks for more than ${wanted}.`, fix: exact });
  }
  if (selectsOthers(policy.podSelector, labels)) {
    found.push({ message: `selects pods that are no runners: ${own} is wider than ${wanted}.`, fix: exact });
  }
  if (!policy.isolatesEgress) {
    found.push({
      message: "does not isolate egress: its policyTypes lack Egress.",
      fix: 'set policyTypes to ["Egress"].',
    });
  }
  const { cluster, renderedTo } = planned;
  if (renderedTo !== undefined) {
    found.push({
      message: `is written to the folder ${renderedTo} and not to the cluster: its provider has renderYamlToDirectory.`,
      fix: "give it a provider without renderYamlToDirectory.",
    });
  }
  const { identifier } = declaration.cluster;
  if (cluster !== undefined && identifier !== undefined && cluster !== identifier) {
    found.push({
      message: `goes to another cluster: its provider has ${cluster === "" ? "no clusterIdentifier" : `the clusterIdentifier ${cluster}`}, and the runners are in ${identifier}.`,
      fix: `give it the provider with the clusterIdentifier ${identifier}.`,
    });
  }
  return found.map(({ message, fix }) => ({
    ...of(planned.resource, policy),
    message: `NetworkPolicy ${policyId(policy)} ${message}`,
    fix,
  }));
}

function missing(id: string, { plan, runners, declaration }: Situation): Violation {
  const others = plan.read
    .filter(({ policy }) => runners.some(({ namespace }) => namespace === policy.namespace))
    .map(({ policy }) => policyId(policy));
  const instead = others.length === 0 ? "" : `; the plan has ${[...new Set(others)].sort().join(", ")}`;
  return {
    ...of(undefined, undefined),
    policy: id,
    message: `NetworkPolicy ${id} is not in the plan${instead}.`,
    fix: `keep the policy in the program under that name and namespace, or correct ${memberIn(declaration, "policies")}.`,
  };
}

function of(resource: string | undefined, policy: NetworkPolicy | undefined): Omit<Violation, "message" | "fix"> {
  return {
    guardrail: "isolation",
    resource,
    policy: policy && policyId(policy),
    rule: undefined,
    witness: undefined,
  };
}
