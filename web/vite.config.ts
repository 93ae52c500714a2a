import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { pseudoTree } from "./src/i18n/pseudo.ts";

/** Where `npm run dev` finds the server; the port is the one `npm start` prints. */
const SERVER = "http://localhost:4400";

/** Shows the made-up language in place of English, for who develops: see src/i18n/pseudo.ts. */
const pseudoLocale: Plugin = {
  name: "hookwell-pseudo-locale",
  apply: () => process.env.PSEUDO_LOCALE === "1",
  enforce: "pre",
  transform: (code, id) =>
    /\/i18n\/en\/[\w-]+\.json$/.test(id) ? JSON.stringify(pseudoTree(JSON.parse(code))) : undefined,
};

/** The words of a room say in their file's name of which language they are: "en.shell". */
function chunkName({ facadeModuleId }: { facadeModuleId?: string | null | undefined }): string {
  const [, language] = /\/i18n\/([\w-]+)\/[\w-]+\.json$/.exec(facadeModuleId ?? "") ?? [];
  return language === undefined ? "assets/[name]-[hash].js" : `assets/${language}.[name]-[hash].js`;
}

export default defineConfig({
  plugins: [react(), pseudoLocale],
  server: { proxy: { "/v1": SERVER, "/api": SERVER, "/portal-api": SERVER } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // An asset inlined as a data: address would need a wider content security policy.
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    // The page, the embedded page, and the script that other software puts into its own, which keeps its address.
    rolldownOptions: {
      input: { index: "index.html", embed: "embed.html", "hookwell-webhooks": "src/element/element.ts" },
      output: {
        chunkFileNames: chunkName,
        entryFileNames: ({ name }) => (name === "hookwell-webhooks" ? `embed/${name}.js` : "assets/[name]-[hash].js"),
      },
    },
  },
});
