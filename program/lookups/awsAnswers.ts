import type { Input } from "../../analysis/input.ts";

/** What a lookup came back with, or the text of its failure. */
export type Answer<Result> = { readonly found: Result } | { readonly failure: string };

/*
 * Every member of an answer may be missing: where a provider argument is unknown the engine answers a lookup with an
 * empty object, whatever the types of the SDK say.
 */

export interface VpcAnswer {
  readonly id?: string;
  readonly cidrBlockAssociations?: readonly { readonly cidrBlock?: string; readonly state?: string }[];
  readonly ipv6CidrBlockAssociations?: readonly { readonly ipv6CidrBlock?: string; readonly state?: string }[];
}

export interface SubnetAnswer {
  readonly id?: string;
  readonly vpcId?: string;
  readonly cidrBlock?: string;
  readonly ipv6CidrBlock?: string;
}

export interface SubnetGroupAnswer {
  readonly vpcId?: string;
  readonly subnetIds?: readonly string[];
}

export interface ClusterAnswer {
  readonly endpoint?: string;
  readonly certificateAuthorities?: readonly { readonly data?: string }[];
  readonly vpcConfig?: { readonly vpcId?: string };
  readonly kubernetesNetworkConfigs?: readonly {
    readonly ipFamily?: string;
    readonly serviceIpv4Cidr?: string;
    readonly serviceIpv6Cidr?: string;
  }[];
}

export interface AddOnAnswer {
  readonly addonVersion?: string;
  readonly configurationValues?: string;
}

/** Everything that was asked. A lookup is missing where config does not call for it or an earlier one failed. */
export interface AwsAnswers {
  readonly cluster?: Answer<ClusterAnswer>;
  readonly addOn?: Answer<AddOnAnswer>;
  readonly vpc?: Answer<VpcAnswer>;
  readonly subnetGroup?: Answer<SubnetGroupAnswer>;
  /** Ids that the tags matched. */
  readonly taggedSubnets?: Answer<{ readonly ids?: readonly string[] }>;
  /** By id. */
  readonly subnets: ReadonlyMap<string, Answer<SubnetAnswer>>;
}

/** The result of a lookup, `undefined` where it failed or never ran. */
export function foundIn<Result>(answer: Answer<Result> | undefined): Result | undefined {
  return answer !== undefined && "found" in answer ? answer.found : undefined;
}

/** The same, and a failure is noted, with what to check. */
export function foundOr<Result>(answer: Answer<Result>, place: Input, hint: string): Result | undefined {
  return "found" in answer ? answer.found : place.wrong(`the lookup failed: ${answer.failure}. ${hint}`);
}

/** For an answer that lacks what every real one has. */
export function emptyAnswer(what: string): string {
  return `the lookup answered ${what}; refusing to go on (an unknown provider argument does this)`;
}
