import { isObject, type Members } from "../../analysis/plainObject.ts";

/** Type token of a NetworkPolicy. */
export const NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

/** Property values as the engine writes them to JSON. */
export type Properties = Members;

export { isObject };

/** What the program declares about a resource, and what the provider answered. */
export interface ResourceState {
  readonly inputs: Properties;
  readonly outputs: Properties;
}

/** A resource in a preview: as it is, and as it will be. */
export interface PlannedResource {
  readonly urn: string;
  /** Type token, such as `kubernetes:networking.k8s.io/v1:NetworkPolicy`. */
  readonly type: string;
  /** Every operation that the engine plans for it, such as `update`, or `delete-replaced` and `create-replacement`. */
  readonly operations: readonly string[];
  /** `undefined`: it is not in the state yet. */
  readonly before: ResourceState | undefined;
  /** `undefined`: it is deleted. */
  readonly after: ResourceState | undefined;
  /** What the provider answered about the planned state, such as an API server's dry run; only events tell it. */
  readonly answered?: Properties;
}

/** What a policy of a policy pack says. */
export interface PackFinding {
  readonly pack: string;
  readonly policy: string;
  readonly severity: "mandatory" | "advisory" | "remediated" | "other";
  /** The resource that it is about, by name; empty for a finding about the stack. */
  readonly resource: string;
  readonly message: string;
}

/** What a policy pack did in a preview, by the engine's own summaries of its verdicts. */
export interface Judging {
  /** Names of the policies that gave a verdict on something; one that is disabled gives none. */
  readonly policies: ReadonlySet<string>;
  /** Whether the whole plan was judged at the end, which does not happen where the preview fails before. */
  readonly isWhole: boolean;
}

/** A preview of one stack, as `pulumi preview --json` or the engine's events tell it. */
export interface StackPlan {
  readonly stack: string;
  readonly resources: readonly PlannedResource[];
  /** Whether unchanged resources are listed too: events do, a digest does not. */
  readonly isComplete: boolean;
  /** Resources by operation, where the preview says so. */
  readonly changes: Readonly<Record<string, number>>;
  /** What the packs found; `undefined`: the source does not carry policy results (a digest drops them). */
  readonly findings: readonly PackFinding[] | undefined;
  /** Packs that ran, `NAME` or `NAME VERSION`. */
  readonly packs: readonly string[];
  /** What each pack judged, by its name; empty where the source does not carry policy results. */
  readonly judged: ReadonlyMap<string, Judging>;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** The last part of a URN, the name that the program gives the resource. */
export function resourceName(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}

/** `urn:pulumi:STACK::PROJECT::…`; `undefined` for anything else. */
export function stackOfUrn(urn: string): string | undefined {
  return /^urn:pulumi:([^:]+)::/.exec(urn)?.[1];
}

/** The objects in a list; none where it is no list. */
export function objects(value: unknown): Properties[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A string; empty where it is something else. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
