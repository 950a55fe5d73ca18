import {
  networkPolicy,
  type PackConfig,
  type Plain,
  type TestResource,
  UNKNOWN,
  urnOf,
} from "../support/policyPack.ts";

/** A good plan, to be changed in place. */
export interface Edited {
  /** The runners' NetworkPolicy. */
  policy: Plain;
  /** Its rules: DNS, sandbox, executor, database, internet. */
  rules: Plain[];
  /** Resource options of the policy. */
  options: Partial<TestResource>;
  /** Other resources of the plan. */
  others: TestResource[];
  config: PackConfig;
}

export interface Mutant {
  readonly name: string;
  /** Policies that report it, all of them and no others. */
  readonly fires: readonly string[];
  readonly edit: (plan: Edited) => void;
}

const DNS = 0;
const SANDBOX = 1;
const EXECUTOR = 2;
const DATABASE = 3;
const INTERNET = 4;

const ipv4 = (plan: Edited): Plain => plan.rules[INTERNET].to[0].ipBlock;
const ipv6 = (plan: Edited): Plain => plan.rules[INTERNET].to[1].ipBlock;

function without(list: string[], cidr: string): void {
  const index = list.indexOf(cidr);
  if (index < 0) {
    throw new Error(`${cidr} is not in ${list.join(", ")}`);
  }
  list.splice(index, 1);
}

function replace(list: string[], cidr: string, ...by: string[]): void {
  without(list, cidr);
  list.push(...by);
}

/** A second policy in the plan. */
function second(spec: Plain, metadata: Plain = { name: "second", namespace: "keeperhub" }): TestResource {
  return networkPolicy({ metadata, spec });
}

const RUNNERS = { matchLabels: { app: "workflow-runner" } };
const to = (cidr: string, ...except: string[]) => ({ ipBlock: { cidr, ...(except.length > 0 && { except }) } });

const drop = (cidr: string, ...fires: string[]): Mutant => ({
  name: `the except ${cidr} is dropped`,
  fires,
  edit: (plan) => without(ipv4(plan).except, cidr),
});

const mutant = (name: string, fires: readonly string[], edit: (plan: Edited) => void): Mutant => ({
  name,
  fires,
  edit,
});

const METADATA = "metadata-endpoints";
const PRIVATE = "private-reach";
const ISOLATION = "isolation";
const REQUIRED = "required-destinations";
const HAZARDS = "eks-hazards";
const UNION = "union";
const PROTECTION = "protection";
/** Nothing can be proved about it: what the API server would not accept, what is not shown, what is not analysed. */
const UNPROVED = ["conclusive"];

