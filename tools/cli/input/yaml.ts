import {
  boolYaml11Tag,
  CORE_SCHEMA,
  floatCoreTag,
  intCoreTag,
  loadAll,
  mergeTag,
  NOT_RESOLVED,
  nullYaml11Tag,
  YAMLException,
} from "js-yaml";
import { UsageError } from "../errors.ts";

/**
 * Reads plain scalars as kubectl does (sigs.k8s.io/yaml, goyaml.v2 `resolve.go`, read 2026-11), so that a file means here
 * what it means when it is applied: `yes` and `on` are booleans, so no label values; `010` is 8; a date is text.
 */
const KUBECTL_SCHEMA = CORE_SCHEMA.withTags(
  nullYaml11Tag,
  boolYaml11Tag,
  mergeTag,
  { ...intCoreTag, resolve: (source) => goInteger(source.replaceAll("_", "")) ?? NOT_RESOLVED },
  {
    ...floatCoreTag,
    resolve: (source, isExplicit, tag) => floatCoreTag.resolve(source.replaceAll("_", ""), isExplicit, tag),
  },
);

/** Go's `strconv.ParseInt` with base 0, where a leading 0 alone means octal. */
function goInteger(text: string): number | undefined {
  const [, sign, digits] = /^([-+]?)(0x[0-9a-f]+|0b[01]+|0o?[0-7]+|0|[1-9][0-9]*)$/i.exec(text) ?? [];
  const value = Number(digits?.replace(/^0(?=\d)/, "0o"));
  return digits === undefined ? undefined : sign === "-" ? -value : value;
}

/**
 * Loads documents. kubectl lets quoted strings and flow collections go on at any indentation, and js-yaml doesn't; there
 * the white space at the start of a line means nothing, so the line is indented and read again.
 */
function loadIndented(text: string, retries = MOST_RETRIES): unknown[] {
  try {
    return loadAll(text, { schema: KUBECTL_SCHEMA });
  } catch (error) {
    if (
      !(error instanceof YAMLException) ||
      error.reason !== "deficient indentation" ||
      error.mark === undefined ||
      retries === 0
    ) {
      throw error;
    }
    const lines = text.split("\n");
    lines[error.mark.line] = `${" ".repeat(100)}${lines[error.mark.line]?.trimStart()}`;
    return loadIndented(lines.join("\n"), retries - 1);
  }
}

/** Lines of one text that may be indented for {@link loadIndented}. */
const MOST_RETRIES = 200;

/**
 * Every document of a YAML text, as plain values.
 *
 * @throws {UsageError} that names the file, the line and what is wrong there; a key used twice is wrong.
 */
export function parseYaml(text: string, file: string): unknown[] {
  try {
    const documents = loadIndented(text);
    const problem = text.includes("&") && text.includes("*") ? aliasProblem(documents) : undefined;
    if (problem !== undefined) {
      throw new UsageError(`${file}: not YAML that kubectl reads: ${problem}`);
    }
    return documents;
  } catch (error) {
    if (error instanceof YAMLException) {
      const place = error.mark === undefined ? "" : `:${error.mark.line + 1}:${error.mark.column + 1}`;
      throw new UsageError(`${file}${place}: not YAML: ${error.reason}`);
    }
    throw error;
  }
}

/**
 * Counts as kubectl's decoder does (goyaml.v2 `decode.go`, read 2026-12), so that a few lines that stand for millions of
 * nodes are refused here as there: an alias is one object in several places.
 */
function aliasProblem(documents: readonly unknown[]): string | undefined {
  const seen = new Set<object>();
  const open = new Set<object>();
  let [nodes, aliased] = [0, 0];
  const visit = (value: unknown, isAliased: boolean): string | undefined => {
    nodes += 1;
    aliased += isAliased ? 1 : 0;
    if (aliased > 100 && nodes > 1000 && aliased / nodes > allowedAliasRatio(nodes)) {
      return "it contains excessive aliasing";
    }
    if (typeof value !== "object" || value === null) {
      return undefined;
    }
    if (open.has(value)) {
      return "an anchor contains itself";
    }
    const isRepeated = isAliased || seen.has(value);
    seen.add(value);
    open.add(value);
    for (const child of Object.values(value)) {
      const problem = visit(child, isRepeated);
      if (problem !== undefined) {
        return problem;
      }
    }
    open.delete(value);
    return undefined;
  };
  return visit(documents, false);
}

/** Small files may be nearly all aliases, large ones a tenth. */
function allowedAliasRatio(nodes: number): number {
  const [small, large] = [400_000, 4_000_000];
  return nodes <= small ? 0.99 : nodes >= large ? 0.1 : 0.99 - (0.89 * (nodes - small)) / (large - small);
}
