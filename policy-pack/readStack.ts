import { type Problem, ProblemsError } from "../analysis/problems.ts";
import type {
  ChangeAcknowledgement,
  Declaration,
  DeclarationSource,
  RegionAcknowledgement,
} from "../guardrails/index.ts";
import { POLICY_CHANGES } from "../guardrails/index.ts";
import { configKey } from "../program/config/contractConfig.ts";
import { declarationOf } from "../program/declaration.ts";
import { recordCommandOf } from "../program/facts/recordedFactsFile.ts";
import { recordedNetwork } from "../program/facts/recordedLookups.ts";
import { PROJECT_NAME, readProject } from "../program/project.ts";
import { readStackFiles, type StackFiles } from "../program/stackFiles.ts";
import { enforcementOf } from "../runner/networkFacts.ts";
import { resolveContract } from "../runner/resolve.ts";
import { endpointProblems } from "./readDeclaration.ts";

/** What a stack of this project declares by its own files. */
export interface StackDeclaration {
  readonly declaration: Declaration;
  readonly changes: readonly ChangeAcknowledgement[];
  readonly reach: readonly RegionAcknowledgement[];
}

/** The stack of this project that a resource belongs to; `undefined` for another project's. */
export function stackOf(urn: string | undefined): string | undefined {
  const [, stack, project] = /^urn:pulumi:([^:/\\]+)::([^:]+)::/.exec(urn ?? "") ?? [];
  return project === PROJECT_NAME ? stack : undefined;
}

/**
 * What a stack's config and its recorded facts declare, read from their files, never from what the program computed or
 * what the engine was told on its command line.
 *
 * @throws {ProblemsError} with every problem of a file, or of the config in the recorded network
 */
export async function readStack(stack: string): Promise<StackDeclaration> {
  const files = await readStackFiles(await readProject(), stack);
  const { config, facts: recorded } = files;
  const { facts } = await recordedNetwork(files);
  const { agentVersion } = enforcementOf(facts);
  const isOldAgentAccepted = facts.addOn.acknowledged.includes("agent-too-old");
  const declaration = declarationOf(config.contract, facts, {
    mustReach: config.mustReach,
    source: sourceOf(files),
    cluster: {
      ...(agentVersion !== undefined && !isOldAgentAccepted && { agentVersion }),
      ...(facts.cluster.ipFamily === "ipv6" && recorded.vpcCni && { otherFamilyEgress: recorded.vpcCni.ipv4Egress }),
    },
  });
  const problems: Problem[] = [
    ...resolveContract(config.contract, facts).problems.map((problem) => ({
      ...problem,
      where: configKey(PROJECT_NAME, problem.where),
    })),
    ...endpointProblems(declaration).map((reason) => ({ where: `${PROJECT_NAME}:mustReach.endpoints`, reason })),
  ];
  if (problems.length > 0) {
    throw new ProblemsError(`The config of stack ${stack} does not fit facts/${stack}.json:`, problems);
  }
  const { acknowledgedChange } = config;
  return {
    declaration,
    changes:
      acknowledgedChange === undefined
        ? []
        : declaration.policies.flatMap((policy) =>
            // The program says when it is not needed any more.
            POLICY_CHANGES.map((change) => ({ ...acknowledgedChange, policy, change, mayBeUnused: true })),
          ),
    reach: config.acknowledgedReach,
  };
}

/** Where members of a declaration are written: in the stack's config, or in its facts, which a command writes. */
function sourceOf({ stack, config }: StackFiles): DeclarationSource {
  const keys: Readonly<Record<string, string>> = {
    "runner.namespaces": "runner.namespace",
    "runner.labels": "runner.podLabels",
    policies: "runner.policyName",
    internet: "mustReach.internet",
    endpoints: "mustReach.endpoints",
    "destinations.cidrs": "destinations.cidrs",
    "destinations.pods": "destinations.services",
    "widening.acknowledgements": "acknowledge.widening",
  };
  const isRecorded = (member: string) => /^(vpcCidrs|cluster\b.*|destinations\.database\.cidrs)$/.test(member);
  const keyOf = (member: string) => {
    const [, name = "", rest = ""] = /^destinations\.([^.]+)(.*)$/.exec(member) ?? [];
    const isBlock = config.contract.cidrs.some((destination) => destination.name === name);
    const where = name === "database" ? "database" : `${isBlock ? "cidrs" : "services"}.${name}`;
    return keys[member] === undefined ? configKey(PROJECT_NAME, `${where}${rest}`) : `${PROJECT_NAME}:${keys[member]}`;
  };
  const facts = `facts/${stack}.json`;
  return {
    placeOf: (member) => (isRecorded(member) ? `${member} of ${facts}` : `${keyOf(member)} in Pulumi.${stack}.yaml`),
    updateOf: (member) =>
      isRecorded(member)
        ? `run \`${recordCommandOf(stack)}\` and have the change of ${facts} reviewed (docs/promotion.md, When the network changes)`
        : undefined,
  };
}
