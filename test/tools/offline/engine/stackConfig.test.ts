import { describe, expect, it } from "vitest";
import { readProject } from "../../../../tools/offline/engine/project.ts";
import { readStackConfig, resolveStackConfig } from "../../../../tools/offline/engine/stackConfig.ts";

const resolve = (config: Record<string, unknown>, own: Record<string, unknown>) =>
  resolveStackConfig({ name: "app", config }, "dev", own);

describe("the config of a stack", () => {
  it("belongs to the project where a key has no namespace", () => {
    expect(resolve({}, { size: 3, "aws:region": "us-east-1" })).toEqual({ "app:size": "3", "aws:region": "us-east-1" });
  });

  it("is text, objects and lists as JSON", () => {
    expect(resolve({}, { flag: true, list: [1, "2"], object: { a: { b: null } }, empty: null })).toEqual({
      "app:flag": "true",
      "app:list": '[1,"2"]',
      "app:object": '{"a":{"b":null}}',
      "app:empty": "",
    });
  });

  it("gets the project's defaults and values where it says nothing itself", () => {
    const config = {
      size: { type: "integer", default: 3 },
      name: "short",
      "aws:region": { value: "us-east-1" },
      "aws:tags": ["a"],
    };
    expect(resolve(config, { name: "own" })).toEqual({
      "app:size": "3",
      "app:name": "own",
      "aws:region": "us-east-1",
      "aws:tags": '["a"]',
    });
  });

  it("keeps a default that is false or zero", () => {
    expect(resolve({ off: { type: "boolean", default: false }, none: 0 }, {})).toEqual({
      "app:off": "false",
      "app:none": "0",
    });
  });

  it.each([
    [{ b: { type: "string" } }, "Stack 'dev' is missing configuration value 'b'"],
    [{ b: { type: "string" }, a: { type: "object" } }, "Stack 'dev' is missing configuration values 'a' and 'b'"],
  ])("must have what the project requires: %j", (config, message) => {
    expect(() => resolve(config, {})).toThrow(message);
  });

  it.each([
    ["integer", "3", true],
    ["integer", 3, true],
    ["integer", "3.5", false],
    ["integer", [3], false],
    ["boolean", "true", true],
    ["boolean", false, true],
    ["boolean", "yes", false],
    ["string", 12, true],
    ["string", ["a"], false],
    ["object", { a: 1 }, true],
    ["object", ["a"], false],
    ["object", "a", false],
  ])("has a value of the declared type: %s is %j: %s", (type, value, isRight) => {
    const act = () => resolve({ key: { type } }, { key: value });
    if (isRight) {
      expect(act).not.toThrow();
    } else {
      expect(act).toThrow(`Stack 'dev' with configuration key 'key' must be of type '${type}'`);
    }
  });

  it("has items of the declared type in its lists", () => {
    const config = { ids: { type: "array", items: { type: "array", items: { type: "string" } } } };
    expect(resolve(config, { ids: [["a"], []] })).toEqual({ "app:ids": '[["a"],[]]' });
    expect(() => resolve(config, { ids: [["a", 1]] })).toThrow("'ids' must be of type 'array<array<string>>'");
    expect(() => resolve(config, { ids: "a" })).toThrow("'ids' must be of type 'array<array<string>>'");
  });

  it("can't be encrypted, at any depth", () => {
    for (const value of [{ secure: "v1:x" }, { a: [{ secure: "v1:x" }] }]) {
      expect(() => resolve({}, { password: value })).toThrow("'app:password' is encrypted");
    }
    expect(resolve({}, { tls: { secure: "v1:x", other: 1 } })).toEqual({ "app:tls": '{"secure":"v1:x","other":1}' });
  });

  it("is reported with all problems at once", () => {
    const act = () => resolve({ a: { type: "string" }, b: { type: "boolean" } }, { b: 1, c: { secure: "v1:x" } });
    expect(act).toThrow(/missing.*'a'.*'app:c' is encrypted.*'b' must be of type 'boolean'/s);
  });

  it("is read from the file of the stack", async () => {
    const project = await readProject(".");
    expect(await readStackConfig(project, "prod")).toMatchObject({
      "aws:region": "us-east-2",
      "pulumi:disable-default-providers": '["*"]',
      "runner-egress:vpc": '{"name":"techops-prod"}',
    });
    await expect(readStackConfig(project, "nowhere")).rejects.toThrow(/Pulumi\.nowhere\.yaml can't be read/);
  });
});
