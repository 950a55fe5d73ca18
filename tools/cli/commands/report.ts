import { Option } from "commander";
import { type AddressFamily, formatCidr, type NamedAddresses } from "../../../analysis/index.ts";
import { CLEAN, type ExitCode, INCONCLUSIVE } from "../../exitCodes.ts";
import { previewReport, reportTitle } from "../../report/previewReport.ts";
import type { ReportData } from "../../report/reportData.ts";
import { readPreview } from "../../review/index.ts";
import type { CommandDefinition } from "../command.ts";
import { UsageError } from "../errors.ts";
import { refuseForeign } from "../input/foreignPolicies.ts";
import { loadPolicyFiles, type PolicySet } from "../input/policySet.ts";
import { senderOf } from "../input/sender.ts";
import { AGENT_OPTIONS, NAMES_OPTION, type PodFlags, podLabelOption, repeatable } from "../options.ts";
import { writeResult } from "../output.ts";
import { note, type Terminal } from "../terminal.ts";
import { previewSource, sourceOf } from "./previewInput.ts";

interface ReportFlags extends PodFlags {
  readonly policy?: readonly string[];
  readonly before?: readonly string[];
  readonly out: string;
  readonly title?: string;
  readonly names?: readonly NamedAddresses[];
  readonly ipFamily?: AddressFamily;
  readonly agentVersion?: string;
}

/** Writes a report of a preview, or of policies in files; exit code 2 for a preview that does not say enough. */
export const command = {
  description:
    "Writes a report that needs no network and no server: all of IPv4 as a map, IPv6 as a tree, the pods and services as " +
    "a graph, a search box that explains any destination, and before and after where there are both.",
  operands: ["PATH or STACK=PATH of a preview (see review); - for stdin"],
  options: [
    repeatable("-f, --policy <path>", "policies instead of a preview: a YAML or JSON file, or a folder"),
    repeatable("--before <path>", "with --policy: the policies to compare with"),
    new Option("--out <file>", "where to write it").default("egress-report.html"),
    new Option("--title <text>", "the title of the page"),
    NAMES_OPTION,
    new Option("--namespace <name>", "namespace of the pods"),
    podLabelOption("a label of the pods"),
    ...AGENT_OPTIONS,
  ],
  examples: [
    "report docs/examples/preview-staging.jsonl --out staging.html",
    "report --policy docs/examples/runner-staging.yaml --before docs/examples/runner-2026-05.yaml",
  ],
  run: runReport,
} satisfies CommandDefinition;

async function runReport(terminal: Terminal, preview: string | undefined, flags: ReportFlags): Promise<ExitCode> {
  if ((preview === undefined) === (flags.policy === undefined)) {
    throw new UsageError("report needs a preview or --policy FILE..., and not both");
  }
  if (preview !== undefined && flags.before !== undefined) {
    throw new UsageError("--before goes with --policy; a preview knows what is deployed before");
  }
  const { agentVersion } = flags;
  const { data, obstacles } =
    preview === undefined
      ? { data: await fromFiles(flags, terminal), obstacles: [] }
      : previewReport(readPreview(await previewSource(preview, terminal)), sourceOf(flags));
  if (obstacles.length > 0) {
    note(
      terminal,
      `No report, because the policies are not known:\n${obstacles.map((line) => `  - ${line}`).join("\n")}`,
    );
    return INCONCLUSIVE;
  }
  const own = (flags.names ?? []).map(({ cidr, name }) => ({ cidr: formatCidr(cidr), name }));
  const { buildReport } = await import("../../report/buildReport.ts");
  const html = await buildReport({
    ...data,
    title: flags.title ?? data.title,
    names: [...own, ...data.names],
    ipFamily: flags.ipFamily ?? data.ipFamily,
    agent: agentVersion === undefined ? data.agent : { before: agentVersion, after: agentVersion },
  });
  writeResult("--out", flags.out, html);
  note(terminal, `${flags.out}: ${Math.ceil(html.length / 1024)} KiB`);
  return CLEAN;
}

async function fromFiles(flags: ReportFlags, terminal: Terminal): Promise<ReportData> {
  const load = (paths: readonly string[]) => loadPolicyFiles(paths, flags.namespace, terminal);
  const before = flags.before === undefined ? undefined : await load(flags.before);
  const after = await load(flags.policy ?? []);
  const sender = senderOf([...(before?.policies ?? []), ...after.policies], flags);
  const { source, namespace } = sender;
  const ofNamespace = (set: PolicySet) => {
    refuseForeign(set, sender);
    // Policies of another namespace say nothing about a pod that is given by its namespace alone.
    return set.objects.filter((_, index) => source !== undefined || set.policies[index]?.namespace === namespace);
  };
  return {
    title: reportTitle(source),
    origin: [...(flags.before === undefined ? [] : [`${flags.before.join(", ")} →`]), ...(flags.policy ?? [])].join(
      " ",
    ),
    source: source ?? null,
    names: [],
    pods: {},
    ipFamily: "ipv4",
    agent: { before: null, after: null },
    before: before === undefined ? null : ofNamespace(before),
    after: ofNamespace(after),
  };
}