/** What happens to the internet rule's excepts. */
const EXCEPTS: Mutant[] = [
  drop("10.0.0.0/8", PRIVATE),
  drop("172.16.0.0/12", PRIVATE),
  drop("192.168.0.0/16", PRIVATE),
  drop("100.64.0.0/10", PRIVATE),
  drop("127.0.0.0/8", PRIVATE),
  drop("169.254.0.0/16", METADATA, PRIVATE),
  drop("0.0.0.0/8", PRIVATE),
  drop("192.0.0.0/24", PRIVATE),
  drop("192.0.2.0/24", PRIVATE),
  drop("192.88.99.0/24", PRIVATE),
  drop("198.18.0.0/15", PRIVATE),
  drop("198.51.100.0/24", PRIVATE),
  drop("203.0.113.0/24", PRIVATE),
  drop("224.0.0.0/4", PRIVATE),
  drop("240.0.0.0/4", PRIVATE, HAZARDS),
  mutant("all excepts are dropped", [METADATA, PRIVATE, HAZARDS], (plan) => {
    delete ipv4(plan).except;
  }),
  mutant("the except fc00::/7 is dropped", [METADATA, PRIVATE], (plan) => without(ipv6(plan).except, "fc00::/7")),
  mutant("the except fe80::/10 is dropped", [PRIVATE], (plan) => without(ipv6(plan).except, "fe80::/10")),
  mutant("172.16.0.0/12 becomes /13", [PRIVATE], (plan) =>
    replace(ipv4(plan).except, "172.16.0.0/12", "172.16.0.0/13"),
  ),
  mutant("172.16.0.0/12 becomes 172.0.0.0/11", [REQUIRED], (plan) =>
    replace(ipv4(plan).except, "172.16.0.0/12", "172.0.0.0/11"),
  ),
  mutant("172.16.0.0/12 becomes /11 with host bits", [REQUIRED, HAZARDS], (plan) =>
    replace(ipv4(plan).except, "172.16.0.0/12", "172.16.0.0/11"),
  ),
  mutant("10.0.0.0/8 becomes /9", [PRIVATE], (plan) => replace(ipv4(plan).except, "10.0.0.0/8", "10.0.0.0/9")),
  mutant("10.0.0.0/8 becomes /7", [REQUIRED], (plan) => replace(ipv4(plan).except, "10.0.0.0/8", "10.0.0.0/7")),
  mutant("169.254.0.0/16 becomes the metadata address alone", [METADATA, PRIVATE], (plan) =>
    replace(ipv4(plan).except, "169.254.0.0/16", "169.254.169.254/32"),
  ),
  mutant("169.254.0.0/16 loses only the metadata address", [METADATA], (plan) =>
    replace(
      ipv4(plan).except,
      "169.254.0.0/16",
      ...["169.254.0.0/17", "169.254.128.0/19", "169.254.160.0/21", "169.254.168.0/24", "169.254.169.0/25"],
      ...["169.254.169.128/26", "169.254.169.192/27", "169.254.169.224/28", "169.254.169.240/29", "169.254.169.248/30"],
      ...["169.254.169.252/31", "169.254.169.255/32", "169.254.170.0/23", "169.254.172.0/22", "169.254.176.0/20"],
      "169.254.192.0/18",
    ),
  ),
  mutant("an except has one digit more", UNPROVED, (plan) =>
    replace(ipv4(plan).except, "192.168.0.0/16", "192.168.0.0/161"),
  ),
  mutant("an IPv6 except longer than /32 is added", [HAZARDS], (plan) => ipv6(plan).except.push("64:ff9b::/96")),
  mutant("an IPv6 except that denies public IPv4 is added", [REQUIRED, HAZARDS], (plan) =>
    ipv6(plan).except.push("2002::/16"),
  ),
  mutant("an IPv4 except moves to the IPv6 block", UNPROVED, (plan) => {
    without(ipv4(plan).except, "10.0.0.0/8");
    ipv6(plan).except.push("10.0.0.0/8");
  }),
];

