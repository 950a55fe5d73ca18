import { formatSelector, labelsSelector, policyId } from "../analysis/index.ts";
import { isRead, type ReadPolicy } from "./plannedPolicy.ts";
import { hidesSome, idOf, shells } from "./policySet.ts";
import { memberIn } from "./remedies.ts";
import { selectionOf, selectsOthers } from "./selection.ts";
import { groupsThatDiffer, type PlannedPods, type Situation } from "./situation.ts";
import type { Objection } from "./violation.ts";

/**
 * Guardrail 3: every runner pod is selected by a policy that isolates its egress, the policies that the declaration names
 * are in the plan, and they select exactly the runner pods.
 */
export function isolation(situation: Situation): Objection[] {
  const { declaration, runners, plan, named, scope, pods } = situation;
  const found = shells(named).flatMap((policy) => ofNamedPolicy(situation, policy));
  // A policy of which not even the name or the selector is known may be the one that seems to be missing.
  if (scope === "alone" || runners.some((runner) => hidesSome(plan, runner))) {
    return found;
  }
  const planned = new Set(plan.map(idOf));
  return [
    ...found,
    ...declaration.policies.filter((id) => !planned.has(id)).map((id) => missing(id, situation)),
    ...openGroups(situation),
    ...pods.flatMap((each) => ofPlannedPods(situation, each)),
  ];
}

/** Runner pods that no policy of the plan isolates. */
function openGroups(situation: Situation): Objection[] {
  const { labels } = situation.declaration.runner;
  const who = `every pod ${formatSelector(labelsSelector(labels))}`;
  return groupsThatDiffer(situation, "plan")
    .filter(({ plan }) => !plan.policies.some(({ policy }) => policy.isolatesEgress))
    .map(({ runner: { namespace }, pods }) => ({
      message: `no NetworkPolicy of the plan isolates the egress of ${who} in namespace ${namespace}, so ${pods === "" ? "such a pod" : `one with ${pods}`} may reach everything.`,
      fix: `give a policy in namespace ${namespace} the podSelector ${JSON.stringify({ matchLabels: labels })} and policyTypes ["Egress"].`,
    }));
}

/** Runner pods that the plan itself starts where no policy of the runners applies to them. */
function ofPlannedPods({ declaration: { runner } }: Situation, { resource, what, ...pods }: PlannedPods): Objection[] {
  const { namespaces, labels, notLabels = [] } = runner;
  if (Object.entries(labels).some(([key, value]) => pods.labels[key] !== value)) {
    return [];
  }
  const found: [what: string, fix: string][] = [];
  if (pods.hostNetwork) {
    found.push(["in the network of their node, to which no policy applies", "take hostNetwork out of the pods."]);
  }
  if (pods.namespace === undefined || !namespaces.includes(pods.namespace)) {
    found.push([
      `in ${pods.namespace === undefined ? "a namespace that is unknown until up" : `namespace ${pods.namespace}`}, where no runners are declared`,
      `start them in ${namespaces.join(" or ")}, or declare the namespace and give it a policy.`,
    ]);
  }
  for (const { key, value } of notLabels) {
    const own = pods.labels[key];
    if (own !== undefined && (value === undefined || own === value)) {
      found.push([
        `with the label ${key}=${own}, which the declaration says that no runner has`,
        "take the label away, or take it out of runner.notLabels.",
      ]);
    }
  }
  return found.map(([how, fix]) => ({ resource, message: `${what} starts runner pods ${how}.`, fix }));
}

/** What is wrong with the selector or the types of a policy that the declaration names, or with where it goes. */
function ofNamedPolicy({ declaration, runners }: Situation, { policy, planned }: ReadPolicy): Objection[] {
  const found: [what: string, fix: string][] = [];
  const { labels, namespaces } = declaration.runner;
  const wanted = formatSelector(labelsSelector(labels));
  const exact = `set podSelector to ${JSON.stringify({ matchLabels: labels })}.`;
  const own = `podSelector "${formatSelector(policy.podSelector)}"`;
  const here = runners.filter(({ namespace }) => namespace === policy.namespace);
  if (here.length === 0) {
    found.push([
      `is in namespace ${policy.namespace}, where no runner pods are declared.`,
      `put it into ${namespaces.join(" or ")}, or correct ${memberIn(declaration, "runner.namespaces")}.`,
    ]);
  } else if (here.some((runner) => selectionOf(policy, runner) !== "every")) {
    found.push([`does not select every runner pod: ${own} asks for more than ${wanted}.`, exact]);
  }
  if (selectsOthers(policy.podSelector, labels)) {
    found.push([`selects pods that are no runners: ${own} is wider than ${wanted}.`, exact]);
  }
  if (!policy.isolatesEgress) {
    found.push(["does not isolate egress: its policyTypes lack Egress.", 'set policyTypes to ["Egress"].']);
  }
  const { cluster, renderedTo, resource } = planned;
  if (renderedTo !== undefined) {
    found.push([
      `is written to the folder ${renderedTo} and not to the cluster: its provider has renderYamlToDirectory.`,
      "give it a provider without renderYamlToDirectory.",
    ]);
  }
  const { identifier } = declaration.cluster;
  if (cluster !== undefined && identifier !== undefined && cluster !== identifier) {
    found.push([
      `goes to another cluster: its provider has ${cluster === "" ? "no clusterIdentifier" : `the clusterIdentifier ${cluster}`}, and the runners are in ${identifier}.`,
      `give it the provider with the clusterIdentifier ${identifier}.`,
    ]);
  }
  const id = policyId(policy);
  return found.map(([what, fix]) => ({ resource, policy: id, message: `NetworkPolicy ${id} ${what}`, fix }));
}

function missing(id: string, { plan, runners, declaration }: Situation): Objection {
  const others = plan
    .filter(isRead)
    .filter(({ policy }) => runners.some(({ namespace }) => namespace === policy.namespace))
    .map(({ policy }) => policyId(policy));
  const instead = others.length === 0 ? "" : `; the plan has ${[...new Set(others)].sort().join(", ")}`;
  return {
    policy: id,
    message: `NetworkPolicy ${id} is not in the plan${instead}.`,
    fix: `keep the policy in the program under that name and namespace, or correct ${memberIn(declaration, "policies")}.`,
  };
}
