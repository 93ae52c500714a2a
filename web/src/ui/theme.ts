// The look in one place: colours that keep WCAG AA contrast in both schemes, and the sizes of things.
// Mantine's own defaults fail it (dimmed text, errors, placeholders, input borders), hence the variables below.
import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

/** A calm blue-green. Shades 7 and 8 carry white text at 4.8:1 and 6:1. */
const lagoon: MantineColorsTuple = [
  "#eaf6f8",
  "#d6ecf0",
  "#abd8e0",
  "#7cc3cf",
  "#55b2c1",
  "#3da7b8",
  "#2c95a6",
  "#1a7d8e",
  "#0f6a7b",
  "#075766",
];

/** The dark scheme's greys, with a little of the same hue. */
const dark: MantineColorsTuple = [
  "#dfe6e9",
  "#b3bfc5",
  "#95a2a9",
  "#76858d",
  "#38444a",
  "#2c363b",
  "#232b2f",
  "#1a2023",
  "#151a1d",
  "#101416",
];

export const theme = createTheme({
  primaryColor: "lagoon",
  colors: { lagoon, dark },
  primaryShade: { light: 8, dark: 7 },
  autoContrast: true,
  // The luminance at which black and white text contrast equally.
  luminanceThreshold: 0.18,
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "Noto Sans Mono", "Liberation Mono", monospace',
  components: {
    // Rendered as <header>, which outside of <main> would count as a second banner of the page.
    Modal: { defaultProps: { attributes: { header: { role: "presentation" } } } },
    Drawer: { defaultProps: { attributes: { header: { role: "presentation" } } } },
  },
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.625rem", lineHeight: "1.25" },
      h2: { fontSize: "1.1875rem", lineHeight: "1.35" },
      h3: { fontSize: "1rem", lineHeight: "1.4" },
    },
  },
});

const LIGHT = {
  "--mantine-color-text": "#1c2529",
  "--mantine-color-dimmed": "#56626a",
  "--mantine-color-placeholder": "#67737b",
  "--mantine-color-error": "#b42323",
  "--mantine-color-default-border": "#d5dce0",
  "--mantine-color-anchor": "#0b5f6f",
  "--mantine-color-disabled": "#e6ebed",
  "--mantine-color-disabled-color": "#67737b",
  "--hw-page": "#f5f7f8",
  "--hw-surface": "#ffffff",
  "--hw-sunken": "#f1f4f5",
  "--hw-control-border": "#85929a",
  "--hw-good": "#1b6b3a",
  "--hw-good-soft": "#e4f3e9",
  "--hw-warn": "#7a4d00",
  "--hw-warn-soft": "#fdf0d5",
  "--hw-bad": "#a61e1e",
  "--hw-bad-soft": "#fce8e8",
  "--hw-calm": "#44525a",
  "--hw-calm-soft": "#e9eef0",
};

const DARK = {
  "--mantine-color-text": "#dfe6e9",
  "--mantine-color-dimmed": "#a3b0b6",
  "--mantine-color-placeholder": "#95a2a9",
  "--mantine-color-error": "#ff9c9c",
  "--mantine-color-anchor": "#7cc3cf",
  "--mantine-color-disabled": "#2c363b",
  "--mantine-color-disabled-color": "#95a2a9",
  "--mantine-color-lagoon-light": "#1d4650",
  "--mantine-color-lagoon-light-hover": "#25535e",
  "--mantine-color-lagoon-light-color": "#abd8e0",
  "--mantine-primary-color-light": "#1d4650",
  "--mantine-primary-color-light-hover": "#25535e",
  "--mantine-primary-color-light-color": "#abd8e0",
  "--hw-page": "#151a1d",
  "--hw-surface": "#1d2427",
  "--hw-sunken": "#171d20",
  "--hw-control-border": "#76858d",
  "--hw-good": "#8fd6a8",
  "--hw-good-soft": "#1d3427",
  "--hw-warn": "#f2c572",
  "--hw-warn-soft": "#3a2f17",
  "--hw-bad": "#ffa8a8",
  "--hw-bad-soft": "#402222",
  "--hw-calm": "#b9c5ca",
  "--hw-calm-soft": "#2b3439",
};

/** Replaces the colours that do not reach 4.5:1 for text, or 3:1 for the edge of a control. */
export const cssVariables: CSSVariablesResolver = () => ({ variables: {}, light: LIGHT, dark: DARK });
