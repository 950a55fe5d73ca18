import { getFromApi } from "./apiServer.ts";
import { expectSuccess } from "./clusterError.ts";
import type { ClusterAccess } from "./kubeconfig.ts";

/** A kind of object and where its collection is. */
export interface ResourceKind {
  /** `""`: the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural: `networkpolicies`. */
  readonly resource: string;
  readonly kind: string;
}

/** An object as the API server has it. */
type KubernetesObject = Readonly<Record<string, unknown>> & {
  readonly metadata: { readonly name: string; readonly namespace?: string };
};

/** The kinds that say what runs in a cluster and what restricts it, by plural. */
export const KINDS = {
  networkpolicies: { group: "networking.k8s.io", version: "v1", resource: "networkpolicies", kind: "NetworkPolicy" },
  namespaces: { group: "", version: "v1", resource: "namespaces", kind: "Namespace" },
  pods: { group: "", version: "v1", resource: "pods", kind: "Pod" },
  services: { group: "", version: "v1", resource: "services", kind: "Service" },
} as const satisfies Readonly<Record<string, ResourceKind>>;

const PAGE = 500;

/**
 * Every object of a kind, with the `apiVersion` and `kind` that a list of a built-in kind leaves out.
 *
 * @param within default: all namespaces and labels
 * @throws {ClusterError} when the server refuses, {Error} when it does not answer.
 */
export async function listAll(
  access: ClusterAccess,
  { group, version, resource, kind }: ResourceKind,
  { namespace, labelSelector }: { readonly namespace?: string | undefined; readonly labelSelector?: string } = {},
): Promise<KubernetesObject[]> {
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const where = namespace === undefined ? "" : `namespaces/${namespace}/`;
  const objects: KubernetesObject[] = [];
  let next = "";
  do {
    const query = new URLSearchParams({
      limit: String(PAGE),
      ...(labelSelector !== undefined && { labelSelector }),
      ...(next !== "" && { continue: next }),
    });
    const path = `/${group === "" ? "api" : "apis"}/${apiVersion}/${where}${resource}?${query}`;
    const answer = await getFromApi(access, path);
    const { items, metadata } = expectSuccess(`list ${resource}${group === "" ? "" : `.${group}`}`, answer) as {
      readonly items: readonly KubernetesObject[];
      readonly metadata?: { readonly continue?: string };
    };
    objects.push(...items.map((item) => ({ ...item, apiVersion, kind })));
    next = metadata?.continue ?? "";
  } while (next !== "");
  return objects;
}

/** Discovery in one answer, which API servers give since Kubernetes 1.27. */
const AGGREGATED = ["v2", "v2beta1"]
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .join(",");

interface Discovery {
  readonly kind?: string;
  readonly items?: readonly {
    readonly metadata: { readonly name: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly resources?: readonly { readonly resource: string; readonly responseKind?: { readonly kind: string } }[];
    }[];
  }[];
}

/**
 * The kinds of the API groups that the server serves, each in the version that it prefers.
 *
 * @throws {ClusterError} when the server refuses, {Error} when it does not answer or is too old to tell.
 */
export async function servedKinds(access: ClusterAccess): Promise<ResourceKind[]> {
  const answer = await getFromApi(access, "/apis", AGGREGATED);
  const { kind, items } = expectSuccess("list the kinds that the cluster has", answer) as Discovery;
  if (kind !== "APIGroupDiscoveryList" || items === undefined) {
    throw new Error("the API server does not list its kinds in one answer, as those since Kubernetes 1.27 do");
  }
  return items.flatMap(({ metadata: { name: group }, versions = [] }) => {
    const found = versions.flatMap(({ version, resources = [] }) =>
      resources.flatMap(({ resource, responseKind }) =>
        responseKind === undefined ? [] : [{ group, version, resource, kind: responseKind.kind }],
      ),
    );
    return [...Map.groupBy(found, ({ resource }) => resource).values()].flatMap(([preferred]) => preferred ?? []);
  });
}
