import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";

const PACK = fileURLToPath(new URL("../../policy-pack", import.meta.url));
const yaml = load(readFileSync(`${PACK}/PulumiPolicy.yaml`, "utf8")) as {
  runtime: { options: { nodeargs: string } };
};
const NODE_ARGS = yaml.runtime.options.nodeargs.split(" ");

/** What a module of the pack prints when it runs after the preload. */
const run = (code: string, nodeArgs: readonly string[] = NODE_ARGS) =>
  execFileSync(process.execPath, [...nodeArgs, "--eval", code], { cwd: PACK, encoding: "utf8" }).trim();

const LOADED = `
  require("@pulumi/policy");
  const loaded = Object.keys(require.cache);
  console.log(["typescript/lib/typescript.js", "@npmcli/arborist"].map((name) => loaded.some((file) => file.includes(name))).join());
`;

describe("the preload", () => {
  it("keeps the SDK from loading what the pack never uses", () => {
    expect(run(LOADED, [])).toBe("true,true");
    expect(run(LOADED)).toBe("false,false");
  });

  it("leaves everybody else their TypeScript", () => {
    expect(run('console.log(typeof require("typescript").createProgram)')).toBe("function");
  });
});

describe("the pack, started as the engine's language host starts it", () => {
  it.each([
    { how: "with the arguments of PulumiPolicy.yaml", nodeArgs: NODE_ARGS },
    { how: "by a host that passes no arguments", nodeArgs: [] },
  ])("serves $how", async ({ nodeArgs }) => {
    const loader = fileURLToPath(new URL("../../node_modules/@pulumi/pulumi/cmd/run-policy-pack", import.meta.url));
    const child = spawn(process.execPath, [...nodeArgs, loader, "127.0.0.1:1", "."], { cwd: PACK });
    const errors: string[] = [];
    child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
    const [port] = await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
    child.kill();
    expect(errors).toEqual([]);
    expect(String(port)).toMatch(/^\d{4,5}\n$/);
  });
});
