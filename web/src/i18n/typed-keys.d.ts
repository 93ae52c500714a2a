import "i18next";
import type more from "./en.more.ts";
import type first from "./en.ts";

// A key that does not exist is then a type error, not an English word on a French page.
declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof first & typeof more };
  }
}
