import { readFileSync } from "node:fs";
import type { Problem } from "../analysis/problems.ts";
import type { Declaration } from "../guardrails/declaration.ts";
import { isOpaqueKind, opaquePolicy } from "../guardrails/opaquePolicy.ts";
import { membersOf } from "../guardrails/plainObject.ts";
import type { PlannedPolicy } from "../guardrails/plannedPolicy.ts";
import type { OpaquePolicy } from "../guardrails/situation.ts";

/** What a cluster has: its NetworkPolicies, and policies of other kinds that may select runner pods. */
export interface DeployedPolicies {
  readonly policies: readonly PlannedPolicy[];
  readonly opaque: readonly OpaquePolicy[];
}

/**
 * Reads a file as `kubectl get networkpolicies --all-namespaces --output json` writes it: a `List`, an array or a single
 * object. Objects of kinds that are no policies are passed over.
 *
 * @param path relative to the working directory, which the engine sets to the pack's folder
 */
export function readDeployed(
  path: string,
  declaration: Declaration,
  problems: Problem[],
): DeployedPolicies | undefined {
  const where = "declaration.deployed";
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const reason = `can't be read: ${(error as Error).message}; write it with kubectl get networkpolicies -A -o json`;
    problems.push({ where, value: path, reason });
    return undefined;
  }
  const items = itemsOf(content);
  if (items === undefined) {
    problems.push({
      where,
      value: path,
      reason: "holds no Kubernetes objects: neither a List nor an array nor one object",
    });
    return undefined;
  }
  const policies: PlannedPolicy[] = [];
  const opaque: OpaquePolicy[] = [];
  for (const item of items) {
    const { apiVersion, kind, metadata } = membersOf(item);
    const { name, namespace } = membersOf(metadata);
    const resource = `${path}: ${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
    if (kind === "NetworkPolicy" && /^(networking\.k8s\.io|extensions)\//.test(String(apiVersion))) {
      policies.push({ resource, object: item });
    } else if (isOpaqueKind(String(apiVersion), String(kind))) {
      const found = opaquePolicy(resource, item, declaration);
      opaque.push(...(found === undefined ? [] : [found]));
    }
  }
  return { policies, opaque };
}

function itemsOf(content: unknown): readonly unknown[] | undefined {
  if (Array.isArray(content)) {
    return content;
  }
  const { items, kind } = membersOf(content);
  return Array.isArray(items) ? items : kind === undefined ? undefined : [content];
}
