import { type NamedAddresses, parseCidr, parseNetworkPolicies } from "../../../analysis/index.ts";
import { ProblemsError } from "../../../analysis/problems.ts";
import { provenanceOf } from "../../../program/facts/provenance.ts";
import { recordedNetwork } from "../../../program/facts/recordedLookups.ts";
import { plannedPolicy } from "../../../program/plannedPolicy.ts";
import { readProject, stacksOf } from "../../../program/project.ts";
import { readStackFiles } from "../../../program/stackFiles.ts";
import type { NetworkFacts } from "../../../runner/networkFacts.ts";
import { UsageError } from "../errors.ts";
import { note, type Terminal } from "../terminal.ts";
import type { PolicySet } from "./policySet.ts";

/**
 * The policy that the program creates for a stack, built by its own pure parts from the stack's config and the recorded
 * facts: no Pulumi, no network. The cluster's family and agent come from the same facts, and the names of the VPC and of
 * the database subnets go into results.
 *
 * @param from The folder from which the project is looked for, upward. Default: the working directory.
 * @throws {UsageError} with everything for which the program would refuse.
 */
export async function loadStack(
  stack: string,
  terminal: Pick<Terminal, "stderr" | "now">,
  from?: string,
): Promise<PolicySet> {
  const label = `stack:${stack}`;
  try {
    const project = await readProject(from);
    const stacks = await stacksOf(project);
    if (!stacks.includes(stack)) {
      throw new UsageError(`${label}: there is no such stack; there is ${stacks.join(", ") || "none"}`);
    }
    const files = await readStackFiles(project, stack);
    const { config, facts: recorded } = files;
    const { facts, warnings } = await recordedNetwork(files);
    const { policy, notices } = plannedPolicy(config, facts);
    for (const notice of [...provenanceOf(files, terminal.now()), ...warnings, ...notices]) {
      note(terminal, `${label}: ${notice}`);
    }
    return {
      label,
      policies: parseNetworkPolicies([policy]),
      objects: [{ ...policy }],
      foreign: [],
      names: namesOf(facts, recorded.vpc.name),
      cluster: { ipFamily: facts.cluster.ipFamily, agentVersion: agentVersionOf(facts) },
    };
  } catch (error) {
    throw error instanceof ProblemsError ? new UsageError(`${label}: ${error.message}`) : error;
  }
}

/** An agent newer than the table of versions is read as the oldest that it can be. */
function agentVersionOf({ addOn }: NetworkFacts): string | undefined {
  return addOn.agentVersion?.replace(/^>=/, "");
}

function namesOf({ vpc, databaseSubnets }: NetworkFacts, vpcName: string | undefined): NamedAddresses[] {
  return [
    ...databaseSubnets.flatMap(({ id, cidrs }) =>
      cidrs.map((cidr) => ({ cidr: parseCidr(cidr), name: `database subnet ${id}` })),
    ),
    ...[...vpc.ipv4Cidrs, ...vpc.ipv6Cidrs].map((cidr) => ({
      cidr: parseCidr(cidr),
      name: `VPC ${vpcName ?? vpc.id}`,
    })),
  ];
}