/** What happens to the rules for named destinations. */
const DESTINATIONS: Mutant[] = [
  mutant("DNS loses its peer", [METADATA, PRIVATE, REQUIRED, HAZARDS], (plan) => {
    delete plan.rules[DNS].to;
  }),
  mutant("DNS gets an empty list of peers", [METADATA, PRIVATE, REQUIRED, HAZARDS], (plan) => {
    plan.rules[DNS].to = [];
  }),
  mutant("DNS loses UDP", [REQUIRED], (plan) => {
    plan.rules[DNS].ports = [{ port: 53, protocol: "TCP" }];
  }),
  mutant("DNS loses TCP", [REQUIRED], (plan) => {
    plan.rules[DNS].ports = [{ port: 53, protocol: "UDP" }];
  }),
  mutant("DNS leaves out the protocol", [REQUIRED], (plan) => {
    plan.rules[DNS].ports = [{ port: 53 }];
  }),
  mutant("DNS on all ports", [PRIVATE], (plan) => {
    delete plan.rules[DNS].ports;
  }),
  mutant("DNS on port 5353", [PRIVATE, REQUIRED], (plan) => {
    plan.rules[DNS].ports = [{ port: 5353, protocol: "UDP" }];
  }),
  mutant("DNS up to port 65535", [PRIVATE], (plan) => {
    plan.rules[DNS].ports = plan.rules[DNS].ports.map((port: Plain) => ({ ...port, endPort: 65535 }));
  }),
  mutant("DNS over SCTP too", [PRIVATE], (plan) => plan.rules[DNS].ports.push({ port: 53, protocol: "SCTP" })),
  mutant("the label of kube-dns is misspelt", [PRIVATE, REQUIRED], (plan) => {
    plan.rules[DNS].to[0].podSelector = { matchLabels: { "k8s-app": "kube-dsn" } };
  }),
  mutant("the label key of kube-dns is misspelt", [PRIVATE, REQUIRED], (plan) => {
    plan.rules[DNS].to[0].podSelector = { matchLabels: { k8s_app: "kube-dns" } };
  }),
  mutant("DNS pods of every namespace", [PRIVATE], (plan) => {
    plan.rules[DNS].to[0].namespaceSelector = {};
  }),
  mutant("every pod of kube-system", [PRIVATE], (plan) => {
    plan.rules[DNS].to[0].podSelector = {};
  }),
  mutant("DNS pods of the runners' own namespace", [PRIVATE, REQUIRED], (plan) => {
    delete plan.rules[DNS].to[0].namespaceSelector;
  }),
  mutant("the selectors of a peer become two peers", [PRIVATE], (plan) => {
    const { namespaceSelector, podSelector } = plan.rules[DNS].to[0];
    plan.rules[DNS].to = [{ namespaceSelector }, { podSelector }];
  }),
  mutant("sandbox on port 8788", [PRIVATE, REQUIRED], (plan) => {
    plan.rules[SANDBOX].ports[0].port = 8788;
  }),
  mutant("sandbox with an extra label", [REQUIRED], (plan) => {
    plan.rules[SANDBOX].to[0].podSelector.matchLabels.version = "2";
  }),
  mutant("sandbox by a port name", [PRIVATE, REQUIRED], (plan) => {
    plan.rules[SANDBOX].ports = [{ port: "http", protocol: "TCP" }];
  }),
  mutant("the executor's rule is gone", [REQUIRED], (plan) => plan.rules.splice(EXECUTOR, 1)),
  mutant("any pod with the executor's label key", [PRIVATE], (plan) => {
    plan.rules[EXECUTOR].to[0].podSelector = {
      matchExpressions: [{ key: "app.kubernetes.io/serviceName", operator: "Exists" }],
    };
  }),
  mutant("the database's rule is gone", [REQUIRED], (plan) => plan.rules.splice(DATABASE, 1)),
  mutant("a database subnet is gone", [REQUIRED], (plan) => plan.rules[DATABASE].to.pop()),
  mutant("a database subnet becomes a /16", [PRIVATE], (plan) => {
    plan.rules[DATABASE].to[0].ipBlock.cidr = plan.rules[DATABASE].to[0].ipBlock.cidr.replace(
      /\.100\.0\/24/,
      ".0.0/16",
    );
  }),
  mutant("a database subnet becomes a /23", [PRIVATE], (plan) => {
    plan.rules[DATABASE].to[2].ipBlock.cidr = plan.rules[DATABASE].to[2].ipBlock.cidr.replace("/24", "/23");
  }),
  mutant("the database's block becomes 10.0.0.0/8", [PRIVATE], (plan) => {
    plan.rules[DATABASE].to = [to("10.0.0.0/8")];
  }),
  mutant("the database's block becomes 0.0.0.0/0", [METADATA, PRIVATE, REQUIRED, HAZARDS], (plan) => {
    plan.rules[DATABASE].to = [to("0.0.0.0/0")];
  }),
  mutant("the database's rule loses its peers", [METADATA, PRIVATE, REQUIRED, HAZARDS], (plan) => {
    delete plan.rules[DATABASE].to;
  }),
  mutant("the database on port 0", UNPROVED, (plan) => {
    plan.rules[DATABASE].ports[0].port = 0;
  }),
  mutant("the database on port 5433", [PRIVATE, REQUIRED], (plan) => {
    plan.rules[DATABASE].ports[0].port = 5433;
  }),
  mutant("the database on a range of ports", [PRIVATE], (plan) => {
    plan.rules[DATABASE].ports[0].endPort = 5439;
  }),
  mutant("the database on every port", [PRIVATE], (plan) => {
    delete plan.rules[DATABASE].ports;
  }),
  mutant("the database over UDP", [PRIVATE, REQUIRED], (plan) => {
    plan.rules[DATABASE].ports[0].protocol = "UDP";
  }),
  mutant("the database by a port name", [REQUIRED, HAZARDS], (plan) => {
    plan.rules[DATABASE].ports = [{ port: "postgres", protocol: "TCP" }];
  }),
  mutant("the database on 25 ports", [PRIVATE, REQUIRED, HAZARDS], (plan) => {
    plan.rules[DATABASE].ports = Array.from({ length: 25 }, (_, index) => ({
      port: 5432 + index * 2,
      protocol: "TCP",
    }));
  }),
  mutant("an except in the database's subnet", [REQUIRED], (plan) => {
    const block = plan.rules[DATABASE].to[0].ipBlock;
    block.except = [block.cidr.replace("/24", "/25")];
  }),
];

