import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parsePoint } from "../../../analysis/point.ts";
import { readProbeLog } from "../../../tools/verify/outcomes.ts";
import { DEFAULT_TIMING, jobDeadline, probeCommand, type Role } from "../../../tools/verify/probe.ts";
import type { Target } from "../../../tools/verify/targets.ts";
import { probeKindOf } from "../../../tools/verify/targetsFile.ts";
import { readDocument } from "../../support/markdown.ts";

/* The script that runs in the cluster, run by this machine's shell with stand-ins for agnhost and dig. */

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "egress-probe-"));
  // What it says depends on the address; 10.0.0.9 falls silent at the third attempt, as a policy that takes hold.
  write(
    "agnhost",
    `echo "$3" >>${folder}/asked
case $3 in
  10.0.0.1:*) exit 0 ;;
  10.0.0.2:*) echo REFUSED >&2 ;;
  10.0.0.3:*) echo TIMEOUT >&2 ;;
  '[fd00::1]:80') echo 'OTHER: dial tcp [fd00::1]:80: connect: network is unreachable' >&2 ;;
  10.0.0.8:*) [ $(grep -c "$3" ${folder}/asked) -ge 3 ] && echo TIMEOUT >&2 || echo REFUSED >&2 ;;
  10.0.0.9:*) [ $(grep -c "$3" ${folder}/asked) -ge 3 ] || exit 0; echo TIMEOUT >&2 ;;
  *) printf 'DNS: no such host\\nand more\\n' >&2 ;;
esac
exit 1`,
  );
  write(
    "dig",
    `case $* in
  *@10.0.0.1\\ *) echo 172.20.0.1 ;;
  *@10.0.0.2\\ *) echo ';; communications error to 10.0.0.2#53: connection refused'; exit 9 ;;
  *@10.0.0.3\\ *) echo ';; no servers could be reached'; exit 9 ;;
  *) exit 10 ;;
esac`,
  );
  write("sleep", "exec /bin/sleep 0.01");
});

function write(name: string, body: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(folder, name), 0o755);
}

function target(id: string, address: string, expected: "allow" | "deny" = "allow"): Target {
  const point = parsePoint(address);
  return { id, name: id, point, kind: probeKindOf(point) ?? "tcp", source: "named", expected, why: "" };
}

function command(role: Role, targets: readonly Target[], timing = { converge: 60, hold: 0 }): [string, string[]] {
  writeFileSync(join(folder, "asked"), "");
  const [shell, flag, script, ...rest] = probeCommand(role, targets, { ...DEFAULT_TIMING, ...timing });
  return [shell as string, [flag as string, (script as string).replaceAll("/agnhost", `${folder}/agnhost`), ...rest]];
}

function run(role: Role, targets: readonly Target[], timing?: { converge: number; hold: number }) {
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  return readProbeLog(execFileSync(...command(role, targets, timing), { encoding: "utf8", env }));
}

describe("the probe's script", () => {
  it("gives what agnhost and dig say as outcomes, in at least two rounds", () => {
    const targets = [
      target("t1", "10.0.0.1:443"),
      target("t2", "10.0.0.2:443"),
      target("t3", "10.0.0.3:443"),
      target("t4", "[fd00::1]:80"),
      target("t5", "10.0.0.4:443"),
      target("t6", "10.0.0.1:53/udp"),
      target("t7", "10.0.0.2:53/udp"),
      target("t8", "10.0.0.3:53/udp"),
      target("t9", "10.0.0.5:53/udp"),
    ];
    const log = run("runner", targets);
    expect(log).toMatchObject({ rounds: 2, isDone: true, strange: [], gates: [] });
    const outcomes = (id: string) =>
      log.attempts.filter((attempt) => attempt.target === id).map(({ outcome }) => outcome);
    const twice = (outcome: string) => [outcome, outcome];
    expect(targets.map(({ id }) => outcomes(id))).toEqual(
      ["connected", "refused", "timeout", "unreachable", "error", "connected", "refused", "timeout", "error"].map(
        twice,
      ),
    );
    const said = (id: string) => log.attempts.find((attempt) => attempt.target === id)?.said;
    expect(said("t4")).toBe("OTHER: dial tcp [fd00::1]:80: connect: network is unreachable");
    expect(said("t5")).toBe("DNS: no such host");
    expect(said("t3")).toBe("");
  });

  it("waits as a runner until what must be denied falls silent, and tells each change once", () => {
    const log = run("runner", [target("t1", "10.0.0.9:80", "deny"), target("t2", "10.0.0.1:80")]);
    expect(log.gates.map(({ target, outcome }) => [target, outcome])).toEqual([
      ["t1", "connected"],
      ["t1", "timeout"],
    ]);
    expect(log.attempts.filter(({ target }) => target === "t1").map(({ outcome }) => outcome)).toEqual([
      "timeout",
      "timeout",
    ]);
  });

  it("takes a refusal for an open way, as where nobody listens", () => {
    const log = run("runner", [target("t1", "10.0.0.8:80", "deny")]);
    expect(log.gates.map(({ outcome }) => outcome)).toEqual(["refused", "timeout"]);
  });

  it("gives up waiting when nothing is enforced, and still looks at everything", () => {
    const log = run("runner", [target("t1", "10.0.0.1:80", "deny"), target("t2", "10.0.0.2:80", "deny")], {
      converge: 1,
      hold: 0,
    });
    expect(log.gates.map(({ outcome }) => outcome).sort()).toEqual(["connected", "refused"]);
    expect(log).toMatchObject({ gatesDone: true, isDone: true, rounds: 2 });
  });

  it("does not wait as a control, and goes on for longer than any runner", () => {
    const log = run("runner", [target("t1", "10.0.0.1:80")]);
    expect(log.gatesDone).toBe(true);
    const [, [, , , , , hold]] = command("control", [], { converge: 90, hold: 10 });
    expect(Number(hold)).toBeGreaterThan(90 + 10);
    expect(jobDeadline(DEFAULT_TIMING, 16)).toBeGreaterThan(DEFAULT_TIMING.start + Number(hold));
  });

  it("ends when it is told to", async () => {
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    const child = spawn(...command("control", [target("t1", "10.0.0.1:80")]), { env });
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    expect((await once(child, "exit"))[0]).toBe(143);
  });

  it("uses nothing but a POSIX shell and three programs", () => {
    const script = readDocument("tools/verify/probe.sh");
    expect(script).not.toMatch(/\[\[|\bfunction\b|\blocal\b|\$'|<<<|\bawk\b|\bsed\b|\bgrep\b|\bdate\b/);
  });
});
