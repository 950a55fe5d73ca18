import { networkPolicy, type Plain, UNKNOWN, urnOf } from "../support/policyPack.ts";
import type { Edited } from "./mutants.ts";

/** A change that changes nothing about what the runners may reach. */
export interface Rewrite {
  readonly name: string;
  readonly edit: (plan: Edited) => void;
}

const rewrite = (name: string, edit: (plan: Edited) => void): Rewrite => ({ name, edit });

const DNS = 0;
const SANDBOX = 1;
const DATABASE = 3;
const INTERNET = 4;

const ipv4 = (plan: Edited): Plain => plan.rules[INTERNET].to[0].ipBlock;
const excepts = (plan: Edited): string[] => ipv4(plan).except;
const inFirstHalf = (cidr: string) => Number(cidr.split(".")[0]) < 128;

function replace(list: string[], cidr: string, ...by: string[]): void {
  list.splice(list.indexOf(cidr), 1, ...by);
}

const asExpressions = ({ matchLabels }: Plain): Plain => ({
  matchExpressions: Object.entries(matchLabels).map(([key, value]) => ({ key, operator: "In", values: [value] })),
});

const other = (spec: Plain, metadata: Plain = {}) =>
  networkPolicy({ metadata: { name: "other", namespace: "keeperhub", ...metadata }, spec });

