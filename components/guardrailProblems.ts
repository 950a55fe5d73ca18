import { parseCidr } from "../analysis/cidr.ts";
import type { Problem } from "../analysis/problems.ts";
import { type Declaration, declaredPorts } from "../guardrails/declaration.ts";
import { checkPolicies } from "../guardrails/index.ts";
import type { RunnerContract } from "../runner/contract.ts";
import type { NetworkFacts } from "../runner/networkFacts.ts";
import type { EgressNetworkPolicy } from "../runner/networkPolicy.ts";
import { ruleOrigins } from "../runner/runnerPolicy.ts";

/**
 * What the guardrails that hold for a policy by itself say about one that was built. The policy pack checks the same on
 * the whole plan; here they hold without it, and for values that are known only at `up`. Each is told by the argument of
 * the component that is at fault, such as `contract.cidrs.dns`.
 */
export function guardrailProblems(
  policy: EgressNetworkPolicy,
  contract: RunnerContract,
  facts: NetworkFacts,
): Problem[] {
  const id = `${policy.metadata.namespace}/${policy.metadata.name}`;
  const declaration = declarationOf(contract, facts);
  const origins = ruleOrigins(contract).map((member) => `contract.${member}`);
  return checkPolicies({ declaration, planned: [{ resource: id, object: policy }] }).map(
    ({ guardrail, rule, message, fix }) => ({
      where: (rule !== undefined && origins[rule]) || "contract",
      reason: `it breaks the guardrail ${guardrail}: ${message}\n    Fix: ${fix}`,
    }),
  );
}

/**
 * The contract as a declaration. Not the agent's version: one that is too old is refused with the other facts about the
 * add-on, unless the stack accepts it.
 */
function declarationOf(contract: RunnerContract, facts: NetworkFacts): Declaration {
  const { policyName, namespace, podLabels, services, databasePorts, cidrs } = contract;
  return {
    runner: { namespaces: [namespace], labels: podLabels },
    policies: [`${namespace}/${policyName}`],
    cluster: { ipFamily: facts.cluster.ipFamily },
    vpcCidrs: [...facts.vpc.ipv4Cidrs, ...facts.vpc.ipv6Cidrs].map(parseCidr),
    destinations: [
      ...services.map(({ name, namespace, podLabels, ports }) => ({
        name,
        cidrs: [],
        pods: [{ namespace, labels: podLabels }],
        ports: ports.map(declaredPorts),
        required: true,
      })),
      ...[
        { name: "database", cidrs: facts.databaseSubnets.flatMap((subnet) => subnet.cidrs), ports: databasePorts },
        ...cidrs,
      ].map(({ name, cidrs, ports }) => ({
        name,
        cidrs: cidrs.map(parseCidr),
        pods: [],
        ports: ports.map(declaredPorts),
        required: true,
      })),
    ],
    internet: "every-port",
    endpoints: [],
  };
}
