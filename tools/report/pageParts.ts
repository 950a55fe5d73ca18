import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const PAGE = new URL("page/", import.meta.url);

/** What every report consists of, whatever it shows. */
export interface PageParts {
  /** The page, with marks where the other parts stand. */
  readonly html: string;
  readonly script: string;
  readonly style: string;
}

/** Bundles the page's parts from their sources. In the package (`dev/pack.ts`) they have been bundled already. */
export async function pageParts(): Promise<PageParts> {
  const [script, style] = await Promise.all([
    bundle("main.ts", { format: "iife", target: "es2022" }),
    bundle("style.css", {}),
  ]);
  return { html: readFileSync(fileURLToPath(new URL("page.html", PAGE)), "utf8"), script, style };
}

async function bundle(file: string, options: Parameters<typeof build>[0]): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(file, PAGE))],
    bundle: true,
    minify: true,
    write: false,
    legalComments: "none",
    charset: "utf8",
    logLevel: "silent",
    ...options,
  });
  const text = outputFiles?.[0]?.text.trim() ?? "";
  if (text.includes("</script") || text.includes("<!--")) {
    throw new Error(`${file} can't stand inside the page: it contains a closing tag`);
  }
  return text;
}
