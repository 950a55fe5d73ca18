import { type ApiRequest, callApi } from "../../kube/apiServer.ts";
import { ClusterError, expectSuccess } from "../../kube/clusterError.ts";
import type { ClusterAccess } from "../../kube/kubeconfig.ts";
import { KINDS, listAll } from "../../kube/list.ts";
import type { JobManifest } from "./manifests.ts";
import type { PodObject } from "./objects.ts";
import { AWS_GROUP, type Right } from "./preflight/access.ts";

const aws = (resource: string, kind: string) => ({ group: AWS_GROUP, version: "v1alpha1", resource, kind });

/** Kinds that a run lists. */
const COLLECTIONS = {
  ...KINDS,
  policyendpoints: aws("policyendpoints", "PolicyEndpoint"),
  applicationnetworkpolicies: aws("applicationnetworkpolicies", "ApplicationNetworkPolicy"),
  clusternetworkpolicies: aws("clusternetworkpolicies", "ClusterNetworkPolicy"),
};

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
  async isAllowed({ purpose: _, ...resourceAttributes }: Right): Promise<boolean> {
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    };
    const review = await this.ask("ask what you may do", { method: "POST", path, body });
    return (review as { status: { allowed: boolean } }).status.allowed;
  }

  /** The members of a collection; `undefined` where the server has no such kind. */
  async list<T>(
    collection: keyof typeof COLLECTIONS,
    namespace?: string,
    labelSelector?: string,
  ): Promise<readonly T[] | undefined> {
    const within = { namespace, ...(labelSelector !== undefined && { labelSelector }) };
    try {
      return (await listAll(this.access, COLLECTIONS[collection], within)) as readonly unknown[] as readonly T[];
    } catch (error) {
      if (error instanceof ClusterError && error.status === 404) {
        return undefined;
      }
      throw error;
    }
  }

  /** One object; `undefined` where there is none. */
  async read<T>(path: string): Promise<T | undefined> {
    return (await this.ask(`read ${path}`, { method: "GET", path }, 404)) as T | undefined;
  }

  async createJob(job: JobManifest): Promise<void> {
    const { name, namespace } = job.metadata;
    await this.ask(`create Job ${name}`, { method: "POST", path: jobsPath(namespace), body: job });
  }

  async hasJob(namespace: string, name: string): Promise<boolean> {
    return (await this.read(`${jobsPath(namespace)}/${name}`)) !== undefined;
  }

  /** Deletes a Job and its pods; the Job goes last, so its absence means that all is gone. */
  async deleteJob(namespace: string, name: string): Promise<void> {
    const path = `${jobsPath(namespace)}/${name}?propagationPolicy=Foreground`;
    await this.ask(`delete Job ${name}`, { method: "DELETE", path }, 404);
  }

  /** The pod of a Job, once there is one. */
  async podOf(namespace: string, job: string): Promise<PodObject | undefined> {
    return (await this.list<PodObject>("pods", namespace, `batch.kubernetes.io/job-name=${job}`))?.[0];
  }

  /** A pod's log so far; empty before its container has started. */
  async podLog(namespace: string, pod: string): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
    // 400 while the container is being created, 404 when the pod has just gone.
    return String((await this.ask(`read the log of ${pod}`, { method: "GET", path }, 400, 404)) ?? "");
  }

  /** The body of an answer; `undefined` for one with a status that means absence. */
  private async ask(what: string, request: ApiRequest, ...absence: readonly number[]): Promise<unknown> {
    const answer = await callApi(this.access, request);
    return absence.includes(answer.status) ? undefined : expectSuccess(what, answer);
  }
}

function jobsPath(namespace: string): string {
  return `/apis/batch/v1/namespaces/${namespace}/jobs`;
}
