import {
  type AddressFamily,
  describeProblem,
  type NamedAddresses,
  type NetworkPolicy,
  type Problem,
  ProblemsError,
  parseNetworkPolicies,
  policyId,
} from "../../../analysis/index.ts";
import { note, type Terminal } from "../terminal.ts";
import { UsageError } from "../usageError.ts";
import { asForeignPolicy, type ForeignPolicy, isPolicyKind, refuseForeign } from "./foreignPolicies.ts";
import type { LiveCluster } from "./live.ts";
import { type LoadedObject, loadObjects } from "./objects.ts";

/** What is known about the cluster in which policies are enforced. */
export interface ClusterFacts {
  readonly ipFamily: AddressFamily;
  /** Version of aws-network-policy-agent; `undefined`: not known. */
  readonly agentVersion: string | undefined;
}

/** Policies to be analysed together. */
export interface PolicySet {
  /** What the user called it: `staging.yaml`, `stack:prod`. */
  readonly label: string;
  readonly policies: readonly NetworkPolicy[];
  /** Policies of other kinds, which may restrict the pod's egress too. */
  readonly foreign: readonly ForeignPolicy[];
  /** Names for addresses besides those of the IANA registries. */
  readonly names: readonly NamedAddresses[];
  /** `undefined`: only options tell. */
  readonly cluster: ClusterFacts | undefined;
}

/** Policies from files, each with the object that it was read from, whose namespace is filled in. */
export interface PolicyFiles {
  readonly policies: readonly NetworkPolicy[];
  readonly foreign: readonly ForeignPolicy[];
  readonly objects: readonly Readonly<Record<string, unknown>>[];
}

/** The policies of {@link readPolicyFiles} as a set to be analysed. */
export async function loadPolicyFiles(
  paths: readonly string[],
  namespace: string | undefined,
  terminal: Terminal,
): Promise<PolicySet> {
  const { policies, foreign } = await readPolicyFiles(paths, namespace, terminal);
  return { label: paths.join(" "), policies, foreign, names: [], cluster: undefined };
}

/** The policies of a live cluster as a set to be analysed, as {@link readPolicyFiles} reads them. */
export async function livePolicySet(
  { context, objects, ipFamily }: LiveCluster,
  terminal: Terminal,
): Promise<PolicySet> {
  const policies = objects.filter(({ object }) => isPolicyKind(String(object.kind)));
  const read = await readPolicies(policies, undefined, terminal);
  return {
    label: `context:${context}`,
    policies: read.policies,
    foreign: read.foreign,
    names: [],
    cluster: { ipFamily, agentVersion: undefined },
  };
}

/**
 * Reads policies from files, folders or stdin (`-`). Other kinds are left out with a note, except those that restrict
 * egress too: see {@link refuseForeign}.
 *
 * @param namespace Where a policy belongs that does not say so, as with `kubectl apply --namespace`.
 * @throws {UsageError} if a file cannot be read or a policy is there twice.
 * @throws {InconclusiveError} if there are policies of other kinds only.
 * @throws {ProblemsError} for policies that the API server would refuse.
 */
export async function readPolicyFiles(
  paths: readonly string[],
  namespace: string | undefined,
  terminal: Terminal,
): Promise<PolicyFiles> {
  const objects: LoadedObject[] = [];
  for (const path of paths) {
    objects.push(...(await loadObjects(path, terminal)));
  }
  return readPolicies(objects, namespace, terminal);
}

function readPolicies(
  objects: readonly LoadedObject[],
  namespace: string | undefined,
  terminal: Terminal,
): PolicyFiles {
  const foreign: ForeignPolicy[] = [];
  const skipped = new Map<string, number>();
  const policies: { policy: NetworkPolicy; path: string; object: LoadedObject["object"] }[] = [];
  const problems: Problem[] = [];
  for (const { object, path } of objects) {
    const kind = String(object.kind);
    const other = asForeignPolicy({ object, path }, namespace);
    if (other !== undefined) {
      foreign.push(other);
    } else if (kind === "NetworkPolicy") {
      try {
        const [policy] = parseNetworkPolicies([object], {
          path: `${path}: `,
          ...(namespace === undefined ? {} : { namespace }),
        });
        policies.push({ policy: policy as NetworkPolicy, path, object });
      } catch (error) {
        if (!(error instanceof ProblemsError)) {
          throw error;
        }
        problems.push(...error.problems);
      }
    } else {
      skipped.set(kind, (skipped.get(kind) ?? 0) + 1);
    }
  }
  if (problems.length > 0) {
    throw new ProblemsError("Not a NetworkPolicy that the API server would accept:", problems);
  }
  refuseTwins(policies);
  if (policies.length === 0) {
    refuseForeign(foreign, [], undefined);
  }
  for (const problem of policies.flatMap(({ policy }) => policy.warnings)) {
    note(terminal, describeProblem(problem));
  }
  if (skipped.size > 0) {
    const kinds = [...skipped].map(([kind, count]) => `${count} ${kind}`).sort();
    note(terminal, `left out, because only NetworkPolicies count: ${kinds.join(", ")}`);
  }
  return {
    policies: policies.map(({ policy }) => policy),
    foreign,
    objects: policies.map(({ policy: { name, namespace }, object: { apiVersion, kind, spec } }) => ({
      apiVersion,
      kind,
      metadata: { name, namespace },
      spec,
    })),
  };
}

function refuseTwins(policies: readonly { readonly policy: NetworkPolicy; readonly path: string }[]): void {
  const byId = new Map<string, string>();
  for (const { policy, path } of policies) {
    const id = policyId(policy);
    const known = byId.get(id);
    if (known !== undefined && policy.name !== "(unnamed)") {
      throw new UsageError(
        `${path}: NetworkPolicy ${id} is in ${known} too; a cluster has only one of them, so give the files of one cluster`,
      );
    }
    byId.set(id, path);
  }
}
