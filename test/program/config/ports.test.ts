import fc from "fast-check";
import { expect, it } from "vitest";
import { parsePort } from "../../../program/config/ports.ts";

it.each([
  ["5432/TCP", { protocol: "TCP", port: 5432 }],
  ["53/UDP", { protocol: "UDP", port: 53 }],
  ["8000-8999/SCTP", { protocol: "SCTP", port: 8000, endPort: 8999 }],
  ["80-80/TCP", { protocol: "TCP", port: 80 }],
  ["65535/TCP", { protocol: "TCP", port: 65535 }],
])("reads %s", (text, port) => {
  expect(parsePort(text)).toEqual(port);
});

it.each([
  "5432",
  "/TCP",
  "0/TCP",
  "65536/TCP",
  "1-65536/TCP",
  "9-8/TCP",
  "80/tcp",
  "80/ICMP",
  "80 /TCP",
  " 80/TCP",
  "-80/TCP",
  "80-/TCP",
  "http/TCP",
  "0x50/TCP",
  "80/TCP/",
])("refuses %j", (text) => {
  expect(parsePort(text)).toBeUndefined();
});

it("reads every range", () => {
  const port = fc.integer({ min: 1, max: 65535 });
  fc.assert(
    fc.property(port, port, (a, b) => {
      const [first, last] = [Math.min(a, b), Math.max(a, b)];
      expect(parsePort(`${first}-${last}/UDP`)).toEqual({
        protocol: "UDP",
        port: first,
        ...(last > first && { endPort: last }),
      });
    }),
  );
});
