// Runs before the first paint, so that a person who chose dark is not dazzled by a white page first.
// A file of its own, not an inline script: the page's content security policy allows none.
(() => {
  const root = document.documentElement;
  let chosen = null;
  try {
    chosen = window.localStorage.getItem("mantine-color-scheme-value");
  } catch {
    // Storage is blocked by the browser's settings; the system's preference decides below.
  }
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const scheme = chosen === "light" || chosen === "dark" ? chosen : dark ? "dark" : "light";
  root.setAttribute("data-mantine-color-scheme", scheme);
})();
