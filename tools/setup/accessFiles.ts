import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { canonicalJson } from "../../runner/canonicalJson.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "access");

/** What the files in `access/` are filled in with; they are written for staging of an example. */
export interface Names {
  readonly stack: string;
  readonly region: string;
  /** Name of the EKS cluster. */
  readonly cluster: string;
  /** Name of the DB subnet group; `undefined` where the stack finds its database another way. */
  readonly subnetGroup: string | undefined;
  /** The namespace of the runners. */
  readonly namespace: string;
  readonly account: string;
  /** `OWNER@ID/NAME@ID` and `OWNER/NAME`. */
  readonly subjects: readonly [immutable: string, named: string];
  readonly bucket: string;
  /** ARN. */
  readonly key: string;
}

/** A policy of `access/` for a stack, as canonical JSON. */
export function awsPolicy(file: string, names: Names): string {
  const { stack, region, cluster, subnetGroup, account, subjects, bucket, key } = names;
  const values: Readonly<Record<string, string>> = {
    "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000": key,
    "techops-staging-db": subnetGroup ?? "",
    "techops-staging": cluster,
    "us-east-1": region,
    "123456789012": account,
    "repo:example@1234567/runner-egress@7654321:environment:staging": `${subjects[0]}:environment:${stack}`,
    "repo:example/runner-egress:environment:staging": `${subjects[1]}:environment:${stack}`,
    "runner-egress/staging": `runner-egress/${stack}`,
    "example-runner-egress-state": bucket,
  };
  // In one go: what is filled in may look like what is to be filled in.
  const text = readFileSync(join(FOLDER, `${file}.json`), "utf8").replace(
    new RegExp(Object.keys(values).join("|"), "g"),
    (name) => values[name] ?? name,
  );
  const policy = JSON.parse(text) as { Statement: { Sid?: string }[] };
  const without = subnetGroup === undefined ? "LookUpDatabaseSubnetGroup" : undefined;
  return canonicalJson({
    ...policy,
    Statement: policy.Statement.filter(({ Sid }) => Sid === undefined || Sid !== without),
  });
}

/** A Kubernetes object, in the members that say who may do what. */
export interface RbacObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly { readonly resourceNames?: readonly string[] }[];
  readonly roleRef?: unknown;
  readonly subjects?: unknown;
}

/** The objects of a file of `access/`, which is written for the namespace `keeperhub`. */
export function rbac(file: string, namespace: string): RbacObject[] {
  const placed = (name: string | undefined) => (name === "keeperhub" ? namespace : name);
  return (loadAll(readFileSync(join(FOLDER, `${file}.yaml`), "utf8")) as RbacObject[]).map((object) => ({
    ...object,
    metadata: JSON.parse(JSON.stringify({ ...object.metadata, namespace: placed(object.metadata.namespace) })),
    ...(object.rules && {
      rules: object.rules.map((rule) => ({
        ...rule,
        ...(rule.resourceNames && { resourceNames: rule.resourceNames.map((name) => placed(name) ?? name) }),
      })),
    }),
  }));
}

/** What each object grants, by kind and name. */
export function grants(objects: readonly RbacObject[]): Record<string, string> {
  return Object.fromEntries(
    objects.map(({ kind, metadata: { name, namespace }, rules, roleRef, subjects }) => [
      `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`,
      canonicalJson({ rules, roleRef, subjects }),
    ]),
  );
}
