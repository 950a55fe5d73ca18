import { Option } from "commander";
import {
  ADDRESS_FAMILIES,
  type Address,
  type AddressFamily,
  type KubernetesSemantics,
  leaksEveryPort,
  type NamedAddresses,
  parseAddress,
  parseCidr,
  type Semantics,
  type VpcCniSemantics,
} from "../../analysis/index.ts";
import { reading, UsageError } from "./errors.ts";
import type { ClusterFacts } from "./input/policySet.ts";
import type { NamedPod } from "./input/sender.ts";

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

/** What describes a pod. */
export interface PodFlags {
  readonly namespace?: string;
  readonly podLabel?: readonly (readonly [key: string, value: string])[];
}

/** What says which policies are meant and which pod sends. */
export interface PolicyFlags extends PodFlags {
  readonly policy?: readonly string[];
  readonly stack?: string;
  readonly pod?: string;
  readonly inventory?: string;
  /** A kubeconfig context. */
  readonly context?: string;
}

export interface OutputFlags {
  readonly output: OutputFormat;
}

/**
 * An option that may be repeated. Each mention has one value, so that it can stand before arguments as well as after.
 *
 * @param value its choices, or how it is read
 */
export function repeatable(
  flags: string,
  description: string,
  value: readonly string[] | ((text: string) => unknown) = String,
): Option {
  const option = new Option(flags, `${description} (repeatable)`);
  const read = typeof value === "function" ? value : option.choices(value).parseArg;
  return option.argParser((text, earlier: readonly unknown[] = []) => [...earlier, read?.(text, undefined)]);
}

/** An option whose value is a whole number. */
export function numeric(flags: string, description: string, allowed: RegExp, meaning: string): Option {
  return new Option(flags, description).argParser((text) => {
    if (!allowed.test(text)) {
      throw new UsageError(`${flags.replace(/ .*/, "")} ${text}: must be ${meaning}`);
    }
    return Number(text);
  });
}

/** `--policy` and `--stack`. */
export const POLICY_OPTIONS: readonly Option[] = [
  repeatable("-f, --policy <path>", "policies: a YAML or JSON file, a folder, or - for stdin"),
  new Option("--stack <name>", "the policy that this project's stack creates").conflicts("policy"),
];

/** `--pod-label`. */
export function podLabelOption(description: string): Option {
  return repeatable("--pod-label <key=value>", description, (text): [string, string] => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (key === undefined || value === undefined) {
      throw new UsageError(`--pod-label ${text}: a label is KEY=VALUE, such as app=workflow-runner`);
    }
    return [key, value];
  });
}

/** What describes the sending pod and the cluster's objects. */
export const SENDER_OPTIONS: readonly Option[] = [
  new Option("--namespace <name>", "namespace of the sending pod, and of policies that do not name theirs"),
  podLabelOption("a label of the sending pod (default: those that all the policies select)"),
  new Option(
    "--pod <namespace/name>",
    "the sending pod: its labels, namespace and node, from the cluster or the inventory",
  ).conflicts(["podLabel", "namespace"]),
  new Option("--inventory <path>", "kubectl get namespaces,pods,services -A -o json, to resolve pods and Services"),
  new Option(
    "--context <name>",
    "kubeconfig context of a live cluster: its policies, namespaces, pods and Services, which are only read",
  ).conflicts(["policy", "stack", "inventory"]),
];

/** `--names`. */
export const NAMES_OPTION: Option = repeatable(
  "--names <cidr=name>",
  "call addresses by a name of your own",
  (text): NamedAddresses => {
    const [, cidr, name] = /^([^=]*)=(.+)$/s.exec(text) ?? [];
    if (cidr === undefined || name === undefined) {
      throw new UsageError(`--names ${text}: a name is given as CIDR=NAME, such as 10.1.0.0/16=staging-vpc`);
    }
    return { cidr: reading("--names", () => parseCidr(cidr)), name };
  },
);

/** `--limit`. */
export const LIMIT_OPTION: Option = numeric(
  "--limit <number>",
  "how many rows of text or Markdown to show, 0 for all",
  /^\d+$/,
  "a whole number, 0 for no limit",
).default(50);

/** `--ip-family`. */
export function familyOption(description: string): Option {
  return new Option("--ip-family <family>", description).choices(ADDRESS_FAMILIES);
}

/** What the AWS agent's enforcement depends on in every cluster. */
export const AGENT_OPTIONS: readonly Option[] = [
  familyOption("vpc-cni: the cluster's family (default: ipv4)"),
  new Option(
    "--agent-version <version>",
    "vpc-cni: version of aws-network-policy-agent (default: the newest known)",
  ).argParser((text) => {
    reading("--agent-version", () => leaksEveryPort(text));
    return text;
  }),
];

/** The node of the sending pod. */
export const NODE_OPTION = new Option(
  "--node-ip <address>",
  "vpc-cni: primary address of the pod's node, which is always allowed",
);

/** `--semantics` alone. */
export function semanticsOption(defaultText: string): Option {
  return new Option("--semantics <name>", `as specified or as enforced on EKS (default: ${defaultText})`).choices([
    "kubernetes",
    "vpc-cni",
  ]);
}

/** `--semantics` and what it depends on. */
export function semanticsOptions(defaultText: string): readonly Option[] {
  return [
    semanticsOption(defaultText),
    ...AGENT_OPTIONS,
    NODE_OPTION,
    new Option("--no-ip-block-pods", "kubernetes: an ipBlock does not match pods of the inventory"),
  ];
}

/** What says which policies are meant, which pod sends, how the cluster reads policies, and how the result is written. */
export type QuestionFlags = PolicyFlags & SemanticsFlags & OutputFlags;

/** The options of {@link QuestionFlags}. */
export function questionOptions(defaultSemantics: string, ...moreFormats: readonly string[]): readonly Option[] {
  return [...POLICY_OPTIONS, ...SENDER_OPTIONS, ...semanticsOptions(defaultSemantics), outputOption(...moreFormats)];
}

/** `--output`; `more`: formats that only this command has. */
export function outputOption(...more: readonly string[]): Option {
  return new Option("-o, --output <format>", "how to write the result")
    .choices(["text", "json", "markdown", ...more])
    .default("text");
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
export function vpcCniSemantics(flags: SemanticsFlags, cluster?: ClusterFacts, pod?: NamedPod): VpcCniSemantics {
  const ipFamily = flags.ipFamily ?? cluster?.ipFamily ?? "ipv4";
  const agentVersion = flags.agentVersion ?? cluster?.agentVersion;
  const node = flags.nodeIp ?? pod?.nodeIp(ipFamily);
  const nodeIp = node === undefined ? undefined : parseNodeIp(node, ipFamily);
  return {
    name: "vpc-cni",
    ipFamily,
    ...(nodeIp === undefined ? {} : { nodeIp }),
    ...(agentVersion === undefined ? {} : { agentVersion }),
  };
}

/** The semantics that were asked for; both where nothing was said. The node of a named pod counts if no other is given. */
export function chosenSemantics(flags: SemanticsFlags, cluster?: ClusterFacts, pod?: NamedPod): readonly Semantics[] {
  refuseUnusedFlags(flags);
  return [
    ...(flags.semantics === "vpc-cni" ? [] : [kubernetesSemantics(flags)]),
    ...(flags.semantics === "kubernetes" ? [] : [vpcCniSemantics(flags, cluster, pod)]),
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
