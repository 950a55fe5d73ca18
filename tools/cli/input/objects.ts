import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import { note, readStdin, type Terminal } from "../terminal.ts";
import { parseJson } from "./json.ts";

/** One object of a file and where it stands: `FILE`, `FILE document 2`, `FILE items[3]`. */
export interface LoadedObject {
  readonly object: Readonly<Record<string, unknown>>;
  readonly path: string;
}

/** The object of a kind and a name; `undefined`: there is none. */
export function findObject(
  objects: readonly LoadedObject[],
  kind: string,
  namespace: string,
  name: string,
): LoadedObject["object"] | undefined {
  return objects.find(({ object }) => {
    const metadata = object.metadata as { readonly name?: unknown; readonly namespace?: unknown } | undefined;
    return object.kind === kind && metadata?.name === name && metadata.namespace === namespace;
  })?.object;
}

const EXTENSIONS = /\.(ya?ml|json)$/i;

/**
 * Reads the Kubernetes objects of a file, of all YAML and JSON files directly in a folder (as `kubectl apply -f` does), or
 * of stdin (`-`). Lists are opened. What is no Kubernetes object is an error in a file that was named, and left out with
 * a note in a folder.
 *
 * @throws {UsageError} if something cannot be read.
 */
export async function loadObjects(path: string, terminal: Terminal): Promise<LoadedObject[]> {
  if (path === "-") {
    return openLists(await parseText(await readStdin(terminal), "stdin"), "stdin", refuse);
  }
  if (!orUsageError(path, () => statSync(path).isDirectory())) {
    return openLists(await loadFile(path), path, refuse);
  }
  const files = readdirSync(path)
    .filter((name) => EXTENSIONS.test(name))
    .sort();
  if (files.length === 0) {
    throw new UsageError(`${path}: the folder has no .yaml, .yml or .json file; files in folders below are not read`);
  }
  const objects: LoadedObject[] = [];
  for (const name of files) {
    const file = join(path, name);
    const leaveOut = (at: string) => note(terminal, `${at}: no Kubernetes object (it has no kind), left out`);
    objects.push(...openLists(await loadFile(file), file, leaveOut));
  }
  return objects;
}

/**
 * Reads the documents of one file.
 *
 * @throws {UsageError} if it cannot be read or is neither YAML nor JSON.
 */
export async function loadFile(path: string): Promise<unknown[]> {
  return parseText(readTextFile(path), path);
}

async function parseText(text: string, file: string): Promise<unknown[]> {
  // What a text is, its first character tells kubectl, not the name of the file.
  if (/^\s*[{[]/.test(text)) {
    try {
      return parseJson(text, file);
    } catch (error) {
      if (!(error instanceof SyntaxError)) {
        throw error;
      }
      if (file.endsWith(".json")) {
        throw new UsageError(`${file}: not JSON: ${error.message}`);
      }
      // YAML may start like JSON: `{apiVersion: v1}`.
    }
  }
  // Loaded only here: JSON files do not pay for it.
  const { parseYaml } = await import("./yaml.ts");
  return parseYaml(text, file);
}

function refuse(path: string): never {
  throw new UsageError(`${path}: no Kubernetes object, which has apiVersion and kind`);
}

function openLists(documents: readonly unknown[], file: string, onOther: (path: string) => void): LoadedObject[] {
  const objects: LoadedObject[] = [];
  const open = (value: unknown, path: string) => {
    // An empty document, as between two `---`.
    if (value === null || value === undefined) {
      return;
    }
    if (typeof value !== "object" || Array.isArray(value) || typeof (value as { kind?: unknown }).kind !== "string") {
      onOther(path);
      return;
    }
    const object = value as Readonly<Record<string, unknown>>;
    if (/List$/.test(object.kind as string) && Array.isArray(object.items)) {
      for (const [index, item] of object.items.entries()) {
        open(item, `${path} items[${index}]`);
      }
      return;
    }
    objects.push({ object, path });
  };
  for (const [index, document] of documents.entries()) {
    open(document, documents.length === 1 ? file : `${file} document ${index + 1}`);
  }
  return objects;
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