/** What happens to the internet rule, and rules that are added. */
const RULES: Mutant[] = [
  mutant("the internet only on 443", [REQUIRED], (plan) => {
    plan.rules[INTERNET].ports = [{ port: 443, protocol: "TCP" }];
  }),
  mutant("the internet only over TCP", [REQUIRED], (plan) => {
    plan.rules[INTERNET].ports = [{ protocol: "TCP" }];
  }),
  mutant("the internet's rule is gone", [REQUIRED], (plan) => plan.rules.splice(INTERNET, 1)),
  mutant("half of the internet", [REQUIRED], (plan) => {
    const block = ipv4(plan);
    block.cidr = "0.0.0.0/1";
    block.except = block.except.filter((cidr: string) => Number(cidr.split(".")[0]) < 128);
  }),
  mutant("the internet also loses a public block", [REQUIRED], (plan) => ipv4(plan).except.push("8.8.8.0/24")),
  mutant("a rule without peers or ports", [METADATA, PRIVATE, HAZARDS], (plan) => plan.rules.push({})),
  mutant("a rule without peers for 443", [METADATA, PRIVATE, HAZARDS], (plan) =>
    plan.rules.push({ ports: [{ port: 443, protocol: "TCP" }] }),
  ),
  mutant("a rule for the metadata service", [METADATA], (plan) =>
    plan.rules.push({ to: [to("169.254.169.254/32")], ports: [{ port: 80, protocol: "TCP" }] }),
  ),
  mutant("a rule for the IPv6 metadata service", [METADATA], (plan) =>
    plan.rules.push({ to: [to("fd00:ec2::254/128")] }),
  ),
  mutant("a rule for ECS task credentials", [METADATA], (plan) =>
    plan.rules.push({ to: [to("169.254.170.2/32")], ports: [{ port: 80, protocol: "TCP" }] }),
  ),
  mutant("a rule for EKS Pod Identity that is not declared", [METADATA], (plan) =>
    plan.rules.push({ to: [to("169.254.170.23/32")], ports: [{ port: 80, protocol: "TCP" }] }),
  ),
  mutant("Pod Identity on more than the declared port", [METADATA], (plan) => {
    plan.config.declaration.destinations.identity = { cidrs: ["169.254.170.23/32"], ports: ["80/TCP"] };
    plan.rules.push({ to: [to("169.254.170.23/32")], ports: [{ protocol: "TCP", port: 80, endPort: 81 }] });
  }),
  mutant("the metadata service, although declared", [METADATA], (plan) => {
    plan.config.declaration.destinations.imds = { cidrs: ["169.254.169.254/32"], ports: ["80/TCP"] };
    plan.rules.push({ to: [to("169.254.169.254/32")], ports: [{ protocol: "TCP", port: 80 }] });
  }),
  mutant("a rule for a private host", [PRIVATE], (plan) =>
    plan.rules.push({ to: [to("10.200.0.7/32")], ports: [{ port: 443, protocol: "TCP" }] }),
  ),
  mutant("a rule for the cluster's Services", [PRIVATE], (plan) =>
    plan.rules.push({ to: [to("172.20.0.0/16")], ports: [{ port: 443, protocol: "TCP" }] }),
  ),
  mutant("a rule for every pod of the namespace", [PRIVATE], (plan) => plan.rules.push({ to: [{ podSelector: {} }] })),
  mutant("a rule for every pod of every namespace", [PRIVATE], (plan) =>
    plan.rules.push({ to: [{ namespaceSelector: {} }] }),
  ),
  mutant("a private block of the public range in the VPC", [PRIVATE], (plan) => {
    plan.config.declaration.vpcCidrs.push("44.16.0.0/16");
  }),
  mutant("ports inherited through a block in between", [PRIVATE, HAZARDS], (plan) => {
    // Kubernetes denies all but 5432 in the database's subnets; the agent opens them through the block in between.
    const subnets = plan.rules[DATABASE].to.map(({ ipBlock }: Plain) => ipBlock.cidr);
    plan.rules[INTERNET].to[0].ipBlock.except = [
      ...plan.rules[INTERNET].to[0].ipBlock.except.filter((cidr: string) => cidr !== "10.0.0.0/8"),
      ...subnets,
    ];
    plan.rules.push({ to: [to("10.0.0.0/8")], ports: [{ port: 443, protocol: "TCP" }] });
  }),
  mutant("a rule that fits one subnet punches a hole into another", [REQUIRED, HAZARDS], (plan) =>
    plan.rules.push({ to: [to("8.0.0.0/8", "8.8.8.0/24")], ports: [{ port: 443, protocol: "TCP" }] }),
  ),
];

