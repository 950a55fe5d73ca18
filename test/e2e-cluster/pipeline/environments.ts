import { readFile } from "node:fs/promises";
import { loadAll } from "js-yaml";
import type { FakeGitHubSettings } from "../../support/fakeGitHubSettings.ts";
import type { AwsFront } from "./awsFront.ts";
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

/**
 * The Kubernetes groups of a role by the access entries of its stack's cluster, called as {@link rbacOf} does in the only one.
 */
export function groupsOf(front: AwsFront, role: string): string[] {
  return ENVIRONMENTS.flatMap(({ stack }) =>
    (front.accessEntries.get(`techops-${stack} arn:aws:iam::${ACCOUNT}:role/${role}`) ?? []).map(
      (group) => `${group}-${stack}`,
    ),
  );
}

/** The variables of the GitHub environments, by environment, as they were set up. */
export function variablesIn({ content }: FakeGitHubSettings): Record<string, Texts> {
  const found: Record<string, Record<string, string>> = {};
  for (const [path, value] of content) {
    const [, environment, name] = /\/environments\/([^/]+)\/variables\/([^/]+)$/.exec(path) ?? [];
    if (environment !== undefined && name !== undefined) {
      found[environment] = { ...found[environment], [name]: (value as { value: string }).value };
    }
  }
  return found;
}

/** The variables of the repository, as they were set up. */
export function repositoryVariables({ content }: FakeGitHubSettings): Texts {
  const found = [...content].filter(([path]) => /\/actions\/variables\/[^/]+$/.test(path));
  return Object.fromEntries(found.map(([path, value]) => [path.split("/").at(-1), (value as { value: string }).value]));
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
