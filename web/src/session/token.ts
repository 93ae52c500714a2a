// What stands behind the `#` of a letter's link. It is taken out of the address bar, so that neither the history nor a
// picture of the screen holds it, and kept for this tab alone.

const PREFIX = "hookwell.link.";

/** The token of this page's link; empty where there is none. `name` tells one kind of link from another. */
export function takeToken(name: string): string {
  const found = window.location.hash.slice(1);
  if (found !== "") {
    keep(name, found);
    window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
    return found;
  }
  return kept(name);
}

/** After it was used. */
export function dropToken(name: string): void {
  try {
    window.sessionStorage.removeItem(PREFIX + name);
  } catch {
    // Storage is blocked by the browser's settings; nothing was kept.
  }
}

function keep(name: string, token: string): void {
  try {
    window.sessionStorage.setItem(PREFIX + name, token);
  } catch {
    // Storage is blocked by the browser's settings; after a detour the link has to be opened again.
  }
}

function kept(name: string): string {
  try {
    return window.sessionStorage.getItem(PREFIX + name) ?? "";
  } catch {
    return "";
  }
}
