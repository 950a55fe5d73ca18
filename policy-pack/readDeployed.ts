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
 * Reads a file as `kubectl get networkpolicies --all-namespaces --output json` writes it: a list, an array or a single
 * object. Objects of other kinds are passed over beside policies. Alone they are a problem, as is what has no kind: taken
 * for a cluster without policies, such a file would let every plan pass as one that widens nothing.
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
    const reason = `can't be read: ${(error as Error).message}; write it with ${KUBECTL}`;
    problems.push({ where, value: path, reason });
    return undefined;
  }
  const items = itemsOf(content);
  if (items === undefined) {
    problems.push({
      where,
      value: path,
      reason: "holds no Kubernetes objects: neither a list nor an array nor one object",
    });
    return undefined;
  }
  const others: string[] = [];
  const policies: PlannedPolicy[] = [];
  const opaque: OpaquePolicy[] = [];
  for (const item of items) {
    const { apiVersion, kind, metadata } = membersOf(item);
    const { name, namespace } = membersOf(metadata);
    const resource = `${path}: ${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
    if (kind === "NetworkPolicy" && /^(networking\.k8s\.io|extensions)\//.test(String(apiVersion))) {
      policies.push({ resource, object: item });
    } else if (isOpaqueKind(String(apiVersion), String(kind))) {
      const found = CONTROLLERS.test(String(kind)) ? undefined : opaquePolicy(resource, item, declaration);
      opaque.push(...(found === undefined ? [] : [found]));
    } else {
      others.push(typeof kind === "string" ? `${apiVersion} ${kind}` : NO_KIND);
    }
  }
  const hasPolicies = others.length < items.length;
  if (others.length > 0 && !(hasPolicies && !others.includes(NO_KIND))) {
    const found = [...new Set(others)].sort().join(", ");
    problems.push({ where, value: path, reason: `holds what is no policy: ${found}; write it with ${KUBECTL}` });
    return undefined;
  }
  return { policies, opaque };
}

const NO_KIND = "something without a kind";

const KUBECTL = "kubectl get networkpolicies -A -o json";

/** What the VPC CNI's controller makes of the policies that are in the file too. */
const CONTROLLERS = /PolicyEndpoint$/;

function itemsOf(content: unknown): readonly unknown[] | undefined {
  if (Array.isArray(content)) {
    return content;
  }
  const { apiVersion, items, kind } = membersOf(content);
  if (!Array.isArray(items)) {
    return kind === undefined ? undefined : [content];
  }
  // The API server's own lists say once what all items are.
  const [, ofItems] = /^(\w+)List$/.exec(String(kind)) ?? [];
  return ofItems === undefined ? items : items.map((item) => ({ apiVersion, kind: ofItems, ...membersOf(item) }));
}
