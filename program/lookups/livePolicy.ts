import { isObject } from "../../analysis/plainObject.ts";
import type { Problem } from "../../analysis/problems.ts";
import { type ApiAnswer, getFromApi } from "../../kube/apiServer.ts";
import { accessFrom, type Kubeconfig, readKubeconfig } from "../../kube/kubeconfig.ts";
import type { AnySpec } from "../../runner/drift.ts";

/** The policy as it is on the cluster, in the members that matter here. */
export interface LivePolicy {
  readonly resourceVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: AnySpec;
  /** Field managers that own something of the spec, by the API server's own record; an admission webhook is none. */
  readonly writers: readonly string[];
}

/** Where the API server is: a kubeconfig of the program's own, or a context of the user's. */
export type Cluster = { readonly kubeconfig: Kubeconfig } | { readonly context: string };

/**
 * Reads the policy itself, because the provider can't see what somebody appended to a list of it. `undefined` when the
 * cluster has no policy of this name; a failure is noted and gives `undefined` too.
 */
export async function readLivePolicy(
  cluster: Cluster,
  namespace: string,
  name: string,
  problems: Problem[],
): Promise<LivePolicy | undefined> {
  const where = `NetworkPolicy ${namespace}/${name}`;
  let answer: ApiAnswer;
  try {
    const access =
      "kubeconfig" in cluster
        ? await accessFrom(cluster.kubeconfig)
        : await accessFrom(await readKubeconfig(), cluster.context);
    answer = await getFromApi(access, `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/${name}`);
  } catch (error) {
    problems.push({
      where,
      reason:
        `the API server can't be reached: ${describeFailure(error)}. Nothing is planned without a look at the live ` +
        "policy; check runner-egress:cluster, the network path and the credentials",
    });
    return undefined;
  }
  return judgeAnswer(where, answer, problems);
}

/** The live policy in an answer of the API server. */
export function judgeAnswer(where: string, answer: ApiAnswer, problems: Problem[]): LivePolicy | undefined {
  const { status } = answer;
  const body = isObject(answer.body) ? answer.body : {};
  if (status === 404 && body.kind === "Status") {
    return undefined;
  }
  if (status !== 200) {
    const { message = "no reason given" } = body as { message?: string };
    const remedy =
      status === 401
        ? "The credentials are not accepted: check the EKS access entry or the kubeconfig's user"
        : status === 403
          ? "Grant the verb get on networkpolicies.networking.k8s.io (docs/permissions.md)"
          : "Try again when the API server is well";
    problems.push({ where, reason: `the API server answered ${status}: ${message}. ${remedy}` });
    return undefined;
  }
  const { metadata, spec } = body as {
    metadata?: {
      resourceVersion?: string;
      annotations?: Record<string, string>;
      managedFields?: { manager?: string; fieldsV1?: object }[];
    };
    spec?: AnySpec;
  };
  if (!metadata?.resourceVersion || spec === undefined) {
    problems.push({ where, reason: "the API server answered something that is no NetworkPolicy" });
    return undefined;
  }
  const { resourceVersion, annotations = {}, managedFields = [] } = metadata;
  const writers = managedFields.flatMap(({ manager = "", fieldsV1 = {} }) => ("f:spec" in fieldsV1 ? [manager] : []));
  return { resourceVersion, annotations, spec, writers };
}

/** Connection errors carry their reason in a code or, for a name with several addresses, in their parts. */
function describeFailure(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return describeFailure(error.errors[0]);
  }
  return error instanceof Error ? error.message : String(error);
}
