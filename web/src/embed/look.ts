// How the embedded page looks, made of what its host chose: one accent colour becomes shades that can be read in both
// schemes (4.5:1 for text, 3:1 for the edge of a control). Pure.
import type { EmbedTheme } from "@hookwell/sdk";
import { type CSSVariablesResolver, createTheme, type MantineColorsTuple, mergeThemeOverrides } from "@mantine/core";
import { cssVariables, theme } from "../ui/theme.ts";

type Rgb = readonly [number, number, number];

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
/** The surfaces of ui/theme.ts. */
const DARK_SURFACE: Rgb = [0x1d, 0x24, 0x27];
const TEXT_CONTRAST = 4.5;
const EDGE_CONTRAST = 3;
/** Of the filled shade on white, so that it is read on its own pale tint, too. */
const FILLED_CONTRAST = 5.6;
/** How much white each shade before the filled ones has. */
const PALE = [0.92, 0.84, 0.68, 0.52, 0.38, 0.26, 0.14] as const;
const STEPS = 100;

const RADIUS_FACTORS = { none: 0, small: 0.5, medium: 1, large: 1.5 } as const;
const RADII_REM = { xs: 0.125, sm: 0.25, md: 0.5, lg: 1, xl: 2 } as const;
/** Everything is sized in rem. */
const FONT_SIZES = { small: "87.5%", medium: "100%", large: "112.5%" } as const;

export function fontSizeOf({ font_size = "medium" }: EmbedTheme): string {
  return FONT_SIZES[font_size];
}

export function parseHex(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

function toHex(colour: Rgb): string {
  return `#${colour.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const part = (index: 0 | 1 | 2) => from[index] + (to[index] - from[index]) * share;
  return [part(0), part(1), part(2)];
}

/** WCAG's relative luminance. */
function luminance(colour: Rgb): number {
  const [red = 0, green = 0, blue = 0] = colour.map((part) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

export function contrast(one: Rgb, other: Rgb): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** The nearest colour on the way to `to` that reaches the contrast with `ground`. */
function until(colour: Rgb, to: Rgb, { ground, least }: { ground: Rgb; least: number }): Rgb {
  for (let step = 0; step < STEPS; step += 1) {
    const tried = rounded(mix(colour, to, step / STEPS));
    if (contrast(tried, ground) >= least) return tried;
  }
  return to;
}

/** As it is written, so that what was measured is what is shown. */
const rounded = (colour: Rgb): Rgb => parseHex(toHex(colour));

export interface Accent {
  readonly shades: MantineColorsTuple;
  readonly light: { readonly text: string };
  readonly dark: { readonly text: string; readonly tint: string; readonly tintHover: string };
}

/** Every shade that is needed of one accent colour. */
export function accentOf(hex: string): Accent {
  const accent = parseHex(hex);
  const filled = until(accent, BLACK, { ground: WHITE, least: FILLED_CONTRAST });
  const onDark = until(accent, WHITE, { ground: DARK_SURFACE, least: EDGE_CONTRAST });
  const pale = PALE.map((share) => toHex(mix(accent, WHITE, share)));
  const shades = [...pale, toHex(onDark), toHex(filled), toHex(mix(filled, BLACK, 0.18))];
  const [tint, tintHover] = [0.22, 0.3].map((share) => rounded(mix(DARK_SURFACE, accent, share))) as [Rgb, Rgb];
  // Light text is hardest to read on the palest ground that it stands on.
  const hardest = [DARK_SURFACE, tint, tintHover].reduce((one, other) =>
    luminance(other) > luminance(one) ? other : one,
  );
  const text = until(accent, WHITE, { ground: hardest, least: TEXT_CONTRAST });
  return {
    shades: shades as unknown as MantineColorsTuple,
    light: { text: toHex(filled) },
    dark: { text: toHex(text), tint: toHex(tint), tintHover: toHex(tintHover) },
  };
}

/** Mantine's theme with the host's choices over ours. */
export function themeOf({ accent, radius = "medium" }: EmbedTheme) {
  const factor = RADIUS_FACTORS[radius];
  const radii = Object.entries(RADII_REM).map(([name, rem]) => [name, `${rem * factor}rem`]);
  return mergeThemeOverrides(
    theme,
    createTheme({
      radius: Object.fromEntries(radii),
      ...(accent === undefined ? {} : { colors: { lagoon: accentOf(accent).shades } }),
    }),
  );
}

/** The variables of ui/theme.ts with those of the accent in their place. */
export function cssVariablesOf({ accent }: EmbedTheme): CSSVariablesResolver {
  if (accent === undefined) return cssVariables;
  const { light, dark } = accentOf(accent);
  return (mantine) => {
    const ours = cssVariables(mantine);
    const tints = Object.fromEntries(
      ["--mantine-color-lagoon-light", "--mantine-primary-color-light"].flatMap((name) => [
        [name, dark.tint],
        [`${name}-hover`, dark.tintHover],
        [`${name}-color`, dark.text],
      ]),
    );
    return {
      variables: ours.variables,
      light: { ...ours.light, "--mantine-color-anchor": light.text },
      dark: { ...ours.dark, ...tints, "--mantine-color-anchor": dark.text },
    };
  };
}
