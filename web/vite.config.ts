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
  },
});
