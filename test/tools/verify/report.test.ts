import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePoint } from "../../../analysis/point.ts";
import { jsonReport, junitReport, markdownReport, textReport } from "../../../tools/verify/report.ts";
import type { TargetResult, VerifyResult } from "../../../tools/verify/result.ts";
import { readXml } from "../../support/xml.ts";

const HOSTILE = '<b>&"|`*[x](y)\u0007\n';

function target(changes: Partial<TargetResult> = {}, name = "database"): TargetResult {
  return {
    target: {
      id: "t1",
      name,
      point: parsePoint("10.1.7.7:443/tcp"),
      kind: "tcp",
      source: "named",
      expected: "deny",
      why: "by rule 4 (except 10.0.0.0/8)",
    },
    control: "connected",
    runner: "timeout",
    verdict: "denied",
    because: "the runner meets silence where the control is answered",
    assessment: "as-expected",
    openSeconds: 1.25,
    ...changes,
  };
}

const WRONG = target(
  { runner: "connected", verdict: "allowed", because: "the runner connects", assessment: "contradicted" },
  "web",
);
const ACCEPTED = target(
  {
    control: "timeout",
    verdict: "inconclusive",
    because: "the control meets silence too",
    assessment: "inconclusive",
    accepted: "hop limit 1",
  },
  "metadata",
);
const UNPROVED = target(
  { control: "timeout", verdict: "inconclusive", because: "the control meets silence too", assessment: "inconclusive" },
  "dead",
);

function result(changes: Partial<VerifyResult> = {}): VerifyResult {
  return {
    status: "contradicted",
    summary: "1 of 4 targets as expected",
    policy: "keeperhub/workflow-runner-block-imds",
    semantics: "vpc-cni",
    run: "abcd1234",
    seconds: 21.4,
    openSeconds: 1.25,
    findings: [
      { check: "live policy", level: "ok", text: "says what the program's says" },
      { check: "peers", level: "doubt", text: "no running pod", remedy: "start it" },
    ],
    uncovered: [
      { what: "rule 3", why: "no listener is known", isRequired: true },
      { what: "metadata over IPv6", why: "no ipv6 address", isRequired: false },
    ],
    targets: [target(), WRONG, ACCEPTED, UNPROVED],
    ...changes,
  };
}

describe("textReport", () => {
  it("shows each target, and for those that are not as expected what was seen and what was expected, why, under which semantics", () => {
    const text = textReport(result());
    expect(text).toMatch(/^keeperhub\/workflow-runner-block-imds: contradicted\n1 of 4 targets as expected\n/);
    expect(text).toMatch(/ {2}ok {8}denied {2}10\.1\.7\.7:443\/tcp {2}database {2}runner timeout, control connected\n/);
    expect(text).toMatch(/ {2}WRONG {5}denied .* web {7}runner connected/);
    expect(text).toMatch(
      /allowed: the runner connects\n {4}expected denied under vpc-cni: by rule 4 \(except 10\.0\.0\.0\/8\)/,
    );
    expect(text).toMatch(/accepted: hop limit 1/);
    expect(text).toMatch(/DOUBT {2}peers: no running pod\n {9}→ start it\n/);
    expect(text).toMatch(/A new runner pod could reach what it must not for 1\.3 s .*21\.4 s in all\.\n$/);
  });

  it("leaves out sections that would be empty", () => {
    const text = textReport(result({ findings: [], uncovered: [], targets: [] }));
    expect(text).not.toMatch(/Targets|Not tried|Before|Why/);
  });
});

describe("jsonReport", () => {
  it("has everything, addresses as text", () => {
    const json = JSON.parse(jsonReport(result())) as {
      exitCode: number;
      targets: { address: string; openSeconds: number }[];
    };
    expect(json).toMatchObject({
      status: "contradicted",
      exitCode: 1,
      openSeconds: 1.25,
      semantics: "vpc-cni",
      run: "abcd1234",
    });
    expect(json.targets[0]).toMatchObject({
      address: "10.1.7.7:443/tcp",
      expected: "deny",
      verdict: "denied",
      control: "connected",
      openSeconds: 1.25,
    });
  });
});

describe("junitReport", () => {
  it("has a case for each target and finding, failed where it is wrong, unproved or doubtful", () => {
    const elements = readXml(junitReport(result()));
    const suites = elements.filter(({ name }) => name === "testsuite").map(({ attributes }) => attributes);
    expect(suites).toEqual([
      expect.objectContaining({ name: "before the probes", tests: "4", failures: "2", skipped: "1" }),
      expect.objectContaining({ name: "targets", tests: "4", failures: "2", skipped: "1" }),
    ]);
    expect(elements.filter(({ name }) => name === "failure").map(({ attributes }) => attributes.message)).toEqual([
      "no running pod. To do: start it",
      "no listener is known",
      "allowed: the runner connects; expected denied under vpc-cni: by rule 4 (except 10.0.0.0/8)",
      expect.stringMatching(/^inconclusive: /),
    ]);
  });

  it("never looks like a success when nothing was tried", () => {
    const xml = junitReport(
      result({ status: "could not run", summary: "no such image", findings: [], uncovered: [], targets: [] }),
    );
    expect(readXml(xml).find(({ name }) => name === "failure")?.attributes.message).toBe(
      "could not run: no such image",
    );
  });

  it("stays well-formed whatever the cluster's objects are called", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        readXml(
          junitReport(
            result({
              policy: text,
              findings: [{ check: "peers", level: "doubt", text, remedy: text }],
              targets: [target({ because: text, assessment: "inconclusive" }, text)],
            }),
          ),
        );
      }),
      { numRuns: 50 },
    );
    expect(junitReport(result({ policy: "half \ud83d" }))).toContain('name="egress verify half \ufffd: contradicted"');
    expect(junitReport(result({ policy: HOSTILE }))).toContain("&lt;b&gt;&amp;&quot;|`*[x](y)\ufffd&#10;");
  });
});

describe("markdownReport", () => {
  it("says the verdict first, then one row for each target and each part that was not tried", () => {
    const markdown = markdownReport(result());
    expect(markdown).toMatch(
      /^### ❌ Egress of keeperhub\/workflow-runner-block-imds: contradicted\n\n1 of 4 targets as expected\n/,
    );
    const rows = markdown.split("\n").filter((line) => line.startsWith("| ") && line.includes("`"));
    expect(rows.map((row) => row.split(" | ")[0])).toEqual(["| ok", "| WRONG", "| accepted", "| UNPROVED"]);
    expect(markdown).toContain("| UNPROVED |  | rule 3 |  | no listener is known |");
    expect(markdown).toContain("- `10.1.7.7:443/tcp`: expected denied under vpc-cni");
    expect(markdown).toMatch(/<details>\n<summary>Before the probes: 2 findings<\/summary>/);
  });

  it("lets no name become markup or break its row", () => {
    const markdown = markdownReport(
      result({ targets: [target({}, HOSTILE)], findings: [{ check: "peers", level: "ok", text: HOSTILE }] }),
    );
    const rows = markdown.split("\n").filter((line) => line.startsWith("| "));
    for (const row of rows) {
      expect(row.replaceAll("\\|", "").split("|").length - 2).toBeOneOf([4, 5]);
    }
    expect(markdown).not.toMatch(/<b>|[^\\]\[x\]|[^\\]\*/);
  });
});
