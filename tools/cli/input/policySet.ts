import {
  type AddressFamily,
  type NamedAddresses,
  type NetworkPolicy,
  type Problem,
  ProblemsError,
  parseNetworkPolicies,
  policyId,
} from "../../../analysis/index.ts";
import { InconclusiveError } from "../inconclusive.ts";
import { note, type Terminal } from "../terminal.ts";
import { UsageError } from "../usageError.ts";
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
  /** Names for addresses besides those of the IANA registries. */
  readonly names: readonly NamedAddresses[];
  /** `undefined`: only options tell. */
  readonly cluster: ClusterFacts | undefined;
}

/** Policies from files, each with the object that it was read from, whose namespace is filled in. */
export interface PolicyFiles {
  readonly policies: readonly NetworkPolicy[];
  readonly objects: readonly Readonly<Record<string, unknown>>[];
}

/** The policies of {@link readPolicyFiles} as a set to be analysed. */
export async function loadPolicyFiles(
  paths: readonly string[],
  namespace: string | undefined,
  terminal: Terminal,
): Promise<PolicySet> {
  const { policies } = await readPolicyFiles(paths, namespace, terminal);
  return { label: paths.join(" "), policies, names: [], cluster: undefined };
}

/**
 * Reads policies from files, folders or stdin (`-`). Other kinds are left out with a note, but for those that restrict
 * egress too: next to an AWS, admin, Cilium or Calico policy no verdict holds.
 *
 * @param namespace Where a policy belongs that does not say so, as with `kubectl apply --namespace`.
 * @throws {UsageError} if a file cannot be read or a policy is there twice.
 * @throws {InconclusiveError} next to policies of another kind that restrict egress too.
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
  const undecidable: string[] = [];
  const skipped = new Map<string, number>();
  const policies: { policy: NetworkPolicy; path: string; object: LoadedObject["object"] }[] = [];
  const problems: Problem[] = [];
  for (const { object, path } of objects) {
    const { kind, apiVersion } = object;
    if (kind === "NetworkPolicy" && !isForeign(apiVersion)) {
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
    } else if (/network.*policy$/i.test(kind as string)) {
      undecidable.push(
        `${path}: ${String(apiVersion)} ${String(kind)} restricts egress too and is not analysed, so no verdict holds`,
      );
    } else {
      skipped.set(kind as string, (skipped.get(kind as string) ?? 0) + 1);
    }
  }
  if (problems.length > 0) {
    throw new ProblemsError("Not a NetworkPolicy that the API server would accept:", problems);
  }
  refuseTwins(policies);
  if (undecidable.length > 0) {
    throw new InconclusiveError(undecidable);
  }
  if (skipped.size > 0) {
    const kinds = [...skipped].map(([kind, count]) => `${count} ${kind}`).sort();
    note(terminal, `left out, because only NetworkPolicies count: ${kinds.join(", ")}`);
  }
  return {
    policies: policies.map(({ policy }) => policy),
    objects: policies.map(({ policy: { name, namespace }, object: { apiVersion, kind, spec } }) => ({
      apiVersion,
      kind,
      metadata: { name, namespace },
      spec,
    })),
  };
}

/** Calico has a kind of the same name; other API groups are old versions of the one meant. */
function isForeign(apiVersion: unknown): boolean {
  return typeof apiVersion === "string" && /(^|\.)projectcalico\.org\//.test(apiVersion);
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
