import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { ReportData } from "./reportData.ts";

const PLACE = /\/\*\{\{(\w+)\}\}\*\/|"\{\{(data)\}\}"|\{\{(\w+)\}\}/g;

const PAGE = new URL("page/", import.meta.url);

/**
 * Makes the report: one HTML file that needs nothing else, with the analysis itself inside. Its content security policy
 * allows only its own script and style, so it can't load or send anything.
 */
export async function buildReport(data: ReportData): Promise<string> {
  const [script, style] = await Promise.all([
    bundle("main.ts", { format: "iife", target: "es2022" }),
    bundle("style.css", {}),
  ]);
  const values: Readonly<Record<string, string>> = {
    title: escapeHtml(data.title),
    origin: escapeHtml(data.origin),
    style,
    script,
    scriptHash: sha256(script),
    styleHash: sha256(style),
    // Inside a script element only `<` can end the data or begin a comment.
    data: JSON.stringify(data).replaceAll("<", "\\u003c"),
  };
  const page = readFileSync(fileURLToPath(new URL("page.html", PAGE)), "utf8");
  // The marks stand in comments and quotes so that the page by itself is well-formed.
  return page.replace(PLACE, (_, commented?: string, quoted?: string, bare?: string) => {
    const name = commented ?? quoted ?? bare ?? "";
    return values[name] ?? "";
  });
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

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
