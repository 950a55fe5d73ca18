import { writeFileSync } from "node:fs";
import { type AddressFamily, formatCidr } from "../../analysis/index.ts";
import type { ReportData } from "../../report/reportData.ts";
import { type ReportContext, readPreview, reportContext } from "../../review/index.ts";
import { CLEAN, type ExitCode, INCONCLUSIVE } from "../exitCode.ts";
import { parseName } from "../input/names.ts";
import { loadObjects } from "../input/objects.ts";
import { note, type Terminal } from "../terminal.ts";
import { UsageError } from "../usageError.ts";
import { previewSource, sourceOf } from "./previewInput.ts";

/** The flags of `report`. */
export interface ReportFlags {
  readonly policy?: readonly string[];
  readonly before?: readonly string[];
  readonly out: string;
  readonly title?: string;
  readonly names?: readonly string[];
  readonly namespace?: string;
  readonly podLabel?: readonly string[];
  readonly ipFamily?: AddressFamily;
  readonly agentVersion?: string;
}

/** Writes a report of a preview, or of policies in files; exit code 2 for a preview that does not say enough. */
export async function reportCommand(
  preview: string | undefined,
  flags: ReportFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  if ((preview === undefined) === (flags.policy === undefined)) {
    throw new UsageError("report needs a preview or --policy FILE..., and not both");
  }
  const context =
    preview === undefined
      ? await fromFiles(flags, terminal)
      : reportContext(readPreview(await previewSource(preview, terminal)));
  if (context.obstacles.length > 0) {
    note(
      terminal,
      `No report, because the policies are not known:\n${context.obstacles.map((line) => `  - ${line}`).join("\n")}`,
    );
    return INCONCLUSIVE;
  }
  const { buildReport } = await import("../../report/buildReport.ts");
  const html = await buildReport(dataOf(context, flags));
  writeFileSync(flags.out, html);
  note(terminal, `${flags.out}: ${Math.ceil(html.length / 1024)} KiB`);
  return CLEAN;
}

async function fromFiles(flags: ReportFlags, terminal: Terminal): Promise<ReportContext> {
  const load = async (paths: readonly string[]) =>
    (await Promise.all(paths.map((path) => loadObjects(path, terminal))))
      .flat()
      .filter(({ object }) => object.kind === "NetworkPolicy")
      .map(({ object }) => object);
  return {
    stack: undefined,
    before: flags.before === undefined ? null : await load(flags.before),
    after: await load(flags.policy ?? []),
    source: undefined,
    names: [],
    ipFamily: undefined,
    agent: { before: undefined, after: undefined },
    obstacles: [],
  };
}

function dataOf(context: ReportContext, flags: ReportFlags): ReportData {
  const source = sourceOf(flags) ?? context.source;
  const who = source === undefined ? "the selected pods" : Object.values(source.labels).join(", ");
  const own = (flags.names ?? []).map(parseName);
  const { stack } = context;
  return {
    title: flags.title ?? `Egress of ${who}${stack === undefined ? "" : `, ${stack}`}`,
    origin:
      stack === undefined
        ? [...(flags.before === undefined ? [] : [`${flags.before.join(", ")} →`]), ...(flags.policy ?? [])].join(" ")
        : `Preview of the stack ${stack}`,
    source: source ?? null,
    names: distinct([...own, ...context.names].map(({ cidr, name }) => ({ cidr: formatCidr(cidr), name }))),
    ipFamily: flags.ipFamily ?? context.ipFamily ?? (stack === undefined ? "ipv4" : null),
    agent: {
      before: flags.agentVersion ?? context.agent.before ?? null,
      after: flags.agentVersion ?? context.agent.after ?? null,
    },
    before: context.before,
    after: context.after,
  };
}

function distinct<Value extends object>(values: readonly Value[]): Value[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
