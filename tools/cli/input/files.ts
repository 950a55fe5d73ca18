import { readFileSync, statSync } from "node:fs";
import { UsageError } from "../usageError.ts";

/**
 * Whether a path names a folder.
 *
 * @throws {UsageError} if there is nothing.
 */
export function isFolder(path: string): boolean {
  return orUsageError(path, () => statSync(path).isDirectory());
}

/**
 * The text of a file.
 *
 * @throws {UsageError} if it can't be read or is a folder.
 */
export function readTextFile(path: string): string {
  return orUsageError(path, () => readFileSync(path, "utf8"));
}

function orUsageError<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: "there is no such file or folder",
      EISDIR: "is a folder; name a file",
    };
    throw new UsageError(`${path}: ${reasons[code ?? ""] ?? message}`);
  }
}