/** What happens to whom the policy selects, and to the policy as a whole. */
const SELECTION: Mutant[] = [
  mutant("the runners' label is misspelt", [METADATA, PRIVATE, ISOLATION], (plan) => {
    plan.policy.spec.podSelector = { matchLabels: { app: "workflow-runer" } };
  }),
  mutant("the runners' label key is misspelt", [METADATA, PRIVATE, ISOLATION], (plan) => {
    plan.policy.spec.podSelector = { matchLabels: { App: "workflow-runner" } };
  }),
  mutant("the policy selects every pod", [ISOLATION], (plan) => {
    plan.policy.spec.podSelector = {};
  }),
  mutant("the policy selects any value of the label", [ISOLATION], (plan) => {
    plan.policy.spec.podSelector = { matchExpressions: [{ key: "app", operator: "Exists" }] };
  }),
  mutant("the policy selects one more app", [ISOLATION], (plan) => {
    plan.policy.spec.podSelector = {
      matchExpressions: [{ key: "app", operator: "In", values: ["workflow-runner", "x"] }],
    };
  }),
  mutant("the policy selects every app but another", [ISOLATION], (plan) => {
    plan.policy.spec.podSelector = { matchExpressions: [{ key: "app", operator: "NotIn", values: ["other"] }] };
  }),
  mutant("the policy selects only some runners", [METADATA, PRIVATE, ISOLATION], (plan) => {
    plan.policy.spec.podSelector.matchLabels.tier = "paid";
  }),
  mutant("the policy leaves out debugged runners", [METADATA, PRIVATE, ISOLATION], (plan) => {
    plan.policy.spec.podSelector.matchExpressions = [{ key: "debug", operator: "DoesNotExist" }];
  }),
  mutant("the policy is in another namespace", [METADATA, PRIVATE, ISOLATION], (plan) => {
    plan.policy.metadata.namespace = "keeperhub-staging";
  }),
  mutant("the policy is in no namespace", [METADATA, PRIVATE, ISOLATION], (plan) => {
    delete plan.policy.metadata.namespace;
  }),
  mutant("the policy has another name", [ISOLATION], (plan) => {
    plan.policy.metadata.name = "workflow-runner-egress";
  }),
  mutant("the policy has a name of 60 characters", [ISOLATION, HAZARDS], (plan) => {
    plan.policy.metadata.name = "w".repeat(60);
  }),
  mutant("policyTypes without Egress", [METADATA, PRIVATE, ISOLATION], (plan) => {
    plan.policy.spec.policyTypes = ["Ingress"];
  }),
  mutant("no rules and no policyTypes", [METADATA, PRIVATE, ISOLATION], (plan) => {
    delete plan.policy.spec.policyTypes;
    delete plan.policy.spec.egress;
  }),
  mutant("an empty list of rules", [REQUIRED], (plan) => {
    plan.policy.spec.egress = [];
  }),
  mutant("the policy is not in the plan", [METADATA, PRIVATE, ISOLATION], (plan) => {
    plan.options = { type: "kubernetes:core/v1:ConfigMap" };
  }),
  mutant("the policy is not protected", [PROTECTION], (plan) => {
    plan.options = { protect: false };
  }),
  mutant("an agent that opens every port", [PRIVATE, HAZARDS], (plan) => {
    plan.config.declaration.cluster.agentVersion = "1.2.3";
  }),
];

