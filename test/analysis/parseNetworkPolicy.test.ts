import { describe, expect, it } from "vitest";
import { EVERY_PORT, formatCidr, type ProblemsError, parseNetworkPolicies } from "../../analysis/index.ts";
import { block, policy } from "../support/policies.ts";

const problemsOf = (...inputs: unknown[]) => {
  try {
    parseNetworkPolicies(inputs);
  } catch (error) {
    return (error as ProblemsError).problems.map(({ where, reason }) => `${where}: ${reason}`);
  }
  return [];
};

const LABEL_KEY = "must be a label key, such as app or app.kubernetes.io/name (a name has at most 63 characters)";
const LABEL_VALUE = "must be a label value: at most 63 of A-Z, a-z, 0-9, -, _ and ., a letter or digit at both ends";

describe("what the API server would refuse", () => {
  it.each<[string, object, string]>([
    [
      "an except outside",
      policy([block("10.0.0.0/8", { except: ["11.0.0.0/16"] })]),
      "spec.egress[0].to[0].ipBlock.except[0]: must lie strictly inside 10.0.0.0/8",
    ],
    [
      "an except equal to its block",
      policy([block("10.0.0.0/8", { except: ["10.0.0.0/8"] })]),
      "spec.egress[0].to[0].ipBlock.except[0]: must lie strictly inside 10.0.0.0/8",
    ],
    [
      "a wider except",
      policy([block("10.0.0.0/8", { except: ["0.0.0.0/0"] })]),
      "spec.egress[0].to[0].ipBlock.except[0]: must lie strictly inside 10.0.0.0/8",
    ],
    [
      "mixed families",
      policy([block("0.0.0.0/0", { except: ["fc00::/7"] })]),
      "spec.egress[0].to[0].ipBlock.except[0]: is ipv6 inside the ipv4 block 0.0.0.0/0",
    ],
    [
      "an IPv4-mapped except",
      policy([block("::/0", { except: ["::ffff:0:0/96"] })]),
      "spec.egress[0].to[0].ipBlock.except[0]: is read as 0.0.0.0/0, ipv4 inside the ipv6 block ::/0",
    ],
    [
      "port 70000",
      policy([{ ports: [{ port: 70000 }] }]),
      "spec.egress[0].ports[0].port: must be a number from 1 to 65535",
    ],
    ["port 0", policy([{ ports: [{ port: 0 }] }]), "spec.egress[0].ports[0].port: must be a number from 1 to 65535"],
    [
      "a port in quotes",
      policy([{ ports: [{ port: "443" }] }]),
      "spec.egress[0].ports[0].port: must be a number from 1 to 65535 or a port name (a-z, 0-9, -; at most 15)",
    ],
    [
      "an unknown protocol",
      policy([{ ports: [{ protocol: "ICMP" }] }]),
      "spec.egress[0].ports[0].protocol: must be TCP, UDP or SCTP",
    ],
    [
      "endPort below port",
      policy([{ ports: [{ port: 90, endPort: 80 }] }]),
      "spec.egress[0].ports[0].endPort: must not be below port 90",
    ],
    [
      "endPort alone",
      policy([{ ports: [{ endPort: 80 }] }]),
      "spec.egress[0].ports[0].endPort: needs a port that it is the end of",
    ],
    [
      "endPort of a named port",
      policy([{ ports: [{ port: "http", endPort: 80 }] }]),
      "spec.egress[0].ports[0].endPort: cannot follow a named port",
    ],
    [
      "a block with a selector",
      policy([{ to: [{ ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }] }]),
      "spec.egress[0].to[0]: ipBlock cannot be combined with podSelector or namespaceSelector",
    ],
    [
      "an empty peer",
      policy([{ to: [{}] }]),
      "spec.egress[0].to[0]: must have an ipBlock, a podSelector or a namespaceSelector",
    ],
    [
      "a misspelt field",
      policy([{ to: [{ ipBlock: { cidr: "10.0.0.0/8", exept: [] } }] }]),
      "spec.egress[0].to[0].ipBlock.exept: is not a field here; known are cidr, except",
    ],
    ["another kind", { ...policy([]), kind: "Pod" }, "kind: must be NetworkPolicy"],
    [
      "another API",
      { ...policy([]), apiVersion: "projectcalico.org/v3" },
      "apiVersion: only networking.k8s.io/v1 can be analysed",
    ],
    [
      "an unknown policy type",
      policy([], { spec: { policyTypes: ["egress"] } }),
      "spec.policyTypes[0]: must be Egress or Ingress",
    ],
    [
      "In without values",
      policy([{ to: [{ podSelector: { matchExpressions: [{ key: "a", operator: "In" }] } }] }]),
      "spec.egress[0].to[0].podSelector.matchExpressions[0].values: must not be empty with In",
    ],
    [
      "Exists with values",
      policy([{ to: [{ podSelector: { matchExpressions: [{ key: "a", operator: "Exists", values: ["b"] }] } }] }]),
      "spec.egress[0].to[0].podSelector.matchExpressions[0].values: must be empty with Exists",
    ],
    [
      "an unknown operator",
      policy([{ to: [{ podSelector: { matchExpressions: [{ key: "a", operator: "Gt", values: ["1"] }] } }] }]),
      "spec.egress[0].to[0].podSelector.matchExpressions[0].operator: must be In, NotIn, Exists or DoesNotExist",
    ],
    [
      "a label that is not a string",
      policy([{ to: [{ podSelector: { matchLabels: { a: 1 } } }] }]),
      "spec.egress[0].to[0].podSelector.matchLabels.a: must be a string",
    ],
    [
      "a port name of 16 characters",
      policy([{ ports: [{ port: "a23456789012345" }, { port: "a234567890123456" }] }]),
      "spec.egress[0].ports[1].port: must be a number from 1 to 65535 or a port name (a-z, 0-9, -; at most 15)",
    ],
    ["egress that is no list", policy({}), "spec.egress: must be a list"],
    [
      "a label key that is none",
      policy([{ to: [{ podSelector: { matchExpressions: [{ key: "a,b", operator: "Exists" }] } }] }]),
      `spec.egress[0].to[0].podSelector.matchExpressions[0].key: ${LABEL_KEY}`,
    ],
    [
      "a label key with an empty prefix",
      policy([], { spec: { podSelector: { matchLabels: { "/app": "x" } } } }),
      `spec.podSelector.matchLabels: ${LABEL_KEY}`,
    ],
    [
      "a label value that reads like another selector",
      policy([], { spec: { podSelector: { matchLabels: { app: "web,tier" } } } }),
      `spec.podSelector.matchLabels.app: ${LABEL_VALUE}`,
    ],
    [
      "a label value that is too long",
      policy([
        { to: [{ podSelector: { matchExpressions: [{ key: "a", operator: "In", values: ["x".repeat(64)] }] } }] },
      ]),
      `spec.egress[0].to[0].podSelector.matchExpressions[0].values[0]: ${LABEL_VALUE}`,
    ],
    [
      "a mistake in ingress, which keeps the whole policy out of the cluster",
      policy([], { spec: { ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/33" } }] }] } }),
      'spec.ingress[0].from[0].ipBlock.cidr: "10.0.0.0/33" has prefix length 33; ipv4 allows 0 to 32',
    ],
    [
      "egress peers in ingress",
      policy([], { spec: { ingress: [{ to: [] }] } }),
      "spec.ingress[0].to: is not a field here; known are from, ports",
    ],
    [
      "a name with an underscore",
      policy([], { metadata: { name: "runner_egress" } }),
      "metadata.name: must be a DNS subdomain: a-z, 0-9, - and ., a letter or digit at both ends",
    ],
    [
      "a namespace with a dot",
      policy([], { metadata: { namespace: "a.b" } }),
      "metadata.namespace: must be a DNS label: at most 63 of a-z, 0-9 and -, a letter or digit at both ends",
    ],
    [
      "a number as the policy's own label",
      policy([], { metadata: { labels: { version: 1.1 } } }),
      "metadata.labels.version: must be a string",
    ],
    [
      "a label key of the policy itself",
      policy([], { metadata: { labels: { "a b": "c" } } }),
      `metadata.labels: ${LABEL_KEY}`,
    ],
    [
      "a number as an annotation",
      policy([], { metadata: { annotations: { "Example.com/a": "x", b: 1 } } }),
      "metadata.annotations.b: must be a string",
    ],
    [
      "a null peer",
      policy([{ to: [null] }]),
      "spec.egress[0].to[0]: must have an ipBlock, a podSelector or a namespaceSelector",
    ],
    [
      "a null except",
      policy([{ to: [{ ipBlock: { cidr: "10.0.0.0/8", except: [null] } }] }]),
      "spec.egress[0].to[0].ipBlock.except[0]: must be a CIDR block such as 10.0.0.0/8",
    ],
    [
      "a null policy type",
      policy([], { spec: { policyTypes: [null] } }),
      "spec.policyTypes[0]: must be Egress or Ingress",
    ],
    [
      "a mapped block around an except that is not mapped",
      policy([block("::ffff:10.0.0.0/104", { except: ["10.1.0.0/16"] })]),
      "spec.egress[0].to[0].ipBlock.except[0]: must lie strictly inside ::ffff:10.0.0.0/104",
    ],
    [
      "three policyTypes",
      policy([], { spec: { policyTypes: ["Egress", "Ingress", "Egress"] } }),
      "spec.policyTypes: must not have more than two elements",
    ],
  ])("%s", (_, input, problem) => {
    expect(problemsOf(input)).toEqual([problem]);
  });

  it("is told all at once, with the policy", () => {
    const problems = problemsOf(
      policy([block("10.0.0.256/8"), { ports: [{ port: -1 }] }]),
      policy([block("10.0.0.0/33")]),
      5,
    );
    expect(problems.map((problem) => problem.split(": ")[0])).toEqual([
      "[0].spec.egress[0].to[0].ipBlock.cidr",
      "[0].spec.egress[1].ports[0].port",
      "[1].spec.egress[0].to[0].ipBlock.cidr",
      "[2]",
      "[2].spec",
    ]);
    expect(() => parseNetworkPolicies([policy([{ ports: [{ port: 70000 }] }])])).toThrow(
      "Not a NetworkPolicy that the API server would accept:\n  - spec.egress[0].ports[0].port is 70000: must be a number from 1 to 65535",
    );
  });
});

describe("what the API server takes with a warning", () => {
  const AGENT = " and the AWS agent cannot read it";
  it.each<[string, string, string, string]>([
    ["10.1.2.3/8", "10.0.0.0/8", "has bits set after its prefix", ""],
    ["010.0.0.0/8", "10.0.0.0/8", "has leading zeros", AGENT],
    ["010.1.0.0/08", "10.0.0.0/8", "has leading zeros and has bits set after its prefix", AGENT],
    ["::ffff:10.0.0.0/104", "10.0.0.0/8", "is IPv4-mapped", ""],
    ["::ffff:a01:0/104", "10.0.0.0/8", "has bits set after its prefix and is IPv4-mapped", ""],
    ["fd00::1/8", "fd00::/8", "has bits set after its prefix", ""],
    ["00fd0::/16", "fd0::/16", "has leading zeros", AGENT],
  ])("%s is read as %s", (text, meant, why, agent) => {
    const [read] = parseNetworkPolicies([policy([block(text)])]);
    const peer = read?.egress[0]?.to?.[0];
    expect(peer?.kind === "ipBlock" && formatCidr(peer.cidr)).toBe(meant);
    expect(read?.warnings).toEqual([
      {
        where: "spec.egress[0].to[0].ipBlock.cidr",
        value: text,
        reason: `${why}: it is read as ${meant}. Write that block, because newer API servers refuse this form${agent}`,
      },
    ]);
  });

  it("is noted in an ingress rule and in an except, and nothing is noted of a canonical policy", () => {
    const loose = policy([block("0.0.0.0/0", { except: ["10.1.0.0/8"] })], {
      spec: { ingress: [{ from: [{ ipBlock: { cidr: "203.0.113.7/24" } }] }] },
    });
    const [first, second] = parseNetworkPolicies([loose, policy([block("FD00::/8"), block("10.0.0.0/08")])]);
    expect(first?.warnings.map(({ where }) => where)).toEqual([
      "[0].spec.egress[0].to[0].ipBlock.except[0]",
      "[0].spec.ingress[0].from[0].ipBlock.cidr",
    ]);
    expect(second?.warnings).toEqual([]);
  });
});

describe("what null means", () => {
  it.each<[string, object, object]>([
    ["a null rule allows everything", policy([null]), { egress: [{ to: undefined, ports: undefined }] }],
    [
      "a null port is every TCP port",
      policy([{ ports: [null] }]),
      { egress: [{ ports: [{ protocol: "TCP", range: EVERY_PORT }] }] },
    ],
    ["a null section has no rules", policy(null), { isolatesEgress: true, egress: [] }],
    [
      "a null label is an empty one",
      policy([], { spec: { podSelector: { matchLabels: { a: null } } } }),
      { podSelector: { requirements: [{ key: "a", operator: "In", values: [""] }] } },
    ],
  ])("%s", (_, input, expected) => {
    expect(parseNetworkPolicies([input])[0]).toMatchObject(expected);
  });
});

describe("what the API server fills in", () => {
  it.each<[string, object, boolean]>([
    ["policyTypes says Egress", { policyTypes: ["Egress"], egress: [] }, true],
    ["policyTypes says Ingress", { policyTypes: ["Ingress"], egress: [{}] }, false],
    ["no policyTypes, an egress rule", { policyTypes: undefined, egress: [{}] }, true],
    ["empty policyTypes, an egress rule", { policyTypes: [], egress: [{}] }, true],
    ["no policyTypes, egress: []", { policyTypes: undefined, egress: [] }, false],
    ["no policyTypes, no egress", { policyTypes: undefined, egress: undefined }, false],
  ])("isolates egress or not: %s", (_, spec, isolates) => {
    expect(parseNetworkPolicies([policy(undefined, { spec })])[0]?.isolatesEgress).toBe(isolates);
  });

  it("defaults protocol, namespace and the empty selector", () => {
    const [read] = parseNetworkPolicies([{ metadata: { name: "a" }, spec: { egress: [{ ports: [{ port: 53 }] }] } }], {
      namespace: "runners",
    });
    expect(read).toMatchObject({
      namespace: "runners",
      podSelector: { requirements: [] },
      egress: [{ to: undefined, ports: [{ protocol: "TCP", range: { from: 53, to: 53 } }] }],
    });
  });

  it("takes an empty name or namespace for a missing one, and reads every label that there can be", () => {
    const labels = { a: "", "app.kubernetes.io/name": "A.b_c-1", [`x-y.z/${"n".repeat(63)}`]: "v".repeat(63) };
    const input = policy([], { metadata: { name: "", namespace: "" }, spec: { podSelector: { matchLabels: labels } } });
    expect(parseNetworkPolicies([input])[0]).toMatchObject({ name: "(unnamed)", namespace: "default" });
  });

  it("reads equal selectors as equal, however they are written", () => {
    const selectors = [
      { matchLabels: { b: "2", a: "1" } },
      {
        matchExpressions: [
          { key: "b", operator: "In", values: ["2", "2"] },
          { key: "a", operator: "In", values: ["1"] },
        ],
      },
    ].map((podSelector) => parseNetworkPolicies([policy([], { spec: { podSelector } })])[0]?.podSelector);
    expect(selectors[0]).toEqual(selectors[1]);
  });
});
