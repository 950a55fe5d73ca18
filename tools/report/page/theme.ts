import { byId } from "./dom.ts";

/** Follows the system until the reader chooses, then remembers the choice where the browser lets a file do so. */
export function startTheme(onChange: () => void): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = byId("theme");
  let chosen = remembered();
  const apply = () => {
    const isDark = chosen === undefined ? system.matches : chosen === "dark";
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    button.textContent = isDark ? "Light" : "Dark";
    button.setAttribute("aria-label", `Use ${isDark ? "light" : "dark"} colours`);
    onChange();
  };
  system.addEventListener("change", apply);
  button.addEventListener("click", () => {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("egress-report-theme", chosen);
    } catch {
      // Storage is closed to this file; the choice lasts as long as the page.
    }
    apply();
  });
  apply();
}

function remembered(): "dark" | "light" | undefined {
  try {
    const value = localStorage.getItem("egress-report-theme");
    return value === "dark" || value === "light" ? value : undefined;
  } catch {
    return undefined;
  }
}
