import { describe, expect, it } from "vitest";
import { readProject, readStackConfig, stacksOf } from "../../program/project.ts";
import { files } from "../support/cli.ts";

const projectWith = (contents: Readonly<Record<string, string>>) =>
  readProject(files({ "Pulumi.yaml": "name: runner-egress\n", ...contents })());

describe("a project", () => {
  it("has a name and stacks, prod last", async () => {
    const project = await projectWith({
      "Pulumi.staging.yaml": "",
      "Pulumi.prod.yaml": "",
      "Pulumi.dev.yaml": "",
      "Pulumi.prod.yaml.orig": "",
    });
    expect(project.name).toBe("runner-egress");
    expect(await stacksOf(project)).toEqual(["dev", "staging", "prod"]);
  });

  it.each([
    ["name: [\n", "is not YAML"],
    ["- a\n", "must hold a mapping"],
    ["description: of nothing\n", "has no name"],
  ])("can't be %j", async (content, reason) => {
    await expect(projectWith({ "Pulumi.yaml": content })).rejects.toThrow(
      new RegExp(`^The project can't be read:\\n {2}- /.*/Pulumi\\.yaml: ${reason}`),
    );
  });
});

describe("the config of a stack", () => {
  const configOf = async (config: string) =>
    readStackConfig(await projectWith({ "Pulumi.dev.yaml": `config:\n${config}` }), "dev");

  it("belongs to the project where a key has no namespace", async () => {
    expect(await configOf("  size: 3\n  aws:region: us-east-1\n")).toEqual({
      "runner-egress:size": "3",
      "aws:region": "us-east-1",
    });
  });

  it("is strings, objects and lists as JSON", async () => {
    expect(await configOf("  flag: true\n  list: [1, '2']\n  object: {a: {b: null}}\n  empty:\n")).toEqual({
      "runner-egress:flag": "true",
      "runner-egress:list": '[1,"2"]',
      "runner-egress:object": '{"a":{"b":null}}',
      "runner-egress:empty": "",
    });
  });

  it("may be none, beside what `pulumi stack init` writes", async () => {
    const project = await projectWith({ "Pulumi.dev.yaml": "encryptionsalt: v1:x\nsecretsprovider: passphrase\n" });
    expect(await readStackConfig(project, "dev")).toEqual({});
  });

  it("can't be encrypted, at any depth, and every key that is gets named", async () => {
    const refused = configOf(
      "  password: {secure: v1:x}\n  tls: {a: [{secure: v1:x}]}\n  plain: {secure: v1:x, other: 1}\n",
    );
    await expect(refused).rejects.toThrow(
      /^The config of stack dev can't be read:\n.*: runner-egress:password: is encrypted.*\n.*: runner-egress:tls: is encrypted.*$/,
    );
  });

  it("must be a mapping in a file that is there", async () => {
    const project = await projectWith({ "Pulumi.dev.yaml": "config: [a]\n" });
    await expect(readStackConfig(project, "dev")).rejects.toThrow(
      'Pulumi.dev.yaml: config is ["a"]: must be a mapping',
    );
    await expect(readStackConfig(project, "nowhere")).rejects.toThrow(/Pulumi\.nowhere\.yaml: can't be read: ENOENT/);
  });
});