/** Other policies in the plan. */
const UNIONS: Mutant[] = [
  mutant("a second policy with 10.0.0.0/8", [PRIVATE, UNION], (plan) =>
    plan.others.push(second({ podSelector: RUNNERS, policyTypes: ["Egress"], egress: [{ to: [to("10.0.0.0/8")] }] })),
  ),
  mutant("a second policy that allows everything", [METADATA, PRIVATE, HAZARDS, UNION], (plan) =>
    plan.others.push(second({ podSelector: RUNNERS, policyTypes: ["Egress"], egress: [{}] })),
  ),
  mutant("a second policy for every pod of the namespace", [PRIVATE, UNION], (plan) =>
    plan.others.push(
      second({ podSelector: {}, egress: [{ to: [to("192.168.4.0/24")], ports: [{ port: 6379, protocol: "TCP" }] }] }),
    ),
  ),
  mutant("a second policy for all Jobs", [PRIVATE, UNION], (plan) =>
    plan.others.push(
      second({
        podSelector: { matchExpressions: [{ key: "batch.kubernetes.io/job-name", operator: "Exists" }] },
        egress: [{ to: [to("10.99.0.0/16")] }],
      }),
    ),
  ),
  mutant("a second policy for the metadata service", [METADATA, UNION], (plan) =>
    plan.others.push(second({ podSelector: RUNNERS, egress: [{ to: [to("169.254.169.254/32")] }] })),
  ),
  mutant("a second policy for every pod of another namespace's app", [PRIVATE, UNION], (plan) =>
    plan.others.push(
      second({
        podSelector: RUNNERS,
        egress: [{ to: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: "redis" } } }] }],
      }),
    ),
  ),
  mutant("a second policy whose except closes public addresses", [REQUIRED, HAZARDS, UNION], (plan) =>
    plan.others.push(
      second({ podSelector: RUNNERS, egress: [{ to: [to("52.0.0.0/8", "52.94.0.0/16")], ports: [{ port: 443 }] }] }),
    ),
  ),
  mutant("a second policy that only isolates ingress but has egress rules", [PRIVATE, HAZARDS, UNION], (plan) =>
    plan.others.push(second({ podSelector: RUNNERS, policyTypes: ["Ingress"], egress: [{ to: [to("10.7.0.0/16")] }] })),
  ),
  mutant("a second policy with a name of 60 characters", [HAZARDS], (plan) =>
    plan.others.push(
      second({ podSelector: RUNNERS, policyTypes: ["Egress"] }, { name: "w".repeat(60), namespace: "keeperhub" }),
    ),
  ),
  mutant("a patch that adds a rule to the runners' policy", [PRIVATE], (plan) =>
    plan.others.push(
      networkPolicy(
        { metadata: plan.policy.metadata, spec: { egress: [...plan.rules, { to: [to("10.0.0.0/8")] }] } },
        { type: "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch", name: "patch" },
      ),
    ),
  ),
  mutant("a patch of a policy that the plan does not have", UNPROVED, (plan) =>
    plan.others.push(
      networkPolicy(
        { metadata: { name: "other", namespace: "keeperhub" }, spec: { podSelector: RUNNERS } },
        { type: "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch", name: "patch" },
      ),
    ),
  ),
  mutant("a ClusterNetworkPolicy for every namespace", UNPROVED, (plan) =>
    plan.others.push({
      type: "kubernetes:networking.k8s.aws/v1alpha1:ClusterNetworkPolicy",
      name: "cnp",
      props: { metadata: { name: "allow-vpc" }, spec: { tier: "Admin", subject: { namespaces: {} } } },
    }),
  ),
  mutant("an ApplicationNetworkPolicy for the runners", UNPROVED, (plan) =>
    plan.others.push({
      type: "kubernetes:networking.k8s.aws/v1alpha1:ApplicationNetworkPolicy",
      name: "anp",
      props: { metadata: { name: "by-domain", namespace: "keeperhub" }, spec: { podSelector: RUNNERS } },
    }),
  ),
  mutant("a NetworkPolicyList with 10.0.0.0/8", [PRIVATE, UNION], (plan) =>
    plan.others.push({
      type: "kubernetes:networking.k8s.io/v1:NetworkPolicyList",
      name: "list",
      props: {
        items: [
          {
            metadata: { name: "listed", namespace: "keeperhub" },
            spec: { podSelector: RUNNERS, egress: [{ to: [to("10.0.0.0/8")] }] },
          },
        ],
      },
    }),
  ),
];

const patch = (name: string, spec: Plain): TestResource =>
  networkPolicy(
    { metadata: { name: "workflow-runner-block-imds", namespace: "keeperhub" }, spec },
    { type: "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch", name },
  );

const job = (metadata: Plain, spec: Plain = {}, labels: Plain = { app: "workflow-runner" }): TestResource => ({
  type: "kubernetes:batch/v1:Job",
  name: "job",
  props: { metadata: { name: "run", ...metadata }, spec: { template: { metadata: { labels }, spec } } },
});

const kubernetes = (name: string, props: Plain): TestResource => ({
  type: "pulumi:providers:kubernetes",
  name,
  props,
});

const addOn = (configurationValues: Plain): TestResource => ({
  type: "aws:eks/addon:Addon",
  name: "vpc-cni",
  props: { addonName: "vpc-cni", clusterName: "techops-staging", configurationValues },
});

const single = (count: number, from = 9000) =>
  Array.from({ length: count }, (_, index) => ({ port: from + index * 2, protocol: "TCP" }));

/** Declares the ports of the sandbox's rules, so that only the agent objects to them. */
function sandboxPorts(plan: Edited): void {
  plan.config.declaration.destinations.sandbox.ports = ["8787/TCP", "9000-9999/TCP"];
  plan.config.declaration.destinations.sandbox.required = false;
}

