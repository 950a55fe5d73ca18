import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { InconclusiveError, UsageError } from "./errors.ts";

/** What has to do with the machine, not with the path that was named. */
const MACHINE_ERRORS: readonly (string | undefined)[] = ["ENOSPC", "EDQUOT", "EIO"];

/**
 * Writes a result to a file that an option names: all of it, or nothing.
 *
 * @throws {UsageError} for a path that can't be written.
 * @throws {InconclusiveError} for a full disk.
 */
export function writeResult(option: string, path: string, text: string): void {
  // A device or a pipe has to stay what it is; a file is replaced only once the new one is complete.
  const isPlain = statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
  const draft = isPlain ? `${path}.${process.pid}.draft` : path;
  try {
    writeFileSync(draft, text);
    if (isPlain) {
      renameSync(draft, path);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const text = `${option} ${path} can't be written: ${message.replace(draft, path)}`;
    throw MACHINE_ERRORS.includes(code) ? new InconclusiveError([text]) : new UsageError(text);
  } finally {
    if (isPlain) {
      rmSync(draft, { force: true });
    }
  }
}
