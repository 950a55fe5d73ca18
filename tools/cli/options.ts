import { type Command, Option } from "commander";
import {
  type Address,
  type AddressFamily,
  type KubernetesSemantics,
  leaksEveryPort,
  parseAddress,
  type Semantics,
  type VpcCniSemantics,
} from "../../analysis/index.ts";
import type { ClusterFacts } from "./input/policySet.ts";
import { reading, UsageError } from "./usageError.ts";

/** How results are written. */
export type OutputFormat = "text" | "json" | "markdown";

/** What says how the cluster reads policies. */
export interface SemanticsFlags {
  readonly semantics?: Semantics["name"];
  readonly ipFamily?: AddressFamily;
  readonly nodeIp?: string;
  readonly agentVersion?: string;
  /** `false` after `--no-ip-block-pods`. */
  readonly ipBlockPods?: boolean;
}

/** What says which policies are meant and which pod sends. */
export interface PolicyFlags {
  readonly policy?: readonly string[];
  readonly stack?: string;
  readonly namespace?: string;
  readonly podLabel?: readonly string[];
  readonly pod?: string;
  readonly inventory?: string;
  /** A kubeconfig context. */
  readonly context?: string;
}

export interface OutputFlags {
  readonly output: OutputFormat;
}

/** An option that may be repeated. Each mention has one value, so that it can stand before arguments as well as after. */
export function repeatable(flags: string, description: string, choices?: readonly string[]): Option {
  const option = new Option(flags, `${description} (repeatable)`);
  const one = choices === undefined ? undefined : option.choices(choices).parseArg;
  return option.argParser((value, earlier: readonly unknown[] = []) => [
    ...earlier,
    one === undefined ? value : one(value, undefined),
  ]);
}

/** Adds `--policy` and `--stack`. */
export function addPolicyOptions(command: Command): Command {
  return command
    .addOption(repeatable("-f, --policy <path>", "policies: a YAML or JSON file, a folder, or - for stdin"))
    .addOption(new Option("--stack <name>", "the policy that this project's stack creates").conflicts("policy"));
}

/** Adds what describes the sending pod and the cluster's objects. */
export function addSenderOptions(command: Command): Command {
  return command
    .option("--namespace <name>", "namespace of the sending pod, and of policies that do not name theirs")
    .addOption(podLabelOption("a label of the sending pod (default: those that all the policies select)"))
    .addOption(
      new Option(
        "--pod <namespace/name>",
        "the sending pod: its labels, namespace and node, from the cluster or the inventory",
      ).conflicts(["podLabel", "namespace"]),
    )
    .option("--inventory <path>", "kubectl get namespaces,pods,services -A -o json, to resolve pods and Services")
    .addOption(
      new Option(
        "--context <name>",
        "kubeconfig context of a live cluster: its policies, namespaces, pods and Services, which are only read",
      ).conflicts(["policy", "stack", "inventory"]),
    );
}

/** `--pod-label`. */
export function podLabelOption(description: string): Option {
  return repeatable("--pod-label <key=value>", description);
}

/** `--names`. */
export function namesOption(): Option {
  return repeatable("--names <cidr=name>", "call addresses by a name of your own");
}

/** Adds `--semantics` and what it depends on. */
export function addSemanticsOptions(command: Command, defaultText: string): Command {
  return addNodeOption(addAgentOptions(addSemanticsOption(command, defaultText))).option(
    "--no-ip-block-pods",
    "kubernetes: an ipBlock does not match pods of the inventory",
  );
}

/** Adds `--semantics` alone. */
export function addSemanticsOption(command: Command, defaultText: string): Command {
  return command.addOption(
    new Option("--semantics <name>", `as specified or as enforced on EKS (default: ${defaultText})`).choices([
      "kubernetes",
      "vpc-cni",
    ]),
  );
}

/** Adds what the AWS agent's enforcement depends on in every cluster. */
export function addAgentOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--ip-family <family>", "vpc-cni: the cluster's family (default: ipv4)").choices(["ipv4", "ipv6"]),
    )
    .option("--agent-version <version>", "vpc-cni: version of aws-network-policy-agent (default: the newest known)");
}

/** Adds the node of the sending pod. */
export function addNodeOption(command: Command): Command {
  return command.option("--node-ip <address>", "vpc-cni: primary address of the pod's node, which is always allowed");
}

/** Adds `--output`; `more`: formats that only this command has. */
export function addOutputOption(command: Command, more: readonly string[] = []): Command {
  return command.addOption(
    new Option("-o, --output <format>", "how to write the result")
      .choices(["text", "json", "markdown", ...more])
      .default("text"),
  );
}

/** `kubernetes` semantics as the options say. */
export function kubernetesSemantics({ ipBlockPods }: SemanticsFlags): KubernetesSemantics {
  return { name: "kubernetes", ipBlockMatchesPods: ipBlockPods ?? true };
}

/**
 * `vpc-cni` semantics as the options say, else the cluster, else an IPv4 cluster with the newest agent.
 *
 * @throws {UsageError} for an address or a version that is none.
 */
export function vpcCniSemantics(flags: SemanticsFlags, cluster?: ClusterFacts): VpcCniSemantics {
  const ipFamily = flags.ipFamily ?? cluster?.ipFamily ?? "ipv4";
  const agentVersion = flags.agentVersion ?? cluster?.agentVersion;
  if (agentVersion !== undefined) {
    reading("--agent-version", () => leaksEveryPort(agentVersion));
  }
  const nodeIp = flags.nodeIp === undefined ? undefined : parseNodeIp(flags.nodeIp, ipFamily);
  return {
    name: "vpc-cni",
    ipFamily,
    ...(nodeIp === undefined ? {} : { nodeIp }),
    ...(agentVersion === undefined ? {} : { agentVersion }),
  };
}

/** The semantics that were asked for; both where nothing was said. */
export function chosenSemantics(flags: SemanticsFlags, cluster?: ClusterFacts): readonly Semantics[] {
  refuseUnusedFlags(flags);
  return [
    ...(flags.semantics === "vpc-cni" ? [] : [kubernetesSemantics(flags)]),
    ...(flags.semantics === "kubernetes" ? [] : [vpcCniSemantics(flags, cluster)]),
  ];
}

/** An option that would have no effect is a misunderstanding. */
function refuseUnusedFlags({ semantics, ipFamily, nodeIp, agentVersion, ipBlockPods }: SemanticsFlags): void {
  const agentOnly = { "--ip-family": ipFamily, "--node-ip": nodeIp, "--agent-version": agentVersion };
  for (const [name, value] of Object.entries(agentOnly)) {
    if (semantics === "kubernetes" && value !== undefined) {
      throw new UsageError(`${name} says how the AWS agent enforces; it has no meaning with --semantics kubernetes`);
    }
  }
  if (semantics === "vpc-cni" && ipBlockPods === false) {
    throw new UsageError("--no-ip-block-pods is about Kubernetes; the AWS agent always matches pods by address");
  }
}

function parseNodeIp(text: string, ipFamily: AddressFamily): Address {
  const address = parseAddress(text);
  if (address === undefined) {
    throw new UsageError(`--node-ip ${text}: is no address`);
  }
  if (address.family !== ipFamily) {
    throw new UsageError(`--node-ip ${text}: is ${address.family}, but the cluster is ${ipFamily}; see --ip-family`);
  }
  return address;
}
