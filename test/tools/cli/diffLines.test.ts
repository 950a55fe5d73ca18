import { describe, expect, it } from "vitest";
import { egress } from "../../support/cli.ts";
import { block, policy } from "../../support/policies.ts";

async function diffLines(lines: readonly object[], ...args: string[]) {
  const stdin = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const { code, stdout, stderr } = await egress(["diff", "--lines", ...args], { stdin });
  return {
    code,
    stderr,
    answers: stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown),
  };
}

const NONE = { TCP: "0", UDP: "0", SCTP: "0" };
const same = (number: bigint) => ({ TCP: `${number}`, UDP: `${number}`, SCTP: `${number}` });
const PORTS = 65536n;
const spec = (...egress: object[]) => ({ spec: { podSelector: {}, policyTypes: ["Egress"], egress } });

describe("gained and lost", () => {
  it.each<[string, object[], object[], object, object]>([
    [
      "an except less is exactly its block, on every port, 0 included",
      [spec(block("0.0.0.0/0", { except: ["10.0.0.0/8", "100.64.0.0/10"] }))],
      [spec(block("0.0.0.0/0", { except: ["10.0.0.0/8"] }))],
      { ipv4: same(2n ** 22n * PORTS), ipv6: NONE },
      { ipv4: NONE, ipv6: NONE },
    ],
    [
      "no policy more is everything in both families",
      [spec()],
      [],
      { ipv4: same(2n ** 32n * PORTS), ipv6: same(2n ** 128n * PORTS) },
      { ipv4: NONE, ipv6: NONE },
    ],
    [
      "ports that move are lost and gained for their protocol",
      [spec(block("2600::/127", { ports: [{ port: 80 }] }))],
      [spec(block("2600::/127", { ports: [{ port: 80, endPort: 82, protocol: "UDP" }] }))],
      { ipv4: NONE, ipv6: { TCP: "0", UDP: "6", SCTP: "0" } },
      { ipv4: NONE, ipv6: { TCP: "2", UDP: "0", SCTP: "0" } },
    ],
    [
      "the same in other words is nothing",
      [spec(block("10.0.0.0/8", { ports: [{ port: 1, endPort: 9 }] }))],
      [
        spec(
          block("10.128.0.0/9", {
            ports: [
              { port: 4, endPort: 9 },
              { port: 1, endPort: 3 },
            ],
          }),
        ),
        spec(block("10.0.0.0/9", { ports: [{ port: 1, endPort: 9 }] })),
      ],
      { ipv4: NONE, ipv6: NONE },
      { ipv4: NONE, ipv6: NONE },
    ],
  ])("%s", async (_, before, after, gained, lost) => {
    const { code, stderr, answers } = await diffLines([
      { id: "there", before, after },
      { id: "back", before: after, after: before },
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(answers).toEqual([
      { id: "there", gained, lost },
      { id: "back", gained: lost, lost: gained },
    ]);
  });
});

describe("the sender and the cluster", () => {
  const web = policy([], { spec: { podSelector: { matchLabels: { app: "web" } } } });

  it("pod chooses among the policies", async () => {
    const pod = (app: string) => ({ namespace: "keeperhub", labels: { app } });
    const { answers } = await diffLines([
      { id: 1, before: [web], after: [], pod: pod("web") },
      { id: 2, before: [web], after: [], pod: pod("other") },
    ]);
    expect(answers).toEqual([
      { id: 1, gained: { ipv4: same(2n ** 48n), ipv6: same(2n ** 144n) }, lost: { ipv4: NONE, ipv6: NONE } },
      { id: 2, gained: { ipv4: NONE, ipv6: NONE }, lost: { ipv4: NONE, ipv6: NONE } },
    ]);
  });

  it("vpc-cni counts what the agent enforces: one family, and the node in any case", async () => {
    const line = { before: [web], after: [], nodeIp: "10.1.0.10" };
    const { answers } = await diffLines(
      [
        { id: 1, ...line },
        { id: 2, ...line, ipFamily: "ipv6", nodeIp: "fd00::1" },
      ],
      "--semantics",
      "vpc-cni",
    );
    expect(answers).toEqual([
      { id: 1, gained: { ipv4: same((2n ** 32n - 1n) * PORTS), ipv6: NONE }, lost: { ipv4: NONE, ipv6: NONE } },
      { id: 2, gained: { ipv4: NONE, ipv6: same((2n ** 128n - 1n) * PORTS) }, lost: { ipv4: NONE, ipv6: NONE } },
    ]);
  });

  it("vpc-cni takes the node from the command line too", async () => {
    const { answers } = await diffLines(
      [{ id: 1, before: [web], after: [] }],
      "--semantics",
      "vpc-cni",
      "--node-ip",
      "10.1.0.10",
    );
    expect(answers).toMatchObject([{ gained: { ipv4: same((2n ** 32n - 1n) * PORTS) } }]);
  });

  it("says on which side the agent aborts", async () => {
    const aborting = [spec(block("0.0.0.0/0"), block("::/0", { except: ["64:ff9b::/96"] }))];
    expect((await diffLines([{ id: 1, before: [], after: aborting }], "--semantics", "vpc-cni")).answers).toEqual([
      {
        id: 1,
        aborts: true,
        reasons: [
          "after: the kernel refuses rule 1 of default/(unnamed) (except 64:ff9b::/96, spec.egress[1].to[0].ipBlock.except[0]) as a map key: another address family, longer than /32",
        ],
      },
    ]);
  });
});

it("answers a wrong line with every problem of both sides, and goes on", async () => {
  const wrong = { id: 1, before: [spec(block("10.0.0.0"))], after: [spec(), spec(block("10.0.0.0/33"))] };
  const { code, answers } = await diffLines([wrong, { id: 2, before: [] }, { id: 3, before: [], after: [] }]);
  expect(code).toBe(0);
  expect(answers).toEqual([
    {
      id: 1,
      error:
        'before[0].spec.egress[0].to[0].ipBlock.cidr: "10.0.0.0" is not CIDR notation, which is ADDRESS/PREFIX-LENGTH such as 10.0.0.0/8 or fd00::/8; ' +
        'after[1].spec.egress[0].to[0].ipBlock.cidr: "10.0.0.0/33" has prefix length 33; ipv4 allows 0 to 32',
    },
    { id: 2, error: "after: is missing; it is a list of NetworkPolicies" },
    { id: 3, gained: { ipv4: NONE, ipv6: NONE }, lost: { ipv4: NONE, ipv6: NONE } },
  ]);
});
