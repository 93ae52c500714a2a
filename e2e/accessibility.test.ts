/** Every screen in one look; the long suite takes the other three. */
import { describeScreens } from "./accessibility.ts";

describeScreens([{ language: "en", theme: "light" }]);
