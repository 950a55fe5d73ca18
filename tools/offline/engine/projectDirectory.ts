import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ProjectError } from "./projectError.ts";

/**
 * The folder of the project in which a command runs: the nearest one with a `Pulumi.yaml`, upward from the user's.
 *
 * @param from Default: the working directory.
 * @throws {ProjectError} where there is none.
 */
export function projectDirectory(from = process.cwd()): string {
  for (let folder = resolve(from), parent = ""; folder !== parent; folder = dirname(folder)) {
    if (existsSync(join(folder, "Pulumi.yaml"))) {
      return folder;
    }
    parent = folder;
  }
  throw new ProjectError([`${resolve(from)}: neither this folder nor one above it has a Pulumi.yaml`]);
}