/** What the agent makes of pods by label, without an inventory. */
const PODS: Mutant[] = [
  mutant("25 single ports to one set of pods", [HAZARDS], (plan) => {
    sandboxPorts(plan);
    plan.rules[SANDBOX].ports = single(25);
  }),
  mutant("13 and 12 ports to one set of pods", [HAZARDS], (plan) => {
    sandboxPorts(plan);
    plan.rules[SANDBOX].ports = single(13);
    plan.rules.push({ to: plan.rules[SANDBOX].to, ports: single(12, 9100) });
  }),
  mutant("13 and 12 ports to a set of pods and a part of it", [HAZARDS], (plan) => {
    sandboxPorts(plan);
    plan.rules[SANDBOX].ports = single(13);
    const [peer] = structuredClone(plan.rules[SANDBOX].to);
    peer.podSelector.matchLabels.tier = "a";
    plan.rules.push({ to: [peer], ports: single(12, 9100) });
  }),
  mutant("12 ports to pods in a block with 13", [PRIVATE, HAZARDS], (plan) => {
    sandboxPorts(plan);
    plan.rules[SANDBOX].ports = single(12);
    plan.rules.push({ to: [to("10.0.0.0/8")], ports: single(13, 9100) });
  }),
  mutant("an agent that opens every port of pods", [PRIVATE, REQUIRED, HAZARDS], (plan) => {
    plan.config.declaration.cluster.agentVersion = "1.2.3";
    plan.rules.splice(DATABASE, 1);
  }),
];

/** What surrounds the policy, and where it goes. */
const SURROUNDINGS: Mutant[] = [
  mutant("two policies that each select some runners, of which one has no database", [ISOLATION, REQUIRED], (plan) => {
    const rest = structuredClone(plan.policy);
    rest.metadata.name = "rest";
    rest.spec.podSelector.matchExpressions = [{ key: "tier", operator: "NotIn", values: ["paid"] }];
    plan.others.push(networkPolicy(rest));
    plan.policy.spec.podSelector.matchExpressions = [{ key: "tier", operator: "In", values: ["paid"] }];
    plan.rules.splice(DATABASE, 1);
  }),
  mutant("two patches that disagree about the rules", UNPROVED, (plan) =>
    plan.others.push(patch("a", { egress: plan.rules }), patch("b", { egress: [] })),
  ),
  mutant("two patches that disagree about the pods", UNPROVED, (plan) =>
    plan.others.push(patch("a", { podSelector: RUNNERS }), patch("b", { podSelector: {} })),
  ),
  mutant("a PolicyEndpoint for a runner, with a podSelector for others", UNPROVED, (plan) =>
    plan.others.push({
      type: "kubernetes:networking.k8s.aws/v1alpha1:PolicyEndpoint",
      name: "endpoint",
      props: {
        metadata: { name: "e", namespace: "shop" },
        spec: {
          podSelector: { matchLabels: { app: "api" } },
          podSelectorEndpoints: [{ name: "run-1", namespace: "keeperhub", podIP: "10.1.0.9", hostIP: "10.1.0.1" }],
        },
      },
    }),
  ),
  mutant("a Cilium policy for the runners, with a podSelector for others", UNPROVED, (plan) =>
    plan.others.push({
      type: "kubernetes:cilium.io/v2:CiliumNetworkPolicy",
      name: "cilium",
      props: {
        metadata: { name: "c", namespace: "keeperhub" },
        spec: { podSelector: { matchLabels: { app: "api" } }, endpointSelector: RUNNERS },
      },
    }),
  ),
  ...["yaml/v2:ConfigGroup", "yaml:ConfigFile", "helm.sh/v4:Chart", "kustomize/v2:Directory"].map((type) =>
    mutant(`a component ${type} without children`, UNPROVED, (plan) =>
      plan.others.push({ type: `kubernetes:${type}`, name: "objects", props: {} }),
    ),
  ),
  mutant("a component with an input that is unknown beside children", UNPROVED, (plan) => {
    const group = { type: "kubernetes:yaml:ConfigGroup", name: "objects", props: { files: "a.yaml", yaml: UNKNOWN } };
    plan.others.push(group, { type: "kubernetes:core/v1:ConfigMap", name: "a", props: {}, parent: urnOf(group) });
  }),
  mutant("an owner for the policy", [PROTECTION], (plan) => {
    plan.policy.metadata.ownerReferences = [{ apiVersion: "apps/v1", kind: "Deployment", name: "executor", uid: "1" }];
  }),
  mutant("the policy through a provider that renders to a folder", [ISOLATION], (plan) => {
    plan.options = { providerProps: { renderYamlToDirectory: "out" } };
  }),
  mutant("the policy through the provider of another cluster", [ISOLATION], (plan) => {
    plan.config.declaration.cluster.identifier = "eks/us-east-1/techops-staging";
    plan.options = { providerProps: { clusterIdentifier: "eks/us-east-1/other" } };
  }),
  mutant("the policy through a provider without a cluster's name", [ISOLATION], (plan) => {
    plan.config.declaration.cluster.identifier = "eks/us-east-1/techops-staging";
    plan.options = { providerProps: { kubeconfig: "" } };
  }),
  mutant("providers of two clusters, of which none is declared", UNPROVED, (plan) =>
    plan.others.push(kubernetes("a", { clusterIdentifier: "eks/x/a" }), kubernetes("b", { kubeconfig: UNKNOWN })),
  ),
  mutant("a runner Job in the host's network", [ISOLATION], (plan) =>
    plan.others.push(job({ namespace: "keeperhub" }, { hostNetwork: true })),
  ),
  mutant("a runner Job in another namespace", [ISOLATION], (plan) => plan.others.push(job({ namespace: "shop" }))),
  mutant("a runner Job in a namespace that is unknown", [ISOLATION], (plan) =>
    plan.others.push(job({ namespace: UNKNOWN })),
  ),
  mutant("a runner Job with a label that no runner has", [ISOLATION], (plan) => {
    plan.config.declaration.runner.notLabels = ["team"];
    plan.others.push(job({ namespace: "keeperhub" }, {}, { app: "workflow-runner", team: "x" }));
  }),
  mutant("a runner CronJob in the host's network", [ISOLATION], (plan) => {
    const { spec } = job({}, { hostNetwork: true }).props;
    plan.others.push({
      type: "kubernetes:batch/v1:CronJob",
      name: "cron",
      props: { metadata: { name: "nightly", namespace: "keeperhub" }, spec: { jobTemplate: { spec } } },
    });
  }),
  mutant("the add-on without network policy", [HAZARDS], (plan) =>
    plan.others.push(addOn('{"enableNetworkPolicy": "false"}')),
  ),
  mutant("the add-on without configuration values", [HAZARDS], (plan) => plan.others.push(addOn(undefined))),
  mutant("the add-on with configuration values that are unknown", [HAZARDS], (plan) =>
    plan.others.push(addOn(UNKNOWN)),
  ),
  mutant("the controller's ConfigMap, switched off", [HAZARDS], (plan) =>
    plan.others.push({
      type: "kubernetes:core/v1:ConfigMapPatch",
      name: "cni",
      props: {
        metadata: { name: "amazon-vpc-cni", namespace: "kube-system" },
        data: { "enable-network-policy-controller": "false" },
      },
    }),
  ),
];

