import type { Respond } from "./fakeCluster.ts";

/** Plays the two Jobs: their pods, and logs in which the runner meets silence where it must. */
export function probes(log: (role: "runner" | "control", targets: readonly string[]) => string = goodLog): Respond {
  const jobs = new Map<string, readonly string[]>();
  return (asked, body) => {
    const { verb, resource, name = "", subresource } = asked;
    if (resource === "jobs") {
      if (verb === "create") {
        const job = body as {
          metadata: { name: string };
          spec: { template: { spec: { containers: { command: string[] }[] } } };
        };
        jobs.set(job.metadata.name, job.spec.template.spec.containers[0]?.command.slice(9) ?? []);
        return { body };
      }
      if (verb === "delete") {
        jobs.delete(name);
      }
      return jobs.has(name) ? { body: { metadata: { name } } } : { status: 404, message: "gone" };
    }
    if (subresource === "log") {
      const job = name.slice(0, name.lastIndexOf("-"));
      return { body: log(job.includes("runner") ? "runner" : "control", jobs.get(job) ?? []) };
    }
    return undefined;
  };
}

/** A log in which everything is as it should be: silence where it must be, an answer everywhere else. */
export function goodLog(role: "runner" | "control", targets: readonly string[]): string {
  const attempt = (phase: string, round: number, target: string) => {
    const denied = role === "runner" && target.endsWith(" gate");
    return `egress-probe attempt ${phase} ${round} ${target.split(" ")[0]} ${denied ? "timeout" : "connected"} 1.5 2.5 \n`;
  };
  const gates = targets.filter((target) => target.endsWith(" gate")).map((target) => attempt("gate", 0, target));
  const round = (number: number) =>
    `${targets.map((target) => attempt("hold", number, target)).join("")}egress-probe round ${number} 3.0\n`;
  return `egress-probe start 1.0\n${role === "runner" ? gates.join("") : ""}egress-probe gates-done 2.0\n${round(1)}${round(2)}egress-probe done 4.0\n`;
}

/** The pods of Jobs, which are there as soon as their Jobs are. */
export function withPods(respond: Respond, status: object = { phase: "Running", podIP: "10.1.3.99" }): Respond {
  return (asked, body, query) => {
    const [, job] = query.get("labelSelector")?.split("=") ?? [];
    return job === undefined
      ? respond(asked, body, query)
      : { body: { items: [{ metadata: { name: `${job}-abcde` }, spec: { containers: [] }, status }] } };
  };
}
