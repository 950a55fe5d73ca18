import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAddress, writeAddress } from "./addresses.ts";
import { anyCase } from "./arbitraries.ts";
import { countChange, countPairs, type VerdictAt } from "./count.ts";
import { kubernetesVerdict, kubernetesVerdictAt } from "./kubernetes.ts";
import { type NetworkPolicy, PORT_PROTOCOLS } from "./policy.ts";
import { internetPolicy, PRIVATE_IPV4, policyOf, rule } from "./tables.ts";
import { vpcCniPod } from "./vpcCni.ts";

const PORTS = 65536n;
const kubernetes =
  (policies: readonly NetworkPolicy[]): VerdictAt =>
  (...point) =>
    kubernetesVerdictAt(policies, undefined, ...point);

describe("countPairs", () => {
  it("counts the runner's policy as arithmetic does", () => {
    const { ipv4, ipv6 } = countPairs([[internetPolicy]], kubernetes([internetPolicy]))("allow");
    const internet = 2n ** 32n - 2n ** 24n * 2n - 2n ** 22n - 2n ** 16n * 2n - 2n ** 20n;
    expect(PRIVATE_IPV4).toHaveLength(6);
    expect(ipv4).toEqual({
      TCP: internet * PORTS + 3n * 256n,
      UDP: internet * PORTS,
      SCTP: internet * PORTS,
    });
    expect(ipv6.TCP).toBe((2n ** 128n - 2n ** 121n - 2n ** 118n) * PORTS);
  });

  it("agrees with asking every pair of a small block, one at a time", () => {
    const policy = policyOf([
      rule("10.0.0.0/29", ["TCP 3-5", "UDP 1"], ["10.0.0.4/31"]),
      rule("10.0.0.5/32", ["TCP 4"]),
    ]);
    let expected = 0n;
    for (let host = 0; host < 16; host += 1) {
      for (let port = 0; port < 10; port += 1) {
        const point = { ip: `10.0.0.${host}`, protocol: "TCP", port } as const;
        expected += kubernetesVerdict([policy], undefined, point) === "allow" ? 1n : 0n;
      }
    }
    const { ipv4 } = countPairs([[policy]], kubernetes([policy]))("allow");
    expect(ipv4).toEqual({ TCP: expected, UDP: 6n, SCTP: 0n });
    expect(expected).toBe(6n * 3n + 1n);
  });

  it("covers each family and protocol once, whatever the policies", () => {
    fc.assert(
      fc.property(anyCase, ({ policies }) => {
        const all = countPairs([policies], () => "any")("any");
        for (const protocol of PORT_PROTOCOLS) {
          expect(all.ipv4[protocol]).toBe(2n ** 32n * PORTS);
          expect(all.ipv6[protocol]).toBe(2n ** 128n * PORTS);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("cuts so that any address of a cell has the cell's verdict, under vpc-cni too", () => {
    fc.assert(
      fc.property(anyCase, fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }), fc.nat(65535), (subject, value, port) => {
        const pod = vpcCniPod(subject.policies, subject.source, subject);
        fc.pre(!pod.aborts);
        // The cell of a random address is found by asking for the last cell start at or before it.
        let start = 0n;
        let startPort = 0;
        countPairs(
          [subject.policies],
          (address, _protocol, first) => {
            if (address.family === "ipv4" && address.value <= value && address.value >= start) {
              start = address.value;
              startPort = first <= port && first >= startPort ? first : startPort;
            }
            return "";
          },
          subject.nodeIp,
        );
        for (const protocol of PORT_PROTOCOLS) {
          const address = { family: "ipv4", value } as const;
          expect(pod.verdictAt(address, protocol, port), writeAddress(address)).toBe(
            pod.verdictAt({ family: "ipv4", value: start }, protocol, startPort),
          );
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("countChange", () => {
  it("of a removed except gains exactly that block, and loses it the other way round", () => {
    const before = [policyOf([rule("0.0.0.0/0", ["TCP"], ["10.0.0.0/8", "172.16.0.0/12"])])];
    const after = [policyOf([rule("0.0.0.0/0", ["TCP"], ["10.0.0.0/8"])])];
    const none = { TCP: 0n, UDP: 0n, SCTP: 0n };
    const { gained, lost } = countChange(before, after, kubernetes);
    expect(gained).toEqual({ ipv4: { ...none, TCP: 2n ** 20n * PORTS }, ipv6: none });
    expect(lost).toEqual({ ipv4: none, ipv6: none });
    expect(countChange(after, before, kubernetes)).toEqual({ gained: lost, lost: gained });
  });

  it("of an added port gains that port on every address of the block", () => {
    const before = [policyOf([rule("fd00::/8", ["TCP 443"])])];
    const after = [policyOf([rule("fd00::/8", ["TCP 443-444", "UDP 443"])])];
    const { gained } = countChange(before, after, kubernetes);
    expect(gained.ipv6).toEqual({ TCP: 2n ** 120n, UDP: 2n ** 120n, SCTP: 0n });
  });

  it("of no policy to one is all that it denies", () => {
    const { gained, lost } = countChange([], [policyOf([])], kubernetes);
    expect(gained.ipv4.TCP).toBe(0n);
    expect(lost.ipv6.SCTP).toBe(2n ** 128n * PORTS);
    expect(readAddress("::ffff:0.0.0.1")).toEqual({ family: "ipv4", value: 1n });
  });
});
