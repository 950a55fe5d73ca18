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
 * The text of a file, in UTF-8, or in UTF-16 if its first bytes say so, as PowerShell writes it.
 *
 * @throws {UsageError} if it can't be read or is a folder.
 */
export function readTextFile(path: string): string {
  return decodeText(orUsageError(path, () => readFileSync(path)));
}

/** Bytes as text, without a byte order mark. */
export function decodeText(bytes: Uint8Array): string {
  const mark = `${bytes[0]} ${bytes[1]}`;
  return new TextDecoder(mark === "255 254" ? "utf-16le" : mark === "254 255" ? "utf-16be" : "utf-8").decode(bytes);
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