/** Changes to the policy of an IPv4 cluster, or to what surrounds it. */
export const MUTANTS: readonly Mutant[] = [
  ...EXCEPTS,
  ...DESTINATIONS,
  ...RULES,
  ...SELECTION,
  ...UNIONS,
  ...PODS,
  ...SURROUNDINGS,
];

const internetV6 = (plan: Edited): string[] => plan.rules[INTERNET].to[1].ipBlock.except;

/** Changes to the policy of an IPv6 cluster. */
export const IPV6_MUTANTS: readonly Mutant[] = [
  mutant("the NAT64 image of 10.0.0.0/8 is dropped", [PRIVATE], (plan) =>
    without(internetV6(plan), "64:ff9b::a00:0/104"),
  ),
  mutant("the NAT64 image of 169.254.0.0/16 is dropped", [METADATA, PRIVATE], (plan) =>
    without(internetV6(plan), "64:ff9b::a9fe:0/112"),
  ),
  mutant("the VPC's own block is dropped", [PRIVATE], (plan) => without(internetV6(plan), "2600:1f18:1234:5600::/56")),
  mutant("unique local addresses are dropped", [METADATA, PRIVATE], (plan) => without(internetV6(plan), "fc00::/7")),
  mutant("6to4 is dropped", [PRIVATE], (plan) => without(internetV6(plan), "2002::/16")),
  mutant("the local NAT64 prefix is dropped", [PRIVATE], (plan) => without(internetV6(plan), "64:ff9b:1::/48")),
  mutant("all of NAT64 is excepted", [REQUIRED], (plan) => {
    const excepts = internetV6(plan);
    const kept = excepts.filter((cidr) => !cidr.startsWith("64:ff9b::"));
    excepts.splice(0, excepts.length, ...kept, "64:ff9b::/96");
  }),
  mutant("the IPv4 rule loses 10.0.0.0/8", [PRIVATE], (plan) =>
    without(plan.rules[INTERNET].to[0].ipBlock.except, "10.0.0.0/8"),
  ),
  mutant("an IPv4 except that denies public IPv6 is added", [REQUIRED, HAZARDS], (plan) =>
    plan.rules[INTERNET].to[0].ipBlock.except.push("38.0.0.0/8"),
  ),
  mutant("IPv4 egress of the pods is not off", [HAZARDS], (plan) => {
    plan.config.declaration.cluster.otherFamilyEgress = true;
  }),
];
