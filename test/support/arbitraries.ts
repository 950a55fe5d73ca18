import fc from "fast-check";
import { block, policy } from "./policies.ts";

/** Blocks that nest, touch and share first addresses, so that random rules collide. */
const BLOCKS: Readonly<Record<"ipv4" | "ipv6", readonly string[]>> = {
  ipv4: [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "10.0.0.0/8",
    "10.0.0.0/9",
    "10.0.0.0/16",
    "10.1.0.0/16",
    "10.1.0.0/24",
    "10.1.1.0/24",
    "10.1.1.7/32",
    "172.16.0.0/12",
    "255.255.255.255/32",
  ],
  ipv6: [
    "::/0",
    "::/1",
    "8000::/1",
    "fc00::/7",
    "fd00::/8",
    "fd00:ec2::/32",
    "fd00:ec2::254/128",
    "2001:db8::/32",
    "2001:db8::/48",
    "64:ff9b::/96",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
  ],
};

const prefixLength = (text: string) => Number(text.split("/")[1]);

/** Nested pairs of the pool, worked out by hand from the texts above: each block and those strictly inside it. */
const INSIDE: Readonly<Record<string, readonly string[]>> = {
  "0.0.0.0/0": BLOCKS.ipv4.slice(1),
  "0.0.0.0/1": BLOCKS.ipv4.slice(3, 10),
  "128.0.0.0/1": ["172.16.0.0/12", "255.255.255.255/32"],
  "10.0.0.0/8": BLOCKS.ipv4.slice(4, 10),
  "10.0.0.0/9": BLOCKS.ipv4.slice(5, 10),
  "10.1.0.0/16": ["10.1.0.0/24", "10.1.1.0/24", "10.1.1.7/32"],
  "10.1.1.0/24": ["10.1.1.7/32"],
  "::/0": BLOCKS.ipv6.slice(1),
  "::/1": ["2001:db8::/32", "2001:db8::/48", "64:ff9b::/96"],
  "8000::/1": ["fc00::/7", "fd00::/8", "fd00:ec2::/32", "fd00:ec2::254/128"],
  "fc00::/7": ["fd00::/8", "fd00:ec2::/32", "fd00:ec2::254/128"],
  "fd00::/8": ["fd00:ec2::/32", "fd00:ec2::254/128"],
  "fd00:ec2::/32": ["fd00:ec2::254/128"],
  "2001:db8::/32": ["2001:db8::/48"],
};

const port = fc.constantFrom(1, 53, 80, 443, 5432, 65535);

/** An element of `ports`, in every form that matters on addresses. */
const portEntry = fc.oneof(
  fc.record({ port, protocol: fc.constantFrom("TCP", "UDP", "SCTP") }),
  fc.record({ port }),
  fc.record({ protocol: fc.constantFrom("TCP", "UDP", "SCTP") }),
  fc.tuple(port, port).map(([a, b]) => ({ port: Math.min(a, b), endPort: Math.max(a, b), protocol: "TCP" })),
);

const ports = fc.option(fc.array(portEntry, { maxLength: 3 }), { nil: undefined });

/** One rule with one block and some `except`s strictly inside it. */
export const blockRule = fc
  .constantFrom(...BLOCKS.ipv4, ...BLOCKS.ipv6)
  .chain((cidr) =>
    fc
      .record({ except: fc.subarray([...(INSIDE[cidr] ?? [])]).map((found) => found.slice(0, 4)), ports })
      .map(({ except, ports }) => block(cidr, { except, ...(ports === undefined ? {} : { ports }) })),
  );

/** A rule of any kind. */
export const rule = fc.oneof(
  { weight: 5, arbitrary: blockRule },
  { weight: 1, arbitrary: fc.record({ ports }).map(({ ports }) => (ports === undefined ? {} : { ports })) },
);

/** Policies of one pod. */
export const policies = fc.array(
  fc.array(rule, { maxLength: 4 }).map((egress) => policy(egress)),
  { minLength: 1, maxLength: 2 },
);

/** A destination near the ends of the pool's blocks. */
export const destination = fc
  .record({
    cidr: fc.constantFrom(...BLOCKS.ipv4, ...BLOCKS.ipv6),
    end: fc.constantFrom("first", "last", "before", "after"),
    port: fc.constantFrom(0, 1, 2, 53, 80, 443, 444, 5432, 65534, 65535),
    protocol: fc.constantFrom("TCP" as const, "UDP" as const, "SCTP" as const),
  })
  .filter(({ cidr, end }) => !(prefixLength(cidr) === 0 && (end === "before" || end === "after")));
