// The page's own script: asks its own server for a link, gives it to the component, and brings the next one when it ends.
const page = new URLSearchParams(location.search);
const webhooks = document.querySelector("hookwell-webhooks");
const news = document.getElementById("news");

// How it looks is the page's to say: here, for trying, from the address, such as ?color-scheme=dark&accent=%237a1fa2
for (const look of ["accent", "color-scheme", "radius", "font-size"]) {
  if (page.has(look)) webhooks.setAttribute(look, page.get(look));
}
document.documentElement.dataset.scheme = page.get("color-scheme") ?? "light";

async function bringLink() {
  try {
    const answer = await fetch(`/link?${page}`, { method: "POST" });
    webhooks.link = (await answer.json()).link;
  } catch {
    news.textContent = "Webhooks cannot be shown now.";
  }
}

webhooks.addEventListener("ready", () => {
  news.textContent = "Webhooks are open.";
});
webhooks.addEventListener("expired", () => {
  news.textContent = "Webhooks are opened again.";
  void bringLink();
});
webhooks.addEventListener("changed", ({ detail }) => {
  news.textContent = `A ${detail.what} was changed.`;
});
webhooks.addEventListener("error", ({ detail }) => {
  news.textContent = `Webhooks: ${detail.code}`;
});

void bringLink();
