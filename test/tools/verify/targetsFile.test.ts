import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { formatPoint } from "../../../analysis/point.ts";
import { ProblemsError } from "../../../analysis/problems.ts";
import { readNamedTargets } from "../../../tools/verify/targetsFile.ts";
import { fencedBlocks } from "../../support/markdown.ts";

const resolve = async (host: string): Promise<string[]> => {
  if (host !== "db.example.test") {
    throw new Error(`getaddrinfo ENOTFOUND ${host}`);
  }
  return ["10.1.101.10", "10.1.100.10", "fd00::1"];
};

describe("readNamedTargets", () => {
  it("reads addresses, and turns a name into one target for each of its addresses", async () => {
    const { targets, accepted } = await readNamedTargets(
      {
        targets: [
          { name: "database", to: "db.example.test:5432/tcp", expect: "allow" },
          { name: "dns", to: "172.20.0.10:53/udp" },
        ],
        accepted: [{ to: "169.254.169.254:80", reason: "hop limit 1" }],
      },
      resolve,
    );
    expect(targets.map(({ name, point, expect: expected }) => [name, formatPoint(point), expected])).toEqual([
      ["database", "10.1.100.10:5432/tcp", "allow"],
      ["database", "10.1.101.10:5432/tcp", "allow"],
      ["database", "[fd00::1]:5432/tcp", "allow"],
      ["dns", "172.20.0.10:53/udp", undefined],
    ]);
    expect(accepted.map(({ point, reason }) => [formatPoint(point), reason])).toEqual([
      ["169.254.169.254:80/tcp", "hop limit 1"],
    ]);
  });

  it("reads the image of the probes, or says that it is none", async () => {
    const image = "registry.example:5000/mirror/agnhost@sha256:0123abcd";
    expect(await readNamedTargets({ image }, resolve)).toEqual({ targets: [], accepted: [], image });
    for (const wrong of ["two words", "", 7]) {
      await expect(readNamedTargets({ image: wrong }, resolve)).rejects.toThrow(/image.*must be/);
    }
  });

  it("reads the example in docs/verify.md", async () => {
    const [block] = fencedBlocks("docs/verify.md", "yaml");
    const { targets, accepted } = await readNamedTargets(load(block?.text ?? ""), async () => ["10.1.100.10"]);
    expect(targets.map(({ name, expect: expected }) => `${expected} ${name}`)).toEqual([
      "allow database",
      "allow public RPC",
      "deny cache",
    ]);
    expect(accepted.map(({ point }) => formatPoint(point))).toEqual(["169.254.169.254:80/tcp"]);
  });

  it("takes an empty file for one that names nothing", async () => {
    expect(await readNamedTargets(null, resolve)).toEqual({ targets: [], accepted: [] });
  });

  it("says everything that is wrong at once", async () => {
    const error: unknown = await readNamedTargets(
      {
        target: [],
        targets: [
          { to: "10.1.1.1:443" },
          { name: "a", to: "10.1.1.1", expect: "maybe" },
          { name: "b", to: "nowhere.example.test:443" },
          { name: "c", to: "10.1.1.1:514/udp" },
          { name: "d", to: "10.1.1.1/icmp" },
          "10.1.1.1:443",
        ],
        accepted: [{ to: "10.1.1.1:443" }],
      },
      resolve,
    ).catch((failure) => failure);
    expect(error).toBeInstanceOf(ProblemsError);
    expect((error as ProblemsError).problems.map(({ where, reason }) => `${where}: ${reason}`)).toEqual([
      "target: unknown key; did you mean targets? (allowed are targets, accepted, image)",
      "targets[0].name: must say what the destination is, such as database",
      "targets[1].expect: must be one of allow, deny",
      'targets[1].to: "10.1.1.1" has no port; a destination is ADDRESS:PORT/PROTOCOL, such as 10.1.7.7:443/tcp',
      "targets[2].to: the name does not resolve here (getaddrinfo ENOTFOUND nowhere.example.test); give its address",
      "targets[3].to: can't be tried: only TCP, and UDP on port 53, surely answer when allowed",
      "targets[4].to: can't be tried: only TCP, and UDP on port 53, surely answer when allowed",
      "targets[5]: must be an object with name, to, expect",
      "targets[5].name: must say what the destination is, such as database",
      "targets[5].to: must be ADDRESS:PORT/PROTOCOL or HOST:PORT/PROTOCOL, such as 10.1.100.10:5432/tcp",
      "accepted[0].reason: must say why this may stay unproved",
    ]);
  });
});
