import { leaksEveryPort } from "../../../analysis/semantics.ts";
import { OLDEST_AGENT } from "../../../program/lookups/agentVersions.ts";
import type { EnforcerState } from "../snapshot.ts";
import { checked, contradiction, doubt, type Finding, type Found, note } from "./finding.ts";

/** ConfigMap key that switches the controller on (EKS user guide, 2026-07). */
const CONTROLLER_SWITCH = "enable-network-policy-controller";

/** The agent's version, from the tag of its image; `undefined` where there is none to read. */
export function agentVersion({ agent }: EnforcerState): string | undefined {
  return /:v(\d+\.\d+\.\d+)/.exec(agent?.image ?? "")?.[1];
}

/** Whether this cluster's pods are on the VPC CNI: then its agent enforces, and its reading of policies counts. */
export function isVpcCni({ agent, configMap }: EnforcerState): boolean {
  return agent !== undefined || configMap?.[CONTROLLER_SWITCH] !== undefined;
}

/** Whether both switches of the VPC CNI are on and its agent is not one that opens what it should not. */
export function judgeEnforcer(state: EnforcerState): Finding[] {
  const found = isVpcCni(state)
    ? [...judgeController(state), ...judgeAgent(state)]
    : [note("this cluster has no VPC CNI, so policies are expected to mean what Kubernetes specifies")];
  return checked("enforcer", found, `the VPC CNI's controller and agent ${agentVersion(state)} are on`);
}

const SWITCH_ON = 'set {"enableNetworkPolicy": "true"} in the add-on\'s configuration values';

function judgeController({ configMap }: EnforcerState): Found[] {
  const value = configMap?.[CONTROLLER_SWITCH] ?? null;
  const text = `the controller is off: ${CONTROLLER_SWITCH} in kube-system/amazon-vpc-cni is ${JSON.stringify(value)}`;
  return value === "true" ? [] : [contradiction(text, SWITCH_ON)];
}

function judgeAgent({ agent, configMap }: EnforcerState): Found[] {
  if (agent === undefined) {
    return [
      note("there is no DaemonSet aws-node, so this is taken for EKS Auto Mode, whose agent's version can't be read"),
    ];
  }
  const found = agent.args.includes("--enable-network-policy=true")
    ? []
    : [contradiction("the agent is off: aws-eks-nodeagent runs without --enable-network-policy=true", SWITCH_ON)];
  const version = agentVersion({ agent, configMap });
  if (version === undefined) {
    const text = `the agent's version can't be read from its image ${agent.image}`;
    return [...found, doubt(text, "use an image with a version for its tag")];
  }
  const text = `the agent is ${version}; one older than ${OLDEST_AGENT} opens every port of the database's subnets`;
  return leaksEveryPort(version) ? [...found, contradiction(text, "update the add-on to v1.20.1 or later")] : found;
}
