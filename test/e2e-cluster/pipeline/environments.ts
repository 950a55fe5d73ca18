import { readFile } from "node:fs/promises";
import { loadAll } from "js-yaml";
import type { Role } from "./awsFront.ts";
import type { Texts } from "./playWorkflow.ts";

/** One of the two environments of this repository, with its account's parts and its place in the only cluster. */
export interface Environment {
  readonly stack: "staging" | "prod";
  readonly region: string;
  /** The first two numbers of its VPC. */
  readonly prefix: string;
  readonly namespace: string;
}

export const ENVIRONMENTS: readonly Environment[] = [
  { stack: "staging", region: "us-east-1", prefix: "10.1", namespace: "keeperhub" },
  // Elsewhere it has a cluster of its own, and the same namespace.
  { stack: "prod", region: "us-east-2", prefix: "10.0", namespace: "keeperhub-prod" },
];

export const ACCOUNT = "123456789012";

/** The bucket of the files in `access/`. */
export const BUCKET = "example-runner-egress-state";

type Kind = "preview" | "deploy";

const roleName = ({ stack }: Environment, kind: Kind) => `runner-egress-${stack}-${kind}`;

/** The two roles of an environment: the files of `access/`, which are written for staging, with its own names. */
export async function rolesOf(environment: Environment, kmsKey: string): Promise<Role[]> {
  const { stack, region } = environment;
  const policy = async (file: string) => {
    const text = await readFile(`access/${file}.json`, "utf8");
    const placed = text
      .replaceAll("us-east-1", region)
      .replaceAll("techops-staging", `techops-${stack}`)
      .replaceAll("environment:staging", `environment:${stack}`)
      .replaceAll("runner-egress/staging", `runner-egress/${stack}`)
      .replace(/"arn:aws:kms:[^"]*"/g, JSON.stringify(kmsKey));
    return JSON.parse(placed);
  };
  return Promise.all(
    (["preview", "deploy"] as const).map(async (kind) => ({
      name: roleName(environment, kind),
      trust: await policy(`aws-${kind}-trust`),
      policy: await policy(`aws-${kind}`),
    })),
  );
}

/** The Kubernetes groups of each role, which an EKS access entry gives it; docs/promotion.md names them. */
export function groupsOf(environment: Environment): Record<string, string[]> {
  const own = (group: string) => `${group}-${environment.stack}`;
  return {
    [roleName(environment, "preview")]: [own("runner-egress-preview")],
    [roleName(environment, "deploy")]: [own("runner-egress-deploy"), own("egress-verify")],
  };
}

/** The variables of the GitHub environments, by environment; docs/promotion.md has the table. */
export function variablesOf(environment: Environment): Record<string, Texts> {
  const { stack, region } = environment;
  const arn = (kind: Kind) => `arn:aws:iam::${ACCOUNT}:role/${roleName(environment, kind)}`;
  const common = { AWS_REGION: region, AWS_ACCOUNT_ID: ACCOUNT };
  return {
    [`${stack}-preview`]: { ...common, AWS_PREVIEW_ROLE: arn("preview") },
    [stack]: { ...common, AWS_DEPLOY_ROLE: arn("deploy") },
  };
}

interface RbacObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly { readonly resourceNames?: readonly string[] }[];
  readonly roleRef?: { readonly name: string };
  readonly subjects?: readonly { readonly name: string }[];
}

/**
 * The RBAC files of `access/`, which are written for a cluster with one environment: names and groups get the environment's own,
 * and `keeperhub` becomes its namespace. The pods that prod's runners talk to are staging's here, so prod may list those too.
 */
export async function rbacOf({ stack, namespace }: Environment): Promise<object[]> {
  const own = (name: string) => `${name}-${stack}`;
  const objects: object[] = [];
  for (const file of ["preview", "deploy", "verify"]) {
    for (const object of loadAll(await readFile(`access/kubernetes-${file}.yaml`, "utf8")) as RbacObject[]) {
      const placed = (where: string | undefined) => ({
        ...object,
        metadata: { name: own(object.metadata.name), ...(where !== undefined && { namespace: where }) },
        ...(object.rules && {
          rules: object.rules.map(({ resourceNames, ...rule }) => ({
            ...rule,
            ...(resourceNames && {
              resourceNames: resourceNames.map((name) => (name === "keeperhub" ? namespace : name)),
            }),
          })),
        }),
        ...(object.roleRef && { roleRef: { ...object.roleRef, name: own(object.roleRef.name) } }),
        ...(object.subjects && { subjects: object.subjects.map((who) => ({ ...who, name: own(who.name) })) }),
      });
      const isRunners = object.metadata.namespace === "keeperhub";
      objects.push(placed(isRunners ? namespace : object.metadata.namespace));
      if (isRunners && file === "verify" && namespace !== "keeperhub") {
        objects.push(placed("keeperhub"));
      }
    }
  }
  return objects;
}