/** Changes to the policy of an IPv4 cluster, or to what surrounds it, after which no policy may report anything. */
export const REWRITES: readonly Rewrite[] = [
  rewrite("nothing", () => {}),
  rewrite("rules in reverse order", (plan) => plan.rules.reverse()),
  rewrite("excepts in reverse order", (plan) => excepts(plan).reverse()),
  rewrite("peers and ports in reverse order", (plan) => {
    for (const rule of plan.rules) {
      rule.to.reverse();
      rule.ports?.reverse();
    }
  }),
  rewrite("a database subnet as two halves", (plan) => {
    const [first] = plan.rules[DATABASE].to;
    const { cidr } = first.ipBlock;
    plan.rules[DATABASE].to.splice(
      0,
      1,
      { ipBlock: { cidr: cidr.replace("/24", "/25") } },
      { ipBlock: { cidr: cidr.replace(".0/24", ".128/25") } },
    );
  }),
  rewrite("0.0.0.0/0 as two halves", (plan) => {
    const except = excepts(plan);
    plan.rules[INTERNET].to.splice(
      0,
      1,
      { ipBlock: { cidr: "0.0.0.0/1", except: except.filter(inFirstHalf) } },
      { ipBlock: { cidr: "128.0.0.0/1", except: except.filter((cidr) => !inFirstHalf(cidr)) } },
    );
  }),
  rewrite("the internet as two rules, one for each family", (plan) => {
    const [first, secondPeer] = plan.rules[INTERNET].to;
    plan.rules.splice(INTERNET, 1, { to: [first] }, { to: [secondPeer] });
  }),
  rewrite("expressions for the runners", (plan) => {
    plan.policy.spec.podSelector = asExpressions(plan.policy.spec.podSelector);
  }),
  rewrite("expressions for every peer", (plan) => {
    for (const peer of plan.rules.flatMap(({ to }) => to).filter(({ podSelector }) => podSelector)) {
      peer.podSelector = asExpressions(peer.podSelector);
      peer.namespaceSelector = asExpressions(peer.namespaceSelector);
    }
  }),
  rewrite("a selector that says the same twice", (plan) => {
    plan.policy.spec.podSelector.matchExpressions = [
      { key: "app", operator: "Exists" },
      { key: "app", operator: "NotIn", values: ["other"] },
    ];
  }),
  rewrite("DNS as one rule for each protocol", (plan) => {
    const { to, ports } = plan.rules[DNS];
    plan.rules.splice(DNS, 1, ...ports.map((port: Plain) => ({ to, ports: [port] })));
  }),
  rewrite("one rule for each database subnet", (plan) => {
    const { to, ports } = plan.rules[DATABASE];
    plan.rules.splice(DATABASE, 1, ...to.map((peer: Plain) => ({ to: [peer], ports })));
  }),
  rewrite("the sandbox without its own namespace", (plan) => {
    delete plan.rules[SANDBOX].to[0].namespaceSelector;
  }),
  rewrite("the protocol left out where it is TCP", (plan) => {
    delete plan.rules[DATABASE].ports[0].protocol;
  }),
  rewrite("an endPort that equals the port", (plan) => {
    plan.rules[DATABASE].ports[0].endPort = plan.rules[DATABASE].ports[0].port;
  }),
  rewrite("the same rule twice", (plan) => plan.rules.push(structuredClone(plan.rules[DATABASE]))),
  rewrite("a rule for a public host that is allowed anyway", (plan) =>
    plan.rules.push({ to: [{ ipBlock: { cidr: "1.1.1.1/32" } }], ports: [{ port: 443, protocol: "TCP" }] }),
  ),
  rewrite("a rule for a public block that is allowed anyway", (plan) =>
    plan.rules.push({ to: [{ ipBlock: { cidr: "8.8.8.0/24" } }], ports: [{ port: 8545, protocol: "TCP" }] }),
  ),
  rewrite("a rule for one host of a database subnet", (plan) =>
    plan.rules.push({
      to: [{ ipBlock: { cidr: plan.rules[DATABASE].to[0].ipBlock.cidr.replace(".0/24", ".7/32") } }],
      ports: [{ port: 5432, protocol: "TCP" }],
    }),
  ),
  rewrite("10.0.0.0/8 as two excepts", (plan) => replace(excepts(plan), "10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9")),
  rewrite("two neighbouring excepts as one", (plan) => {
    replace(excepts(plan), "224.0.0.0/4", "224.0.0.0/3");
    replace(excepts(plan), "240.0.0.0/4");
  }),
  rewrite("an except inside another", (plan) => excepts(plan).push("10.1.0.0/16")),
  rewrite("the internet by protocol", (plan) => {
    plan.rules[INTERNET].ports = ["TCP", "UDP", "SCTP"].map((protocol) => ({ protocol }));
  }),
  rewrite("no IPv6 in an IPv4 cluster", (plan) => plan.rules[INTERNET].to.pop()),
  rewrite("IPv6 blocks spelt out", (plan) => {
    plan.rules[INTERNET].to[1].ipBlock = { cidr: "0:0:0:0:0:0:0:0/0", except: ["FC00::/7", "fe80:0::/10"] };
  }),
  rewrite("policyTypes left to their default, which isolates egress where there are rules", (plan) => {
    delete plan.policy.spec.policyTypes;
  }),
  rewrite("ingress isolated too", (plan) => {
    plan.policy.spec.policyTypes = ["Ingress", "Egress"];
    plan.policy.spec.ingress = [{ from: [{ podSelector: {} }] }];
  }),
  rewrite("what the API server and the provider add", (plan) => {
    Object.assign(plan.policy.metadata, { uid: "1", managedFields: [{ manager: "pulumi" }], labels: { a: "b" } });
    Object.assign(plan.policy, { status: {}, id: "keeperhub/x", __fieldManager: "pulumi", __initialApiVersion: "v1" });
  }),
  rewrite("a policy for other pods", (plan) =>
    plan.others.push(
      other({ podSelector: { matchLabels: { app: "api" } }, egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] }),
    ),
  ),
  rewrite("a policy for pods that cannot be runners", (plan) =>
    plan.others.push(
      other({ podSelector: { matchExpressions: [{ key: "app", operator: "DoesNotExist" }] }, egress: [{}] }),
    ),
  ),
  rewrite("a policy of another namespace", (plan) =>
    plan.others.push(other({ podSelector: {}, egress: [{}] }, { namespace: "monitoring" })),
  ),
  rewrite("a default deny for the namespace", (plan) =>
    plan.others.push(other({ podSelector: {}, policyTypes: ["Egress", "Ingress"] })),
  ),
  rewrite("DNS for every pod of the namespace", (plan) =>
    plan.others.push(other({ podSelector: {}, policyTypes: ["Egress"], egress: [structuredClone(plan.rules[DNS])] })),
  ),
  rewrite("an ingress policy for the runners", (plan) =>
    plan.others.push(other({ podSelector: { matchLabels: { app: "workflow-runner" } }, policyTypes: ["Ingress"] })),
  ),
  rewrite("the policy in two parts, both declared", (plan) => {
    plan.config.declaration.policies.push("keeperhub/database");
    plan.others.push(
      networkPolicy({
        metadata: { name: "database", namespace: "keeperhub" },
        spec: { ...plan.policy.spec, egress: [plan.rules[DATABASE]] },
      }),
    );
    plan.rules.splice(DATABASE, 1);
  }),
  rewrite("a patch that adds an annotation", (plan) =>
    plan.others.push(
      networkPolicy(
        { metadata: { ...plan.policy.metadata, annotations: { a: "b" } } },
        { type: "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch", name: "patch" },
      ),
    ),
  ),
  rewrite("cluster-wide and application policies for others", (plan) => {
    plan.others.push(
      {
        type: "kubernetes:networking.k8s.aws/v1alpha1:ClusterNetworkPolicy",
        name: "cnp",
        props: {
          metadata: { name: "monitoring" },
          spec: { subject: { namespaces: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } } },
        },
      },
      {
        type: "kubernetes:networking.k8s.aws/v1alpha1:ApplicationNetworkPolicy",
        name: "anp",
        props: {
          metadata: { name: "api", namespace: "keeperhub" },
          spec: { podSelector: { matchLabels: { app: "api" } } },
        },
      },
    );
  }),
  rewrite("a policy for pods with a label that no runner has", (plan) => {
    plan.config.declaration.runner.notLabels = ["app.kubernetes.io/instance=keeperhub-sandbox"];
    plan.others.push(
      other({
        podSelector: { matchLabels: { "app.kubernetes.io/instance": "keeperhub-sandbox" } },
        egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }],
      }),
    );
  }),
  rewrite("24 single ports to one set of pods, and others to pods that cannot be the same", (plan) => {
    plan.config.declaration.destinations.sandbox.ports = ["8787/TCP", "9000-9999/TCP"];
    plan.config.declaration.destinations.sandbox.required = false;
    plan.rules[SANDBOX].ports = Array.from({ length: 24 }, (_, index) => ({ port: 9000 + index * 2, protocol: "TCP" }));
  }),
  rewrite("a peer for pods of two declared destinations", (plan) => {
    const { destinations } = plan.config.declaration;
    const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": "shop" } };
    for (const app of ["a", "b"]) {
      destinations[app] = { pods: { namespace: "shop", labels: { app } }, ports: ["80/TCP"] };
    }
    const podSelector = { matchExpressions: [{ key: "app", operator: "In", values: ["a", "b"] }] };
    plan.rules.push({ to: [{ namespaceSelector, podSelector }], ports: [{ port: 80, protocol: "TCP" }] });
  }),
  rewrite("two patches that agree", (plan) => {
    const patch = (name: string) =>
      networkPolicy(
        { metadata: plan.policy.metadata, spec: { policyTypes: ["Egress"], egress: structuredClone(plan.rules) } },
        { type: "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch", name },
      );
    plan.others.push(patch("a"), patch("b"));
  }),
  rewrite("policies of Cilium and Calico, and endpoints, for others", (plan) =>
    plan.others.push(
      {
        type: "kubernetes:cilium.io/v2:CiliumNetworkPolicy",
        name: "cilium",
        props: {
          metadata: { name: "api", namespace: "keeperhub" },
          spec: { endpointSelector: { matchLabels: { "k8s:app": "api" } } },
        },
      },
      {
        type: "kubernetes:projectcalico.org/v3:NetworkPolicy",
        name: "calico",
        props: { metadata: { name: "api", namespace: "keeperhub" }, spec: { selector: "app == 'api'" } },
      },
      {
        type: "kubernetes:networking.k8s.aws/v1alpha1:PolicyEndpoint",
        name: "endpoint",
        props: {
          metadata: { name: "api", namespace: "keeperhub" },
          spec: { podSelectorEndpoints: [{ name: "api-1", namespace: "shop" }] },
        },
      },
    ),
  ),
  rewrite("components whose objects are shown", (plan) => {
    const group = {
      type: "kubernetes:yaml/v2:ConfigGroup",
      name: "objects",
      props: { files: ["a.yaml"], resources: UNKNOWN },
    };
    plan.others.push(group, { type: "kubernetes:core/v1:ConfigMap", name: "a", props: {}, parent: urnOf(group) });
  }),
  rewrite("the runners' cluster, declared, beside another", (plan) => {
    plan.config.declaration.cluster.identifier = "eks/us-east-1/techops-staging";
    plan.options = { providerProps: { clusterIdentifier: "eks/us-east-1/techops-staging" } };
    for (const name of ["techops-staging", "other"]) {
      plan.others.push({
        type: "pulumi:providers:kubernetes",
        name,
        props: { clusterIdentifier: `eks/us-east-1/${name}` },
      });
    }
  }),
  rewrite("two providers of one cluster", (plan) => {
    for (const name of ["a", "b"]) {
      plan.others.push({ type: "pulumi:providers:kubernetes", name, props: { clusterIdentifier: "eks/x/y", name } });
    }
  }),
  rewrite("Jobs of the runners, and of others in the host's network", (plan) => {
    const job = (app: string, namespace: string, hostNetwork: boolean) => ({
      type: "kubernetes:batch/v1:Job",
      name: app,
      props: {
        metadata: { name: app, namespace },
        spec: { template: { metadata: { labels: { app } }, spec: { hostNetwork } } },
      },
    });
    plan.others.push(job("workflow-runner", "keeperhub", false), job("backup", "shop", true));
  }),
  rewrite("the add-on and its ConfigMap with network policy on", (plan) =>
    plan.others.push(
      {
        type: "aws:eks/addon:Addon",
        name: "vpc-cni",
        props: { addonName: "vpc-cni", configurationValues: 'enableNetworkPolicy: "true"' },
      },
      { type: "aws:eks/addon:Addon", name: "coredns", props: { addonName: "coredns" } },
      {
        type: "kubernetes:core/v1:ConfigMap",
        name: "cni",
        props: {
          metadata: { name: "amazon-vpc-cni", namespace: "kube-system" },
          data: { "enable-network-policy-controller": "true" },
        },
      },
    ),
  ),
  rewrite("EKS Pod Identity, declared", (plan) => {
    plan.config.declaration.destinations.identity = { cidrs: ["169.254.170.23/32"], ports: ["80/TCP"] };
    plan.rules.push({ to: [{ ipBlock: { cidr: "169.254.170.23/32" } }], ports: [{ port: 80, protocol: "TCP" }] });
  }),
];
