import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type PolicyResource,
  type ResourceValidationArgs,
  UnknownValueError,
  unknownCheckingProxy,
} from "@pulumi/policy";
import { policies } from "../../policy-pack/policies/index.ts";
import { KEEPERHUB_CONTRACT } from "../../runner/contract.ts";
import { buildRunnerPolicy } from "../../runner/runnerPolicy.ts";
import { FIXTURE_PROJECT } from "./fixtureProject.ts";
import { keeperhubFacts, networkFacts } from "./networkFacts.ts";

/** Any plain object that a test edits. */
// biome-ignore lint/suspicious/noExplicitAny: a test reaches into objects whose shape it knows
export type Plain = any;

/** A resource as a test writes it. */
export interface TestResource {
  readonly type: string;
  readonly name: string;
  readonly props: Plain;
  readonly protect?: boolean;
  readonly providerProps?: Plain;
  /** URN. */
  readonly parent?: string;
}

/** Config by policy, as in a config file. */
export type PackConfig = Record<string, Plain>;

/** What the SDK puts where a value is unknown until `up`. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const STACK: TestResource = { type: "pulumi:pulumi:Stack", name: "runner-egress-staging", props: {} };

/** What a run of the pack said. */
export interface PackResult {
  /** Names of the policies that reported something, in the pack's order. */
  readonly fired: readonly string[];
  /** What each of them reported. */
  readonly messages: Readonly<Record<string, readonly string[]>>;
  /** URN of each report, by message. */
  readonly urns: ReadonlyMap<string, string | undefined>;
  /** Policies that said that they do not apply, with the reason; those of the whole plan only. */
  readonly notApplicable: Readonly<Record<string, string | undefined>>;
}

class NotApplicable extends Error {}

/**
 * Runs the policies as the engine's server does: each resource as it comes, the stack first, then the whole plan. Unknown
 * values throw when they are read; a policy that lets that happen would be downgraded to advice, so here it fails.
 */
export async function runPack(
  resources: readonly TestResource[],
  config: PackConfig,
  phases: {
    readonly root?: boolean;
    readonly resources?: boolean;
    readonly stack?: boolean;
    /** Default: this one, whose stacks declare by their own files. */
    readonly project?: string;
    /** Default: staging. */
    readonly stackName?: string;
  } = {},
): Promise<PackResult> {
  const messages: Record<string, string[]> = {};
  const urns = new Map<string, string | undefined>();
  const notApplicable: Record<string, string | undefined> = {};
  const report = (policy: string) => (message: string, urn?: string) => {
    messages[policy] = [...(messages[policy] ?? []), message];
    urns.set(message, urn);
  };
  const attempt = async (run: () => Promise<void> | void, otherwise: (reason: string) => void) => {
    try {
      await run();
    } catch (error) {
      if (error instanceof UnknownValueError) {
        throw new Error(`a policy read an unknown value: ${(error as Error).message}`);
      }
      if (!(error instanceof NotApplicable)) {
        throw error;
      }
      otherwise(error.message);
    }
  };
  const argsOf = (resource: TestResource, policy: string) =>
    ({
      ...policyResource(resource, phases),
      stackTags: new Map(),
      getConfig: () => structuredClone(config[policy] ?? {}),
      notApplicable: (reason?: string) => {
        throw new NotApplicable(reason);
      },
    }) as unknown as ResourceValidationArgs;
  const early = [...(phases.root === false ? [] : [STACK]), ...(phases.resources === false ? [] : resources)];
  for (const resource of early) {
    for (const { name, validateResource } of policies) {
      if (typeof validateResource === "function") {
        await attempt(
          () => validateResource(argsOf(resource, name), report(name)),
          () => {},
        );
      }
    }
  }
  for (const { name, validateStack } of phases.stack === false ? [] : policies) {
    const all = [STACK, ...resources].map((resource) =>
      policyResource(resource, phases),
    ) as unknown as PolicyResource[];
    const { getConfig, notApplicable: refuse, stackTags } = argsOf(STACK, name);
    await attempt(
      () => validateStack({ resources: all, getConfig, notApplicable: refuse, stackTags }, report(name)),
      (reason) => {
        notApplicable[name] = reason;
      },
    );
  }
  return { fired: policies.map(({ name }) => name).filter((name) => messages[name]), messages, urns, notApplicable };
}

/** URN of a test resource. */
export function urnOf({ type, name }: TestResource): string {
  return `urn:pulumi:staging::runner-egress::${type}::${name}`;
}

function policyResource(
  resource: TestResource,
  { project = "runner-egress", stackName = "staging" }: { readonly project?: string; readonly stackName?: string },
) {
  const { type, name, props, protect = false, providerProps, parent } = resource;
  return {
    type,
    name,
    urn: urnOf(resource).replace("staging::runner-egress::", `${stackName}::${project}::`),
    props: unknownCheckingProxy(structuredClone(props)),
    opts: { protect, ...(parent !== undefined && { parent }) },
    ...(providerProps && { provider: { props: unknownCheckingProxy(providerProps) } }),
  };
}

/** The pack's config of a stack of the fixture project. */
export function packConfig(stack: "staging" | "prod"): PackConfig {
  return JSON.parse(readFileSync(join(FIXTURE_PROJECT, "policy-pack", `config.${stack}.json`), "utf8"));
}

/** A NetworkPolicy resource. */
export function networkPolicy(object: Plain, options: Partial<TestResource> = {}): TestResource {
  return {
    type: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    name: object.metadata?.name ?? "policy",
    props: { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", ...object },
    protect: true,
    ...options,
  };
}

/** The policy of a stack, as the program builds it from the facts of KeeperHub's pull request 1430. */
export function runnerPolicy(stack: "staging" | "prod"): Plain {
  const facts = keeperhubFacts(stack === "staging" ? "10.1" : "10.0");
  return structuredClone(buildRunnerPolicy(KEEPERHUB_CONTRACT, facts).policy);
}

export const IPV6_VPC = "2600:1f18:1234:5600::/56";

/** The policy of an IPv6 cluster, and a config for it. */
export function ipv6Plan(): { policy: Plain; config: PackConfig } {
  const databaseCidrs = ["2600:1f18:1234:5601::/64"];
  const facts = networkFacts({ ipv6Cidrs: [IPV6_VPC], databaseCidrs, ipFamily: "ipv6" });
  const config = packConfig("staging");
  config.declaration.cluster = { ipFamily: "ipv6", otherFamilyEgress: false };
  config.declaration.vpcCidrs = ["10.1.0.0/16", IPV6_VPC];
  config.declaration.destinations.database.cidrs = databaseCidrs;
  return { policy: structuredClone(buildRunnerPolicy(KEEPERHUB_CONTRACT, facts).policy), config };
}
