import { readdirSync } from "node:fs";
import { type NamedAddresses, parseCidr, parseNetworkPolicies } from "../../../analysis/index.ts";
import { ProblemsError } from "../../../analysis/problems.ts";
import { readConfig } from "../../../program/config/readConfig.ts";
import { askQuestions } from "../../../program/lookups/askQuestions.ts";
import { judgeNetwork } from "../../../program/lookups/judgeNetwork.ts";
import type { NetworkFacts } from "../../../runner/networkFacts.ts";
import { buildRunnerPolicy } from "../../../runner/runnerPolicy.ts";
import { readProject } from "../../offline/engine/project.ts";
import { projectDirectory } from "../../offline/engine/projectDirectory.ts";
import { ProjectError } from "../../offline/engine/projectError.ts";
import { readStackConfig } from "../../offline/engine/stackConfig.ts";
import { readRecordedFacts, recordedFactsPath, requireSameRegion } from "../../offline/recordedFactsFile.ts";
import { recordedLookups } from "../../offline/recordedLookups.ts";
import { note, type Terminal } from "../terminal.ts";
import { UsageError } from "../usageError.ts";
import type { PolicySet } from "./policySet.ts";

/**
 * The policy that the program creates for a stack, built by its own pure parts from the stack's config and the recorded
 * facts: no Pulumi, no network. The cluster's family and agent come from the same facts, and the names of the VPC and of
 * the database subnets go into results.
 *
 * @param from The folder from which the project is looked for, upward. Default: the working directory.
 * @throws {UsageError} with everything for which the program would refuse.
 */
export async function loadStack(stack: string, terminal: Pick<Terminal, "stderr">, from?: string): Promise<PolicySet> {
  const label = `stack:${stack}`;
  try {
    const directory = projectDirectory(from);
    const stacks = stackNames(directory);
    if (!stacks.includes(stack)) {
      throw new ProjectError([`there is no such stack; there is ${stacks.join(", ") || "none"}`]);
    }
    const project = await readProject(directory);
    const values = await readStackConfig(project, stack);
    const config = readConfig({ project: project.name, stack, values });
    const recorded = await readRecordedFacts(recordedFactsPath(project, stack));
    requireSameRegion(recorded, values, stack);
    const { facts, warnings } = judgeNetwork(config, await askQuestions(config, recordedLookups(recorded)));
    const { policy, notices } = buildRunnerPolicy(config.contract, facts);
    for (const notice of [...warnings, ...notices]) {
      note(terminal, `${label}: ${notice}`);
    }
    return {
      label,
      policies: parseNetworkPolicies([policy]),
      names: namesOf(facts, recorded.vpc.name),
      cluster: { ipFamily: facts.cluster.ipFamily, agentVersion: agentVersionOf(facts) },
    };
  } catch (error) {
    throw error instanceof ProblemsError || error instanceof ProjectError
      ? new UsageError(`${label}: ${error.message}`)
      : error;
  }
}

function stackNames(directory: string): string[] {
  return readdirSync(directory)
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();
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
