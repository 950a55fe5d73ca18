import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** Debian's Chromium, or the one that CHROMIUM names. */
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Whether the browser tests can run; says so loudly when they can't. */
export function hasChromium(): boolean {
  const found = existsSync(CHROMIUM);
  if (!found) {
    console.warn(`NOT RUN: browser tests. No Chromium at ${CHROMIUM}; install it (Debian: chromium) or set CHROMIUM.`);
  }
  return found;
}

/** Starts the browser without anything that would reach for the network. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
