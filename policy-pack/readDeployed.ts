import { readFileSync } from "node:fs";
import { type Members, membersOf } from "../analysis/plainObject.ts";
import type { Problem } from "../analysis/problems.ts";
import {
  type Declaration,
  isOpaqueKind,
  type OpaquePolicy,
  opaquePolicies,
  type PlannedPolicy,
} from "../guardrails/index.ts";

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
  const refuse = (reason: string): undefined => {
    problems.push({ where: "declaration.deployed", value: path, reason });
  };
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    return refuse(`can't be read: ${(error as Error).message}; write it with ${KUBECTL}`);
  }
  const items = itemsOf(content)?.map(membersOf);
  if (items === undefined) {
    return refuse("holds no Kubernetes objects: neither a list nor an array nor one object");
  }
  const isPolicy = ({ apiVersion, kind }: Members) =>
    kind === "NetworkPolicy" && /^(networking\.k8s\.io|extensions)\//.test(String(apiVersion));
  const isOpaque = ({ apiVersion, kind }: Members) => isOpaqueKind(String(apiVersion), String(kind));
  const others = items
    .filter((item) => !isPolicy(item) && !isOpaque(item))
    .map(({ apiVersion, kind }) => (typeof kind === "string" ? `${apiVersion} ${kind}` : NO_KIND));
  if (others.length > 0 && (others.length === items.length || others.includes(NO_KIND))) {
    const found = [...new Set(others)].sort().join(", ");
    return refuse(`holds what is no policy: ${found}; write it with ${KUBECTL}`);
  }
  const nameOf = ({ kind, metadata }: Members) => {
    const { name, namespace } = membersOf(metadata);
    return `${path}: ${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
  };
  return {
    policies: items.filter(isPolicy).map((object) => ({ resource: nameOf(object), object })),
    opaque: items
      .filter(({ kind }) => !CONTROLLERS.test(String(kind)))
      .flatMap((item) => opaquePolicies(nameOf(item), item, declaration)),
  };
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
