import { existsSync } from "node:fs";
import { join } from "node:path";
import { capture } from "../tools/command.ts";

/** A program from a package registry other than npm's. */
export interface Tool {
  readonly name: string;
  /** The program without which it cannot be installed. */
  readonly needs: string;
  /** Where it is once it is installed. */
  readonly path: string;
  readonly install: readonly (readonly [command: string, args: readonly string[], env?: Record<string, string>])[];
}

const CACHE = join(import.meta.dirname, "..", "node_modules", ".cache", "tools");

/** A command of a Go module, checked against Go's checksum database. */
export function goTool(name: string, module: string, version: string): Tool {
  const folder = join(CACHE, `${name}-${version}`);
  const install = [["go", ["install", `${module}@v${version}`], { GOBIN: folder }]] as const;
  return { name, needs: "go", path: join(folder, name), install };
}

/** A command of a PyPI package, in an environment of its own. */
export function pythonTool(name: string, distribution: string, version: string): Tool {
  const folder = join(CACHE, `${name}-${version}`);
  const pip = ["install", "--quiet", "--disable-pip-version-check", `${distribution}==${version}`];
  const install = [
    ["python3", ["-m", "venv", folder]],
    [join(folder, "bin", "pip"), pip],
  ] as const;
  return { name, needs: "python3", path: join(folder, "bin", name), install };
}

/** The AWS command line of the suites, for `aws eks get-token` and `runner-egress setup`. */
export const AWS = pythonTool("aws", "awscli", "1.46.3");

/** Installs a tool unless it is there; says whether it is now. */
export async function isInstalled({ path, install }: Tool): Promise<boolean> {
  for (const [command, args, env = {}] of existsSync(path) ? [] : install) {
    const { status } = await capture(command, args, { env }).catch(() => ({ status: 127 }));
    if (status !== 0) {
      return false;
    }
  }
  return true;
}
