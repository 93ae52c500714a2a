/** The looks that every run leaves out. */
import { describeScreens } from "./accessibility.ts";

describeScreens([
  { language: "en", theme: "dark" },
  { language: "fr-CA", theme: "light" },
  { language: "fr-CA", theme: "dark" },
]);
