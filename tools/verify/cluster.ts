import { callApi } from "../../kube/apiServer.ts";
import { expectSuccess } from "../../kube/clusterError.ts";
import type { ClusterAccess } from "../../kube/kubeconfig.ts";
import type { JobManifest } from "./manifests.ts";
import type { JobObject, PodObject } from "./objects.ts";
import { AWS_GROUP, type Right } from "./preflight/access.ts";

/** Kinds that a run lists: where their collection is. */
const COLLECTIONS = {
  pods: "/api/v1",
  services: "/api/v1",
  networkpolicies: "/apis/networking.k8s.io/v1",
  policyendpoints: `/apis/${AWS_GROUP}/v1alpha1`,
  applicationnetworkpolicies: `/apis/${AWS_GROUP}/v1alpha1`,
  clusternetworkpolicies: `/apis/${AWS_GROUP}/v1alpha1`,
  namespaces: "/api/v1",
} as const;

export type Collection = keyof typeof COLLECTIONS;

/**
 * The few things that a run does to a cluster, each one request, each a right of its own ({@link Right}). Everything is
 * read with plain requests rather than watches: a run lasts seconds and lists a handful of objects.
 */
export class Cluster {
  private readonly access: ClusterAccess;

  constructor(access: ClusterAccess) {
    this.access = access;
  }

  /** Whether the caller may do something; the server itself answers that for everybody. */
  async isAllowed({ verb, group, resource, subresource, namespace, name }: Right): Promise<boolean> {
    const resourceAttributes = { verb, group, resource, subresource, namespace, name };
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    };
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const answer = await callApi(this.access, { method: "POST", path, body });
    return (expectSuccess("ask what you may do", answer) as { status: { allowed: boolean } }).status.allowed;
  }

  /** The members of a collection; `undefined` where the server has no such kind. */
  async list<T>(collection: Collection, namespace?: string, labelSelector?: string): Promise<readonly T[] | undefined> {
    const where = namespace === undefined ? "" : `/namespaces/${namespace}`;
    const query = labelSelector === undefined ? "" : `?labelSelector=${encodeURIComponent(labelSelector)}`;
    const path = `${COLLECTIONS[collection]}${where}/${collection}${query}`;
    const answer = await callApi(this.access, { method: "GET", path });
    return answer.status === 404
      ? undefined
      : (expectSuccess(`list ${collection}`, answer) as { items: readonly T[] }).items;
  }

  /** One object; `undefined` where there is none. */
  async read<T>(path: string): Promise<T | undefined> {
    const answer = await callApi(this.access, { method: "GET", path });
    return answer.status === 404 ? undefined : (expectSuccess(`read ${path}`, answer) as T);
  }

  async createJob(job: JobManifest): Promise<void> {
    const path = jobsPath(job.metadata.namespace);
    const answer = await callApi(this.access, { method: "POST", path, body: job });
    expectSuccess(`create Job ${job.metadata.name}`, answer);
  }

  async readJob(namespace: string, name: string): Promise<JobObject | undefined> {
    return this.read<JobObject>(`${jobsPath(namespace)}/${name}`);
  }

  /** Deletes a Job and its pods; the Job goes last, so its absence means that all is gone. */
  async deleteJob(namespace: string, name: string): Promise<void> {
    const path = `${jobsPath(namespace)}/${name}?propagationPolicy=Foreground`;
    const answer = await callApi(this.access, { method: "DELETE", path });
    if (answer.status !== 404) {
      expectSuccess(`delete Job ${name}`, answer);
    }
  }

  /** The pod of a Job, once there is one. */
  async podOf(namespace: string, job: string): Promise<PodObject | undefined> {
    return (await this.list<PodObject>("pods", namespace, `batch.kubernetes.io/job-name=${job}`))?.[0];
  }

  /** A pod's log so far; empty before its container has started. */
  async podLog(namespace: string, pod: string): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
    const answer = await callApi(this.access, { method: "GET", path });
    // 400 while the container is being created, 404 when the pod has just gone.
    return answer.status === 400 || answer.status === 404
      ? ""
      : String(expectSuccess(`read the log of ${pod}`, answer));
  }
}

function jobsPath(namespace: string): string {
  return `/apis/batch/v1/namespaces/${namespace}/jobs`;
}
