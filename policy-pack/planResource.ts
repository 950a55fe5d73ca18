import { type PolicyResource, type ResourceValidationArgs, UnknownValueError } from "@pulumi/policy";
import { type Members, membersOf } from "../analysis/plainObject.ts";

/** What both kinds of policy are given about a resource. */
export type Resource = Pick<ResourceValidationArgs | PolicyResource, "type" | "props" | "urn" | "opts" | "provider"> &
  Partial<Pick<PolicyResource, "parent">>;

/** Properties as plain data. */
export interface PlainValues {
  /** A copy without the values that are unknown. */
  readonly object: Members;
  /** Where those are, such as `spec.egress[0].to[0].ipBlock.cidr`. */
  readonly unknownPaths: readonly string[];
}

/** A resource of a plan as plain data. */
export interface PlanResource extends PlainValues {
  readonly urn: string;
  readonly type: string;
  /** Of `kubernetes:networking.k8s.io/v1:NetworkPolicy`; empty for what is no Kubernetes object, as is the kind. */
  readonly apiVersion: string;
  readonly kind: string;
  /** The last part of the URN. */
  readonly name: string;
  readonly protect: boolean;
  /** Its URN. */
  readonly parent: string | undefined;
  readonly provider: PlainValues | undefined;
}

/** Reads all that a policy is given about a resource. */
export function planResource({ type, props, urn, opts, provider, parent }: Resource): PlanResource {
  const { apiVersion = "", kind = "" } = /^kubernetes:(?<apiVersion>[^:]+):(?<kind>\w+)$/.exec(type)?.groups ?? {};
  return {
    ...plainValues(props),
    urn,
    type,
    apiVersion,
    kind,
    name: urn.split("::").at(-1) ?? "",
    protect: opts.protect,
    parent: parent?.urn ?? opts.parent,
    provider: provider && plainValues(provider.props),
  };
}

/**
 * Copies the properties that a policy is given. Reading an unknown one throws, upon which the SDK would report that the
 * policy can't run, as advice even where the policy is mandatory; so every unknown is found here instead.
 */
function plainValues(properties: unknown): PlainValues {
  const unknownPaths: string[] = [];
  const copy = (value: unknown, path: string): unknown => {
    if (Array.isArray(value)) {
      return Array.from({ length: value.length }, (_, index) => member(value, index, `${path}[${index}]`));
    }
    if (typeof value !== "object" || value === null) {
      return value;
    }
    return Object.fromEntries(
      Object.keys(value).flatMap((key) => {
        const copied = member(value, key, path === "" ? key : `${path}.${key}`);
        return copied === undefined ? [] : [[key, copied]];
      }),
    );
  };
  const member = (holder: object, key: string | number, path: string): unknown => {
    let value: unknown;
    try {
      value = (holder as Record<string | number, unknown>)[key];
    } catch (error) {
      if (!(error instanceof UnknownValueError)) {
        throw error;
      }
      unknownPaths.push(path);
      return undefined;
    }
    return copy(value, path);
  };
  return { object: membersOf(copy(properties, "")), unknownPaths };
}

/** Members of a provider that say in which namespace it puts what has none. */
const PLACING = ["namespace", "kubeconfig", "context"] as const;

/**
 * The namespace in which an object lands; `undefined` while that is unknown. The provider fills it in by itself before the
 * pack sees the object (seen with @pulumi/kubernetes 4.34, 2026-11), also from the kubeconfig, except while its settings are
 * unknown.
 */
export function namespaceOf(
  { object, unknownPaths }: PlainValues,
  { provider = { object: {}, unknownPaths: [] } }: Pick<PlanResource, "provider">,
): string | undefined {
  if (hasUnknownNamespace(unknownPaths)) {
    return undefined;
  }
  const { namespace = provider.object.namespace } = membersOf(object.metadata);
  if (typeof namespace === "string") {
    return namespace;
  }
  return PLACING.some((member) => provider.unknownPaths.includes(member)) ? undefined : "default";
}

/** Whether an object's own namespace is among the values that are unknown. */
export function hasUnknownNamespace(unknownPaths: readonly string[]): boolean {
  return unknownPaths.some((path) => /^metadata(\.namespace)?$/.test(path));
}
