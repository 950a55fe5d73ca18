import { describe, expect, it } from "vitest";
import { describeProblem } from "../../analysis/problems.ts";
import { checkContract } from "../../runner/checkContract.ts";
import { KEEPERHUB_CONTRACT, type Ports, type RunnerContract } from "../../runner/contract.ts";

const problemsOf = (contract: Partial<RunnerContract>) =>
  checkContract({ ...KEEPERHUB_CONTRACT, ...contract }).map(describeProblem);
const web = {
  name: "web",
  namespace: "tools",
  podLabels: { app: "web" },
  ports: [{ protocol: "TCP", port: 80 }],
} as const;
const database = (...ports: Partial<Ports>[]) =>
  problemsOf({ database: { ports: ports.map((port) => ({ protocol: "TCP", port: 1, ...port })) } });

it("finds nothing wrong with KeeperHub's contract", () => {
  expect(problemsOf({})).toEqual([]);
});

describe("names", () => {
  it.each([
    ["Upper", "lower-case letters, digits, inner dashes and dots only"],
    ["", "lower-case letters, digits, inner dashes and dots only"],
    ["-a", "lower-case letters, digits, inner dashes and dots only"],
    ["a_b", "lower-case letters, digits, inner dashes and dots only"],
    ["a".repeat(58), "58 characters; the VPC CNI finds a policy by its name only up to 57. Shorten it"],
  ])("refuses the policy name %j", (policyName, reason) => {
    expect(problemsOf({ policyName })).toEqual([`policyName is ${JSON.stringify(policyName)}: ${reason}`]);
  });

  it.each(["a", "a.b", "workflow-runner-block-imds", "a".repeat(57)])("accepts the policy name %s", (policyName) => {
    expect(problemsOf({ policyName })).toEqual([]);
  });

  it.each(["", "Upper", "a.b", "-a", "a-", "a".repeat(64)])("refuses the namespace %j", (namespace) => {
    const reason = "a namespace has 1 to 63 lower-case letters, digits and inner dashes";
    expect(problemsOf({ namespace })).toEqual([`namespace is ${JSON.stringify(namespace)}: ${reason}`]);
    expect(problemsOf({ services: [{ ...web, namespace }] })).toEqual([
      `services.web.namespace is ${JSON.stringify(namespace)}: ${reason}`,
    ]);
  });

  it("refuses two destinations of one name, once", () => {
    expect(problemsOf({ services: [web, web, web] })).toEqual(['services is "web": two destinations have this name']);
  });
});

describe("labels", () => {
  it("refuses none at all, which would select every pod", () => {
    expect(problemsOf({ podLabels: {} })).toEqual([
      "podLabels is {}: no label would select every pod; name at least one",
    ]);
  });

  it.each([["a b"], ["/a"], ["x/"], ["a/b/c"], ["Upper.Domain/a"], ["a".repeat(64)], [""]])(
    "refuses the key %j",
    (key) => {
      expect(problemsOf({ podLabels: { [key]: "x" } })).toEqual([
        `podLabels is ${JSON.stringify(key)}: not a label key, which is NAME or PREFIX/NAME`,
      ]);
    },
  );

  it.each(["a b", "-a", "a-", "a/b", "a".repeat(64)])("refuses the value %j", (value) => {
    expect(problemsOf({ services: [{ ...web, podLabels: { app: value } }] })).toEqual([
      `services.web.podLabels.app is ${JSON.stringify(value)}: not a label value: at most 63 letters, digits, -, _ and .`,
    ]);
  });

  it.each([
    ["app", "web"],
    ["app", ""],
    ["app.kubernetes.io/serviceName", "keeperhub-executor-common"],
    ["A_b.c", "1.0_x-Y"],
  ])("accepts %s=%s", (key, value) => {
    expect(problemsOf({ podLabels: { [key]: value } })).toEqual([]);
  });
});

describe("ports", () => {
  const reason = "ports are whole numbers from 1 to 65535, a range ends at or above its first port";

  it.each([
    [{ port: 0 }, "0"],
    [{ port: -1 }, "-1"],
    [{ port: 65536 }, "65536"],
    [{ port: 1.5 }, "1.5"],
    [{ port: 10, endPort: 9 }, '"10-9"'],
    [{ port: 10, endPort: 65536 }, '"10-65536"'],
  ])("refuses %j", (port, shown) => {
    expect(database(port)).toEqual([`database.ports is ${shown}: ${reason}`]);
  });

  it("accepts the ends of the range", () => {
    expect(database({ port: 1 }, { port: 65535 }, { port: 1, endPort: 65535 }, { port: 7, endPort: 7 })).toEqual([]);
  });

  it("refuses none at all, which would open every port", () => {
    expect(database()).toEqual(["database.ports is []: no port would mean every port; name at least one"]);
    expect(problemsOf({ cidrs: [{ name: "x", cidrs: ["10.0.0.0/24"], ports: [] }] })).toEqual([
      "cidrs.x.ports is []: no port would mean every port; name at least one",
    ]);
  });

  it("refuses more than the agent keeps, for pods too", () => {
    const ports = Array.from({ length: 25 }, (_, index): Ports => ({ protocol: "TCP", port: 100 + index }));
    expect(problemsOf({ services: [{ ...web, ports }] })).toEqual([
      "services.web.ports is 25: the VPC CNI's agent keeps 24 port entries for each address and drops the others. Use ranges",
    ]);
    expect(problemsOf({ services: [{ ...web, ports: ports.slice(1) }] })).toEqual([]);
  });
});

it("refuses every block that is none", () => {
  const cidrs = ["169.254.20.10", "10.9.0.0/16", "10.1.2.3/8", "::ffff:10.0.0.0/104"];
  const advice = "A single address is ADDRESS/32, or /128 for IPv6";
  expect(problemsOf({ cidrs: [{ name: "x", cidrs, ports: web.ports }] })).toEqual([
    expect.stringMatching(`^cidrs\\.x\\.cidrs: "169\\.254\\.20\\.10" is not CIDR notation.*\\. ${advice}$`),
    `cidrs.x.cidrs: "10.1.2.3/8" has host bits set; the block is 10.0.0.0/8. ${advice}`,
    expect.stringContaining("IPv4-mapped"),
  ]);
});

it("refuses a destination without blocks", () => {
  expect(problemsOf({ cidrs: [{ name: "x", cidrs: [], ports: web.ports }] })).toEqual([
    "cidrs.x.cidrs is []: name at least one block, such as 169.254.20.10/32",
  ]);
});
