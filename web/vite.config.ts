import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where `npm run dev` finds the server; the port is the one `npm start` prints. */
const SERVER = "http://localhost:4400";

export default defineConfig({
  plugins: [react()],
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
        entryFileNames: ({ name }) => (name === "hookwell-webhooks" ? `embed/${name}.js` : "assets/[name]-[hash].js"),
      },
    },
  },
});
