import { describe, expect, it } from "vitest";
import {
  divergences,
  formatPorts,
  formatRange,
  parseAddress,
  parseNetworkPolicies,
  SELECTED_BY_EVERY_POLICY,
  type VpcCniSemantics,
} from "../../analysis/index.ts";
import { keeperhubManifest } from "../support/keeperhubManifest.ts";
import { block, policy } from "../support/policies.ts";

const V4: VpcCniSemantics = { name: "vpc-cni", ipFamily: "ipv4" };
const V6: VpcCniSemantics = { name: "vpc-cni", ipFamily: "ipv6" };
const node = parseAddress("10.1.0.10") as never;
const priv = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

const found = (policies: object[], semantics: VpcCniSemantics) =>
  divergences(parseNetworkPolicies(policies), { semantics, source: SELECTED_BY_EVERY_POLICY })
    .filter(({ range }) => range.family === semantics.ipFamily)
    .map(
      ({ direction, shape, range, protocols, ports }) =>
        `${direction} ${shape} ${formatRange(range)} ${protocols.join("+")} ${formatPorts(ports)}`,
    );

describe("divergences, each with the shape that causes it", () => {
  it.each<[string, object[], VpcCniSemantics, string[]]>([
    [
      "only reserved space in the seed's policy",
      [keeperhubManifest("10.1")],
      V4,
      [
        "over-deny other-family-except 252.0.0.0/7 TCP+UDP+SCTP all ports",
        "over-deny other-family-except 254.128.0.0/10 TCP+UDP+SCTP all ports",
      ],
    ],
    [
      "same-cidr-except",
      [
        policy([
          block("0.0.0.0/0", { except: priv, ports: [{ port: 443 }] }),
          { ports: [{ port: 53, protocol: "UDP" }] },
        ]),
      ],
      V4,
      [
        "over-deny same-cidr-except 10.0.0.0/8 UDP 53",
        "over-deny same-cidr-except 172.16.0.0/12 UDP 53",
        "over-deny same-cidr-except 192.168.0.0/16 UDP 53",
      ],
    ],
    [
      "same-cidr-except on a narrower rule",
      [
        policy([
          block("10.0.0.0/8", { except: ["10.1.0.0/16"], ports: [{ port: 1 }] }),
          block("10.0.0.0/8", { ports: [{ port: 2 }] }),
          block("10.1.0.0/16", { ports: [{ port: 3 }] }),
        ]),
      ],
      V4,
      ["over-deny same-cidr-except 10.1.0.0/16 TCP 2"],
    ],
    [
      "except-of-another-rule",
      [
        policy([
          block("10.0.0.0/8", { ports: [{ port: 5432 }] }),
          block("0.0.0.0/0", { except: ["10.1.0.0/16"], ports: [{ port: 5432 }] }),
        ]),
      ],
      V4,
      ["over-deny except-of-another-rule 10.1.0.0/16 TCP 5432"],
    ],
    [
      "shared-first-address",
      [
        policy([
          block("10.0.0.0/8", { ports: [{ port: 1 }] }),
          block("0.0.0.0/0", { except: ["10.0.0.0/16"], ports: [{ port: 443 }] }),
        ]),
      ],
      V4,
      [
        "over-deny except-of-another-rule 10.0.0.0/16 TCP 1",
        "over-deny shared-first-address 10.1.0.0-10.255.255.255 TCP 443",
      ],
    ],
    [
      "inherited-through-intermediate",
      [
        policy([
          block("0.0.0.0/0", { except: ["10.1.0.0/16"], ports: [{ port: 443 }] }),
          block("10.0.0.0/8", { ports: [{ port: 53 }] }),
          block("10.1.0.0/16", { ports: [{ port: 5432 }] }),
        ]),
      ],
      V4,
      ["over-allow inherited-through-intermediate 10.1.0.0/16 TCP 443"],
    ],
    [
      "node-address",
      [policy([])],
      { ...V4, nodeIp: node },
      ["over-allow node-address 10.1.0.10/32 TCP+UDP+SCTP all ports"],
    ],
    [
      "node-address-excepted",
      [policy([block("0.0.0.0/0", { except: ["10.1.0.10/32"] }), block("10.0.0.0/8", { ports: [{ port: 22 }] })])],
      { ...V4, nodeIp: node },
      ["over-deny node-address-excepted 10.1.0.10/32 TCP 22"],
    ],
    [
      "node-address-rule-skipped",
      [policy([block("10.1.0.0/16")])],
      { ...V4, nodeIp: parseAddress("10.1.0.0") as never },
      ["over-deny node-address-rule-skipped 10.1.0.1-10.1.255.255 TCP+UDP+SCTP all ports"],
    ],
    [
      "other-family-except",
      [policy([block("0.0.0.0/0"), block("::/0", { except: ["2002::/16"] })])],
      V4,
      ["over-deny other-family-except 32.2.0.0/16 TCP+UDP+SCTP all ports"],
    ],
    [
      "other-family-except-aborts",
      [policy([block("0.0.0.0/0"), block("::/0", { except: ["64:ff9b::/96"] })])],
      V4,
      ["order-dependent other-family-except-aborts 0.0.0.0/0 TCP+UDP+SCTP all ports"],
    ],
    [
      "key-collision",
      [policy([block("0.0.0.0/1"), block("::/0", { except: ["::/1"] })])],
      V4,
      ["order-dependent key-collision 0.0.0.0/1 TCP+UDP+SCTP all ports"],
    ],
    [
      "slot-overflow",
      [policy([block("1.0.0.0/8", { ports: Array.from({ length: 25 }, (_, i) => ({ port: 100 + i })) })])],
      V4,
      ["order-dependent slot-overflow 1.0.0.0/8 TCP 100-124"],
    ],
    [
      "policy-types-ignored",
      [policy([block("1.0.0.0/8")]), policy([block("2.0.0.0/8")], { spec: { policyTypes: ["Ingress"] } })],
      V4,
      ["over-allow policy-types-ignored 2.0.0.0/8 TCP+UDP+SCTP all ports"],
    ],
    [
      "ipv6-prefix-32",
      [policy([block("2600:1::/32", { ports: [{ port: 443 }] }), block("2600:1:1::/48", { ports: [{ port: 53 }] })])],
      V6,
      ["over-deny ipv6-prefix-32 2600:1:1::/48 TCP 443"],
    ],
    [
      "every-port-leak",
      [
        policy([
          block("0.0.0.0/0", { except: priv, ports: [{ port: 443 }] }),
          block("10.1.0.0/24", { ports: [{ port: 5432 }] }),
        ]),
      ],
      { ...V4, agentVersion: "1.2.3" },
      ["over-allow every-port-leak 10.1.0.0/24 TCP 443"],
    ],
  ])("%s", (_, policies, semantics, expected) => {
    expect(found(policies, semantics)).toEqual(expected);
  });

  it("reports the family that the agent does not look at", () => {
    const other = divergences(parseNetworkPolicies([policy([])]), { semantics: V4, source: SELECTED_BY_EVERY_POLICY });
    expect(other.map(({ shape, range }) => `${shape} ${formatRange(range)}`)).toEqual([
      "other-family-not-enforced ::/0",
    ]);
  });
});
