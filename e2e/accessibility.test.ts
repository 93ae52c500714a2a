/** Every screen in two looks that have nothing in common; the long suite takes the other two. */
import { describeScreens } from "./accessibility.ts";

describeScreens([
  { language: "en", theme: "light" },
  { language: "fr-CA", theme: "dark" },
]);
