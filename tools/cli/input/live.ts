import { type AddressFamily, parseAddress } from "../../../analysis/index.ts";
import { reasonOf } from "../../../kube/clusterError.ts";
import { accessFrom, KubeconfigError, readKubeconfig } from "../../../kube/kubeconfig.ts";
import { KINDS, listAll, type ResourceKind, servedKinds } from "../../../kube/list.ts";
import { InconclusiveError, UsageError } from "../errors.ts";
import { isPolicyKind } from "./foreignPolicies.ts";
import { findObject, type LoadedObject } from "./objects.ts";

/** Policies of other kinds restrict egress too, so no verdict holds without knowing whether there are any. */
const isOtherPolicy = ({ group, kind }: ResourceKind) =>
  isPolicyKind(kind) && group !== "networking.k8s.io" && group !== "extensions";

/** What was read of a cluster. */
export interface LiveCluster {
  readonly context: string;
  readonly objects: readonly LoadedObject[];
  /** The family of the cluster's Services, which on EKS is that of its pods. */
  readonly ipFamily: AddressFamily;
}

/**
 * Reads a cluster's policies of every kind, namespaces, pods and Services. It only lists, and creates nothing.
 *
 * @param context A context of the user's kubeconfig.
 * @throws {UsageError} for a kubeconfig or a context that can't be used.
 * @throws {InconclusiveError} for a cluster that refuses or does not answer.
 */
export async function loadLive(context: string): Promise<LiveCluster> {
  try {
    const access = await accessFrom(await readKubeconfig(), context);
    const others = (await servedKinds(access)).filter(isOtherPolicy);
    // access/kubernetes-analyse.yaml grants these.
    const lists = await Promise.all([...Object.values(KINDS), ...others].map((kind) => listAll(access, kind)));
    const objects = lists.flat().map((object) => {
      const { name, namespace } = object.metadata;
      const id = namespace === undefined ? name : `${namespace}/${name}`;
      return { object, path: `${context}: ${String(object.kind)} ${id}` };
    });
    return { context, objects, ipFamily: familyOf(objects) };
  } catch (error) {
    if (error instanceof KubeconfigError) {
      throw new UsageError(`--context ${context}: ${error.message}`);
    }
    throw new InconclusiveError([
      `${context}: ${reasonOf(error)}`,
      "No verdict holds without all of them; access/kubernetes-analyse.yaml has the rights.",
    ]);
  }
}

/** Every cluster has the Service `default/kubernetes`. */
function familyOf(objects: readonly LoadedObject[]): AddressFamily {
  const service = findObject(objects, "Service", "default", "kubernetes");
  const { clusterIP } = (service?.spec ?? {}) as { readonly clusterIP?: string };
  const family = clusterIP === undefined ? undefined : parseAddress(clusterIP)?.family;
  if (family === undefined) {
    throw new Error("the Service default/kubernetes has no address that tells the cluster's family");
  }
  return family;
}
