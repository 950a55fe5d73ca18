import { load } from "js-yaml";
import { defined, Input } from "../../analysis/input.ts";
import { isObject } from "../../analysis/plainObject.ts";
import type { Problem } from "../../analysis/problems.ts";
import { leaksEveryPort } from "../../analysis/semantics.ts";
import type { AddOnFacts } from "../../runner/networkFacts.ts";
import type { Acknowledgement, StackConfig } from "../config/stackConfig.ts";
import { agentOf, OLDEST_AGENT } from "./agentVersions.ts";
import { type AddOnAnswer, type Answer, emptyAnswer, foundOr } from "./awsAnswers.ts";

/** The add-on, and what a reader must be told of it. */
export interface JudgedAddOn {
  readonly facts: AddOnFacts;
  readonly warnings: readonly string[];
  /** `env.ENABLE_V4_EGRESS` of the add-on, which says whether an IPv6 cluster's pods send IPv4 past the policy. */
  readonly ipv4Egress: boolean;
}

/**
 * Judges the `vpc-cni` add-on: managed, network policy on, an agent of 1.2.4 or later. Each of these three can be
 * acknowledged in config and then becomes a warning; any other failure to read the add-on can't.
 *
 * @param answer missing where EKS is not asked
 */
export function judgeAddOn(
  { cluster, acknowledge }: Pick<StackConfig, "cluster" | "acknowledge">,
  answer: Answer<AddOnAnswer> | undefined,
  problems: Problem[],
): JudgedAddOn {
  const place = new Input(undefined, `add-on vpc-cni of ${"eks" in cluster ? cluster.eks : cluster.context}`, problems);
  const warnings: string[] = [];
  const acknowledged: Acknowledgement[] = [];
  const refuse = (name: Acknowledgement, finding: string, remedy: string, value?: unknown) => {
    const reason = acknowledge.get(name);
    if (reason === undefined) {
      place.wrong(`${finding}. ${remedy}, or accept it with runner-egress:acknowledge.${name}: "<why>"`, value);
    } else {
      acknowledged.push(name);
      warnings.push(`${place.path}: ${finding}. Acknowledged (${name}): ${reason}`);
    }
  };
  const judged = (facts: Omit<AddOnFacts, "acknowledged">, ipv4Egress = true): JudgedAddOn => ({
    facts: { ...facts, acknowledged },
    warnings,
    ipv4Egress,
  });

  if (answer === undefined) {
    refuse(
      "vpc-cni-not-managed",
      "the cluster is given by a kubeconfig context, so whether anything enforces the policy can't be read",
      "Give runner-egress:cluster.eks",
    );
    return judged({ networkPolicyEnabled: "unknown" });
  }
  if ("failure" in answer && isNotFound(answer.failure)) {
    refuse(
      "vpc-cni-not-managed",
      "the cluster has no managed vpc-cni add-on (EKS Auto Mode and self-managed installations have none), so whether " +
        "network policy is on and how old its agent is can't be read",
      "Install the managed add-on",
    );
    return judged({ networkPolicyEnabled: "unknown" });
  }
  const found = foundOr(answer, place, "Check the credentials and the right to eks:DescribeAddon");
  if (!found?.addonVersion) {
    if (found !== undefined) {
      place.refuse(emptyAnswer("an add-on without a version"));
    }
    return judged({ networkPolicyEnabled: "unknown" });
  }
  const { addonVersion: version, configurationValues } = found;
  const settings = parseSettings(configurationValues);
  if (settings === undefined) {
    place.wrong(
      "its configuration values are neither JSON nor YAML, so whether network policy is on can't be read",
      configurationValues,
    );
  }
  const networkPolicyEnabled = isTrue(settings?.enableNetworkPolicy);
  if (settings !== undefined && !networkPolicyEnabled) {
    refuse(
      "network-policy-disabled",
      "network policy is off (enableNetworkPolicy is not true), so the cluster accepts the policy and ignores it",
      'Set {"enableNetworkPolicy": "true"} in the add-on\'s configuration values',
      configurationValues || "no configuration values",
    );
  }
  const agent = agentOf(version);
  if (agent === undefined || leaksEveryPort(agent.version)) {
    refuse(
      "agent-too-old",
      agent === undefined
        ? `which network policy agent this version carries is not known, so it may be older than ${OLDEST_AGENT}`
        : `its network policy agent is ${agent.version}; one older than ${OLDEST_AGENT} opens every port of the ` +
            "database's subnets",
      "Update the add-on to v1.20.1 or later",
      version,
    );
  }
  const agentVersion = agent && (agent.isExact ? agent.version : `>=${agent.version}`);
  const { ENABLE_V4_EGRESS = "true" } = (settings?.env ?? {}) as Readonly<Record<string, unknown>>;
  return judged(
    { version, ...defined({ agentVersion }), networkPolicyEnabled },
    String(ENABLE_V4_EGRESS ?? "true") !== "false",
  );
}

/** Whether the add-on's configuration values switch network policy on. */
export function enablesNetworkPolicy(configurationValues: string | undefined): boolean {
  return isTrue(parseSettings(configurationValues)?.enableNetworkPolicy);
}

/** The provider's words for an add-on that is not there, as AWS's error code or as its own. */
function isNotFound(failure: string): boolean {
  return /ResourceNotFoundException|couldn't find resource|empty result/i.test(failure);
}

/** EKS takes JSON and YAML; JSON is YAML. No values at all are an empty object. */
function parseSettings(text: string | undefined): Record<string, unknown> | undefined {
  if (!text) {
    return {};
  }
  try {
    const settings: unknown = load(text);
    return isObject(settings) ? settings : undefined;
  } catch {
    return undefined;
  }
}

/** The documented examples write the switch as text. */
function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}
