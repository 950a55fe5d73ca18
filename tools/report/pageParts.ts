import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const file = (name: string) => fileURLToPath(new URL(`page/${name}`, import.meta.url));

/** What every report consists of, whatever it shows. */
export interface PageParts {
  /** The page, with marks where the other parts stand. */
  readonly html: string;
  readonly script: string;
  readonly style: string;
}

/** Bundles the page's parts from their sources. In the package (`dev/pack.ts`) they have been bundled already. */
export async function pageParts(): Promise<PageParts> {
  const { outputFiles } = await build({
    entryPoints: [file("main.ts"), file("style.css")],
    outdir: "page",
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2024",
    legalComments: "none",
    charset: "utf8",
    logLevel: "silent",
  });
  const [script = "", style = ""] = outputFiles.map(({ text }) => text.trim());
  if (/<\/script|<!--/.test(script + style)) {
    throw new Error("the page's script can't stand inside the page: it contains a closing tag");
  }
  return { html: readFileSync(file("page.html"), "utf8"), script, style };
}
