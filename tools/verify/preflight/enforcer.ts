import { compareVersions, OLDEST_AGENT } from "../../../program/lookups/agentVersions.ts";
import type { EnforcerState } from "../snapshot.ts";
import type { Finding } from "./finding.ts";

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
  const { agent, configMap } = state;
  const off = (text: string, remedy: string): Finding => ({ check: "enforcer", level: "contradiction", text, remedy });
  const remedy = 'set {"enableNetworkPolicy": "true"} in the add-on\'s configuration values';
  if (!isVpcCni(state)) {
    return [
      {
        check: "enforcer",
        level: "note",
        text: "this cluster has no VPC CNI, so policies are expected to mean what Kubernetes specifies",
      },
    ];
  }
  const findings: Finding[] = [];
  if (configMap?.[CONTROLLER_SWITCH] !== "true") {
    const value = JSON.stringify(configMap?.[CONTROLLER_SWITCH] ?? null);
    findings.push(off(`the controller is off: ${CONTROLLER_SWITCH} in kube-system/amazon-vpc-cni is ${value}`, remedy));
  }
  if (agent === undefined) {
    findings.push({
      check: "enforcer",
      level: "note",
      text: "there is no DaemonSet aws-node, so this is taken for EKS Auto Mode, whose agent's version can't be read",
    });
    return findings;
  }
  if (!agent.args.includes("--enable-network-policy=true")) {
    findings.push(off("the agent is off: aws-eks-nodeagent runs without --enable-network-policy=true", remedy));
  }
  const version = agentVersion(state);
  if (version === undefined) {
    findings.push({
      check: "enforcer",
      level: "doubt",
      text: `the agent's version can't be read from its image ${agent.image}`,
      remedy: "use an image with a version for its tag",
    });
  } else if (compareVersions(version, OLDEST_AGENT) < 0) {
    findings.push(
      off(
        `the agent is ${version}; one older than ${OLDEST_AGENT} opens every port of the database's subnets`,
        "update the add-on to v1.20.1 or later",
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [{ check: "enforcer", level: "ok", text: `the VPC CNI's controller and agent ${version} are on` }];
}
