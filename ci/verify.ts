/**
 * Proves on the cluster that the approved policy is enforced, with `egress verify`:
 * `npm run ci:verify -- staging [--previews previews]`. Its exit status is the result.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { show } from "../tools/command.ts";
import { runStep, stackArgument } from "../tools/refusal.ts";
import { commandAccessTo } from "./steps/cluster.ts";
import { DEFAULT_FOLDER, fileNames, loadApproval, save } from "./steps/files.ts";

await runStep(async () => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { previews: { type: "string", default: DEFAULT_FOLDER } },
  });
  const stack = stackArgument(positionals, "npm run ci:verify -- staging");
  const { policy, cluster } = loadApproval(values.previews, stack);
  const { context, env } = commandAccessTo(cluster, values.previews, stack);
  const file = fileNames.policy(values.previews, stack);
  const { name, namespace, spec } = policy;
  save(file, { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace }, spec });
  const targets = `verify.${stack}.yaml`;
  return show(
    process.execPath,
    [
      ...["tools/cli/main.ts", "verify", "--policy", file],
      ...(context === undefined ? [] : ["--context", context]),
      ...(existsSync(targets) ? ["--targets", targets] : []),
    ],
    env,
  );
});
