import type { Source } from "../../../analysis/index.ts";
import type { PreviewSource } from "../../review/index.ts";
import { UsageError } from "../errors.ts";
import { readTextFile } from "../input/objects.ts";
import type { PodFlags } from "../options.ts";
import { readStdin, type Terminal } from "../terminal.ts";

/** `STACK=PATH`, or a path alone. */
export const NAMED = /^([A-Za-z0-9_.-]+)=(.+)$/s;

/**
 * Reads a preview that the command line names as `PATH`, `STACK=PATH` or `-`.
 *
 * @throws {UsageError} if it can't be read.
 */
export async function previewSource(argument: string, terminal: Terminal): Promise<PreviewSource> {
  const [, stack, named] = NAMED.exec(argument) ?? [];
  const path = named ?? argument;
  const text = path === "-" ? await readStdin(terminal) : readTextFile(path);
  return { name: path === "-" ? "stdin" : path, text, ...(stack !== undefined && { stack }) };
}

/**
 * The pods that the options describe; `undefined` where they describe none.
 *
 * @throws {UsageError} for half a description.
 */
export function sourceOf({ namespace, podLabel }: PodFlags): Source | undefined {
  if (podLabel === undefined) {
    if (namespace !== undefined) {
      throw new UsageError("--namespace alone names no pod; add --pod-label KEY=VALUE");
    }
    return undefined;
  }
  if (namespace === undefined) {
    throw new UsageError("--pod-label needs --namespace, because labels mean nothing without one");
  }
  return { namespace, labels: Object.fromEntries(podLabel) };
}
