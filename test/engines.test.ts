import { readFileSync } from "node:fs";
import { join } from "node:path";
import semver from "semver";
import { describe, expect, it } from "vitest";
import { ROOT } from "./support/fixtureProject.ts";

const read = (file: string) => readFileSync(join(ROOT, file), "utf8");
const { packages } = JSON.parse(read("package-lock.json")) as {
  packages: Record<string, { version?: string; engines?: { node?: string } }>;
};
const { engines } = JSON.parse(read("package.json")) as { engines: { node: string } };

/** The oldest release of each line that `engines` allows: `22.21.0` and `24.5.0`. */
const oldest = engines.node.split("||").map((range) => semver.minVersion(range)?.version ?? "");
const own = packages["node_modules/node"]?.version ?? "";

describe("the Node.js that things run on", () => {
  it.each([...oldest, own])("%s suits every package that is installed", (version) => {
    expect(semver.satisfies(version, engines.node)).toBe(true);
    const others = Object.entries(packages).filter(
      ([, { engines }]) => !semver.satisfies(version, engines?.node ?? "*"),
    );
    expect(others.map(([name, { engines }]) => `${name}: ${engines?.node}`)).toEqual([]);
  });

  it("is the same in the README", () => {
    const readme = read("README.md");
    expect(readme).toContain(`Node.js ${semver.major(own)}`);
    for (const version of oldest) {
      expect(readme).toContain(version.replace(/\.0$/, ""));
    }
  });
});
