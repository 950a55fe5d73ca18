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
import { UsageError } from "../errors.ts";
import { note, type Terminal } from "../terminal.ts";
import { asForeignPolicy, type ForeignPolicy, refuseForeign } from "./foreignPolicies.ts";
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
  /** The objects that the policies were read from, with the namespace filled in. */
  readonly objects: readonly Readonly<Record<string, unknown>>[];
  /** Policies of other kinds, which may restrict the pod's egress too. */
  readonly foreign: readonly ForeignPolicy[];
  /** Names for addresses besides those of the IANA registries. */
  readonly names: readonly NamedAddresses[];
  /** `undefined`: only options tell. */
  readonly cluster: ClusterFacts | undefined;
}

/**
 * Reads policies from files, folders or stdin (`-`), as {@link policySetOf} does.
 *
 * @param namespace Where a policy belongs that does not say so, as with `kubectl apply --namespace`.
 * @throws {UsageError} if a file cannot be read.
 */
export async function loadPolicyFiles(
  paths: readonly string[],
  namespace: string | undefined,
  terminal: Terminal,
): Promise<PolicySet> {
  const objects: LoadedObject[] = [];
  for (const path of paths) {
    objects.push(...(await loadObjects(path, terminal)));
  }
  return policySetOf(objects, { label: paths.join(" "), cluster: undefined, namespace }, terminal);
}

/**
 * The policies among objects. Other kinds are left out with a note, except those that restrict egress too: see
 * {@link refuseForeign}.
 *
 * @throws {UsageError} if a policy is there twice.
 * @throws {InconclusiveError} if there are policies of other kinds only.
 * @throws {ProblemsError} for policies that the API server would refuse.
 */
export function policySetOf(
  objects: readonly LoadedObject[],
  { namespace, ...about }: Pick<PolicySet, "label" | "cluster"> & { readonly namespace?: string | undefined },
  terminal: Terminal,
): PolicySet {
  const foreign: ForeignPolicy[] = [];
  const skipped = new Map<string, number>();
  const found: (LoadedObject & { readonly policy: NetworkPolicy })[] = [];
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
        found.push({ policy: policy as NetworkPolicy, path, object });
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
  refuseTwins(found);
  if (found.length === 0) {
    refuseForeign({ foreign, policies: [] }, undefined);
  }
  for (const problem of found.flatMap(({ policy }) => policy.warnings)) {
    note(terminal, describeProblem(problem));
  }
  if (skipped.size > 0) {
    const kinds = [...skipped].map(([kind, count]) => `${count} ${kind}`).sort();
    note(terminal, `left out, because only NetworkPolicies count: ${kinds.join(", ")}`);
  }
  return {
    ...about,
    policies: found.map(({ policy }) => policy),
    objects: found.map(({ policy: { name, namespace }, object: { apiVersion, kind, spec } }) => ({
      apiVersion,
      kind,
      metadata: { name, namespace },
      spec,
    })),
    foreign,
    names: [],
  };
}

function refuseTwins(found: readonly { readonly policy: NetworkPolicy; readonly path: string }[]): void {
  const byId = new Map<string, string>();
  for (const { policy, path } of found) {
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
